"""Check 4: effects that are done twice, or not at all, are found; what only looks like it is left alone."""

from __future__ import annotations

import contextlib
import random
import time
import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from aws_durable_execution_sdk_python import DurableContext, StepError, durable_execution
from aws_durable_execution_sdk_python.config import CompletionConfig, NestingType, ParallelConfig

from pytest_durable import DurabilityViolation, EffectRepeated, Failure, FakeDurableContext
from tests.durable import AT_MOST_ONCE, ONCE, ONCE_AT_MOST, Flaky, attempts, fails, seconds

Handler = Callable[[Any, DurableContext], Any]


@pytest.fixture
def act(ctx: FakeDurableContext) -> Callable[..., Callable[[Any], Any]]:
    """Makes a step body that does one effect."""

    def make(name: str, key: Any = None, **details: Any) -> Callable[[Any], Any]:
        return lambda step: ctx.effects.record(name, key() if callable(key) else key, **details)

    return make


def found(ctx: FakeDurableContext, handler: Handler, **options: Any) -> Failure:
    with pytest.raises(DurabilityViolation) as caught:
        ctx.verify(handler, **options)
    assert caught.value.failure.reproduced
    return caught.value.failure


def text(failure: Failure) -> str:
    return "\n".join((failure.summary, *failure.explanation))


# --- done twice -----------------------------------------------------------------------------------------------------


def test_a_step_that_is_killed_after_its_effect_does_it_twice(ctx: FakeDurableContext, act: Any) -> None:
    failure = found(ctx, lambda event, context: context.step(act("bank.charge", order=7), name="charge"))

    assert (failure.violation, failure.plan) == ("EffectRepeated", "charge:body")
    assert failure.summary == (
        "killed at 'charge' after the body finished, before its result is stored, "
        "bank.charge(order=7) happened twice, without an idempotency key"
    )
    assert "did it in invocation 1, was cut short before its result was stored, and did it again in invocation 2" in (
        text(failure)
    )
    assert "made at test_effects.py:" in text(failure)


def test_with_a_key_it_is_done_once(ctx: FakeDurableContext, act: Any) -> None:
    ctx.verify(lambda event, context: context.step(act("bank.charge", "order 7"), name="charge"))


def test_a_key_of_an_earlier_step_is_a_key(ctx: FakeDurableContext, act: Any) -> None:
    def handler(event: Any, context: DurableContext) -> None:
        key = context.step(lambda _: str(uuid.uuid4()), name="key")  # noqa: TID251  # as a user would
        context.step(act("bank.charge", key, amount=100), name="charge")

    ctx.verify(handler)


def test_a_key_that_each_attempt_makes_anew_is_none(ctx: FakeDurableContext, act: Any) -> None:
    failure = found(
        ctx,
        lambda event, context: context.step(
            act("bank.charge", lambda: str(uuid.uuid4()), amount=100),  # noqa: TID251  # as a user would
            name="charge",
        ),
    )

    assert (failure.violation, failure.plan) == ("EffectRepeated", "charge:body")
    assert "happened twice, each time under another idempotency key ('" in failure.summary


def test_at_most_once_is_once_for_each_attempt(ctx: FakeDurableContext, act: Any) -> None:
    config = attempts(3, semantics=AT_MOST_ONCE)
    failure = found(ctx, lambda event, context: context.step(act("charge"), name="charge", config=config))

    assert (failure.violation, failure.plan) == ("EffectRepeated", "charge:body")
    assert "again in invocation 3, attempt 2" in text(failure)


def test_what_an_interrupted_step_did_is_done_again_by_another(ctx: FakeDurableContext, act: Any) -> None:
    def handler(event: Any, context: DurableContext) -> None:
        try:
            context.step(act("charge", order=7), name="charge", config=ONCE_AT_MOST)
        except StepError:
            context.step(act("charge", order=7), name="make sure", config=ONCE_AT_MOST)

    failure = found(ctx, handler)

    assert (failure.violation, failure.plan) == ("EffectRepeated", "charge:body")
    assert "'make sure', made at" in text(failure)


def test_the_second_of_several_effects(ctx: FakeDurableContext) -> None:
    def body(step: Any) -> None:
        ctx.effects.record("charge", "order 7")
        ctx.effects.record("mail", to="ada")

    failure = found(ctx, lambda event, context: context.step(body, name="fulfil"))

    assert (failure.violation, failure.plan) == ("EffectRepeated", "fulfil:body")


