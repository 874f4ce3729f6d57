"""The ETL example killed at every place, against AWS's local runner running it once without a kill."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import local_runner
from benchmarks.measure import Scale, Table, Timing, average, milliseconds, side_by_side, verdict
from examples.etl.pipeline import Databases, make_handler
from examples.etl.test_etl import EVENT, prepare
from pytest_durable import FakeDurableContext, Verification

TITLE = "Verifying the ETL example at every kill, against running it once on AWS's local runner"
COLUMNS = ("", "best", "median", "target", "")

Reset = Callable[[], None]


def measure(scale: Scale) -> Table:
    """Search the example and run it once, in turns."""
    if not local_runner.is_installed():
        return Table(TITLE, COLUMNS, (), (local_runner.MISSING,))
    with TemporaryDirectory() as directory:
        databases = Databases(source=Path(directory, "source.db"), destination=Path(directory, "destination.db"))
        reset = prepare(databases)
        found = search(databases, reset)
        ours, theirs = side_by_side(
            min(scale.batches, 5),
            partial(average, 1, partial(search, databases, reset)),
            partial(run_once, databases, reset),
        )
    return Table(TITLE, COLUMNS, _rows(found, ours, theirs))


def search(databases: Databases, reset: Reset) -> Verification:
    """Everything a test does: open a context, run without faults, then with every single kill."""
    with FakeDurableContext() as context:
        return context.verify(make_handler(databases), EVENT, reset=reset)


def run_once(databases: Databases, reset: Reset) -> float:
    """Seconds that AWS's runner takes for one run without a kill."""
    reset()
    return local_runner.seconds_per_run(make_handler(databases), 1, json.dumps(EVENT))


def _rows(found: Verification, ours: Timing, theirs: Timing) -> list[tuple[str, ...]]:
    ratio = ours.best / theirs.best
    return [
        (f"pytest-durable: {found.runs} runs, {len(found.killed)} kills", *_times(ours), "", ""),
        ("AWS's runner: 1 run, no kill", *_times(theirs), "", ""),
        ("ratio", f"{ratio:.2f}", f"{ours.median / theirs.median:.2f}", "< 1", verdict(ratio < 1)),
    ]


def _times(timing: Timing) -> tuple[str, str]:
    return milliseconds(timing.best), milliseconds(timing.median)
