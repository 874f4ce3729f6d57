"""Strategies for users' own ``@given``."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from aws_durable_execution_sdk_python import DurableContext
from aws_durable_execution_sdk_python.config import Duration
from hypothesis import HealthCheck, find, given, settings
from hypothesis import strategies as st

from pytest_durable import FakeDurableContext, FaultPlan, UsageError
from pytest_durable.faults import WHERE, Schedule
from pytest_durable.service.points import KILLS
from pytest_durable.strategies import fault_plans, schedules


def order(event: Any, context: DurableContext) -> Any:
    doubled = context.step(lambda _: 2 * event["count"], name="double")
    context.wait(Duration.from_minutes(1), name="pause")
    return context.map(range(doubled), lambda child, item, *_: child.step(lambda _: item, name="s")).get_results()


@settings(max_examples=40)
@given(count=st.integers(0, 3), plan=fault_plans(), schedule=schedules())
def test_a_correct_handler_holds_under_any_plan_and_schedule_with_any_data(
    count: int, plan: FaultPlan, schedule: Schedule
) -> None:
    with FakeDurableContext() as context:
        execution = context.run(order, {"count": count}, faults=plan, schedule=schedule)
    assert execution.result == list(range(2 * count))
    killed = [invocation.killed for invocation in execution.invocations if invocation.killed]
    assert len(killed) <= len(plan) <= 2


@settings(max_examples=30)
@given(plan=fault_plans(order, {"count": 1}, kills=3))
def test_with_a_handler_the_places_are_known_by_name(plan: FaultPlan) -> None:
    assert all(fault.path != "*" and fault.where in KILLS for fault in plan)
    with FakeDurableContext() as context:
        assert context.run(order, {"count": 1}, faults=plan).status == "SUCCEEDED"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=10)
@given(plan=fault_plans())
def test_they_go_with_the_fixture(durable_ctx: FakeDurableContext, plan: FaultPlan) -> None:
    assert durable_ctx.run(order, {"count": 1}, faults=plan).status == "SUCCEEDED"


def test_a_bug_is_shrunk_to_the_one_kill_it_takes() -> None:
    def breaks(plan: FaultPlan) -> bool:
        charges: list[int] = []
        with FakeDurableContext() as context:
            context.run(lambda event, inner: inner.step(lambda _: charges.append(1), name="charge"), faults=plan)
        return len(charges) > 1

    plan = find(fault_plans(kills=3), breaks, settings=settings(max_examples=1_000), random=Random(0))
    assert str(plan) == "*:body"


def test_a_place_that_an_execution_never_comes_to_is_no_fault() -> None:
    with FakeDurableContext() as context:
        plan = find(fault_plans(kinds=["throttle"]), lambda plan: len(plan) == 1 and plan[0].nth == 20)
        execution = context.run(order, {"count": 0}, faults=plan)
    assert [invocation.struck for invocation in execution.invocations if invocation.struck] == []


@pytest.mark.parametrize("kind", WHERE)
def test_every_kind_can_be_drawn(kind: str) -> None:
    assert [fault.where for fault in find(fault_plans(kinds=[kind]), lambda plan: len(plan) == 1)] == [kind]


@pytest.mark.parametrize("bad", [{"kinds": ["charge"]}, {"kinds": []}, {"kills": -1}, {"kills": "2"}])
def test_what_makes_no_sense_is_refused(bad: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="fault_plans takes kinds of start, effect, body"):
        fault_plans(**bad)


def test_a_handler_without_such_a_place_is_refused() -> None:
    with pytest.raises(UsageError, match="comes to no place of the kinds suspend"):
        find(fault_plans(lambda event, context: 1, kinds=["suspend"]), lambda plan: len(plan) > 0)
