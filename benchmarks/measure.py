"""How a thing is timed, held against its target and printed."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

clock: Callable[[], float] = partial(time.perf_counter)
"""Real seconds. A partial, because freezegun replaces the function itself, by identity, in every module that has it."""


@dataclass(frozen=True)
class Scale:
    """How much is measured.

    Attributes:
        batches: how often each side of a comparison is measured.
        executions: of ours in one batch.
        runs: of AWS's runner in one batch.
        crowd: executions for the memory figures.
    """

    batches: int
    executions: int
    runs: int
    crowd: int


FULL = Scale(batches=15, executions=30, runs=1, crowd=10_000)
QUICK = Scale(batches=5, executions=15, runs=1, crowd=600)


@dataclass(frozen=True)
class Timing:
    """Seconds per execution, one sample for each batch."""

    samples: Sequence[float]

    @property
    def best(self) -> float:
        """The fastest batch: what the code takes when nobody disturbs it."""
        return min(self.samples)

    @property
    def median(self) -> float:
        """The batch in the middle: what it takes on this machine as it is."""
        return statistics.median(self.samples)


@dataclass(frozen=True)
class Table:
    """The figures of one measurement, ready to be printed."""

    title: str
    columns: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    notes: Sequence[str] = ()

    def as_text(self) -> str:
        """Aligned columns under the title."""
        lines = [self.columns, *self.rows]
        widths = [max(len(line[column]) for line in lines) for column in range(len(self.columns))]
        body = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in lines]
        return "\n".join([self.title, *(f"  {line}".rstrip() for line in body), *(f"  {note}" for note in self.notes)])

    def as_markdown(self) -> str:
        """A table as a README has it."""
        lines = [self.columns, tuple("---" for _ in self.columns), *self.rows]
        body = ["| " + " | ".join(line) + " |" for line in lines]
        notes = ["", *self.notes] if self.notes else []
        return "\n".join([f"### {self.title}", "", *body, *notes])


def average(count: int, action: Callable[[], object]) -> float:
    """Seconds that one of ``count`` calls takes."""
    began = clock()
    for _ in range(count):
        action()
    return (clock() - began) / count


def side_by_side(batches: int, *sides: Callable[[], float]) -> tuple[Timing, ...]:
    """Measure the sides in turns, A B A B ..., so that a slow minute of the machine hits all of them.

    Args:
        batches: how often each is measured, after once that does not count.
        sides: each measures one batch and returns the seconds per execution.
    """
    rounds = [[side() for side in sides] for _ in range(batches + 1)]
    return tuple(Timing(samples) for samples in zip(*rounds[1:], strict=True))


def milliseconds(seconds: float) -> str:
    """Text with a sensible number of digits."""
    value = seconds * 1_000
    return f"{value:.2f} ms" if value < 100 else f"{value:,.0f} ms"


def verdict(reached: bool) -> str:
    """The word that stands next to a target."""
    return "PASS" if reached else "miss"
