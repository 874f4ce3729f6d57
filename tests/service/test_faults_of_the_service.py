"""The faults of the service at the invocation: throttled, lost, its token taken back, its time used up."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest
from aws_durable_execution_sdk_python import DurableContext
from aws_durable_execution_sdk_python.exceptions import CheckpointError, GetExecutionStateError

from pytest_durable import Execution, FakeDurableContext, FaultNotReached
from tests.durable import ONCE_AT_MOST, gaps, returns, seconds, without_check
from tests.service.functions import PENDING, SUCCEEDED, Caller, function, watched
from tests.service.journals import update, wait

GAPS = [1, 2, 3, 5, 1, 31, 58, 103]


def sleep(duration: float) -> None:
    time.sleep(duration)  # noqa: TID251  # virtual: only handlers and bodies call this


def statuses(execution: Execution) -> list[str | None]:
    return [invocation.status for invocation in execution.invocations]


def every(where: str, count: int) -> str:
    return ", ".join(f"invocation@{number}:{where}" for number in range(1, count + 1))


def one_step(event: Any, context: DurableContext) -> Any:
    return context.step(returns("done"), name="a")


# --- throttled ------------------------------------------------------------------------------------------------------


def test_a_throttled_invocation_never_reaches_the_handler(ctx: FakeDurableContext) -> None:
    calls: list[Any] = []

    def handler(event: Any, context: DurableContext) -> Any:
        calls.append(event)
        return one_step(event, context)

    execution = ctx.run(handler, 7, faults="invocation:throttle")
    assert (execution.result, calls) == ("done", [7])
    first, second = execution.invocations
    assert (first.status, first.struck, first.killed) == ("died", "invocation:throttle", None)
    assert first.error == ("TooManyRequestsException", "Rate Exceeded.")
    assert first.started == first.ended
    assert (second.status, second.struck) == ("SUCCEEDED", None)
    assert gaps(execution) == [1]


def test_throttling_without_end_fails_the_execution_after_nine_attempts(ctx: FakeDurableContext) -> None:
    execution = ctx.run(one_step, faults=every("throttle", 9))
    assert (statuses(execution), gaps(execution)) == (["died"] * 9, [*map(float, GAPS)])
    assert execution.status == "FAILED"
    assert execution.error is not None and execution.error.type == "TooManyRequestsException"
    assert execution.operations == ()


def test_a_throttled_invocation_delays_what_is_due(ctx: FakeDurableContext) -> None:
    execution = ctx.run(lambda event, context: context.wait(seconds(60), name="w"), faults="invocation@2:throttle")
    assert (statuses(execution), int(execution.elapsed)) == (["PENDING", "died", "SUCCEEDED"], 61)


# --- the token is taken back ----------------------------------------------------------------------------------------


def test_a_token_that_is_taken_back_ends_the_invocation_at_its_next_checkpoint(ctx: FakeDurableContext) -> None:
    execution = ctx.run(
        lambda event, context: [context.step(returns(number), name="a") for number in range(3)],
        faults="invocation:revoke",
    )
    assert execution.result == [0, 1, 2]
    assert (statuses(execution), execution.body_runs("a")) == (["PENDING", "SUCCEEDED"], 3)
    assert [invocation.struck for invocation in execution.invocations] == ["invocation:revoke", None]


def test_an_answer_without_a_token_is_what_the_service_gives(ctx: FakeDurableContext) -> None:
    seen: list[Any] = []

    def invoke(event: Any, context: Any) -> Any:
        caller = Caller(event)
        if len(event.initial_execution_state.operations) > 1:
            return SUCCEEDED
        token = caller.token
        seen.append(caller.checkpoint(update("STEP", "START")).checkpoint_token)
        for stale in (token, "", None):
            with pytest.raises(CheckpointError) as caught:
                caller.checkpoint(update("STEP", "SUCCEED"), token=stale if stale is not None else "none")
            seen.append(str(caught.value.error and caught.value.error["Message"]))
        return PENDING

    execution = ctx.run(function(invoke), faults="invocation:revoke")
    assert seen == [None, *["Invalid checkpoint token"] * 3]
    assert (execution.status, [operation.status for operation in execution.operations]) == ("SUCCEEDED", ["STARTED"])


def test_a_token_cannot_be_taken_back_from_an_invocation_without_a_checkpoint(ctx: FakeDurableContext) -> None:
    with pytest.warns(FaultNotReached):
        execution = ctx.run(lambda event, context: "done", faults="invocation:revoke")
    assert (execution.result, len(execution.invocations)) == ("done", 1)


# --- the time is used up --------------------------------------------------------------------------------------------


def test_an_invocation_whose_answer_comes_too_late_is_replayed(ctx: FakeDurableContext) -> None:
    execution = ctx.run(one_step, faults="invocation:timeout", invocation_timeout=30)
    first, second = execution.invocations
    assert (execution.result, execution.body_runs("a")) == ("done", 1)
    assert (first.status, first.killed) == ("died", "invocation:timeout")
    assert first.error == ("Sandbox.Timedout", "Task timed out after 30.00 seconds")
    assert second.status == "SUCCEEDED"
    assert execution.elapsed == 31


def test_an_answer_of_pending_that_comes_too_late_does_not_prolong_the_wait(ctx: FakeDurableContext) -> None:
    execution = ctx.run(lambda event, context: context.wait(seconds(60), name="w"), faults="invocation:timeout")
    assert (statuses(execution), execution.elapsed) == (["died", "SUCCEEDED"], 901)
    wait = execution.operation("w")
    assert wait.started is not None and wait.ended is not None
    assert (wait.ended - wait.started).total_seconds() == 60


# --- lost: the service invokes again while the invocation still runs ------------------------------------------------


def test_an_invocation_that_the_service_lost_runs_on_and_stores_nothing(ctx: FakeDurableContext) -> None:
    runs: list[int] = []

    def handler(event: Any, context: DurableContext) -> Any:
        def body(step: Any) -> int:
            runs.append(len(runs) + 1)
            return runs[-1]

        return context.step(body, name="a")

    execution = ctx.run(handler, faults="invocation:outage")
    assert (runs, execution.result) == ([1, 2], 2)
    first, second = execution.invocations
    assert (first.status, first.struck) == ("lost", "invocation:outage")
    assert first.error == ("ServiceException", "The service lost the invocation.")
    assert (second.status, gaps(execution)) == ("SUCCEEDED", [1])
    assert execution.body_runs("a") == 2


@pytest.mark.parametrize("takes", [0.5, 1.5, 10])
def test_a_slow_invocation_that_was_lost_is_overtaken(ctx: FakeDurableContext, takes: float) -> None:
    without_check(ctx, "replay")
    order: list[str] = []
    numbers = iter(range(1, 10))

    def handler(event: Any, context: DurableContext) -> Any:
        number = next(numbers)

        def body(step: Any) -> int:
            sleep(takes if number == 1 else 0)
            order.append(f"body {number}")
            return number

        result = context.step(body, name="a")
        order.append(f"after {number}")
        context.wait(seconds(60), name="w")
        return [result, context.step(returns("end"), name="b")]

    execution = ctx.run(handler, faults="invocation:outage")
    assert execution.result == [2, "end"]
    assert "after 1" not in order
    assert sorted(order) == ["after 2", "after 3", "body 1", "body 2"]
    assert order.index("body 1") < order.index("body 2") if takes < 1 else order.index("body 2") < order.index("body 1")
    assert statuses(execution) == ["lost", "PENDING", "SUCCEEDED"]


def test_a_body_that_a_lost_invocation_begins_after_another_completed_it_is_no_repetition(
    ctx: FakeDurableContext,
) -> None:
    without_check(ctx, "replay")
    began: list[int] = []
    numbers = iter(range(1, 10))

    def handler(event: Any, context: DurableContext) -> Any:
        number = next(numbers)
        sleep(20 if number == 1 else 0)

        def body(step: Any) -> list[int]:
            began.append(number)
            return [*began]

        result = context.step(body, name="a")
        context.wait(seconds(60), name="w")
        return result

    execution = ctx.run(handler, faults="invocation:outage")
    assert (execution.result, began) == ([2], [2, 1])
    assert "RAN AGAIN" not in execution.timeline()


def test_an_invocation_that_is_lost_late_replays_and_answers_to_nobody(ctx: FakeDurableContext) -> None:
    answers: list[str] = []

    def handler(event: Any, context: DurableContext) -> Any:
        first = context.step(returns(1), name="a")
        context.wait(seconds(60), name="w")
        answers.append("replayed")
        return [first, len(answers)]

    execution = ctx.run(handler, faults="invocation@2:outage")
    assert (statuses(execution), execution.result) == (["PENDING", "lost", "SUCCEEDED"], [1, 2])
    assert execution.body_runs("a") == 1


@pytest.mark.parametrize(
    "ending", [lambda: sys.exit(1), lambda: os._exit(1), lambda: 1 / 0], ids=["exit", "_exit", "raise"]
)
def test_however_a_lost_invocation_ends_nobody_hears_of_it(
    ctx: FakeDurableContext, ending: Callable[[], object]
) -> None:
    numbers = iter(range(1, 10))

    def handler(event: Any, context: DurableContext) -> Any:
        if next(numbers) == 1:
            sleep(0.5)
            ending()
        return one_step(event, context)

    execution = ctx.run(handler, faults="invocation:outage")
    assert (statuses(execution), execution.result) == (["lost", "SUCCEEDED"], "done")


def test_what_a_lost_invocation_tries_to_store_is_refused_with_a_stale_token(ctx: FakeDurableContext) -> None:
    refusals: list[str] = []

    def invoke(event: Any, context: Any) -> Any:
        caller = Caller(event)
        if not refusals:
            for delay in (0, 5):  # before and after the next invocation has begun
                sleep(delay)
                with pytest.raises(CheckpointError) as refused:
                    caller.checkpoint(update("STEP", "START"), update("STEP", "SUCCEED", payload='"late"'))
                refusals.append(str(refused.value))
                assert refused.value.is_retriable()
                with pytest.raises(GetExecutionStateError):
                    caller.state()
            return {"Status": "SUCCEEDED", "Result": '"late"'}
        sleep(20)
        caller.checkpoint(wait(seconds=5))
        return {"Status": "SUCCEEDED", "Result": '"in time"'}

    execution = ctx.run(function(invoke), faults="invocation:outage")
    assert execution.result == "in time"
    assert ["Invalid checkpoint token" in refusal for refusal in refusals] == [True, True]
    assert [operation.type for operation in execution.operations] == ["WAIT"]


def test_several_invocations_may_be_lost_and_all_of_them_still_run(ctx: FakeDurableContext) -> None:
    without_check(ctx, "replay")
    ended: list[int] = []
    numbers = iter(range(1, 10))

    def handler(event: Any, context: DurableContext) -> Any:
        number = next(numbers)

        def body(step: Any) -> int:
            sleep(50)
            ended.append(number)
            return number

        result = context.step(body, name="a")
        context.wait(seconds(100), name="w")
        return result

    execution = ctx.run(handler, faults=every("outage", 3))
    assert (statuses(execution), ended) == (["lost"] * 3 + ["PENDING", "SUCCEEDED"], [1, 2, 3, 4])
    assert execution.result == 4


def test_nine_lost_invocations_fail_the_execution(ctx: FakeDurableContext) -> None:
    execution = ctx.run(one_step, faults=every("outage", 9))
    assert (execution.status, statuses(execution)) == ("FAILED", ["lost"] * 9)
    assert gaps(execution) == GAPS


def test_an_at_most_once_step_is_safe_from_an_invocation_that_was_lost(ctx: FakeDurableContext) -> None:
    charges: list[str] = []
    execution = ctx.run(
        lambda event, context: context.step(lambda step: charges.append("charge"), name="a", config=ONCE_AT_MOST),
        faults="invocation:outage",
    )
    assert (execution.status, charges) == ("SUCCEEDED", ["charge"])


def test_a_lost_invocation_makes_no_callback_and_invokes_nobody(ctx: FakeDurableContext) -> None:
    calls: list[Any] = []
    ctx.register("mail", lambda event, context: calls.append(event))

    def handler(event: Any, context: DurableContext) -> Any:
        callback = context.create_callback(name="c")
        context.invoke("mail", 1, name="mail")
        return callback.callback_id

    execution = ctx.run(handler, faults="invocation:outage")
    made = [event for event in execution.history if event["EventType"] == "CallbackStarted"]
    assert (calls, len(made)) == ([1], 1)
    assert execution.result == execution.operation("c").callback_id


def test_of_a_lost_invocation_another_branch_may_be_further(ctx: FakeDurableContext) -> None:
    without_check(ctx, "replay")
    numbers = iter(range(1, 10))

    def handler(event: Any, context: DurableContext) -> Any:
        number = next(numbers)

        def branch(index: int) -> Any:
            def body(inner: DurableContext) -> Any:
                inner.step(lambda step: sleep(index if number == 1 else 0), name="a")
                inner.wait(seconds(2), name="w")
                return inner.step(returns(index), name="b")

            return body

        return context.parallel([branch(index) for index in range(4)], name="p").get_results()

    execution = ctx.run(handler, faults="invocation:outage")
    assert execution.result == [0, 1, 2, 3]
    assert all(execution.body_runs(f"p/parallel-branch-{index}/b") == 1 for index in range(4))


def test_a_lost_invocation_ends_at_its_timeout_like_any_other(ctx: FakeDurableContext) -> None:
    without_check(ctx, "replay")
    effects: list[int] = []
    numbers = iter(range(1, 10))

    def handler(event: Any, context: DurableContext) -> Any:
        number = next(numbers)

        def body(step: Any) -> None:
            sleep(2_000 if number == 1 else 1)
            effects.append(number)

        context.step(body, name="a")
        context.wait(seconds(5_000), name="w")

    execution = ctx.run(handler, faults="invocation:outage")
    assert (execution.status, effects) == ("SUCCEEDED", [2])


# --- what is told of them -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("where", ["throttle", "outage", "revoke", "timeout"])
def test_the_timeline_names_the_fault(ctx: FakeDurableContext, where: str) -> None:
    assert f"invocation:{where}" in ctx.run(one_step, faults=f"invocation:{where}").timeline()


@pytest.mark.parametrize(
    ("where", "kind"),
    [
        ("throttle", "TooManyRequestsException"),
        ("outage", "ServiceException"),
        ("timeout", "Sandbox.Timedout"),
        ("revoke", None),
    ],
)
def test_the_history_has_an_event_for_each_invocation(ctx: FakeDurableContext, where: str, kind: str | None) -> None:
    execution = ctx.run(one_step, faults=f"invocation:{where}")
    completed = [
        event["InvocationCompletedDetails"] for event in execution.history if "Invocation" in event["EventType"]
    ]
    assert len(completed) == len(execution.invocations) == 2
    payload = completed[0].get("Error", {}).get("Payload", {})
    assert payload.get("ErrorType") == kind


@pytest.mark.parametrize("where", ["throttle", "outage", "revoke", "timeout"])
def test_each_invocation_has_a_request_id_and_a_token_of_its_own(ctx: FakeDurableContext, where: str) -> None:
    tokens: list[str] = []

    def handler(event: Any, context: DurableContext) -> list[Any]:
        return [context.step(returns(number), name="a") for number in range(3)]

    execution = ctx.run(
        watched(handler, lambda event: tokens.append(event.checkpoint_token)),
        faults=f"invocation:{where}, invocation@2:{where}",
    )
    assert len(execution.invocations) == 3
    assert len(set(tokens)) == len(tokens) == (1 if where == "throttle" else 3)
