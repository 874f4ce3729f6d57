"""One suite in the style in which AWS publishes its examples, on both runners: with one option, and without it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest

from tests.others import WITHOUT

ROOT = Path(__file__).parents[2]
SHARES = 4
"""How many of AWS's runners sleep side by side."""


def passed(directory: Path, runner: str) -> tuple[int, float]:
    """How many tests passed on a runner, and in how many seconds, one after another."""
    texts = [path.read_text(encoding="utf-8") for path in sorted(directory.glob(f"{runner}*.txt"))]
    found = [re.search(r"^(\d+) passed in ([\d.]+)s", text, re.MULTILINE) for text in texts]
    return sum(int(one[1]) for one in found if one), sum(float(one[2]) for one in found if one)


def test_it_passes_on_both_runners(tmp_path: Path) -> None:
    try:
        awss = version("aws-durable-execution-sdk-python-testing") >= "1.4"
    except PackageNotFoundError:
        awss = False
    done = subprocess.run(
        [sys.executable, "-m", "tests.compat.both", str(tmp_path), str(SHARES if awss else 0)],
        cwd=ROOT,
        env={**os.environ, **WITHOUT},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr + "\n".join(path.read_text() for path in sorted(tmp_path.glob("*.txt")))
    tests, seconds = passed(tmp_path, "ours")
    assert tests >= 30
    if not awss:
        pytest.skip("the suite is written for release 1.4 of AWS's runner, which needs release 3 of the SDK")
    there, seconds_there = passed(tmp_path, "awss")
    assert there == tests
    sys.stdout.write(f"{tests} tests: {seconds} s here, {seconds_there:.2f} s on AWS's runner, ")
    sys.stdout.write(f"{seconds_there / seconds:.0f} times as long\n")
