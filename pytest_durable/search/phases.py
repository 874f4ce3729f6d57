"""The phases of a search, in order, for whatever is searched: a handler, or the body of a test."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from pytest_durable.faults import Fault, FaultPlan, Injector, Schedule
from pytest_durable.faults.oracles import Drawn
from pytest_durable.options import CHECKS, DEFAULT_EXAMPLES, DEFAULT_KILLS
from pytest_durable.search import draw, order
from pytest_durable.search.share import Share
from pytest_durable.service.points import EFFECT, KILLS


@dataclass(frozen=True)
class Budget:
    """How much a search tries.

    Attributes:
        kills: at most in one plan; 0 for the fault-free run alone.
        examples: how many plans are drawn if ``kills`` is more than 1, and how many schedules at most.
        seed: of the drawing.
        kinds: of faults that are tried.
        only: run this plan alone, after the fault-free run, under ``schedule``.
        schedule: the order of threads for ``only``.
        pinned: what is always tried first.
        saved: what failed the last time, to be tried after that.
        share: which of how many shares of the search this is, from 1; None for all of it.
        checks: the names of the checks that are made.
    """

    kills: int = DEFAULT_KILLS
    examples: int = DEFAULT_EXAMPLES
    seed: int = 0
    kinds: Sequence[str] = KILLS
    only: FaultPlan | None = None
    schedule: Schedule | None = None
    pinned: tuple[tuple[FaultPlan, Schedule], ...] = ()
    saved: tuple[FaultPlan, Schedule] | None = None
    share: tuple[int, int] | None = None
    checks: Collection[str] = CHECKS


class Prober(Protocol):
    """What is run under plans and schedules."""

    def probe(self, plan: FaultPlan, aloud: bool = False, schedule: Schedule | None = None) -> tuple[object, object]:
        """Run it; the second value says what was found, None for nothing."""

    def probe_order(self, plan: FaultPlan, scheduler: Drawn) -> Schedule | None:
        """Run it under a drawn order; the schedule that does the same, if something was found."""

    def attempt(self, plan: FaultPlan, schedule: Schedule | None = None) -> Injector:
        """Run it, and raise what was found; else say where it came to."""


@dataclass(frozen=True)
class Tried:
    """What a search that found nothing has done.

    Attributes:
        places: every place at which a fault could strike in the fault-free run, in order.
        killed: those at which one did.
        drawn: how many plans of several kills were drawn.
        schedules: under how many thread schedules it was run.
        missed: faults of the pinned plans that did not happen.
    """

    places: tuple[Fault, ...] = ()
    killed: tuple[Fault, ...] = ()
    drawn: int = 0
    schedules: int = 0
    missed: tuple[Fault, ...] = ()


def explore(search: Prober, calm: Injector, is_concurrent: bool, budget: Budget) -> Tried:
    """Try what is pinned, what failed the last time, every single fault, then drawn plans and thread schedules.

    Args:
        search: what is run.
        calm: where its fault-free run came to.
        is_concurrent: whether it has concurrency of its own, so that the order of its threads matters.
        budget: how much is tried.

    Raises:
        BaseException: the smallest violation, as ``search`` raises it.
    """
    __tracebackhide__ = True
    # Within bodies last: where it does not take half a body, the place between two of them says more.
    places = sorted(calm.places(budget.kinds), key=lambda place: place.kind == EFFECT)
    number, of = budget.share or (1, 1)
    mine = tuple(places[number - 1 :: of])
    if budget.only is not None:
        return Tried(mine, tuple(search.attempt(budget.only, budget.schedule).struck))
    missed = tuple(fault for pinned in budget.pinned for fault in search.attempt(*pinned).unreached())
    if budget.kills == 0:
        return Tried(mine, missed=missed)
    if budget.saved is not None and budget.saved not in budget.pinned:
        search.attempt(*budget.saved)
    killed: set[Fault] = set()
    for place in mine:
        killed.update(search.attempt(FaultPlan([place])).struck)
    plans, orders = Share(search, number, of), Share(search, number, of)
    if is_concurrent:  # before plans of several faults: it takes one at most
        order.schedules(orders, places, budget)
    if budget.kills > 1:
        draw.plans(plans, places, budget.kills, budget.examples, budget.seed)
    return Tried(mine, tuple(place for place in mine if place in killed), plans.tried, orders.tried, missed)
