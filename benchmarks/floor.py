"""Whose code the time of an execution goes into: the floor is what the SDK itself takes."""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from types import FrameType

from benchmarks.measure import Scale, Table, average
from benchmarks.speed import CASES, WARM_UP
from pytest_durable import FakeDurableContext

INTERVAL = 0.001
"""Seconds of CPU time between two samples."""

OWNERS = {"aws_durable_execution_sdk_python": "SDK", "pytest_durable": "pytest-durable", "benchmarks": "handler"}
"""Top-level package -> whose code it is. Code of any other package counts for whoever called it."""


def measure(scale: Scale) -> Table:
    """Sample the executions of each case."""
    columns = ("handler", *OWNERS.values(), "samples")
    if not hasattr(signal, "setitimer"):
        return Table("Whose code runs", columns, (), ("not measured: this platform has no profiling timer",))
    return Table("Whose code runs", columns, [_row(name, handler, scale) for name, handler, _ in CASES])


def _row(name: str, handler: object, scale: Scale) -> tuple[str, ...]:
    with FakeDurableContext() as context:
        run = partial(context.run, handler)  # type: ignore[arg-type]  # any of the cases
        average(WARM_UP, run)
        with _sampled() as owners:
            average(scale.executions * scale.batches, run)
    total = max(1, owners.total())
    return (name, *(f"{100 * owners[owner] / total:.0f} %" for owner in OWNERS.values()), f"{total:,}")


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