def test_an_invoked_function_is_compared_as_well(ctx: FakeDurableContext, act: Any) -> None:
    @durable_execution
    def pay(event: Any, context: DurableContext) -> None:
        context.step(act("charge"), name="charge")

    ctx.register("pay", pay)
    failure = found(ctx, lambda event, context: context.invoke("pay", None, name="payment"))

    assert failure.plan == "payment/charge:body"


def test_a_loop_that_begins_from_the_beginning(ctx: FakeDurableContext) -> None:
    def body(step: Any) -> None:
        for to in ("ada", "bob"):
            ctx.effects.record("mail", to=to)

    failure = found(ctx, lambda event, context: context.step(body, name="mail"))

    assert failure.plan == "mail:body"
    assert "happened 4 times, and twice without faults" in failure.summary


# --- outside of steps -----------------------------------------------------------------------------------------------


def test_a_mail_sent_by_the_handler_itself_takes_no_kill(ctx: FakeDurableContext) -> None:
    def handler(event: Any, context: DurableContext) -> None:
        ctx.effects.record("mail", to="ada")
        context.wait(seconds(60), name="cool off")

    for run in (ctx.run, ctx.verify):
        with pytest.raises(EffectRepeated) as caught:
            run(handler)
        assert caught.value.failure.plan == ""
        assert caught.value.failure.summary == (
            "mail(to='ada') happened twice, without an idempotency key, outside of any step"
        )
        assert "did it in invocation 1 and again in invocation 2" in " ".join(str(caught.value).split())


def test_a_lock_released_in_finally_while_suspended(ctx: FakeDurableContext, act: Any) -> None:
    def handler(event: Any, context: DurableContext) -> None:
        context.step(act("lock", "order 7"), name="lock")
        try:
            context.wait(seconds(60), name="cool off")
        finally:
            ctx.effects.record("release")

    assert (found(ctx, handler).violation, found(ctx, handler).plan) == ("EffectRepeated", "")


def test_code_of_a_child_context_is_run_again_as_well(ctx: FakeDurableContext) -> None:
    def child(context: DurableContext) -> None:
        ctx.effects.record("mail")
        context.wait(seconds(60), name="cool off")

    failure = found(ctx, lambda event, context: context.run_in_child_context(child, name="child"))

    assert "The code of 'child' at test_effects.py:" in text(failure)


@pytest.mark.parametrize("as_key", [True, False])
def test_a_key_or_a_detail_drawn_by_the_handler_hides_nothing(ctx: FakeDurableContext, as_key: bool) -> None:
    def handler(event: Any, context: DurableContext) -> None:
        drawn = str(uuid.uuid4())  # noqa: TID251  # as a user would
        ctx.effects.record("mail", **({"key": drawn} if as_key else {"id": drawn}))
        context.wait(seconds(60), name="cool off")

    assert (found(ctx, handler).violation, found(ctx, handler).plan) == ("EffectRepeated", "")


def test_with_a_stable_key_the_handler_may_do_it(ctx: FakeDurableContext) -> None:
    def handler(event: Any, context: DurableContext) -> None:
        ctx.effects.record("mail", "order 7")
        context.wait(seconds(60), name="cool off")

    ctx.verify(handler)


def test_different_things_done_in_different_invocations_are_no_repetition(ctx: FakeDurableContext) -> None:
    def handler(event: Any, context: DurableContext) -> None:
        for day in range(3):
            if not context.is_replaying():
                ctx.effects.record("log", day, day=day)
            context.wait(seconds(60), name=f"day {day}")

    ctx.verify(handler)


# --- lost -----------------------------------------------------------------------------------------------------------


def test_an_interruption_taken_for_a_success(ctx: FakeDurableContext, act: Any) -> None:
    def handler(event: Any, context: DurableContext) -> str:
        with contextlib.suppress(StepError):
            context.step(act("ship", "parcel 7"), name="ship", config=ONCE_AT_MOST)
        return "shipped"

    failure = found(ctx, handler)

    assert (failure.violation, failure.plan) == ("EffectLost", "ship:start")
    assert failure.summary.endswith("ship was lost")
    assert "Without faults it is done under the key 'parcel 7' by 'ship' at test_effects.py:" in text(failure)


