"""``python -m tests.quality``: how many bugs are found, and how many correct handlers are left alone."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from benchmarks.measure import Table
from benchmarks.readme import README, replaced
from tests.parity.test_parity import ALL
from tests.quality.correct import CORRECT
from tests.quality.pair import ONE, SEEDS, Pair, against, on_the_bug, on_the_twin
from tests.quality.parity import UNSAFE, against_generated, said_against
from tests.quality.tables import FOUND, UNFOUND

BEGIN = "<!-- written by: python -m tests.quality --write-readme -->"

GENERATED = 200
"""Generated handlers that are searched."""

COLUMNS = (f"found in {len(SEEDS)} of {len(SEEDS)} seeds", "repaired twins left alone")


@dataclass(frozen=True)
class Verdict:
    """What the search says of a pair.

    Attributes:
        pair: that it is about.
        missed: for each seed at which the bug is not found as what it is, with its smallest plan: what it says.
        alarms: for each seed at which it objects to the twin: what it says.
    """

    pair: Pair
    missed: dict[int, str]
    alarms: dict[int, str]

    @classmethod
    def of(cls, pair: Pair) -> Verdict:
        """Search the bug and the twin."""
        return cls(pair, on_the_bug(pair, ONE if pair.endless else SEEDS), on_the_twin(pair, SEEDS))

    def lines(self) -> Iterator[str]:
        """What is wrong, to be printed."""
        for seed, said in list(self.missed.items())[:1]:
            yield f"    not found: {self.pair.name}: {self.pair.missing or f'with seed {seed}: {said}'}"
        for seed, said in list(self.alarms.items())[:1]:
            yield f"    false alarm: {self.pair.name}, with seed {seed}:\n{said}"


def row(title: str, verdicts: Sequence[Verdict]) -> tuple[str, str, str]:
    """A line of a table."""
    count = len(verdicts)
    missed, alarmed = (sum(map(bool, side)) for side in zip(*((v.missed, v.alarms) for v in verdicts), strict=True))
    return title, f"{count - missed} of {count}", f"{count - alarmed} of {count}"


def search_pairs() -> list[Verdict]:
    """Search all pairs, and print a line for each pattern as soon as it is done."""
    said: list[Verdict] = []
    pairs = [*FOUND, *UNFOUND]
    show("planted bugs, by pattern", *COLUMNS)
    for pattern in dict.fromkeys(pair.pattern for pair in pairs):
        of_it = [Verdict.of(pair) for pair in pairs if pair.pattern == pattern]
        show(*row(pattern, of_it))
        for line in (line for one in of_it for line in one.lines()):
            print(line, flush=True)
        said += of_it
    return said


def show(*cells: str) -> None:
    """Print a line, at once."""
    first, *others = cells
    print(f"{first[:76]:76}", *(f"{cell:>12}" for cell in others), flush=True)


def by_what_it_takes(verdicts: Sequence[Verdict]) -> Table:
    """The rates by what it takes to break the bugs; what is not found has a line of its own."""
    groups: dict[str, list[Verdict]] = {}
    for verdict in sorted(verdicts, key=lambda one: (bool(one.pair.missing), one.pair.deviations, one.pair.faults)):
        groups.setdefault(takes(verdict.pair), []).append(verdict)
    rows = [row(title, of_it) for title, of_it in groups.items()]
    columns = ("planted bugs, by what breaks them", *COLUMNS)
    return Table("planted bugs", columns, [*rows, row("all", verdicts)], readme=columns)


def takes(pair: Pair) -> str:
    """What it takes to break the bug."""
    if pair.missing:
        return "what no search can see (below)"
    if pair.deviations:
        return "a kill and an order of threads" if pair.faults else "an order of threads"
    return ("a replay, without any fault", "one fault", "two kills")[pair.faults]


def correct_handlers() -> Table:
    """Handlers against which nothing is to be said."""
    groups: dict[str, tuple[int, Callable[[], list[str]]]] = {
        f"of unusual shape, {len(SEEDS)} seeds": (
            len(CORRECT),
            lambda: [f"{make.__name__}: {said}" for make in CORRECT if (said := against(make, SEEDS))],
        ),
        "held against AWS's local runner": (
            len(ALL) - len(UNSAFE),
            lambda: [f"{one.name}: {said}" for one in ALL if one.name not in UNSAFE and (said := said_against(one))],
        ),
        "generated": (GENERATED, lambda: list(against_generated(GENERATED))),
    }
    columns = ("correct handlers", "left alone")
    rows = []
    for title, (count, search) in groups.items():
        alarms = search()
        rows.append((title, f"{count - len(alarms)} of {count}"))
        show(*rows[-1])
        for alarm in alarms:
            print(f"    false alarm: {alarm}", flush=True)
    return Table("correct handlers", columns, rows, readme=columns)


def main() -> None:
    """Search everything; the exit code is 0 in any case."""
    parser = argparse.ArgumentParser(prog="python -m tests.quality", description=__doc__)
    parser.add_argument("--write-readme", action="store_true", help="write the tables into the README")
    options = parser.parse_args()
    began = time.perf_counter()
    tables = [by_what_it_takes(search_pairs()), correct_handlers()]
    for cells in tables[0].rows:
        show(*cells)
    print(f"{time.perf_counter() - began:.0f} s")
    if options.write_readme:
        README.write_text(replaced(README.read_text(), "\n\n".join(table.for_readme() for table in tables), BEGIN))


if __name__ == "__main__":
    main()
