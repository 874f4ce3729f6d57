"""One execution, here and on AWS's local runner.

Each side has a process of its own: the runner's threads live on between its runs, and would be measured with ours.
"""

from __future__ import annotations

import logging
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from functools import partial

from benchmarks import handlers, local_runner
from benchmarks.measure import Scale, Table, Timing, average, clock, milliseconds, side_by_side, verdict
from pytest_durable import FakeDurableContext

WARM_UP = 10

CASES = (
    ("3 steps and a wait of 300 s", handlers.three_steps_and_a_wait, 200),
    ("10 steps", handlers.steps(10), 100),
    ("a map over 10 items", handlers.map_of_ten, 40),
)
"""What is run, and how many times faster than AWS's runner it shall be."""


def measure(scale: Scale) -> Table:
    """Time each case on both sides."""
    if not local_runner.is_installed():
        return Table(TITLE, COLUMNS, (), (local_runner.MISSING,))
    spawn = multiprocessing.get_context("spawn")
    rows = []
    with ProcessPoolExecutor(1, spawn, _be_quiet) as here, ProcessPoolExecutor(1, spawn, _be_quiet) as there:
        for number, (name, _, target) in enumerate(CASES):
            ours, theirs = side_by_side(
                scale.batches,
                lambda: here.submit(_ours, number, scale.executions).result(),  # noqa: B023  # called at once
                lambda: there.submit(_theirs, number, scale.runs).result(),  # noqa: B023  # as above
            )
            rows.append(_row(name, ours, theirs, target))
    return Table(TITLE, COLUMNS, rows, (f"Opening a context takes {milliseconds(opening())} more, once in a test.",))


def _be_quiet() -> None:
    logging.disable(logging.CRITICAL)


def _ours(case: int, executions: int) -> float:
    return seconds_per_execution(CASES[case][1], executions)


def _theirs(case: int, runs: int) -> float:
    return local_runner.seconds_per_run(CASES[case][1], runs)


TITLE = "Time per execution"
COLUMNS = ("handler", "pytest-durable", "median", "AWS's runner", "median", "ratio", "of medians", "target", "")


def seconds_per_execution(handler: handlers.Handler, executions: int) -> float:
    """Time ``executions`` in one context that is warm."""
    with FakeDurableContext() as context:
        run = partial(context.run, handler)
        average(WARM_UP, run)
        return average(executions, run)


def opening() -> float:
    """Seconds from a closed context to the end of its first execution, less the execution."""
    with FakeDurableContext() as context:
        run = partial(context.run, handlers.three_steps_and_a_wait)
        began = clock()
        run()
        first = clock() - began
        return max(0.0, first - average(WARM_UP, run))


def _row(name: str, ours: Timing, theirs: Timing, target: int) -> tuple[str, ...]:
    ratio = theirs.best / ours.best
    return (
        name,
        milliseconds(ours.best),
        milliseconds(ours.median),
        milliseconds(theirs.best),
        milliseconds(theirs.median),
        f"{ratio:.0f}x",
        f"{theirs.median / ours.median:.0f}x",
        f">= {target}x",
        verdict(ratio >= target),
    )
