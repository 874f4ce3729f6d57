"""One invocation in a thread, and in a process of its own: real time, as the work is that of two processes."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial

from benchmarks import handlers
from benchmarks.measure import Scale, Table, Timing, average, clock, milliseconds, side_by_side
from pytest_durable import FakeDurableContext

TITLE = "one invocation by isolation"
COLUMNS = ("", "thread", "median", "process", "median", "ratio")
EXECUTIONS = 5
"""Of each side in one batch; so that all of it takes a few seconds."""

CASES: dict[str, tuple[handlers.Handler, str | None, int]] = {
    "3 steps": (handlers.steps(3), None, 1),
    "30 steps": (handlers.steps(30), None, 1),
    "3 steps, killed in the second": (handlers.steps(3), "step-1:body", 2),
}
"""Handler, kill, and how many invocations it makes."""


def measure(scale: Scale) -> Table:
    """Time each case on both sides, in turns."""
    if not hasattr(os, "fork"):
        return Table(TITLE, COLUMNS, (), ("not measured: this platform has no fork",))
    rows = []
    for name, (handler, kill, invocations) in CASES.items():
        with FakeDurableContext() as threads, FakeDurableContext(isolation="process") as processes:
            runs = [partial(context.run, handler, faults=kill) for context in (threads, processes)]
            timings = side_by_side(scale.batches, *(partial(_seconds, run, invocations) for run in runs))
        rows.append(_row(name, *timings))
    return Table(TITLE, COLUMNS, rows, ("A bare fork and its end take " + milliseconds(_bare_fork()) + " here.",))


def _seconds(run: Callable[[], object], invocations: int) -> float:
    return average(EXECUTIONS, run, clock) / invocations


def _bare_fork() -> float:
    def fork() -> None:
        pid = os.fork()
        if not pid:
            os._exit(0)
        os.waitpid(pid, 0)

    return min(average(1, fork, clock) for _ in range(20))


def _row(name: str, thread: Timing, process: Timing) -> tuple[str, ...]:
    times = [milliseconds(seconds) for one in (thread, process) for seconds in (one.best, one.median)]
    return (name, *times, f"{process.best / thread.best:.0f}x")
