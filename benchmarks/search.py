"""How fast searches are, with the default budget or by kills alone, and against one run on AWS's local runner.

The ETL example is searched with its databases on the disk, emptied before each run.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import Any, NamedTuple

from benchmarks import handlers, local_runner
from benchmarks.measure import Scale, Table, Timing, average, milliseconds, side_by_side, two_processes, verdict
from examples.etl.pipeline import Databases, make_handler
from examples.etl.test_etl import EVENT, prepare
from pytest_durable import FakeDurableContext, Verification

TITLE = "one search: every single kill, and orders of threads"
COLUMNS = ("", "runs", "kills", "best", "median", "runs per second", "AWS's runner, 1 run", "ratio", "target", "met")
BATCHES = 12


class Case(NamedTuple):
    """What is searched.

    Attributes:
        handler: under test.
        event: that it is given.
        reset: the outside world, before each run.
        world: gives a context what the handler asks of it.
        alone: whether AWS's runner can run it, without an outside world.
        budget: of the search, if it is not the default one.
    """

    handler: handlers.Handler
    event: Any = None
    reset: Callable[[], object] | None = None
    world: Callable[[FakeDurableContext], object] | None = None
    alone: bool = True
    budget: Mapping[str, int] = MappingProxyType({})


@cache
def _etl() -> Case:
    directory = _directory().name
    databases = Databases(source=Path(directory, "source.db"), destination=Path(directory, "destination.db"))
    return Case(make_handler(databases), EVENT, prepare(databases))


@cache
def _directory() -> TemporaryDirectory[str]:
    return TemporaryDirectory()  # removed with the process


CASES: dict[str, Callable[[], Case]] = {
    "10 operations: steps, waits, a child context": lambda: Case(handlers.ten_operations),
    "a map over 10 items": lambda: Case(handlers.map_of_ten),
    "something of everything": lambda: Case(handlers.mixed, world=handlers.mixed_world, alone=False),
    "the ETL example": _etl,
    "the ETL example, kills alone": lambda: _etl()._replace(budget={"examples": 0}),
}

MOST_SECONDS = {"10 operations: steps, waits, a child context": 2.0}
"""A search may take."""

MOST_RATIO = {"the ETL example, kills alone": 1.0}
"""To one run of AWS's runner."""

case = cache(lambda name: CASES[name]())
"""One of the cases, made once in each process."""


def measure(scale: Scale) -> Table:
    """Search each case and run it once, in turns."""
    if not local_runner.is_installed():
        return Table(TITLE, COLUMNS, (), (local_runner.MISSING,))
    rows = []
    with two_processes() as (here, there):
        for name in CASES:
            runs, kills, alone = here.submit(facts, name).result()
            sides = [lambda: here.submit(seconds_per_search, name).result()]  # noqa: B023  # called at once
            if alone:
                sides.append(lambda: there.submit(seconds_of_one_run, name).result())  # noqa: B023  # as above
            timings = side_by_side(min(scale.batches, BATCHES), *sides)
            rows.append((name, str(runs), str(kills), *_figures(name, runs, timings)))
    shown = ("", "runs", "kills", "best", "runs per second", "AWS's runner, 1 run")
    return Table(TITLE, COLUMNS, rows, readme=shown)


def search(name: str) -> Verification:
    """Everything a test does: open a context, run without faults, then with every single kill."""
    it: Case = case(name)
    with FakeDurableContext() as context:
        if it.world is not None:
            it.world(context)
        return context.verify(it.handler, it.event, reset=it.reset, **it.budget)


def facts(name: str) -> tuple[int, int, bool]:
    """How many runs and kills a search makes, and whether AWS's runner can run the handler."""
    found = search(name)
    return found.runs, len(found.killed), case(name).alone


def seconds_per_search(name: str) -> float:
    """Time one search."""
    return average(1, partial(search, name))


def seconds_of_one_run(name: str) -> float:
    """Seconds that AWS's runner takes for one run without a kill."""
    it: Case = case(name)
    if it.reset is not None:
        it.reset()
    return local_runner.seconds_per_run(it.handler, 1, json.dumps(it.event or {}))


def _figures(name: str, runs: int, timings: tuple[Timing, ...]) -> tuple[str, ...]:
    ours = timings[0]
    rate = f"{runs / ours.best:.0f}"
    theirs, ratio, target, met = "-", "-", "", ""
    if len(timings) > 1:
        theirs, ratio = milliseconds(timings[1].best), f"{ours.best / timings[1].best:.2f}"
    if name in MOST_SECONDS:
        target, met = f"< {MOST_SECONDS[name]:g} s", verdict(ours.best < MOST_SECONDS[name])
    elif name in MOST_RATIO:
        target, met = f"ratio < {MOST_RATIO[name]:g}", verdict(ours.best / timings[1].best < MOST_RATIO[name])
    return milliseconds(ours.best), milliseconds(ours.median), rate, theirs, ratio, target, met
