"""Schedulers: one that follows a schedule, and those by which a search finds schedules."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import TYPE_CHECKING

from pytest_durable.engine import FirstInFirstOut
from pytest_durable.faults.schedule import Deviation, Schedule

if TYPE_CHECKING:
    from pytest_durable.engine import Task


class Deviating(FirstInFirstOut):
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


class Drawn(FirstInFirstOut):
    """An order that is made up while it runs.

    Attributes:
        taken: the deviations that the run made: a schedule that does the same.
    """

    def __init__(self) -> None:
        self.taken: list[Deviation] = []


class Priorities(Drawn):
    """Each task gets a priority when first seen, and the highest runs; at some choices the highest becomes the lowest.

    What is known as PCT: it finds a bug that takes few ordered events with a probability that can be computed
    (Burckhardt et al., "A Randomized Scheduler with Probabilistic Guarantees of Finding Bugs", ASPLOS 2010).

    Args:
        seed: of the priorities.
        changes: at how many of the choices the highest priority is taken away.
        choices: about how many choices a run has.
    """

    def __init__(self, seed: int, changes: int, choices: int) -> None:
        super().__init__()
        self._seed, self._changes, self._choices = seed, changes, max(1, choices)
        self.begin()

    def begin(self) -> None:
        """Draw anew, the same."""
        self._random = Random(self._seed)
        self._change_at = {self._random.randint(1, self._choices) for _ in range(self._changes)}
        self._priorities: dict[int, float] = {}
        self._choice = 0
        self.taken = []

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


class Backwards(Drawn):
    """Where a body of the user's was about to run, the youngest task goes on that can: branches change places."""

    def __init__(self) -> None:
        super().__init__()
        self.begin()

    def begin(self) -> None:
        """Start counting choices anew."""
        self._choice = 0
        self.taken = []

    def pick(self, ready: Sequence[Task]) -> int:
        """The youngest task that waits for nothing, if a body is at stake."""
        self._choice += 1
        if not _runs_a_body(ready[0]):
            return 0
        last = max((task.number, index) for index, task in enumerate(ready) if task.waiting_for is None)[1]
        if last:
            self.taken.append(Deviation(self._choice, last))
        return last


class Counting(Drawn):
    """The plain order, taking notes of its choices.

    Attributes:
        choices: how many there were.
        offers: numbers of those at which a body of the user's was about to run, and something else could.
    """

    def __init__(self) -> None:
        super().__init__()
        self.choices = 0
        self.offers: list[int] = []

    def pick(self, ready: Sequence[Task]) -> int:
        """The task that has been ready longest."""
        self.choices += 1
        if _runs_a_body(ready[0]):
            self.offers.append(self.choices)
        return 0


def _runs_a_body(task: Task) -> bool:
    """Whether the task is about to run a body of the user's."""
    return task.waiting_for is None and task.started
