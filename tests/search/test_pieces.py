# ruff: noqa: TID251  # what is tested is what these calls are in user code
"""What a suspension loses in every run is seen beside a run that waits within one invocation."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from aws_durable_execution_sdk_python import CallbackError, DurableContext, durable_execution
from aws_durable_execution_sdk_python.config import Duration, WaitForCallbackConfig

from pytest_durable import FakeDurableContext, OutcomeChanged
from tests.durable import returns, seconds

IN_AN_HOUR = WaitForCallbackConfig(timeout=Duration.from_hours(1))

Suspension = Callable[[DurableContext], object]


@durable_execution
def scoring(event: Any, context: DurableContext) -> int:
    """A function that is suspended itself."""
    context.wait(seconds(4), name="queue")
    score: int = context.step(returns(7), name="score")
    return score


def asks(context: DurableContext) -> object:
    """Wait for somebody's answer, or for its end."""
    try:
        return context.wait_for_callback(lambda callback_id, submitter: None, name="ask", config=IN_AN_HOUR)
    except CallbackError:
        return None


def calls(context: DurableContext) -> object:
    """Invoke another function."""
    return context.invoke("other", {}, name="call")


def maps(context: DurableContext) -> object:
    """Do something in branches, and wait when they are over."""
    context.map([1, 2], lambda inner, item, index, items: inner.step(returns(item)), name="map")
    context.wait(seconds(5), name="pause")
    return None


def in_branches(context: DurableContext) -> object:
    """The branches themselves are suspended: which of them is first may depend on that."""
    return context.map([4, 2], lambda inner, item, index, items: inner.wait(seconds(item)), name="map").get_results()


WORLDS: dict[str, tuple[Suspension, Callable[[FakeDurableContext], object]]] = {
    "a map before a wait": (maps, lambda ctx: None),
    "an answer": (asks, lambda ctx: ctx.callbacks.succeed("ask", "yes", after=60)),
    "an answer at once": (asks, lambda ctx: ctx.callbacks.succeed("ask", "yes")),
    "a refusal": (asks, lambda ctx: ctx.callbacks.fail("ask", ValueError("no"), after=60)),
    "no answer in time": (asks, lambda ctx: None),
    "a plain function": (calls, lambda ctx: ctx.register("other", lambda event, context: 7)),
    "a durable function": (calls, lambda ctx: ctx.register("other", scoring)),
}

BOTH = [(world, "thread") for world in WORLDS] + [("an answer", "process"), ("a plain function", "process")]


def handler_of(suspended: Suspension, repaired: bool) -> Callable[[Any, DurableContext], int]:
    """What a body leaves in a variable is gone after the suspension."""

    def handler(event: Any, context: DurableContext) -> int:
        prices: list[int] = []

        def price(step: Any) -> int:
            prices.append(100)
            return 100

        stored = context.step(price, name="price")
        suspended(context)
        return stored if repaired else sum(prices)

    return handler


@pytest.mark.parametrize(("world", "isolation"), BOTH)
def test_what_a_suspension_loses_is_found(world: str, isolation: str) -> None:
    suspended, arrange = WORLDS[world]
    with FakeDurableContext(isolation=isolation) as ctx:
        arrange(ctx)
        with pytest.raises(OutcomeChanged, match="suspended and replayed") as found:
            ctx.verify(handler_of(suspended, repaired=False))
        assert found.value.failure.plan == ""
        assert "result is 0, and 100 in one invocation." in found.value.failure.explanation


@pytest.mark.parametrize("world", WORLDS)
def test_what_is_stored_is_left_alone(world: str) -> None:
    suspended, arrange = WORLDS[world]
    with FakeDurableContext() as ctx:
        arrange(ctx)
        assert ctx.verify(handler_of(suspended, repaired=True)).outcome is None


def test_branches_that_are_suspended_are_not_held_against_others() -> None:
    with FakeDurableContext() as ctx:
        ctx.verify(handler_of(in_branches, repaired=False))


@pytest.mark.parametrize("isolation", ["thread", "process"])
def test_a_step_may_do_as_much_as_there_is_time_for(isolation: str) -> None:
    """In one invocation there would be time for everything at once."""

    def handler(event: Any, context: DurableContext) -> int:
        done = rounds = 0
        lambda_context: Any = context.lambda_context

        def work(step: Any) -> int:
            count = 0
            while lambda_context.get_remaining_time_in_millis() > 100_000 and done + count < 20:
                time.sleep(60)
                count += 1
            return count

        while done < 20:
            done += context.step(work, name="work")
            rounds += 1
            context.wait(seconds(30), name="pause")
        return rounds

    with FakeDurableContext(isolation=isolation) as ctx:
        ctx.budget = replace(ctx.budget, kinds=["return"])
        assert ctx.verify(handler).outcome is None
        assert ctx.run(handler).result == 2


def test_who_asks_sees_the_time_before_the_answer() -> None:
    """As where the function is suspended for it: two days before."""
    asked: list[str] = []

    def ask(callback_id: str, submitter: Any) -> None:
        asked.append(datetime.now(UTC).date().isoformat())

    def handler(event: Any, context: DurableContext) -> str:
        within = WaitForCallbackConfig(timeout=Duration.from_days(9))
        context.wait_for_callback(ask, name="ask", config=within)
        day: str = context.step(lambda step: asked[0], name="read")
        return day

    with FakeDurableContext() as ctx:
        ctx.callbacks.succeed("ask", "yes", after=2 * 86_400)
        assert ctx.verify(handler, reset=asked.clear).outcome is None


def late_or_not(reads_in_step: bool, is_late: bool) -> Callable[[Any, DurableContext], str]:
    """Whoever took too long is told so; how long it took starts anew with every replay."""

    def handler(event: Any, context: DurableContext) -> str:
        began = context.step(lambda step: time.time(), name="begin") if reads_in_step else time.time()
        context.wait(seconds(300), name="pause")
        if (time.time() - began > 100) is is_late:
            context.step(returns(None), name="tell")
        return "done"

    return handler


@pytest.mark.parametrize(
    ("is_late", "what", "instead"), [(True, "leaves out", "makes it"), (False, "makes", "does not")]
)
def test_an_operation_that_hangs_on_a_suspension_is_found(is_late: bool, what: str, instead: str) -> None:
    with (
        FakeDurableContext() as ctx,
        pytest.raises(OutcomeChanged, match=f"replayed, the execution {what} step 'tell'") as found,
    ):
        ctx.verify(late_or_not(reads_in_step=False, is_late=is_late))
    failure = found.value.failure
    assert failure.plan == "" and failure.reproduced
    assert failure.explanation[0].startswith(f"In one invocation, with the same waits, it {instead}: test_pieces.py:")
    assert failure.explanation[1].startswith("Suspect: time.time() was read outside of a step at test_pieces.py:")


@pytest.mark.parametrize("is_late", [True, False])
def test_an_operation_that_hangs_on_stored_time_is_left_alone(is_late: bool) -> None:
    with FakeDurableContext() as ctx:
        assert ctx.verify(late_or_not(reads_in_step=True, is_late=is_late)).outcome is None


def test_an_operation_by_chance_is_left_alone() -> None:
    """What is drawn after the suspension is drawn otherwise than without it."""

    def handler(event: Any, context: DurableContext) -> None:
        context.wait(seconds(300), name="pause")
        if context.step(lambda step: random.random() < 0.5, name="toss"):
            context.step(returns(None), name="heads")

    for seed in range(8):
        with FakeDurableContext(seed=seed) as ctx:
            ctx.verify(handler)
