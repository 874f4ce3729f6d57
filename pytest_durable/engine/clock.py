"""Virtual time: the only clock that the SDK, the service and user code can see.

Time is a whole number of microseconds since the Unix epoch, not a float: sums of many small delays stay exact, and
``datetime`` has the same resolution. It moves only when the world moves it (nothing can run) or when a test says so.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from math import ceil, isfinite
from numbers import Real
from typing import Protocol

from pytest_durable.errors import UsageError

MICROS = 1_000_000
"""Microseconds in a second."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

DEFAULT_START = datetime(2026, 1, 1, tzinfo=UTC)
"""Where virtual time starts unless a test says otherwise: a fixed instant, the same on every machine."""


def micros_of(moment: datetime) -> int:
    """Microseconds since the Unix epoch of ``moment``; a naive ``datetime`` is taken as UTC."""
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - _EPOCH) // _MICROSECOND


def micros_in(seconds: float) -> int:
    """``seconds`` in microseconds, rounded up: a sleeper must never wake before its time. None are less than none.

    A nanosecond is taken off first, which is the noise of the multiplication: 0.000123 s is 123 microseconds.
    """
    return ceil(seconds * MICROS - 1e-3) if seconds > 0 else 0


def micros_ahead(what: str, seconds: float) -> int:
    """In microseconds, the ``seconds`` that a test lets pass on ``what``.

    Raises:
        ValueError: if they are negative.
        UsageError: if they are no number, or not finite.
    """
    if isinstance(seconds, bool) or not isinstance(seconds, Real) or not isfinite(seconds):
        raise UsageError(f"{what} is advanced by a number of seconds, not by {seconds!r}")
    if seconds < 0:
        raise ValueError(f"cannot advance {what} by {seconds} s: time does not run backwards")
    return micros_in(seconds)


class TimePasser(Protocol):
    """What can let time pass with everything that is due on the way happening: the world."""

    def let_pass(self, until: int) -> None:
        """Run the world until the clock shows ``until``, in microseconds."""


class VirtualClock:
    """The clock of a simulated world.

    Args:
        start: the first instant; naive means UTC. Default 2026-01-01T00:00:00Z.
    """

    __slots__ = ("_now", "_now_micros", "micros", "world")

    def __init__(self, start: datetime | None = None) -> None:
        self.micros: int = micros_of(DEFAULT_START if start is None else start)
        self.world: TimePasser | None = None
        self._now_micros = self.micros
        self._now = at(self.micros)

    def now(self) -> datetime:
        """The virtual instant, aware, in UTC."""
        if self.micros != self._now_micros:  # asked several times for each instant
            self._now_micros = self.micros
            self._now = at(self.micros)
        return self._now

    def time(self) -> float:
        """The virtual instant in seconds since the Unix epoch, as ``time.time()`` gives it."""
        return self.micros / MICROS

    def advance(self, seconds: float) -> None:
        """Let ``seconds`` of virtual time pass; timers that fall due on the way fire in their order.

        Raises:
            ValueError: if ``seconds`` is negative. Time does not run backwards; use `set` between executions.
            UsageError: if it is no number of seconds.
        """
        self._move_to(self.micros + micros_ahead("the clock", seconds))

    def set(self, moment: datetime) -> None:
        """Put the clock at ``moment`` (naive means UTC). A later moment is reached as by `advance`.

        Raises:
            UsageError: for what is no ``datetime``.
        """
        if not isinstance(moment, datetime):
            raise UsageError(f"the clock is set to a datetime, not to {moment!r}")
        self._move_to(micros_of(moment))

    def _move_to(self, target: int) -> None:
        if self.world is not None and target >= self.micros:
            self.world.let_pass(target)
        else:
            self.micros = target

    def __repr__(self) -> str:
        return f"VirtualClock({self.now().isoformat()})"


def at(micros: int) -> datetime:
    """The aware UTC ``datetime`` of ``micros`` microseconds since the Unix epoch."""
    return _EPOCH + micros * _MICROSECOND