@pytest.mark.parametrize("way", ["fails", "returns it", "does something else", "asks for something else"])
def test_a_handler_that_takes_notice_of_an_interruption(ctx: FakeDurableContext, act: Any, way: str) -> None:
    def handler(event: Any, context: DurableContext) -> Any:
        try:
            context.step(act("ship", "parcel 7"), name="ship", config=ONCE_AT_MOST)
        except StepError:
            if way == "fails":
                raise
            if way == "returns it":
                return {"shipped": "perhaps"}
            if way == "does something else":
                ctx.effects.record("alert", "parcel 7")
            else:
                context.wait(seconds(60), name="let somebody look")
        return {"shipped": "yes"}

    ctx.verify(handler)


def test_a_charge_of_the_wrong_amount_is_not_the_charge(ctx: FakeDurableContext, act: Any) -> None:
    def handler(event: Any, context: DurableContext) -> str:
        price = 0

        def quote(step: Any) -> None:
            nonlocal price
            price = 100

        context.step(quote, name="quote")
        context.step(lambda step: ctx.effects.record("charge", "order 7", amount=price), name="charge")
        return "charged"

    failure = found(ctx, handler)

    assert (failure.violation, failure.plan) == ("EffectLost", "quote:stored")
    assert failure.summary.endswith("charge(amount=100) was lost")
    assert "Here charge(amount=0) was done instead" in text(failure)


# --- what only looks like it ----------------------------------------------------------------------------------------


def test_a_body_that_failed_after_its_effect_is_tried_again(ctx: FakeDurableContext) -> None:
    flaky = Flaky(1)

    def body(step: Any) -> None:
        ctx.effects.record("log", "order 7")
        flaky(step)

    ctx.verify(lambda event, context: context.step(body, name="log", config=attempts(4)), reset=flaky.reset)


def test_effects_of_normal_retries_are_those_of_the_fault_free_run(ctx: FakeDurableContext) -> None:
    """Each attempt has mailed: a kill before the body, or after it was stored, changes nothing about that."""
    flaky = Flaky(2)

    def body(step: Any) -> None:
        ctx.effects.record("mail")
        flaky(step)

    def handler(event: Any, context: DurableContext) -> None:
        context.step(body, name="mail", config=attempts(4))

    ctx.budget = replace(ctx.budget, kinds=("start", "stored", "suspend", "return"))
    assert len(ctx.verify(handler, reset=flaky.reset).killed) == 9
    assert ctx.effects.count("mail") == 3


def test_a_body_that_goes_on_where_it_was_cut_short(ctx: FakeDurableContext) -> None:
    done: list[str] = []

    def body(step: Any) -> None:
        for to in ("ada", "bob"):
            if to not in done:
                done.append(to)
                ctx.effects.record("mail", to=to)

    ctx.verify(lambda event, context: context.step(body, name="mail"), reset=done.clear)


def test_reminders_whose_number_depends_on_the_time(ctx: FakeDurableContext, act: Any) -> None:
    """Up to a deadline in virtual time: a killed run is later, and has sent fewer."""

    def handler(event: Any, context: DurableContext) -> int:
        begun = context.step(_now, name="begun")
        for number in range(100):
            late = (context.step(_now, name="look") - begun).total_seconds() > 101
            if late:
                break
            context.step(act("remind", f"reminder {number}"), name="remind")
            context.wait(seconds(100), name="wait")
        return number

    assert [ctx.run(handler).result, ctx.run(handler, faults="remind:body").result] == [2, 1]
    ctx.verify(lambda event, context: handler(event, context) and "reminded")


def _now(step: Any = None) -> datetime:
    return datetime.now(UTC)  # noqa: TID251  # as a user would


def test_details_and_keys_that_depend_on_time_or_chance(ctx: FakeDurableContext, act: Any) -> None:
    def handler(event: Any, context: DurableContext) -> str:
        run = context.step(lambda _: random.randrange(10**9), name="run")  # as a user would
        context.wait(seconds(60), name="wait")
        context.step(lambda _: ctx.effects.record("log", f"run {run}", at=_now().isoformat(), run=run), name="log")
        return "logged"

    ctx.verify(handler, kills=2, examples=20)


def test_the_id_of_the_request_is_another_in_each_invocation(ctx: FakeDurableContext) -> None:
    def handler(event: Any, context: DurableContext) -> str:
        assert context.lambda_context is not None
        request = context.lambda_context.aws_request_id
        context.step(lambda _: ctx.effects.record("log", "order 7", request=f"id {request}"), name="log")
        return "logged"

    ctx.verify(handler)


