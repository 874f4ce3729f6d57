"""How a thing is timed, held against its target and printed.

Of ours the CPU time is taken: it never waits for anything, so that is all it takes, and what else the machine does
meanwhile hardly counts. Of AWS's runner it is the time that passes: it mostly sleeps.
"""

from __future__ import annotations

import logging
import multiprocessing
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

work: Callable[[], float] = partial(time.process_time)
"""Seconds of CPU time."""

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
    """The figures of one measurement, ready to be printed.

    Attributes:
        readme: which of the columns the README has; none if it does not have the table.
    """

    title: str
    columns: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    notes: Sequence[str] = ()
    readme: tuple[str, ...] = ()

    def as_text(self) -> str:
        """Aligned columns under the title."""
        lines = [self.columns, *self.rows]
        widths = [max(len(line[column]) for line in lines) for column in range(len(self.columns))]
        body = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in lines]
        return "\n".join([self.title, *(f"  {line}".rstrip() for line in body), *(f"  {note}" for note in self.notes)])

    def for_readme(self) -> str:
        """The columns that the README has, as it has them; the title is that of the first."""
        chosen = [self.columns.index(column) for column in self.readme]
        first, *others = self.readme
        lines = [(first or self.title, *others), tuple("---" for _ in chosen)]
        lines += [tuple(row[column] for column in chosen) for row in self.rows]
        return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def average(count: int, action: Callable[[], object], timer: Callable[[], float] = work) -> float:
    """Seconds that one of ``count`` calls takes."""
    began = timer()
    for _ in range(count):
        action()
    return (timer() - began) / count


def side_by_side(batches: int, *sides: Callable[[], float]) -> tuple[Timing, ...]:
    """Measure the sides in turns, A B A B ..., so that a slow minute of the machine hits all of them.

    Args:
        batches: how often each is measured, after once that does not count.
        sides: each measures one batch and returns the seconds per execution.
    """
    rounds = [[side() for side in sides] for _ in range(batches + 1)]
    return tuple(Timing(samples) for samples in zip(*rounds[1:], strict=True))


@contextmanager
def two_processes() -> Iterator[tuple[ProcessPoolExecutor, ProcessPoolExecutor]]:
    """One for each side: the threads of AWS's runner live on between its runs, and would be measured with ours."""
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, spawn, be_quiet) as here, ProcessPoolExecutor(1, spawn, be_quiet) as there:
        yield here, there


def be_quiet() -> None:
    """Log nothing, on both sides: the terminal shall not be measured."""
    logging.disable(logging.CRITICAL)


def milliseconds(seconds: float) -> str:
    """Text with a sensible number of digits."""
    value = seconds * 1_000
    return f"{value:.2f} ms" if value < 100 else f"{value:,.0f} ms"


def verdict(reached: bool) -> str:
    """The word that stands next to a target."""
    return "PASS" if reached else "miss"
