"""Chance, as the code of one simulated process meets it: reproducible, and another one in each process."""

from __future__ import annotations

from random import Random


class Chance(Random):
    """The randomness of one process.

    Args:
        origin: what it depends on: of two equal ones the draws are equal.

    Attributes:
        latest: time of the latest UUID of version 1 that the process made, in its unit; None before the first.
    """

    def __init__(self, origin: str) -> None:
        super().__init__(origin)
        self.latest: int | None = None
