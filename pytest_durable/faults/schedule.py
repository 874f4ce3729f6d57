"""Thread schedules: a sparse list of places where the order of tasks is not first in, first out; and its text.

``CHOICE>LATER, ...``: at the CHOICE-th time, from 1, that more than one task can run, it is not the one that has been
ready longest that does, but the LATER-th after it. The empty schedule is the plain run, so shrinking walks towards it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from random import Random
from typing import TYPE_CHECKING, NamedTuple

from pytest_durable.errors import InvalidPlan

if TYPE_CHECKING:  # a schedule as such is light: it needs no simulation
    from pytest_durable.engine import Scheduler, Task

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
        return Deviating(self) if self else None


class _InOrder:
    """First in, first out: what schedulers differ from."""

    def begin(self) -> None:
        """Start a run."""

    def pick(self, ready: Sequence[Task]) -> int:
        """Take the task that has been ready longest."""
        return 0

    def choose(self, options: int) -> int:
        """Take the usual outcome."""
        return 0


class Deviating(_InOrder):
    """First in, first out but for the deviations of a schedule; one beyond the last task means the last."""

    def __init__(self, schedule: Schedule) -> None:
        self._planned = dict(schedule)
        self._choice = 0

    def begin(self) -> None:
        """Start counting choices anew."""
        self._choice = 0

    def pick(self, ready: Sequence[Task]) -> int:
        """The task that has been ready longest, unless the schedule says otherwise."""
        self._choice += 1
        return min(self._planned.get(self._choice, 0), len(ready) - 1)


class Priorities(_InOrder):
    """Each task gets a priority when first seen, and the highest runs; at some choices the highest becomes the lowest.

    What is known as PCT: it finds a bug that takes few ordered events with a probability that can be computed
    (Burckhardt et al., "A Randomized Scheduler with Probabilistic Guarantees of Finding Bugs", ASPLOS 2010).

    Args:
        seed: of the priorities.
        changes: at how many of the choices the highest priority is taken away.
        choices: about how many choices a run has.

    Attributes:
        taken: the deviations that a run made: a schedule that does the same.
    """

    def __init__(self, seed: int, changes: int, choices: int) -> None:
        self._seed, self._changes, self._choices = seed, changes, max(1, choices)
        self.begin()

    def begin(self) -> None:
        """Draw anew, the same."""
        self._random = Random(self._seed)
        self._change_at = {self._random.randint(1, self._choices) for _ in range(self._changes)}
        self._priorities: dict[int, float] = {}
        self._choice = 0
        self.taken: list[Deviation] = []

    def pick(self, ready: Sequence[Task]) -> int:
        """The task of the highest priority."""
        self._choice += 1
        for task in ready:
            self._priorities.setdefault(task.number, self._random.random())
        index = self._highest(ready)
        if self._choice in self._change_at:
            self._priorities[ready[index].number] = -self._random.random()
            index = self._highest(ready)
        if index:
            self.taken.append(Deviation(self._choice, index))
        return index

    def _highest(self, ready: Sequence[Task]) -> int:
        return max(range(len(ready)), key=lambda index: self._priorities[ready[index].number])


class Counting(_InOrder):
    """The plain order, taking notes of its choices.

    Attributes:
        choices: how many there were.
        offers: numbers of those at which a body of the user's was about to run, and something else could.
        taken: no deviations.
    """

    def __init__(self) -> None:
        self.choices = 0
        self.offers: list[int] = []
        self.taken: list[Deviation] = []

    def pick(self, ready: Sequence[Task]) -> int:
        """The task that has been ready longest."""
        self.choices += 1
        if ready[0].waiting_for is None and ready[0].started:
            self.offers.append(self.choices)
        return 0
