"""What is recorded, with where it happened; counting; and what no ledger takes."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aws_durable_execution_sdk_python import DurableContext

from pytest_durable import Effect, FakeDurableContext, UsageError
from tests.durable import Flaky, attempts, seconds

START = datetime(2026, 1, 1, tzinfo=UTC)


def places(ctx: FakeDurableContext) -> list[tuple[str, int | None, int]]:
    """Where each effect happened: operation, attempt, invocation."""
    return [(effect.operation, effect.attempt, effect.invocation) for effect in ctx.effects]


def test_an_effect_is_known_with_where_it_happened(ctx: FakeDurableContext) -> None:
    def handler(event: Any, context: DurableContext) -> None:
        context.wait(seconds(60), name="cool off")
        context.step(lambda _: ctx.effects.record("bank.charge", key="order 7", amount=100), name="charge")

    ctx.run(handler, name="order-7")

    (effect,) = ctx.effects
    assert effect == Effect(
        name="bank.charge",
        key="order 7",
        details={"amount": 100},
        operation="charge",
        attempt=1,
        invocation=2,
        time=effect.time,
        execution="order-7",
        operation_id=effect.operation_id,
    )
    assert str(effect) == "bank.charge(amount=100)"
    assert timedelta(seconds=60) <= effect.time - START < timedelta(seconds=61)


def test_the_attempt_of_a_step_that_is_retried(ctx: FakeDurableContext) -> None:
    flaky = Flaky(2)

    def body(step: Any) -> None:
        ctx.effects.record("mail")
        flaky(step)

    ctx.run(lambda event, context: context.step(body, name="mail", config=attempts(3)))

    assert places(ctx) == [("mail", 1, 1), ("mail", 2, 2), ("mail", 3, 3)]
    assert [(effect.time - START).seconds for effect in ctx.effects] == [0, 5, 10]


def test_outside_of_steps_it_is_the_handler_or_the_context_that_does_it(ctx: FakeDurableContext) -> None:
    def child(context: DurableContext) -> None:
        ctx.effects.record("inside")
        context.step(lambda _: ctx.effects.record("below"), name="step")

    def handler(event: Any, context: DurableContext) -> None:
        ctx.effects.record("outside")
        context.run_in_child_context(child, name="child")
        context.map([1], lambda context, item, *_: ctx.effects.record("branch"), name="map")

    ctx.run(handler)

    assert [(effect.name, effect.operation, effect.attempt) for effect in ctx.effects] == [
        ("outside", "invocation", None),
        ("inside", "child", None),
        ("below", "child/step", 1),
        ("branch", "map/map-item-0", None),
    ]


def test_what_invoked_functions_do_has_the_path_of_the_invoke(ctx: FakeDurableContext) -> None:
    def durable(event: Any, context: DurableContext) -> None:
        context.step(lambda _: ctx.effects.record("durable"), name="step")
        ctx.effects.record("outside")

    def handler(event: Any, context: DurableContext) -> None:
        context.invoke("durable", None, name="one")
        context.invoke("plain", None, name="two")

    from aws_durable_execution_sdk_python import durable_execution

    ctx.register("durable", durable_execution(durable))
    ctx.register("plain", lambda event, context: ctx.effects.record("plain"))
    ctx.run(handler)

    assert [(effect.name, effect.operation) for effect in ctx.effects] == [
        ("durable", "one/step"),
        ("outside", "one/invocation"),
        ("plain", "two"),
    ]


def test_a_submitter_and_a_condition_are_bodies(ctx: FakeDurableContext) -> None:
    from aws_durable_execution_sdk_python.waits import WaitForConditionConfig, WaitForConditionDecision

    def check(state: int, _: Any) -> int:
        ctx.effects.record("poll", number=state)
        return state + 1

    def handler(event: Any, context: DurableContext) -> None:
        context.wait_for_callback(lambda callback_id, _: ctx.effects.record("ask"), name="approve")

        def decide(state: int, attempt: int) -> WaitForConditionDecision:
            if state == 2:
                return WaitForConditionDecision.stop_polling()
            return WaitForConditionDecision.continue_waiting(seconds(30))

        config = WaitForConditionConfig(wait_strategy=decide, initial_state=0)
        context.wait_for_condition(check, config, name="ready")

    ctx.callbacks.succeed("approve", after=60)
    ctx.run(handler)

    assert [(str(effect), effect.attempt) for effect in ctx.effects] == [
        ("ask", 1),
        ("poll(number=0)", 1),
        ("poll(number=1)", 2),
    ]


def test_direct_calls_are_recorded(ctx: FakeDurableContext) -> None:
    ctx.step(lambda _: ctx.effects.record("mail"), name="mail")

    assert places(ctx) == [("mail", 1, 1)]


def test_one_key_is_one_effect_to_the_world_and_every_record_is_seen(ctx: FakeDurableContext) -> None:
    def body(step: Any) -> None:
        for key in ("a", "a", "b", None, None):
            ctx.effects.record("charge", key)
        ctx.effects.record("mail", ("a", 1))

    ctx.run(lambda event, context: context.step(body, name="all"))

    counts = {key: ctx.effects.count("charge", key) for key in ("a", "b", "c", None)}
    assert counts == {"a": 1, "b": 1, "c": 0, None: 2}
    assert ctx.effects.count("charge") == 4
    assert ctx.effects.count("mail", key=("a", 1)) == 1
    assert (len(ctx.effects), len(list(ctx.effects)), repr(ctx.effects)) == (6, 6, "<EffectLedger of 6 effects>")


def test_details_may_be_called_anything(ctx: FakeDurableContext) -> None:
    details = {"name": "Ada", "self": 1, "args": (7,)}
    ctx.run(lambda event, context: context.step(lambda _: ctx.effects.record("mail", **details), name="mail"))

    assert [str(effect) for effect in ctx.effects] == ["mail(7, name='Ada', self=1)"]


def test_plain_runs_pile_up_and_a_search_begins_anew_each_time(ctx: FakeDurableContext) -> None:
    def handler(event: Any, context: DurableContext) -> None:
        context.step(lambda _: ctx.effects.record("mail", "order 7"), name="mail")

    ctx.run(handler)
    ctx.run(handler)
    assert [effect.execution for effect in ctx.effects] == ["execution-1", "execution-2"]

    ctx.verify(handler)
    assert [effect.execution for effect in ctx.effects] == ["execution-1"] * 2  # of its latest run, killed in the body


def test_what_a_dying_invocation_does_is_refused(ctx: FakeDurableContext) -> None:
    def handler(event: Any, context: DurableContext) -> None:
        try:
            context.step(lambda _: ctx.effects.record("mail", "order 7"), name="mail")
        finally:
            ctx.effects.record("release", "order 7")

    ctx.run(handler, faults="mail:body")

    assert [(effect.name, effect.invocation) for effect in ctx.effects] == [("mail", 1), ("mail", 2), ("release", 2)]


def test_what_a_suspended_invocation_does_in_finally_reaches_the_world(ctx: FakeDurableContext) -> None:
    def handler(event: Any, context: DurableContext) -> None:
        try:
            context.wait(seconds(60), name="cool off")
        finally:
            ctx.effects.record("release", "order 7")

    ctx.run(handler)

    assert places(ctx) == [("invocation", None, 1), ("invocation", None, 2)]


def test_recording_outside_of_a_run_is_refused(ctx: FakeDurableContext) -> None:
    assert not ctx.effects.admit()
    with pytest.raises(UsageError, match="the effect 'mail' was recorded outside of a run"):
        ctx.effects.record("mail")


@pytest.mark.parametrize("isolation", ["thread", "process"])
def test_a_key_that_is_not_hashable_is_told_to_the_test_although_the_step_would_be_retried(isolation: str) -> None:
    says = r"the key of the effect 'mail' is not hashable: \['order', 7\]"
    with FakeDurableContext(isolation=isolation) as ctx, pytest.raises(UsageError, match=says):
        ctx.run(lambda event, context: context.step(lambda _: ctx.effects.record("mail", ["order", 7])))


@pytest.mark.parametrize("isolation", ["thread", "process"])
def test_a_thread_of_the_users_own_is_outside_of_the_run(isolation: str) -> None:
    told: list[str] = []

    def in_a_thread(ctx: FakeDurableContext) -> str:
        def record() -> None:
            try:
                ctx.effects.record("mail")
            except UsageError as error:
                told.append(str(error))

        thread = threading.Thread(target=record)
        thread.start()
        thread.join()
        return told.pop()

    with FakeDurableContext(isolation=isolation) as ctx:
        execution = ctx.run(lambda event, context: context.step(lambda _: in_a_thread(ctx), name="mail"))
    assert "that a durable function calls, in no thread that it starts itself" in execution.result


@pytest.mark.parametrize("name", ["", None, 7])
def test_an_effect_has_a_name(ctx: FakeDurableContext, name: Any) -> None:
    with pytest.raises(UsageError, match="an effect has a name, as in record"):
        ctx.run(lambda event, context: context.step(lambda _: ctx.effects.record(name)))
