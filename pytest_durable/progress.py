"""The live line of a long search, on a terminal: how many runs, kills and seconds it has been.

It stands on the line below pytest's own and is gone when the search ends. Every movement of the cursor is relative, so
that it does not matter whether the terminal had to scroll.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol, TextIO

AFTER = 1.0
"""Seconds that a search takes before the line is shown."""

EVERY = 0.2
"""Seconds between two updates of it."""


class Line(Protocol):
    """What is asked of pytest's terminal writer."""

    @property
    def fullwidth(self) -> int:
        """Columns of the terminal."""

    @property
    def width_of_current_line(self) -> int:
        """Columns that pytest has written on the line that the cursor is on."""


class Progress:
    """The live line of one test.

    Args:
        stream: the terminal.
        line: that pytest is writing there.
        uncaptured: what is written within it is not captured as output of the test.
        clock: gives real seconds.
        test: what the test is called.
    """

    def __init__(
        self,
        stream: TextIO,
        line: Line,
        uncaptured: Callable[[], AbstractContextManager[None]],
        clock: Callable[[], float],
        test: str,
    ) -> None:
        self._stream = stream
        self._line = line
        self._uncaptured = uncaptured
        self._clock = clock
        self._test = test
        self._began = clock()
        self._next = self._began + AFTER
        self._runs = self._kills = 0
        self._is_shown = False

    def ran(self, kills: int) -> None:
        """An execution was run, in which so many faults struck."""
        self._runs += 1
        self._kills += kills
        now = self._clock()
        if now >= self._next:
            self._next = now + EVERY
            self._is_shown = True
            text = f"durable: {self._runs} runs, {self._kills} kills, {now - self._began:.0f} s  {self._test}"
            self._show(text[: self._line.fullwidth - 1])

    def end(self) -> None:
        """Take the line away."""
        if self._is_shown:
            self._is_shown = False
            self._show("")

    def _show(self, text: str) -> None:
        column = self._line.width_of_current_line
        forth = f"\x1b[{column}C" if column else ""  # a 0 would be taken for 1
        with self._uncaptured():
            self._stream.write(f"\n\r\x1b[2K{text}\r\x1b[1A{forth}")
            self._stream.flush()
