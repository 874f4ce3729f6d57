"""Hypothesis strategies for tests of users' own: fault plans and thread schedules, alone or beside other data.

A plan that is drawn is sparse, a few faults, so that shrinking walks towards fewer of them. Those that an execution
never comes to do nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from hypothesis import strategies as st

from pytest_durable.errors import UsageError
from pytest_durable.faults import ANY, WHERE, Deviation, Fault, FaultPlan, Schedule
from pytest_durable.faults.plan import DrawnPlan
from pytest_durable.search import Budget
from pytest_durable.service.points import KILLS

FURTHEST = 20
"""The how-manieth place of a kind is drawn at most, where the names of the operations are not known."""


def fault_plans(
    handler: Callable[..., Any] | None = None,
    event: Any = None,
    *,
    kills: int = 2,
    kinds: Sequence[str] = KILLS,
) -> st.SearchStrategy[FaultPlan]:
    """Plans of up to ``kills`` faults, the empty plan among them.

    Args:
        handler: to be run once, without faults, to know the places by name. Without it a fault is the N-th place of its
            kind, of whatever operation: ``*@3:body``.
        event: for that run.
        kills: faults at most.
        kinds: of faults; by default those of which an invocation dies on the spot.

    Raises:
        UsageError: for kinds that there are not, or a number that makes no sense.
    """
    __tracebackhide__ = True
    unknown = [kind for kind in kinds if kind not in WHERE]
    if unknown or not kinds or type(kills) is not int or kills < 0:
        raise UsageError(
            f"fault_plans takes kinds of {', '.join(WHERE)} and a number of kills, not {unknown or kills!r}"
        )
    if handler is None:
        faults = st.builds(Fault, st.just(ANY), st.sampled_from(list(kinds)), st.integers(1, FURTHEST))
    else:
        faults = st.deferred(lambda: st.sampled_from(_places(handler, event, kinds)))
    return st.lists(faults, max_size=kills, unique=True).map(DrawnPlan)


def _places(handler: Callable[..., Any], event: Any, kinds: Sequence[str]) -> list[Fault]:
    from pytest_durable.context import FakeDurableContext

    with FakeDurableContext() as context:
        context.budget = Budget(kinds=kinds)
        places = context.run(handler, event)._injector.places(kinds)
    if not places:
        raise UsageError(f"the execution comes to no place of the kinds {', '.join(kinds)}")
    return list(places)


def schedules(*, deviations: int = 3, choices: int = 100) -> st.SearchStrategy[Schedule]:
    """Thread schedules: the plain order but for up to ``deviations`` of the first ``choices`` choices."""
    one = st.builds(Deviation, st.integers(1, choices), st.integers(1, 4))
    return st.lists(one, max_size=deviations, unique_by=lambda deviation: deviation.choice).map(Schedule)
