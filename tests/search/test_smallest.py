"""What is reported is the smallest plan, and a failure that does not happen again says so."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from aws_durable_execution_sdk_python import DurableContext

from pytest_durable import DurabilityViolation, FakeDurableContext, FaultNotReached, FaultPlan, OutcomeChanged
from tests.durable import returns, seconds


def charging(bank: list[int]) -> Any:
    def handler(event: Any, context: DurableContext) -> int:
        context.step(returns(1), name="validate")
        context.step(lambda step: bank.append(100), name="charge")
        context.wait(seconds(300), name="cool off")
        context.step(returns(2), name="ship")
        return context.step(lambda step: sum(bank), name="total")

    return handler


def test_the_first_place_that_fails_is_reported() -> None:
    bank: list[int] = []
    with FakeDurableContext() as context, pytest.raises(OutcomeChanged) as caught:
        context.verify(charging(bank), reset=bank.clear)
    failure = caught.value.failure
    assert (failure.plan, failure.kills, failure.passed) == ("charge:body", 1, 5)
    assert failure.reproduced


def test_several_kills_that_are_allowed_are_not_used_if_one_is_enough() -> None:
    bank: list[int] = []
    with FakeDurableContext() as context, pytest.raises(OutcomeChanged) as caught:
        context.verify(charging(bank), kills=5, reset=bank.clear)
    assert caught.value.failure.kills == 1


def test_a_failure_without_any_kill_is_reported_as_such() -> None:
    calls: list[int] = []

    def handler(event: Any, context: DurableContext) -> None:
        calls.append(1)
        context.wait(seconds(60 * len(calls)), name="pause")

    with FakeDurableContext() as context, pytest.raises(DurabilityViolation) as caught:
        context.verify(handler, reset=calls.clear)
    failure = caught.value.failure
    assert (failure.plan, failure.kills, failure.passed) == ("", 0, 0)


def test_a_failure_that_does_not_happen_again_says_so() -> None:
    answers = iter([1, 1, 1, 2, *[1] * 20])  # the fourth is the last one under the second plan

    def handler(event: Any, context: DurableContext) -> Any:
        return context.step(lambda step: next(answers), name="a")

    with FakeDurableContext() as context, pytest.raises(OutcomeChanged) as caught:
        context.verify(handler)
    assert not caught.value.failure.reproduced
    lines = str(caught.value).splitlines()
    assert lines[0].startswith("NOT REPRODUCED: the same plan, run again")
    place = f"test_smallest.py:{handler.__code__.co_firstlineno + 1}"
    look = f"Look at 'a', made at {place}: it gave 2 the first time, and 1 when it was run again."
    assert look in caught.value.failure.explanation
    assert any(line.split() == ["run", "again", "the", "first", "time"] for line in lines)


def test_a_replayed_plan_is_run_alone() -> None:
    bank: list[int] = []
    with FakeDurableContext() as context:
        context.budget = replace(context.budget, only=FaultPlan.parse("ship:body"))
        found = context.verify(charging(bank), reset=bank.clear)
        assert (found.killed, found.runs) == (("ship:body",), 2)
        context.budget = replace(context.budget, only=FaultPlan.parse("charge:body"))
        with pytest.raises(OutcomeChanged) as caught:
            context.verify(charging(bank), reset=bank.clear)
    assert (caught.value.failure.plan, caught.value.failure.passed) == ("charge:body", 1)


def test_a_replayed_plan_is_used_by_a_run_without_faults_of_its_own() -> None:
    with FakeDurableContext() as context:
        context.budget = replace(context.budget, only=FaultPlan.parse("validate:body"))
        assert context.run(charging([])).body_runs("validate") == 2
        assert context.run(charging([]), faults="ship:body").body_runs("validate") == 1
        assert context.run(charging([]), faults="").body_runs("validate") == 1


def test_the_run_that_is_reported_is_not_silent(caplog: pytest.LogCaptureFixture) -> None:
    bank: list[int] = []

    def handler(event: Any, context: DurableContext) -> int:
        def body(step: Any) -> int:
            step.logger.warning("charging")
            bank.append(100)
            return 100

        context.step(body, name="charge")
        return context.step(lambda step: sum(bank), name="total")

    with FakeDurableContext() as context, pytest.raises(OutcomeChanged):
        context.verify(handler, reset=bank.clear)
    # Its body runs twice; the fault-free run, and those without a finding, are silent.
    assert [record.message for record in caplog.records].count("charging") == 2


def test_a_planned_kill_that_does_not_happen_warns(ctx: FakeDurableContext) -> None:
    with pytest.warns(FaultNotReached):
        ctx.run(charging([]), faults="ship@2:body")
