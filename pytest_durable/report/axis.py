"""The axis of a picture: virtual time, in which five minutes may stand beside a thousand things at one instant.

What happens takes one unit of width each, in its order, whether time passes or not. Where time passes there is a gap,
whose width grows with the logarithm of its length. So a long wait hides nothing, and what is later is further right.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from itertools import pairwise
from math import log10
from typing import NamedTuple

from pytest_durable.engine import MICROS

MOST_OF_IT = 0.6
"""Share of the width that gaps may take together."""


class Gap(NamedTuple):
    """Time that passes while nothing happens.

    Attributes:
        left: where it begins, in percent of the width, and ``right`` where it ends.
        micros: its length.
    """

    left: float
    right: float
    micros: int


class Axis:
    """Where each moment is, in percent of the width.

    Args:
        micros: when each moment was, in order.

    Attributes:
        half: how far to either side of a moment its mark may reach, in percent of the width.
    """

    def __init__(self, micros: Sequence[int]) -> None:
        self._micros = micros
        passing = [now - before for before, now in pairwise(micros)]
        events = max(len(micros), 2)
        weights = [log10(10 + span / 100) ** 1.5 if span > 0 else 0.0 for span in passing]
        most = events * MOST_OF_IT / (1 - MOST_OF_IT)
        scale = min(1.0, most / sum(weights)) if any(weights) else 1.0
        edges = [0.5]
        for weight in weights:
            edges.append(edges[-1] + 1 + weight * scale)
        width = edges[-1] + 0.5
        self._at = [100 * edge / width for edge in edges]
        half = 50 / width
        self.half = min(0.8 * half, 0.8)
        self.gaps = [
            Gap(self._at[index] + half, self._at[index + 1] - half, span)
            for index, span in enumerate(passing)
            if span > 0
        ]

    def at(self, number: int) -> float:
        """Where the moment of that number is."""
        return self._at[number]

    def at_time(self, micros: int) -> float:
        """Where an instant is: at the first moment then, or in the gap that it lies in."""
        index = bisect_left(self._micros, micros)
        if index >= len(self._micros):
            return 100.0
        if self._micros[index] == micros or index == 0:
            return self._at[index]
        before = self._micros[index - 1]
        share = (micros - before) / (self._micros[index] - before)
        return self._at[index - 1] + share * (self._at[index] - self._at[index - 1])


_UNITS = ((86_400 * MICROS, "d"), (3_600 * MICROS, "h"), (60 * MICROS, "min"), (MICROS, "s"), (1_000, "ms"), (1, "µs"))


def span(micros: int) -> str:
    """A length of time, rounded to its two greatest units: ``5 min``, ``1 h 30 min``, ``100 ms``."""
    for (size, unit), (below, small) in pairwise(_UNITS):
        rounded = (micros + below // 2) // below
        if rounded * below >= size:
            whole, rest = divmod(rounded, size // below)
            return f"{whole} {unit}" + (f" {rest} {small}" if rest else "")
    return f"{micros} µs"