def test_a_compensation_is_no_effect_too_many(ctx: FakeDurableContext, act: Any) -> None:
    def handler(event: Any, context: DurableContext) -> str:
        try:
            context.step(act("charge", "order 7"), name="charge", config=ONCE_AT_MOST)
            context.step(act("ship", "order 7"), name="ship")
            return "shipped"
        except StepError:
            context.step(act("refund", "order 7"), name="refund")
            return "cancelled"

    ctx.verify(handler, kills=2, examples=25)


def test_a_race_of_two_branches_under_keys(ctx: FakeDurableContext, act: Any) -> None:
    def handler(event: Any, context: DurableContext) -> str:
        branches = [
            lambda child, name=name: child.step(act("mail", name, to=name), name="mail") for name in ("ada", "bob")
        ]
        context.parallel(branches, name="both")
        return "mailed"

    ctx.verify(handler)


@pytest.mark.parametrize("nesting", NestingType)
def test_what_a_branch_does_that_nobody_waits_for_is_not_lost(ctx: FakeDurableContext, nesting: NestingType) -> None:
    def asks(name: str, lasts: int) -> Callable[[DurableContext], Any]:
        def body(step: Any) -> str:
            time.sleep(lasts)  # noqa: TID251  # virtual: this is a step
            ctx.effects.record(f"ask.{name}", key=name)
            return name

        return lambda context: context.step(body, name=f"ask {name}")

    def handler(event: Any, context: DurableContext) -> Any:
        first = ParallelConfig(completion_config=CompletionConfig(min_successful=1), nesting_type=nesting)
        return context.parallel([asks("near", 1), asks("far", 5)], name="hedge", config=first).get_results()

    ctx.verify(handler)
    assert {effect.name for effect in ctx.effects} == {"ask.near", "ask.far"}


def test_what_is_done_before_nobody_waits_for_the_branch_is_not_lost(ctx: FakeDurableContext, act: Any) -> None:
    def near(branch: DurableContext) -> Any:
        return branch.step(act("ask.near", "near"), name="ask near")

    def far(branch: DurableContext) -> Any:
        branch.step(act("ask.far", "far"), name="ask far")
        branch.wait(seconds(60), name="far away")

    def handler(event: Any, context: DurableContext) -> str:
        first = ParallelConfig(completion_config=CompletionConfig(min_successful=1))
        return context.parallel([near, far], name="hedge", config=first).completion_reason.value

    ctx.verify(handler)
    assert {effect.name for effect in ctx.effects} == {"ask.near", "ask.far"}


@pytest.mark.parametrize("nesting", NestingType)
@pytest.mark.parametrize("completion", [CompletionConfig(min_successful=1), CompletionConfig()])
def test_what_the_other_branches_do_is_not_lost(
    ctx: FakeDurableContext, act: Any, nesting: NestingType, completion: CompletionConfig
) -> None:
    """Whichever comes first ends the parallel, with a result or a failure, and a kill decides which that is."""

    def branch(name: str) -> Callable[[DurableContext], Any]:
        def body(context: DurableContext) -> None:
            context.run_in_child_context(lambda child: child.step(act(f"ask.{name}", name), name="ask"), name=name)
            if name == "three":
                context.step(fails(ValueError("no")), name="give up", config=ONCE)
            context.wait(seconds(20), name="cool-off")

        return body

    def handler(event: Any, context: DurableContext) -> str:
        config = ParallelConfig(completion_config=completion, nesting_type=nesting)
        branches = [branch("one"), branch("two"), branch("three")]
        context.parallel(branches, name="hedge", config=config)
        return "done"

    ctx.verify(handler)


def test_what_a_branch_does_that_is_waited_for_is_lost(ctx: FakeDurableContext) -> None:
    def handler(event: Any, context: DurableContext) -> Any:
        def at_most_once(branch: DurableContext) -> None:
            with contextlib.suppress(StepError):
                branch.step(lambda step: ctx.effects.record("ask"), name="ask", config=ONCE_AT_MOST)

        context.parallel([at_most_once], name="hedge")

    assert found(ctx, handler).violation == "EffectLost"


def test_an_effect_that_is_lost_is_not_asked_for_where_the_execution_fails_alike(
    ctx: FakeDurableContext, act: Any
) -> None:
    def handler(event: Any, context: DurableContext) -> None:
        context.step(act("charge", "order 7"), name="charge", config=ONCE_AT_MOST)

    assert ctx.verify(handler).killed[0] == "charge:start"
