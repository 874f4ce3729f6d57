"""Bugs that need two kills: found by drawn plans, and shrunk to exactly two."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from aws_durable_execution_sdk_python import DurableContext

from pytest_durable import DurabilityViolation, Failure, FakeDurableContext, FaultPlan, OutcomeChanged
from tests.durable import returns, seconds


class Till:
    """Gives the change twice if its drawer was interrupted twice."""

    def __init__(self) -> None:
        self.opened = 0

    def reset(self) -> None:
        self.opened = 0

    def handler(self, event: Any, context: DurableContext) -> int:
        def give(step: Any) -> int:
            self.opened += 1
            return 2 if self.opened > 2 else 1

        context.step(returns(1), name="count")
        given: int = context.step(give, name="give")
        context.wait(seconds(60), name="close")
        context.step(returns(2), name="lock")
        return given


def two_different(log: list[str]) -> Any:
    """Wrong only if both steps are interrupted after their bodies."""

    def noted(name: str) -> Any:
        def body(step: Any) -> str:
            log.append(name)
            return name

        return body

    def handler(event: Any, context: DurableContext) -> bool:
        context.step(noted("a"), name="a")
        context.step(returns(1), name="between")
        context.step(noted("b"), name="b")
        return context.step(lambda step: log.count("a") > 1 and log.count("b") > 1, name="look")

    return handler


def search(handler: Any, reset: Any, *, seed: int = 0, kills: int = 2, examples: int = 100) -> Failure:
    with FakeDurableContext(seed=seed) as context, pytest.raises(DurabilityViolation) as caught:
        context.verify(handler, kills=kills, examples=examples, reset=reset)
    assert type(caught.value) is OutcomeChanged
    return caught.value.failure


def test_a_bug_that_needs_two_kills_is_not_found_with_one() -> None:
    till, log = Till(), list[str]()
    with FakeDurableContext() as context:
        context.verify(till.handler, reset=till.reset)
        context.verify(two_different(log), reset=log.clear)


@pytest.mark.parametrize("kills", [2, 3])
@pytest.mark.parametrize("seed", range(3))
def test_two_kills_in_two_steps_are_found_and_no_third_is_reported(seed: int, kills: int) -> None:
    log: list[str] = []
    failure = search(two_different(log), log.clear, seed=seed, kills=kills)
    assert (failure.kills, failure.reproduced) == (2, True)
    assert set(FaultPlan.parse(failure.plan)) == set(FaultPlan.parse("a:body, b:body"))


@pytest.mark.parametrize("seed", range(3))
def test_two_kills_in_one_step_are_found(seed: int) -> None:
    till = Till()
    failure = search(till.handler, till.reset, seed=seed)
    assert set(FaultPlan.parse(failure.plan)) == set(FaultPlan.parse("give:body, give@2:body"))


def test_the_plan_that_is_reported_fails_the_same_way_alone() -> None:
    log: list[str] = []
    handler = two_different(log)
    failure = search(handler, log.clear)
    log.clear()
    with FakeDurableContext() as context:
        assert context.run(handler, faults=failure.plan).result is True


def test_a_single_kill_that_is_enough_is_found_before_any_plan_is_drawn() -> None:
    calls: list[int] = []

    def handler(event: Any, context: DurableContext) -> int:
        context.step(lambda step: calls.append(1), name="a")
        return context.step(lambda step: len(calls), name="count")

    failure = search(handler, calls.clear, kills=3)
    assert (failure.plan, failure.kills) == ("a:body", 1)


@pytest.mark.parametrize(("kills", "examples"), [(2, 0), (1, 50), (0, 50)])
def test_no_plan_is_drawn_unless_asked_for(kills: int, examples: int) -> None:
    till = Till()
    with FakeDurableContext() as context:
        assert context.verify(till.handler, kills=kills, examples=examples, reset=till.reset).drawn == 0


def test_no_more_plans_are_drawn_than_asked_for(ctx: FakeDurableContext) -> None:
    def handler(event: Any, context: DurableContext) -> None:
        for _ in range(5):
            context.step(returns(1))

    found = ctx.verify(handler, kills=3, examples=10)
    assert 1 <= found.drawn <= 10
    assert found.runs == 1 + len(found.places) + found.drawn


def test_a_handler_of_one_place_has_no_plan_of_two(ctx: FakeDurableContext) -> None:
    assert ctx.verify(lambda event, context: None, kills=2).drawn == 0


def test_drawn_plans_depend_on_the_seed_alone() -> None:
    def plans(seed: int) -> list[str]:
        seen: list[str] = []

        def handler(event: Any, context: DurableContext) -> None:
            for number in range(4):
                context.step(lambda step: seen.append("body"), name=f"step {number}")

        with FakeDurableContext(seed=seed) as context:
            context.verify(handler, kills=2, examples=10, reset=lambda: seen.append("reset"))
        return seen

    assert plans(1) == plans(1)
    assert plans(1) != plans(2)


def test_the_context_can_hold_the_number_of_kills() -> None:
    till = Till()
    with FakeDurableContext() as context, pytest.raises(OutcomeChanged):
        context.budget = replace(context.budget, kills=2)
        context.verify(till.handler, reset=till.reset)


def test_a_verdict_of_the_test_ends_the_search_instead_of_being_shrunk() -> None:
    runs: list[int] = []

    def body(step: Any) -> None:
        runs.append(1)
        if len(runs) == 300:  # under a plan that Hypothesis has drawn
            pytest.fail("out of time")

    def handler(event: Any, context: DurableContext) -> None:
        for number in range(6):
            context.step(body, name=f"step {number}")

    with FakeDurableContext() as context, pytest.raises(pytest.fail.Exception, match="out of time") as caught:
        context.verify(handler, kills=3)
    assert (len(runs), caught.value.__cause__) == (300, None)
