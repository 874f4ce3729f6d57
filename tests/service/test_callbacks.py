"""Callbacks in the service: their two timers to the microsecond, and what it answers to those who answer them."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from aws_durable_execution_sdk_python import DurableContext
from aws_durable_execution_sdk_python.config import CompletionConfig, ParallelConfig, WaitForCallbackConfig
from botocore.exceptions import ClientError  # type: ignore[import-untyped]  # botocore ships no types
from botocore.session import Session  # type: ignore[import-untyped]  # as above
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_durable import Callback, Execution, FakeDurableContext, ServiceError
from tests.durable import Flaky, attempts, awaits, fails, gaps, lasted, reporting, returns, seconds, timeouts
from tests.service.functions import watched

MIB = 1_048_576

TIMED_OUT = ("TIMED_OUT", "Callback.Timeout", "Callback timed out")
NO_HEARTBEAT = ("TIMED_OUT", "Callback.Heartbeat", "Callback timed out on heartbeat")
SUCCEEDED = ("SUCCEEDED", None, None)


def end_of(execution: Execution, path: str = "approval") -> tuple[str, str | None, str | None]:
    """Status of a callback, type and message of its error."""
    operation = execution.operation(path)
    error = operation.error
    return (operation.status, None, None) if error is None else (operation.status, error.type, error.message)


# --- timers ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("timeout", [1, 30, 99_999_999])
def test_a_callback_nobody_answers_times_out_to_the_microsecond(ctx: FakeDurableContext, timeout: int) -> None:
    execution = ctx.run(reporting(awaits(config=timeouts(timeout))))
    assert (end_of(execution), lasted(execution.operation("approval"))) == (TIMED_OUT, timeout)
    assert execution.result["kind"] == "CallbackTimeoutError"
    assert execution.result["message"] == "Callback timed out"


def test_without_any_heartbeat_it_times_out_on_heartbeat(ctx: FakeDurableContext) -> None:
    execution = ctx.run(reporting(awaits(config=timeouts(100, heartbeat=30))))
    assert (end_of(execution), lasted(execution.operation("approval"))) == (NO_HEARTBEAT, 30)
    assert execution.result["kind"] == "CallbackTimeoutError"
    assert execution.result["message"] == "Callback timed out on heartbeat"


def test_heartbeats_keep_it_alive_until_they_stop(ctx: FakeDurableContext) -> None:
    ctx.callbacks.heartbeat("approval", every=8, times=3)
    execution = ctx.run(reporting(awaits(config=timeouts(heartbeat=10))))
    assert (end_of(execution), lasted(execution.operation("approval"))) == (NO_HEARTBEAT, 3 * 8 + 10)
    assert len(execution.invocations) == 2, "a heartbeat invokes nobody"


def test_heartbeats_do_not_put_off_the_timeout(ctx: FakeDurableContext) -> None:
    ctx.callbacks.heartbeat("approval", every=8, times=100)
    execution = ctx.run(reporting(awaits(config=timeouts(60, heartbeat=10))))
    assert (end_of(execution), lasted(execution.operation("approval"))) == (TIMED_OUT, 60)


def test_a_heartbeat_nobody_asked_for_does_nothing(ctx: FakeDurableContext) -> None:
    ctx.callbacks.heartbeat("approval", every=40, times=5)
    execution = ctx.run(reporting(awaits(config=timeouts(60))))
    assert (end_of(execution), lasted(execution.operation("approval"))) == (TIMED_OUT, 60)


def test_of_two_timers_that_are_due_together_the_timeout_counts(ctx: FakeDurableContext) -> None:
    execution = ctx.run(reporting(awaits(config=timeouts(30, heartbeat=30))))
    assert (end_of(execution), lasted(execution.operation("approval"))) == (TIMED_OUT, 30)


@pytest.mark.parametrize("call", ["succeed", "fail"])
def test_an_answer_at_the_instant_of_the_timeout_is_too_late(ctx: FakeDurableContext, call: str) -> None:
    getattr(ctx.callbacks, call)("approval", "yes", after=30)
    assert end_of(ctx.run(reporting(awaits(config=timeouts(30))))) == TIMED_OUT


@pytest.mark.parametrize("config", [timeouts(heartbeat=30), timeouts(100, heartbeat=30)])
def test_a_heartbeat_at_the_instant_of_its_timeout_is_too_late(ctx: FakeDurableContext, config: Any) -> None:
    ctx.callbacks.heartbeat("approval", every=30, times=1)
    execution = ctx.run(reporting(awaits(config=config)))
    assert (end_of(execution), lasted(execution.operation("approval"))) == (NO_HEARTBEAT, 30)


def test_an_answer_at_the_instant_of_the_timeout_is_too_late_after_a_heartbeat_as_well(ctx: FakeDurableContext) -> None:
    ctx.callbacks.heartbeat("approval", every=20, times=1)
    ctx.callbacks.succeed("approval", "yes", after=40)
    assert end_of(ctx.run(reporting(awaits(config=timeouts(40, heartbeat=30))))) == TIMED_OUT


def test_an_answer_a_microsecond_before_the_timeout_counts(ctx: FakeDurableContext) -> None:
    ctx.callbacks.succeed("approval", "yes", after=29.999_999)
    execution = ctx.run(awaits(config=timeouts(30)))
    assert (end_of(execution), lasted(execution.operation("approval"))) == (SUCCEEDED, 29.999_999)


def test_of_two_answers_at_the_same_instant_the_first_declared_counts(ctx: FakeDurableContext) -> None:
    ctx.callbacks.fail("approval", "no", after=5)
    ctx.callbacks.succeed("approval", "yes", after=5)
    assert end_of(ctx.run(reporting(awaits()))) == ("FAILED", None, "no")


class Beats:
    """What must become of a callback; in milliseconds, so that nothing is due at the same instant."""

    def __init__(self, timeout: int, heartbeat: int, every: int, times: int, answer: int) -> None:
        self.end: tuple[tuple[str, str | None, str | None], float] = (SUCCEEDED, answer / 1_000)
        dies = heartbeat * 1_000
        for number in range(1, times + 1):
            if number * every < dies:
                dies = number * every + heartbeat * 1_000
        if min(dies, timeout * 1_000) < answer:
            self.end = (TIMED_OUT, timeout) if timeout * 1_000 <= dies else (NO_HEARTBEAT, dies / 1_000)


@settings(max_examples=100)
@given(
    timeout=st.integers(1, 60),
    heartbeat=st.integers(1, 60),
    every=st.integers(0, 30).map(lambda number: number * 1_000 + 3),
    times=st.integers(0, 8),
    answer=st.integers(0, 80).map(lambda number: number * 1_000 + 501),
)
def test_a_callback_ends_when_the_first_of_answer_timeout_and_silence_says_so(
    timeout: int, heartbeat: int, every: int, times: int, answer: int
) -> None:
    with FakeDurableContext() as context:
        context.callbacks.heartbeat("approval", every=every / 1_000, times=times)
        context.callbacks.succeed("approval", "yes", after=answer / 1_000)
        execution = context.run(reporting(awaits(config=timeouts(timeout, heartbeat))))
        found = (end_of(execution), lasted(execution.operation("approval")))
        assert found == Beats(timeout, heartbeat, every, times, answer).end
        assert len(execution.invocations) == 2


def test_the_timers_run_while_nobody_looks(ctx: FakeDurableContext) -> None:
    def handler(event: Any, context: DurableContext) -> Any:
        callback = context.create_callback(name="approval", config=timeouts(30))
        context.wait(seconds(300), name="pause")
        return callback.result()

    execution = ctx.run(reporting(handler))
    assert lasted(execution.operation("approval")) == 30
    assert int(execution.elapsed) == 300
    assert [round(gap) for gap in gaps(execution)] == [30, 270], (
        "the timeout invokes, although the handler waits for something else"
    )


def test_a_callback_of_an_execution_that_timed_out_does_not_time_out(ctx: FakeDurableContext) -> None:
    execution = ctx.start(awaits(config=timeouts(60)), execution_timeout=30)
    execution.advance(120)
    assert (execution.status, execution.operation("approval").status) == ("TIMED_OUT", "STARTED")


# --- answers while the handler runs ---------------------------------------------------------------------------------


def answered_meanwhile(event: Any, context: DurableContext) -> Any:
    callback = context.create_callback(name="approval")
    context.step(lambda step: time.sleep(10), name="slow")  # noqa: TID251  # virtual: this is a step
    return callback.result()


def test_an_answer_while_the_handler_runs_comes_with_its_next_checkpoint(ctx: FakeDurableContext) -> None:
    ctx.callbacks.succeed("approval", "yes", after=5)
    execution = ctx.run(answered_meanwhile)
    assert (execution.result, len(execution.invocations)) == ("yes", 1)
    assert lasted(execution.operation("approval")) == 5


def test_a_timeout_while_the_handler_runs_comes_with_its_next_checkpoint(ctx: FakeDurableContext) -> None:
    def handler(event: Any, context: DurableContext) -> Any:
        callback = context.create_callback(name="approval", config=timeouts(5))
        context.step(lambda step: time.sleep(10), name="slow")  # noqa: TID251  # virtual: this is a step
        return callback.result()

    execution = ctx.run(reporting(handler))
    assert (execution.result["kind"], len(execution.invocations)) == ("CallbackTimeoutError", 1)
    assert lasted(execution.operation("approval")) == 5


def test_an_answer_that_comes_with_no_checkpoint_invokes_again_at_once(ctx: FakeDurableContext) -> None:
    def handler(event: Any, context: DurableContext) -> Any:
        callback = context.create_callback(name="approval")
        time.sleep(10)  # noqa: TID251  # virtual: this is a handler
        return callback.result()

    ctx.callbacks.succeed("approval", "yes", after=5)
    execution = ctx.run(handler)
    assert (execution.result, gaps(execution)) == ("yes", [0])
    assert [invocation.status for invocation in execution.invocations] == ["PENDING", "SUCCEEDED"]


def test_the_next_invocation_is_told_what_was_answered(ctx: FakeDurableContext) -> None:
    told: list[list[str]] = []
    ctx.callbacks.succeed("approval", "yes", after=5)
    execution = ctx.run(watched(awaits(), lambda event: told.append(event.updated_operation_ids)))
    assert told == [[], [execution.operation("approval").id]]


def test_what_came_with_a_checkpoint_is_not_told_again(ctx: FakeDurableContext) -> None:
    def handler(event: Any, context: DurableContext) -> Any:
        result = answered_meanwhile(event, context)
        context.wait(seconds(60), name="pause")
        return result

    told: list[list[str]] = []
    ctx.callbacks.succeed("approval", "yes", after=5)
    execution = ctx.run(watched(handler, lambda event: told.append(event.updated_operation_ids)))
    assert told == [[], [execution.operation("pause").id]]


# --- what the service says ------------------------------------------------------------------------------------------

Call = Callable[[Callback], None]
CALLS: dict[str, tuple[str, Call]] = {
    "succeed": ("SendDurableExecutionCallbackSuccess", lambda callback: callback.succeed("yes")),
    "fail": ("SendDurableExecutionCallbackFailure", lambda callback: callback.fail("no")),
    "heartbeat": ("SendDurableExecutionCallbackHeartbeat", lambda callback: callback.heartbeat()),
}


def leaves_it_open(event: Any, context: DurableContext) -> None:
    context.create_callback(name="approval")
    context.wait(seconds(1))


def one_of_two(event: Any, context: DurableContext) -> None:
    config = ParallelConfig(completion_config=CompletionConfig(min_successful=1))

    def waits(branch: DurableContext) -> Any:
        return branch.create_callback(name="approval").result()

    context.parallel([waits, lambda branch: branch.wait(seconds(5))], name="race", config=config)


CLOSED: dict[str, tuple[Callable[[Any, Any], Any], Callable[[Execution, Callback], object]]] = {
    "answered": (awaits(), lambda execution, callback: callback.succeed("yes")),
    "failed": (reporting(awaits()), lambda execution, callback: callback.fail("no")),
    "timed out": (reporting(awaits(config=timeouts(5))), lambda execution, callback: execution.run()),
    "left open by the handler": (leaves_it_open, lambda execution, callback: execution.run()),
    "left open by a branch": (one_of_two, lambda execution, callback: execution.run()),
    "stopped": (awaits(), lambda execution, callback: execution.stop()),
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("closed", CLOSED)
def test_a_closed_callback_takes_no_answer(ctx: FakeDurableContext, closed: str, call: str) -> None:
    handler, close = CLOSED[closed]
    execution = ctx.start(handler)
    callback = execution.callback()
    close(execution, callback)
    before = (execution.status, execution.result, execution.timeline())
    name, send = CALLS[call]
    with pytest.raises(ServiceError) as caught:
        send(callback)
    assert (caught.value.code, caught.value.operation_name) == ("CallbackTimeoutException", name)
    assert before == (execution.status, execution.result, execution.timeline())


@pytest.mark.parametrize("call", CALLS)
def test_a_callback_of_an_execution_that_timed_out_takes_no_answer(ctx: FakeDurableContext, call: str) -> None:
    execution = ctx.start(awaits(), execution_timeout=30)
    callback = execution.callback()
    execution.run()
    with pytest.raises(ServiceError, match="CallbackTimeoutException"):
        CALLS[call][1](callback)
    assert execution.status == "TIMED_OUT"


@pytest.mark.parametrize("call", CALLS)
def test_nobody_knows_an_unknown_callback(ctx: FakeDurableContext, call: str) -> None:
    execution = ctx.start(awaits())
    name, send = CALLS[call]
    with pytest.raises(ServiceError) as caught:
        send(execution.callback(id="bm9ib2R5"))
    assert (caught.value.code, caught.value.operation_name) == ("ResourceNotFoundException", name)
    assert (execution.status, len(execution.callbacks)) == ("RUNNING", 1)


def test_the_words_and_numbers_are_those_of_the_lambda_api() -> None:
    model = Session().get_service_model("lambda")
    with FakeDurableContext() as context:
        execution = context.start(awaits())
        closed, unknown = execution.callback(), execution.callback(id="bm9ib2R5")
        closed.succeed()
        for send in (closed.succeed, unknown.succeed):
            with pytest.raises(ClientError) as caught:
                send()
            answer = caught.value.response
            shape = model.shape_for(answer["Error"]["Code"])
            assert answer["Error"]["Message"] in shape.documentation
            assert answer["ResponseMetadata"]["HTTPStatusCode"] == shape.metadata["error"]["httpStatusCode"]


def test_a_late_answer_that_was_declared_is_heard_by_nobody(ctx: FakeDurableContext) -> None:
    ctx.callbacks.succeed("approval", "yes", after=5)
    ctx.callbacks.fail("approval", "no", after=10)
    ctx.callbacks.heartbeat("approval", every=4, times=9)
    execution = ctx.start(awaits()).advance(60)
    assert (execution.status, execution.result) == ("SUCCEEDED", "yes")


# --- sizes ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("result", ["x" * MIB, b"x" * MIB, "ø" * (MIB // 2), ["x" * (MIB - 4)]])
def test_a_result_of_a_mebibyte_is_delivered(ctx: FakeDurableContext, result: Any) -> None:
    def handler(event: Any, context: DurableContext) -> Any:
        return len(str(context.create_callback(name="approval").result()).encode())

    execution = ctx.start(handler)
    execution.callback().succeed(result)
    assert execution.result == MIB


@pytest.mark.parametrize("result", ["x" * (MIB + 1), b"x" * (MIB + 1), "ø" * (MIB // 2) + "x", ["x" * (MIB - 3)]])
def test_a_result_above_a_mebibyte_is_refused_and_the_callback_stays_open(ctx: FakeDurableContext, result: Any) -> None:
    execution = ctx.start(awaits())
    with pytest.raises(ServiceError, match="length less than or equal to 1048576") as caught:
        execution.callback().succeed(result)
    assert caught.value.code == "InvalidParameterValueException"
    execution.callback().succeed("yes")
    assert execution.result == "yes"


# --- submitters -----------------------------------------------------------------------------------------------------


def test_an_early_answer_does_not_spare_the_submitter(ctx: FakeDurableContext) -> None:
    """It comes while the submitter runs: before the checkpoint that says so."""
    sent: list[str] = []

    def submitter(callback_id: str, context: Any) -> None:
        sent.append(callback_id)
        time.sleep(10)  # noqa: TID251  # virtual: this is a submitter

    ctx.callbacks.succeed("approval", "yes", after=5)
    execution = ctx.run(lambda event, context: context.wait_for_callback(submitter, name="approval"))
    assert (execution.result, len(execution.invocations), len(sent)) == ("yes", 1, 1)


def test_an_early_answer_waits_for_a_submitter_that_is_killed(ctx: FakeDurableContext) -> None:
    sent: list[str] = []
    ctx.callbacks.succeed("approval", "yes")
    execution = ctx.run(
        lambda event, context: context.wait_for_callback(lambda id_, _: sent.append(id_), name="approval"),
        faults="approval/approval submitter:body",
    )
    assert (execution.result, len(sent), len(set(sent))) == ("yes", 2, 1)


def waits_with(submitter: Callable[..., Any], failures: int) -> Callable[[Any, Any], Any]:
    config = WaitForCallbackConfig(retry_strategy=attempts(failures, delay=60).retry_strategy)

    def handler(event: Any, context: DurableContext) -> Any:
        return context.wait_for_callback(lambda id_, _: submitter(id_), name="approval", config=config)

    return handler


def test_a_submitter_is_retried_for_the_same_callback(ctx: FakeDurableContext) -> None:
    flaky = Flaky(2)
    ids: list[str] = []

    def submitter(callback_id: str) -> None:
        ids.append(callback_id)
        flaky(None)

    execution = ctx.start(waits_with(submitter, 3)).advance(300)
    assert (len(ids), len(set(ids)), execution.operation("approval/approval submitter").attempts) == (3, 1, 3)
    assert execution.callback("approval").id == ids[0]
    execution.callback().succeed("yes")
    assert execution.result == "yes"


def test_an_answer_between_two_attempts_of_the_submitter_is_taken_after_the_last(ctx: FakeDurableContext) -> None:
    flaky = Flaky(1)
    ctx.callbacks.succeed("approval", "yes", after=30)
    execution = ctx.run(waits_with(flaky, 2))
    assert (execution.result, flaky.calls, int(execution.elapsed)) == ("yes", 2, 60)


def test_a_submitter_that_fails_for_good_leaves_its_callback_open(ctx: FakeDurableContext) -> None:
    def handler(event: Any, context: DurableContext) -> Any:
        return reporting(waits_with(fails(LookupError("no such queue")), 1))(event, context)

    execution = ctx.run(handler)
    assert (execution.result["kind"], execution.result["message"]) == ("CallbackSubmitterError", "no such queue")
    assert end_of(execution, "approval/approval create callback id")[0] == "STARTED"


def test_a_callback_is_made_once_whatever_its_invocation_comes_to(ctx: FakeDurableContext) -> None:
    def handler(event: Any, context: DurableContext) -> list[str | None]:
        callback = context.create_callback(name="approval")
        context.step(returns(1), name="step")
        return [callback.callback_id, callback.result()]

    ctx.callbacks.succeed("approval", "yes", after=100)
    calm = ctx.run(handler)
    killed = ctx.run(handler, faults="approval:suspend, step:body, invocation:return")
    assert [len(calm.operations), len(killed.operations)] == [2, 2]
    assert calm.result == [calm.operation("approval").callback_id, "yes"]
    assert killed.result == [killed.operation("approval").callback_id, "yes"]
