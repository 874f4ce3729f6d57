"""Invocation and execution timeouts, in virtual time."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest
from aws_durable_execution_sdk_python import DurableContext

from pytest_durable import ExecutionStuck, FakeDurableContext
from tests.durable import ONCE_AT_MOST, attempts, returns, seconds


def sleeper(duration: float) -> Any:
    """A step body that takes so many seconds."""

    def body(step: Any) -> str:
        time.sleep(duration)  # noqa: TID251  # virtual: this is a step
        return "awake"

    return body


def test_a_step_may_take_all_but_the_whole_invocation(ctx: FakeDurableContext) -> None:
    execution = ctx.run(lambda event, context: context.step(sleeper(899), name="slow"))
    assert (execution.result, len(execution.invocations)) == ("awake", 1)
    assert int(execution.elapsed) == 899


def test_a_step_that_never_fits_into_an_invocation_is_named(ctx: FakeDurableContext) -> None:
    def handler(event: Any, context: DurableContext) -> None:
        context.step(returns(1), name="quick")
        context.step(sleeper(901), name="slow")

    with pytest.raises(ExecutionStuck) as caught:
        ctx.run(handler)
    failure = caught.value.failure
    assert failure.summary == "'slow' never ends within the invocation timeout of 900 s"
    assert "It sleeps until 901 s after the invocation began." in failure.explanation
    assert "A step must fit into one invocation" in "\n".join(failure.explanation)
    assert failure.explanation[-1] == f"'slow' was made at test_timeouts.py:{handler.__code__.co_firstlineno + 2}."
    assert "Sandbox.Timedout: Task timed out after 900.00 seconds" in failure.timeline


def test_the_message_names_the_timeout_that_was_set(ctx: FakeDurableContext) -> None:
    with pytest.raises(ExecutionStuck, match="'slow' never ends within the invocation timeout of 3 s"):
        ctx.run(lambda event, context: context.step(sleeper(4), name="slow"), invocation_timeout=3)


def test_an_invocation_timeout_below_a_second_is_named_as_it_is(ctx: FakeDurableContext) -> None:
    with pytest.raises(ExecutionStuck, match=r"within the invocation timeout of 0\.5 s"):
        ctx.run(lambda event, context: context.step(sleeper(1), name="slow"), invocation_timeout=0.5)


def test_a_handler_that_never_ends_by_itself_is_stuck(ctx: FakeDurableContext) -> None:
    def handler(event: Any, context: DurableContext) -> None:
        time.sleep(901)  # noqa: TID251  # virtual: this is a handler

    with pytest.raises(ExecutionStuck, match="the handler never ends within the invocation timeout of 900 s"):
        ctx.run(handler)


def test_a_branch_that_never_fits_into_an_invocation_has_no_place_of_its_own(ctx: FakeDurableContext) -> None:
    with pytest.raises(ExecutionStuck, match="'m/map-item-0' never ends within") as caught:
        ctx.run(lambda event, context: context.map([1], lambda *_: sleeper(901)(None), name="m"))
    assert "was made at" not in "\n".join(caught.value.failure.explanation)


def test_a_function_that_was_given_as_the_name_is_what_to_mend(ctx: FakeDurableContext) -> None:
    def handler(event: Any, context: DurableContext) -> Any:
        return context.step("charge", returns(1))  # type: ignore[arg-type]  # the other way round

    with pytest.raises(ExecutionStuck, match="the handler never ends within") as caught:
        ctx.run(handler)
    assert caught.value.failure.explanation[-1] == (
        f"context.step at test_timeouts.py:{handler.__code__.co_firstlineno + 1} was given a function as its name, "
        "which cannot be stored: the function comes first, and then the name."
    )


def test_a_step_that_fits_only_sometimes_gets_there(ctx: FakeDurableContext) -> None:
    durations = iter([2_000, 1_000, 10])

    def handler(event: Any, context: DurableContext) -> Any:
        return context.step(lambda step: time.sleep(next(durations)), name="slow")  # noqa: TID251  # virtual

    execution = ctx.run(handler)
    assert [invocation.status for invocation in execution.invocations] == ["died", "died", "SUCCEEDED"]
    assert [invocation.error for invocation in execution.invocations[:2]] == [
        ("Sandbox.Timedout", "Task timed out after 900.00 seconds")
    ] * 2
    assert int(execution.elapsed) == 900 + 1 + 900 + 2 + 10
    assert execution.body_runs("slow") == 3


def test_a_timeout_interrupts_an_at_most_once_step_for_good(ctx: FakeDurableContext) -> None:
    execution = ctx.run(lambda event, context: context.step(sleeper(901), name="slow", config=ONCE_AT_MOST))
    assert (execution.status, execution.body_runs("slow")) == ("FAILED", 1)
    assert execution.error is not None and "StepError" in (execution.error.type or "")


def test_an_invocation_is_billed_until_its_timeout(ctx: FakeDurableContext) -> None:
    durations = iter([50, 0])
    execution = ctx.run(
        lambda event, context: context.step(lambda step: time.sleep(next(durations)), name="a"),  # noqa: TID251
        invocation_timeout=10,
    )
    assert int(execution.billed) == 10


def test_a_suspended_execution_is_no_longer_in_an_invocation(ctx: FakeDurableContext) -> None:
    execution = ctx.run(lambda event, context: context.wait(seconds(86_400)), invocation_timeout=1)
    assert (execution.status, len(execution.invocations)) == ("SUCCEEDED", 2)


def test_an_execution_timeout_ends_the_execution_while_it_is_suspended(ctx: FakeDurableContext) -> None:
    execution = ctx.run(lambda event, context: context.wait(seconds(3_600), name="w"), execution_timeout=60)
    assert (execution.status, execution.elapsed, execution.result) == ("TIMED_OUT", 60, None)
    assert execution.error is not None and execution.error.message == "Execution timed out after 60 seconds."
    assert execution.operation("w").status == "STARTED"


def test_an_execution_timeout_ends_the_invocation_in_flight(ctx: FakeDurableContext) -> None:
    execution = ctx.run(lambda event, context: context.step(sleeper(100), name="slow"), execution_timeout=60)
    assert (execution.status, execution.elapsed, execution.billed) == ("TIMED_OUT", 60, 60)
    assert [invocation.status for invocation in execution.invocations] == ["died"]


def test_an_execution_timeout_comes_before_a_wait_that_ends_at_the_same_instant(ctx: FakeDurableContext) -> None:
    execution = ctx.run(lambda event, context: context.wait(seconds(60)), execution_timeout=60)
    assert execution.status == "TIMED_OUT"


def test_an_execution_that_ends_before_its_timeout_keeps_its_outcome(ctx: FakeDurableContext) -> None:
    execution = ctx.start(lambda event, context: context.wait(seconds(59)), execution_timeout=60)
    execution.advance(120)
    assert execution.status == "SUCCEEDED"


def test_an_execution_timeout_spans_all_retries(ctx: FakeDurableContext) -> None:
    def handler(event: Any, context: DurableContext) -> None:
        def body(step: Any) -> None:
            raise ConnectionError("down")

        context.step(body, name="a", config=attempts(100, delay=10))

    execution = ctx.run(handler, execution_timeout=35)
    assert (execution.status, execution.elapsed) == ("TIMED_OUT", 35)
    assert execution.body_runs("a") == 4


def test_waits_are_free(ctx: FakeDurableContext) -> None:
    def handler(event: Any, context: DurableContext) -> Any:
        context.step(returns(1), name="ask")
        context.wait(seconds(3 * 86_400), name="cool off")
        context.wait_for_callback(lambda callback_id, _: None, name="approve")
        return context.step(returns(2), name="ship")

    ctx.callbacks.succeed("approve", "yes", after=86_400)
    execution = ctx.run(handler)
    assert execution.billed < 1
    assert execution.elapsed >= 4 * 86_400


def test_the_remaining_time_is_right_at_any_moment(ctx: FakeDurableContext) -> None:
    left: list[int] = []

    def handler(event: Any, context: DurableContext) -> None:
        lambda_context: Any = context.lambda_context

        def note(step: Any = None) -> None:
            left.append(lambda_context.get_remaining_time_in_millis())

        def slow(step: Any) -> None:
            note()
            time.sleep(100.5)  # noqa: TID251  # virtual
            note()
            asyncio.run(asyncio.sleep(99.5))
            note()

        note()
        context.step(slow, name="slow")
        context.wait(seconds(3_600), name="cool off")
        note()

    ctx.run(handler, invocation_timeout=300)
    at_first, in_its_body, later, at_last, *again = left
    assert (at_first, later, at_last) == (300_000, in_its_body - 100_500, in_its_body - 200_000)
    assert 299_000 < in_its_body <= 300_000
    assert again[-1] == 300_000
