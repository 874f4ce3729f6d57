"""One execution, here and on AWS's local runner."""

from __future__ import annotations

from functools import partial

from benchmarks import handlers, local_runner
from benchmarks.measure import (
    Scale,
    Table,
    Timing,
    average,
    milliseconds,
    side_by_side,
    two_processes,
    verdict,
    work,
)
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
    rows = []
    with two_processes() as (here, there):
        for number, (name, _, target) in enumerate(CASES):
            ours, theirs = side_by_side(
                scale.batches,
                lambda: here.submit(_ours, number, scale.executions).result(),  # noqa: B023  # called at once
                lambda: there.submit(_theirs, number, scale.runs).result(),  # noqa: B023  # as above
            )
            rows.append(_row(name, ours, theirs, target))
    notes = (f"Opening a context takes {milliseconds(opening())} more, once in a test.",)
    return Table(TITLE, COLUMNS, rows, notes, readme=("", "pytest-durable", "AWS's runner", "ratio"))


def _ours(case: int, executions: int) -> float:
    return seconds_per_execution(CASES[case][1], executions)


def _theirs(case: int, runs: int) -> float:
    return local_runner.seconds_per_run(CASES[case][1], runs)


TITLE = "one execution"
COLUMNS = ("", "pytest-durable", "median", "AWS's runner", "median", "ratio", "of medians", "target", "")


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
        began = work()
        run()
        first = work() - began
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
