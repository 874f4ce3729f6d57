"""``python -m benchmarks``: measure, print, and say which target is reached. The exit code is 0 in any case."""

from __future__ import annotations

import argparse
import logging
import os
import platform
from importlib.metadata import PackageNotFoundError, version

from benchmarks import drop_in, extremes, floor, local_runner, memory, scaling, search, speed
from benchmarks.measure import FULL, QUICK

MEASUREMENTS = {
    "speed": speed.measure,
    "search": search.measure,
    "scaling": scaling.measure,
    "extremes": extremes.measure,
    "floor": floor.measure,
    "memory": memory.measure,
    "drop_in": drop_in.measure,
}


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure pytest-durable.")
    parser.add_argument(
        "names", nargs="*", metavar="MEASUREMENT", help=f"any of {', '.join(MEASUREMENTS)}; all if none"
    )
    parser.add_argument("--quick", action="store_true", help="fewer and smaller batches")
    parser.add_argument("--markdown", action="store_true", help="print tables for a README")
    options = parser.parse_args()
    unknown = [name for name in options.names if name not in MEASUREMENTS]
    if unknown:
        parser.error(f"no measurement is called {unknown[0]!r}; there are {', '.join(MEASUREMENTS)}")
    logging.disable(logging.CRITICAL)  # on both sides: the terminal shall not be measured
    print(_machine(), end="\n\n", flush=True)
    for name in options.names or MEASUREMENTS:
        table = MEASUREMENTS[name](QUICK if options.quick else FULL)
        print(table.as_markdown() if options.markdown else table.as_text(), end="\n\n", flush=True)


def _machine() -> str:
    packages = ["pytest-durable", "aws-durable-execution-sdk-python", local_runner.PACKAGE, "greenlet"]
    versions = ", ".join(f"{package} {_version(package)}" for package in packages)
    return f"Python {platform.python_version()} on {os.cpu_count()} cores; {versions}"


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


if __name__ == "__main__":
    main()
