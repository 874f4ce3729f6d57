"""Plans of several kills, from the places that the fault-free run came to.

All pairs are tried if the budget allows it; what is left of the budget is drawn by Hypothesis. Plans are sparse lists
of named places, so that shrinking walks towards fewer kills: a draw at every place would shrink towards more of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import combinations_with_replacement
from typing import TYPE_CHECKING

import hypothesis
from hypothesis import strategies as st

from pytest_durable.faults import Fault, FaultPlan

if TYPE_CHECKING:
    from pytest_durable.search.phases import Prober


def plans(search: Prober, places: Sequence[Fault], kills: int, examples: int, seed: int) -> None:
    """Try at most ``examples`` plans of 2 to ``kills`` kills.

    Raises:
        DurabilityViolation: for the smallest plan that breaks the handler: fewest kills, then earliest places.
    """
    __tracebackhide__ = True
    tried = 0
    if len(places) > 1 and len(places) * (len(places) + 1) // 2 <= examples:
        for pair in combinations_with_replacement(places, 2):
            search.attempt(_plan(pair))
            tried += 1
        if kills == 2:
            return
    if len(places) > 1 and tried < examples:
        _drawn(search, places, kills, examples - tried, seed)


def _plan(mentions: Iterable[Fault]) -> FaultPlan:
    """The plan in which a place that is mentioned again is hit when the execution comes to it again."""
    seen: dict[Fault, int] = {}
    faults = []
    for fault in mentions:
        again = seen.get(fault, 0)
        seen[fault] = again + 1
        faults.append(Fault(fault.path, fault.where, fault.nth + again))
    return FaultPlan(dict.fromkeys(faults))


def _drawn(search: Prober, places: Sequence[Fault], kills: int, examples: int, seed: int) -> None:
    __tracebackhide__ = True
    broken: FaultPlan | None = None

    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=[hypothesis.Phase.generate, hypothesis.Phase.shrink],
        suppress_health_check=list(hypothesis.HealthCheck),
        report_multiple_bugs=False,
        verbosity=hypothesis.Verbosity.quiet,
    )
    @hypothesis.given(st.lists(st.sampled_from(places), min_size=2, max_size=max(2, kills)))
    def breaks(mentions: list[Fault]) -> None:
        nonlocal broken
        plan = _plan(mentions)
        try:
            found = search.probe(plan)[1]
        except BaseException as error:
            raise _Ended from error
        if found is not None:
            broken = plan
            raise _Broken

    try:
        breaks()
    except _Ended as ended:
        assert ended.__cause__ is not None
        raise ended.__cause__ from None
    except _Broken:
        assert broken is not None
        search.attempt(_fewest(search, broken))


def _fewest(search: Prober, plan: FaultPlan) -> FaultPlan:
    """The plan without the kills that it does not take to break the handler."""
    for fault in plan:
        fewer = FaultPlan(other for other in plan if other != fault)
        if len(plan) > 1 and search.probe(fewer)[1] is not None:
            return _fewest(search, fewer)
    return plan


class _Broken(Exception):
    """The plan broke the handler; Hypothesis shrinks it."""


class _Ended(BaseException):
    """The search is over. What pytest's verdicts raise Hypothesis takes for a failure, and would go on to shrink it."""
