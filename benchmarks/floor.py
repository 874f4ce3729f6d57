"""Whose code the CPU time of an execution goes into: what the SDK itself takes is the floor, whoever simulates."""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from statistics import fmean
from types import FrameType

from benchmarks import local_runner
from benchmarks.handlers import Handler
from benchmarks.measure import Scale, Table, average, milliseconds
from benchmarks.speed import CASES, WARM_UP
from pytest_durable import FakeDurableContext

INTERVAL = 0.001
"""Seconds of CPU time between two samples."""

RUNS = 3
"""Of AWS's runner, of which the fastest counts."""

TITLE = "whose code it is"
COLUMNS = ("", "average", "the SDK's own", "pytest-durable's", "above the floor", "samples", "best", "ratio at most")
NOTE = "At most: to one run of AWS's runner, if of our best batch the SDK's own part were all there is."

OWNERS = {"aws_durable_execution_sdk_python": "SDK", "pytest_durable": "pytest-durable", "benchmarks": "handler"}
"""Top-level package -> whose code it is. Code of any other package counts for whoever called it."""


def measure(scale: Scale) -> Table:
    """Sample the executions of each case."""
    if not hasattr(signal, "setitimer"):
        return Table(TITLE, COLUMNS, (), ("not measured: this platform has no profiling timer",))
    rows = [_row(name, handler, scale) for name, handler, _ in CASES]
    return Table(TITLE, COLUMNS, rows, (NOTE,), readme=("", "average", "the SDK's own", "pytest-durable's"))


def _row(name: str, handler: Handler, scale: Scale) -> tuple[str, ...]:
    with FakeDurableContext() as context:
        run = partial(context.run, handler)
        average(WARM_UP, run)
        with _sampled() as owners:
            batches = [average(scale.executions, run) for _ in range(scale.batches)]
    seconds, best = fmean(batches), min(batches)
    total = max(1, owners.total())
    sdk, ours = owners["SDK"] / total, owners["pytest-durable"] / total
    above = f"{1 / sdk:.2f}x" if sdk else "?"
    floor = milliseconds(seconds * sdk)
    at_most = "?"
    if sdk and local_runner.is_installed():
        theirs = min(local_runner.seconds_per_run(handler, scale.runs) for _ in range(RUNS))
        at_most = f"{theirs / (best * sdk):.0f}x"
    shares = f"{floor}, {sdk:.0%}", f"{ours:.0%}", above, f"{total:,}"
    return name, milliseconds(seconds), *shares, milliseconds(best), at_most


@contextmanager
def _sampled() -> Iterator[Counter[str]]:
    """Count whose code runs at each tick of the CPU-time timer."""
    owners: Counter[str] = Counter()

    def tick(number: int, frame: FrameType | None) -> None:
        owners[_owner(frame)] += 1

    before = signal.signal(signal.SIGPROF, tick)
    signal.setitimer(signal.ITIMER_PROF, INTERVAL, INTERVAL)
    try:
        yield owners
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def _owner(frame: FrameType | None) -> str:
    while frame is not None:
        package = str(frame.f_globals.get("__name__", "")).partition(".")[0]
        if package in OWNERS:
            return OWNERS[package]
        frame = frame.f_back
    return "nobody"
