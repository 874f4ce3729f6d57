"""Print how many bugs are found and how many twins are left alone, by pattern: ``python -m tests.quality``."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable

from tests.quality.correct import CORRECT
from tests.quality.pair import FEW, SEEDS, Pair, against, on_the_bug, on_the_twin
from tests.quality.tables import FOUND, UNFOUND


def say(*words: object) -> None:
    """A line, at once."""
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


def row(pattern: str, pairs: Iterable[Pair]) -> tuple[int, int, int]:
    """Search all pairs of a pattern, and print its line; how many bugs were found, twins green, and pairs there are."""
    said = [(pair, on_the_bug(pair, pair.seeds), on_the_twin(pair, SEEDS)) for pair in pairs]
    found, green = (sum(not one[side] for one in said) for side in (1, 2))
    say(f"{pattern[:76]:76} {found:5} {green:5} {len(said):5}")
    for pair, missed, alarms in said:
        if missed:
            say(f"    not found: {pair.name}; lacks {pair.missing or next(iter(missed.values()))}")
        for seed, alarm in list(alarms.items())[:1]:
            say(f"    false alarm, seed {seed}: {pair.name}\n{alarm}")
    return found, green, len(said)


def main() -> None:
    """Search all pairs and all correct handlers."""
    began = time.perf_counter()
    pairs = [*FOUND, *UNFOUND]
    say(f"{'pattern':76} {'found':>5} {'green':>5} {'of':>5}")
    rows = [
        row(pattern, [pair for pair in pairs if pair.pattern == pattern])
        for pattern in dict.fromkeys(pair.pattern for pair in pairs)
    ]
    found, green, count = map(sum, zip(*rows, strict=True))
    say(f"{'all':76} {found:5} {green:5} {count:5}")
    alarmed = [make.__name__.replace("_", " ") for make in CORRECT if against(make, FEW)]
    say(f"correct handlers of unusual shape: {len(CORRECT) - len(alarmed)} of {len(CORRECT)} left alone")
    for name in alarmed:
        say(f"    false alarm: {name}")
    say(f"{len(SEEDS)} seeds, {time.perf_counter() - began:.0f} s")


if __name__ == "__main__":
    main()
