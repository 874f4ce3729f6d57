"""Thread schedules: runs in which the simulated threads of the SDK take turns in another order.

Only functions with concurrency of their own are tried: elsewhere the threads are the SDK's alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice, product
from random import Random
from typing import TYPE_CHECKING, TypeVar

from aws_durable_execution_sdk_python.lambda_service import OperationType

from pytest_durable.faults import Deviation, Fault, FaultPlan, Schedule
from pytest_durable.faults.oracles import Backwards, Counting, Drawn, Priorities
from pytest_durable.service.operations import BATCHES, TERMINAL, sub_type_of

if TYPE_CHECKING:
    from pytest_durable.search.phases import Budget, Prober
    from pytest_durable.service.lifecycle import DurableExecution


MOST = 10
"""Schedules at most, in a search that is not asked for more than single faults."""

MOST_IF_ASKED = 80
"""In one that is: half of them single deviations, a quarter with a fault each and the branches backwards."""

PAIRS = 500
"""Of a fault and a deviation each, which are tried when something was found that takes both."""

CHANGES = 3
"""At how many choices of a run the order of priorities is broken."""

_T = TypeVar("_T")

_CONCURRENT = ("map", "parallel")


def is_concurrent(executions: Iterable[DurableExecution]) -> bool:
    """Whether one of them has concurrency of its own."""
    return any(asked.method in _CONCURRENT for one in executions for asked in one.asked.values())


def may_race(executions: Iterable[DurableExecution]) -> bool:
    """Whether it may depend on the suspensions of one of them which of its branches is first.

    It does not if each batch was over before the first of them: until then a run that is not suspended is the same.
    """
    return any(map(_may_race, executions))


def _may_race(execution: DurableExecution) -> bool:
    asked = [record.asked for record in execution.invocations]
    operations = execution.journal.operations
    batches = [key for key, operation in operations.items() if sub_type_of(operation) in BATCHES]
    inside = set(batches)
    for key, operation in operations.items():  # parents come before what is below them
        if operation.parent_id in inside:
            inside.add(key)
            waits = operation.operation_type is OperationType.WAIT  # as a run in one piece does in another way
            if waits or operation.status not in TERMINAL or any(key in later for later in asked[1:]):
                return True
    return any(key not in asked[0] for key in batches)


def schedules(search: Prober, places: Sequence[Fault], budget: Budget) -> None:
    """Try other orders: single deviations before bodies first, then all of them at each fault, then priorities.

    Args:
        search: what is run.
        places: of faults.
        budget: how many are tried at most.

    Raises:
        BaseException: under the smallest schedule: fewest deviations, without the fault if it does not take it.
    """
    __tracebackhide__ = True
    counting = Counting()
    search.probe_order(FaultPlan(), counting)
    random = Random(budget.seed)
    asked = budget.kills > 1
    most = min(MOST_IF_ASKED if asked else MOST, budget.examples)
    offers = _some(counting.offers, most // 2 if asked else most * 2 // 3, random)
    for choice in offers:
        schedule = Schedule([Deviation(choice, 1)])
        if search.probe(FaultPlan(), schedule=schedule)[1] is not None:
            search.attempt(FaultPlan(), schedule)
    struck = _some(places, most // 4, random) if asked else ()
    drawn: list[tuple[FaultPlan, Drawn]] = [(FaultPlan([place]), Backwards()) for place in struck]
    for number in range(most - len(offers) - len(struck)):
        plan = FaultPlan([random.choice(places)]) if number % 2 and places else FaultPlan()
        drawn.append((plan, Priorities(random.randrange(1 << 30), CHANGES, counting.choices)))
    for plan, scheduler in drawn:
        found = search.probe_order(plan, scheduler)
        if found is not None:
            search.attempt(*_earliest(search, *_smallest(search, plan, found), places, counting.offers))


def _some(choices: Sequence[_T], most: int, random: Random) -> Sequence[_T]:
    """All of them if they are few enough, else some, in their order."""
    if len(choices) <= most:
        return choices
    return [choices[index] for index in sorted(random.sample(range(len(choices)), most))]


def _smallest(search: Prober, plan: FaultPlan, schedule: Schedule) -> tuple[FaultPlan, Schedule]:
    """Leave out the fault, then the deviations, that it does not take: first many at once, then one by one."""
    if plan and search.probe(FaultPlan(), schedule=schedule)[1] is not None:
        plan = FaultPlan()
    size = len(schedule) // 2
    while size:
        kept = 0
        while kept < len(schedule):
            fewer = Schedule([*schedule[:kept], *schedule[kept + size :]])
            if search.probe(plan, schedule=fewer)[1] is not None:
                schedule = fewer
            else:
                kept += size
        size = min(size // 2, max(1, len(schedule) // 2)) if size > 1 else 0
    return plan, schedule


def _earliest(
    search: Prober, plan: FaultPlan, schedule: Schedule, places: Sequence[Fault], offers: Sequence[int]
) -> tuple[FaultPlan, Schedule]:
    """What takes a fault and another order: with the earliest fault, and the earliest single deviation, that will do.

    So the same bug is reported the same way, whatever order it was first found in.
    """
    if not plan or not schedule:
        return plan, schedule
    until = places[: places.index(plan[0]) + 1]
    for place, choice in islice(product(until, offers), PAIRS):
        fault, deviation = FaultPlan([place]), Schedule([Deviation(choice, 1)])
        if search.probe(fault, schedule=deviation)[1] is not None:
            return fault, deviation
    for place in until[:-1]:
        if search.probe(FaultPlan([place]), schedule=schedule)[1] is not None:
            return FaultPlan([place]), schedule
    return plan, schedule
