"""Thread schedules: a sparse list of places where the order of tasks is not first in, first out; and its text.

``CHOICE>LATER, ...``: at the CHOICE-th time, from 1, that more than one task can run, it is not the one that has been
ready longest that does, but the LATER-th after it. The empty schedule is the plain run, so shrinking walks towards it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from pytest_durable.errors import InvalidPlan

if TYPE_CHECKING:  # a schedule as such is light: it needs no simulation
    from pytest_durable.engine import Scheduler

_DEVIATION = re.compile(r"\s*(\d+)\s*>\s*(\d+)\s*")


class Deviation(NamedTuple):
    """One place where the order is another.

    Attributes:
        choice: which choice, from 1.
        later: how many tasks that have been ready longer are passed over, from 1.
    """

    choice: int
    later: int

    def __str__(self) -> str:
        return f"{self.choice}>{self.later}"


class Schedule(tuple[Deviation, ...]):
    """An immutable sequence of deviations, one at most for each choice; the empty one is the plain order.

    ``Schedule.parse(text)`` reads what ``str(schedule)`` writes.
    """

    __slots__ = ()

    def __new__(cls, deviations: Iterable[Deviation] = ()) -> Schedule:
        """Build a schedule; the order of the deviations does not matter.

        Raises:
            InvalidPlan: for a choice or an index below 1, or two deviations at one choice.
        """
        __tracebackhide__ = True
        schedule = super().__new__(cls, sorted(deviations))
        for deviation in schedule:
            if deviation.choice < 1 or deviation.later < 1:
                raise InvalidPlan(f"in the schedule {str(deviation)!r}: choices and tasks are counted from 1")
        if len({deviation.choice for deviation in schedule}) < len(schedule):
            raise InvalidPlan(f"the schedule {str(schedule)!r} names one choice twice")
        return schedule

    @classmethod
    def parse(cls, text: str) -> Schedule:
        """Read a schedule from its text; blank text is the plain order.

        Raises:
            InvalidPlan: saying what is wrong.
        """
        __tracebackhide__ = True
        if not isinstance(text, str):
            raise InvalidPlan(f"a schedule is text such as '4>1, 9>2', not {text!r}")
        deviations = []
        for part in text.split(",") if text.strip() else ():
            match = _DEVIATION.fullmatch(part)
            if match is None:
                raise InvalidPlan(f"{part.strip()!r} is not a deviation: write CHOICE>LATER, as in '4>1, 9>2'")
            deviations.append(Deviation(int(match[1]), int(match[2])))
        return cls(deviations)

    def __str__(self) -> str:
        return ", ".join(map(str, self))

    def __repr__(self) -> str:
        return f"Schedule.parse({str(self)!r})"

    def oracle(self) -> Scheduler | None:
        """The scheduler that follows it; None for the plain order, which is the fastest."""
        from pytest_durable.faults.oracles import Deviating

        return Deviating(self) if self else None
