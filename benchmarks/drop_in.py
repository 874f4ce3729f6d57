"""A suite written for AWS's runner, on that and, with one option, in the simulation: wall times and their ratio."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from benchmarks.local_runner import MISSING, is_installed
from benchmarks.measure import Scale, Table, clock

SUITE = Path(__file__).parents[1] / "tests" / "compat" / "suite"
TITLE = "a suite written for AWS's runner, on both"
COLUMNS = ("", "tests", "seconds in pytest", "seconds in all")


def measure(scale: Scale) -> Table:
    """Run the whole suite on each runner, once for each third batch of ours; once on AWS's, which is all sleep."""
    if not is_installed():
        return Table(TITLE, COLUMNS, [], [MISSING])
    ours = [_run("--durable-replace-aws-runner") for _ in range(max(1, scale.batches // 5))]
    theirs = _run()
    tests, inside, whole = ours[0][0], min(one[1] for one in ours), min(one[2] for one in ours)
    rows = [
        ("AWS's runner", str(theirs[0]), f"{theirs[1]:.2f}", f"{theirs[2]:.2f}"),
        ("--durable-replace-aws-runner", str(tests), f"{inside:.2f}", f"{whole:.2f}"),
        ("ratio", "", f"{theirs[1] / inside:.1f}", f"{theirs[2] / whole:.1f}"),
    ]
    note = "without xdist; in all: with the start of Python and its imports"
    return Table(TITLE, COLUMNS, rows, [note], readme=COLUMNS)


def _run(*options: str) -> tuple[int, float, float]:
    """How many tests have passed, the seconds that pytest gives, and those from start to exit.

    Raises:
        RuntimeError: if not all have passed: the time would mean nothing.
    """
    command = [sys.executable, "-m", "pytest", "-q", "-c", str(SUITE / "pytest.ini"), "-p", "no:cacheprovider"]
    began = clock()
    done = subprocess.run([*command, *options, str(SUITE)], capture_output=True, text=True)
    whole = clock() - began
    found = re.search(r"^(\d+) passed in ([\d.]+)s", done.stdout, re.MULTILINE)
    if done.returncode or found is None:
        raise RuntimeError(f"the suite fails: {done.stdout}{done.stderr}")
    return int(found[1]), float(found[2]), whole
