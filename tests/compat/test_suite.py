"""One suite in the style in which AWS publishes its examples, on both runners: with one option, and without it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from tests.others import WITHOUT

SUITE = Path(__file__).parent / "suite"
AT_ONCE = 3
"""Processes for AWS's runner, which mostly sleeps."""


def passed(*options: str) -> int:
    """How many tests of the suite pass, if all do."""
    command = [sys.executable, "-m", "pytest", "-q", "-c", str(SUITE / "pytest.ini"), "-p", "no:cacheprovider"]
    done = subprocess.run(
        [*command, *options, str(SUITE)], env={**os.environ, **WITHOUT}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found = re.search(r"^(\d+) passed in", done.stdout, re.MULTILINE)
    assert found is not None, done.stdout
    return int(found[1])


def test_it_passes_in_the_simulation() -> None:
    assert passed("--durable-replace-aws-runner") >= 30


def test_it_passes_on_awss_own_runner() -> None:
    pytest.importorskip("aws_durable_execution_sdk_python_testing", reason="AWS's runner is not installed")
    if version("aws-durable-execution-sdk-python-testing") < "1.4":
        pytest.skip("the suite is written for release 1.4 of AWS's runner, which needs release 3 of the SDK")
    assert passed("-p", "xdist", "-n", str(AT_ONCE)) >= 30
