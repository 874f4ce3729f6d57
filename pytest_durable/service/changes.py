"""What changes around a function between two of its invocations: a deployment flips a flag, a day goes by."""

from __future__ import annotations

import os
import pkgutil
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, Any

from pytest_durable.engine import at, micros_of

if TYPE_CHECKING:
    from pytest_durable.service.lifecycle import DurableExecution

_FURTHEST = 400
"""Days within which every kind of edge comes; a time zone without it has none."""


@dataclass(frozen=True)
class Variable:
    """An environment variable, and the values it takes in turn; None is not to be set."""

    name: str
    values: Sequence[str | None]

    @property
    def what(self) -> str:
        """As a user would write it."""
        return f"os.environ[{self.name!r}]"

    def now(self) -> Any:
        """Its value."""
        return os.environ.get(self.name)

    def put(self, value: Any) -> None:
        """Give it a value."""
        if value is None:
            os.environ.pop(self.name, None)
        else:
            os.environ[self.name] = value


@dataclass(frozen=True)
class Flag:
    """An attribute of a module or class by its dotted name, and the values it takes in turn."""

    name: str
    values: Sequence[Any]

    @property
    def what(self) -> str:
        """As a user would write it."""
        return self.name

    def now(self) -> Any:
        """Its value."""
        return pkgutil.resolve_name(self.name)

    def put(self, value: Any) -> None:
        """Give it a value: looked up each time, for a cold start makes its module anew."""
        owner, _, attribute = self.name.rpartition(".")
        setattr(pkgutil.resolve_name(owner), attribute, value)


def next_midnight(moment: datetime) -> datetime | None:
    """The next midnight in the time zone of ``moment``."""
    return (moment + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0, fold=0)


def next_year(moment: datetime) -> datetime | None:
    """The next beginning of a year."""
    return moment.replace(year=moment.year + 1, month=1, day=1, hour=0, minute=0, second=0, microsecond=0, fold=0)


def next_shift(moment: datetime) -> datetime | None:
    """The next instant at which the clocks of its time zone are put forward or back, to the second."""
    zone, start = moment.tzinfo, moment.astimezone(UTC).replace(microsecond=0)

    def offset(seconds: int) -> timedelta | None:
        return (start + timedelta(seconds=seconds)).astimezone(zone).utcoffset()

    day = 86_400
    later = next((day * n for n in range(1, _FURTHEST) if offset(day * n) != offset(0)), None)
    if later is None:
        return None
    earlier = later - day
    while later - earlier > 1:
        middle = (earlier + later) // 2
        if offset(middle) == offset(0):
            earlier = middle
        else:
            later = middle
    return start + timedelta(seconds=later)


EDGES: dict[str, Callable[[datetime], datetime | None]] = {
    "midnight": next_midnight,
    "year end": next_year,
    "daylight saving": next_shift,
}
"""What the clock can be made to cross."""


class Changes:
    """Everything that changes between invocations, in every run of one durable context.

    Attributes:
        variables: environment variables and flags.
        calls: called before each invocation, with its turn.
        edge: what the clock crosses before each invocation but the first; None for nothing.
        zone: of whose local time that is.
    """

    def __init__(self) -> None:
        self.variables: list[Variable | Flag] = []
        self.calls: list[Callable[[int], object]] = []
        self.edge: Callable[[datetime], datetime | None] | None = None
        self.zone: tzinfo = UTC
        self._before: list[tuple[Variable | Flag, Any]] = []

    def __bool__(self) -> bool:
        return bool(self.variables or self.calls or self.edge)

    def copy(self) -> Changes:
        """The same declarations."""
        other = Changes()
        other.take(self)
        return other

    def take(self, other: Changes) -> None:
        """Declare what ``other`` declares, and nothing else."""
        self.restore()
        self.variables, self.calls = list(other.variables), list(other.calls)
        self.edge, self.zone = other.edge, other.zone

    def make(self, turn: int) -> None:
        """Let everything be as it is in one turn."""
        if len(self._before) < len(self.variables):
            self._before += [(one, one.now()) for one in self.variables[len(self._before) :]]
        for one in self.variables:
            one.put(one.values[turn % len(one.values)])
        for call in self.calls:
            call(turn)

    def restore(self) -> None:
        """Let everything be as it was before the first turn."""
        while self._before:
            one, value = self._before.pop(0)
            with suppress(ImportError):  # the module of a flag that is gone by now
                one.put(value)

    def postpone(self, execution: DurableExecution, micros: int) -> int | None:
        """When an invocation that is due at ``micros`` begins instead; None if it is not put off."""
        if self.edge is None or not (execution.invocations or execution.sealed):
            return None
        edge = self.edge(at(micros).astimezone(self.zone))
        if edge is None:
            return None
        later = micros_of(edge)
        limit = execution.execution_timeout
        return None if limit is not None and later >= execution.started + limit else later
