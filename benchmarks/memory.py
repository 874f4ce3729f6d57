"""What thousands of executions with kills leave behind in one process."""

from __future__ import annotations

import gc
import multiprocessing
import threading
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path

import greenlet

from benchmarks.handlers import mixed, mixed_world
from benchmarks.measure import Scale, Table, verdict
from pytest_durable import FakeDurableContext

TARGET = 10.0
"""Megabytes that the process may grow by after the warm-up, however many executions follow."""

PER_CONTEXT = 50
"""Executions after which a new context is opened: contexts may leak as well."""

_STATM = Path("/proc/self/statm")
_PAGE = 4_096


@dataclass(frozen=True)
class Census:
    """What is alive in this process.

    Attributes:
        megabytes: of resident memory; 0 where the system does not tell.
        greenlets: that the garbage collector knows.
        threads: of the operating system.
        objects: that the garbage collector knows.
    """

    megabytes: float
    greenlets: int
    threads: int
    objects: int

    @classmethod
    def now(cls) -> Census:
        """Count after a collection."""
        gc.collect()
        objects = gc.get_objects()
        resident = int(_STATM.read_text().split()[1]) * _PAGE / 1_000_000 if _STATM.exists() else 0.0
        greenlets = sum(isinstance(candidate, greenlet.greenlet) for candidate in objects)
        return cls(resident, greenlets, threading.active_count(), len(objects))


def places() -> tuple[str, ...]:
    """Every place at which the handler can be killed."""
    with mixed_world(FakeDurableContext()) as context:
        return context.verify(mixed, kills=0).places


def run_killed(executions: int) -> None:
    """Run the handler that often, killed at each of its places in turn."""
    plans = cycle(places())
    for begun in range(0, executions, PER_CONTEXT):
        with mixed_world(FakeDurableContext()) as context:
            for plan in islice(plans, min(PER_CONTEXT, executions - begun)):
                context.run(mixed, faults=plan)


def grow(warm_up: int, executions: int) -> tuple[Census, Census]:
    """The census after the warm-up, and after the executions that follow it."""
    run_killed(warm_up)
    before = Census.now()
    run_killed(executions)
    return before, Census.now()


def measure(scale: Scale) -> Table:
    """Count in a fresh process, where nothing but our executions has run."""
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn) as pool:
        before, after = pool.submit(grow, scale.crowd // 10, scale.crowd).result()
    growth = after.megabytes - before.megabytes
    rows = [
        (
            "resident memory",
            f"{before.megabytes:.1f} MB",
            f"{after.megabytes:.1f} MB",
            f"<= +{TARGET:.0f} MB",
            verdict(growth <= TARGET),
        ),
        _row("greenlets", before.greenlets, after.greenlets),
        _row("threads", before.threads, after.threads),
    ]
    title = f"what {scale.crowd:,} executions with a kill each leave behind"
    return Table(title, ("", "before", "after", "target", "met"), rows, readme=("", "before", "after"))


def _row(what: str, before: int, after: int) -> tuple[str, ...]:
    return (what, str(before), str(after), "+0", verdict(after == before))
