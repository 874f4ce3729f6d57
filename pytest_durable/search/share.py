"""One share of a search: of everything that is tried, each N-th. All shares together are the search as a whole.

Each share goes through the whole search and leaves out what belongs to another: so the plans that are drawn are the
same in all of them, whatever the number of shares.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_durable.faults import FaultPlan, Injector, Schedule
from pytest_durable.faults.oracles import Counting, Drawn

if TYPE_CHECKING:
    from pytest_durable.search.phases import Prober


class Share:
    """A `Prober` that carries out each N-th request alone; to the others it says that nothing was found.

    Args:
        search: that it is a share of.
        number: of the share, from 1.
        of: how many shares there are.

    Attributes:
        tried: how many requests were carried out.
    """

    def __init__(self, search: Prober, number: int, of: int) -> None:
        self._search = search
        self._number, self._of = number, of
        self._asked = 0
        self._found = False
        self.tried = 0

    def _take(self) -> bool:
        """Whether the next request is carried out; from the first finding on, all are: it is made smaller then."""
        mine = self._found or self._asked % self._of == self._number - 1
        self._asked += 1
        self.tried += mine
        return mine

    def probe(self, plan: FaultPlan, aloud: bool = False, schedule: Schedule | None = None) -> tuple[object, object]:
        """See `Prober.probe`."""
        if not self._take():
            return None, None
        said = self._search.probe(plan, aloud, schedule)
        self._found |= said[1] is not None
        return said

    def probe_order(self, plan: FaultPlan, scheduler: Drawn) -> Schedule | None:
        """See `Prober.probe_order`; what only counts is needed by every share."""
        if isinstance(scheduler, Counting):
            return self._search.probe_order(plan, scheduler)
        if not self._take():
            return None
        found = self._search.probe_order(plan, scheduler)
        self._found |= found is not None
        return found

    def attempt(self, plan: FaultPlan, schedule: Schedule | None = None) -> Injector:
        """See `Prober.attempt`."""
        __tracebackhide__ = True
        return self._search.attempt(plan, schedule) if self._take() else Injector(plan)
