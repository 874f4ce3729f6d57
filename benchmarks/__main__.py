"""``python -m benchmarks``: measure, print, and say which target is reached. The exit code is 0 in any case."""

from __future__ import annotations

import argparse

from benchmarks import drop_in, effects, extremes, floor, isolation, memory, readme, scaling, search, speed
from benchmarks.machine import machine
from benchmarks.measure import FULL, QUICK, be_quiet

MEASUREMENTS = {
    "speed": speed.measure,
    "search": search.measure,
    "floor": floor.measure,
    "scaling": scaling.measure,
    "extremes": extremes.measure,
    "effects": effects.measure,
    "isolation": isolation.measure,
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
    parser.add_argument("--write-readme", action="store_true", help="write the tables into the README")
    options = parser.parse_args()
    unknown = [name for name in options.names if name not in MEASUREMENTS]
    if unknown:
        parser.error(f"no measurement is called {unknown[0]!r}; there are {', '.join(MEASUREMENTS)}")
    if options.write_readme and (options.quick or options.names):
        parser.error("--write-readme takes all measurements, in full")
    be_quiet()
    print(machine(), end="\n\n", flush=True)
    tables = []
    for name in options.names or MEASUREMENTS:
        tables.append(MEASUREMENTS[name](QUICK if options.quick else FULL))
        print(tables[-1].as_text(), end="\n\n", flush=True)
    if options.write_readme:
        readme.write(machine(), tables)


if __name__ == "__main__":
    main()
