"""How the service takes what the handler answers, and when it invokes again."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest
from aws_durable_execution_sdk_python import DurableContext, ExecutionError, InvocationError
from aws_durable_execution_sdk_python.exceptions import SuspendExecution, TerminationReason

from pytest_durable import Execution, FakeDurableContext
from tests.durable import ONCE, ONCE_AT_MOST, gaps, returns, seconds
from tests.service.functions import PENDING, SUCCEEDED, Caller, answering, function
from tests.service.journals import retry, update, wait

GAPS = [1, 2, 3, 5, 1, 31, 58, 103]
"""Seconds between an invocation that failed and the next one, as seen on AWS: nine invocations in all."""

NOTHING_PENDING = "Cannot return PENDING status with no pending operations."


def statuses(execution: Execution) -> list[str | None]:
    return [invocation.status for invocation in execution.invocations]


class Crash(BaseException):
    """What a handler must not be ended by."""


# --- answers --------------------------------------------------------------------------------------------------------


def test_succeeded_ends_the_execution_with_its_result(ctx: FakeDurableContext) -> None:
    execution = ctx.run(answering({"Status": "SUCCEEDED", "Result": '{"charged": 100}'}))
    assert (execution.status, execution.result, execution.error) == ("SUCCEEDED", {"charged": 100}, None)
    assert statuses(execution) == ["SUCCEEDED"]


def test_failed_ends_the_execution_with_its_error(ctx: FakeDurableContext) -> None:
    error = {"ErrorMessage": "no", "ErrorType": "app.Refused", "ErrorData": "{}", "StackTrace": ["a", "b"]}
    execution = ctx.run(answering({"Status": "FAILED", "Error": error}))
    assert (execution.status, execution.result) == ("FAILED", None)
    assert execution.error is not None and execution.error.to_dict() == error
    assert statuses(execution) == ["FAILED"]


def test_failed_without_an_error_is_allowed(ctx: FakeDurableContext) -> None:
    execution = ctx.run(answering({"Status": "FAILED"}))
    assert (execution.status, execution.error) == ("FAILED", None)


def test_a_failed_answer_is_never_tried_again(ctx: FakeDurableContext) -> None:
    execution = ctx.run(answering({"Status": "FAILED"}, SUCCEEDED))
    assert len(execution.invocations) == 1


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ({"Status": "SUCCEEDED", "Error": {"ErrorMessage": "no"}}, "Cannot provide an Error for SUCCEEDED status."),
        ({"Status": "FAILED", "Result": "1"}, "Cannot provide a Result for FAILED status."),
        ({}, "Response status is required"),
        ({"Result": "1"}, "Response status is required"),
        ({"Status": None}, "Response status is required"),
        ({"Status": "DONE"}, "Invalid invocation output: {'Status': 'DONE'}"),
        (None, "Invalid invocation output: None"),
        ("SUCCEEDED", "Invalid invocation output: 'SUCCEEDED'"),
        ([], "Invalid invocation output: []"),
    ],
)
def test_a_malformed_answer_fails_the_execution_at_once(ctx: FakeDurableContext, answer: Any, message: str) -> None:
    execution = ctx.run(answering(answer, SUCCEEDED))
    assert (execution.status, len(execution.invocations)) == ("FAILED", 1)
    assert execution.error is not None
    assert (execution.error.type, execution.error.message) == ("InvalidParameterValueException", message)


def test_the_result_that_was_stored_counts_and_not_the_empty_one_answered(ctx: FakeDurableContext) -> None:
    def invoke(event: Any, context: Any) -> Any:
        Caller(event).checkpoint(update("EXECUTION", "SUCCEED", "result", payload="[1]"))
        return {"Status": "SUCCEEDED", "Result": ""}

    assert ctx.run(function(invoke)).result == [1]


def test_a_stored_result_survives_a_death_before_the_answer(ctx: FakeDurableContext) -> None:
    def invoke(event: Any, context: Any) -> Any:
        Caller(event).checkpoint(update("EXECUTION", "SUCCEED", "result", payload="[1]"))
        raise Crash

    execution = ctx.run(function(invoke))
    assert (execution.status, execution.result, len(execution.invocations)) == ("SUCCEEDED", [1], 1)


# --- PENDING --------------------------------------------------------------------------------------------------------


def suspending(*updates: Any) -> Callable[[Any, Any], Any]:
    """A function that stores ``updates`` and suspends, and succeeds the next time."""

    def invoke(event: Any, context: Any) -> Any:
        if len(event.initial_execution_state.operations) > 1:
            return SUCCEEDED
        Caller(event).checkpoint(*updates)
        return PENDING

    return function(invoke)


@pytest.mark.parametrize("pending", [wait(seconds=60), retry(delay=60)], ids=["a wait", "a retry"])
def test_pending_is_invoked_again_when_the_timer_fires(ctx: FakeDurableContext, pending: Any) -> None:
    execution = ctx.run(suspending(pending))
    assert (execution.status, statuses(execution)) == ("SUCCEEDED", ["PENDING", "SUCCEEDED"])
    assert (execution.elapsed, gaps(execution)) == (60, [60])


def test_any_timer_invokes_again(ctx: FakeDurableContext) -> None:
    def invoke(event: Any, context: Any) -> Any:
        operations = event.initial_execution_state.operations
        if len(operations) == 1:
            Caller(event).checkpoint(wait("a", 10), wait("b", 30), wait("c", 20))
            return PENDING
        return SUCCEEDED if all(found.status.value == "SUCCEEDED" for found in operations[1:]) else PENDING

    execution = ctx.run(function(invoke))
    assert gaps(execution) == [10, 10, 10]


def test_timers_that_are_due_together_invoke_once(ctx: FakeDurableContext) -> None:
    execution = ctx.run(suspending(wait("a", 10), wait("b", 10), retry("c", 10)))
    assert gaps(execution) == [10]


def test_a_timer_that_fires_during_the_invocation_invokes_again_at_once(ctx: FakeDurableContext) -> None:
    def invoke(event: Any, context: Any) -> Any:
        if len(event.initial_execution_state.operations) > 1:
            return SUCCEEDED
        Caller(event).checkpoint(wait(seconds=5))
        time.sleep(20)  # noqa: TID251  # virtual: this is a handler
        return PENDING

    execution = ctx.run(function(invoke))
    assert (statuses(execution), gaps(execution), execution.elapsed) == (["PENDING", "SUCCEEDED"], [0], 20)


def test_pending_with_nothing_pending_is_tried_three_times_more(ctx: FakeDurableContext) -> None:
    execution = ctx.run(answering(PENDING))
    assert (execution.status, statuses(execution)) == ("FAILED", ["PENDING"] * 4)
    assert execution.error is not None
    assert (execution.error.type, execution.error.message) == ("InvalidParameterValueException", NOTHING_PENDING)


def test_a_handler_that_raises_the_sdks_suspension_itself_is_found_out(ctx: FakeDurableContext) -> None:
    def handler(event: Any, context: DurableContext) -> None:
        context.step(returns(1), name="a")
        raise SuspendExecution("not yet")

    execution = ctx.run(handler)
    assert (execution.status, statuses(execution)) == ("FAILED", ["PENDING"] * 4)
    assert execution.error is not None and execution.error.message == NOTHING_PENDING
    assert execution.body_runs("a") == 1


def test_pending_with_nothing_pending_may_succeed_in_the_fourth_invocation(ctx: FakeDurableContext) -> None:
    execution = ctx.run(answering(PENDING, PENDING, PENDING, SUCCEEDED))
    assert (execution.status, len(execution.invocations)) == ("SUCCEEDED", 4)


def test_only_consecutive_empty_pendings_count(ctx: FakeDurableContext) -> None:
    calls: list[int] = []

    def invoke(event: Any, context: Any) -> Any:
        calls.append(1)
        if len(calls) == 4:
            Caller(event).checkpoint(wait(seconds=5))
        return PENDING if len(calls) < 8 else SUCCEEDED

    execution = ctx.run(function(invoke))
    assert (execution.status, len(execution.invocations)) == ("SUCCEEDED", 8)


# --- invocations that fail ------------------------------------------------------------------------------------------


def retryable(event: Any, context: DurableContext) -> None:
    raise InvocationError("try again", TerminationReason.INVOCATION_ERROR)


def exiting(event: Any, context: DurableContext) -> None:
    sys.exit(3)


def exiting_hard(event: Any, context: DurableContext) -> None:
    os._exit(3)


def crashing(event: Any, context: DurableContext) -> None:
    raise Crash("ouch")


def exiting_in_a_step(event: Any, context: DurableContext) -> None:
    context.step(lambda step: sys.exit(3), name="a")


def exiting_hard_in_a_step(event: Any, context: DurableContext) -> None:
    context.step(lambda step: os._exit(3), name="a")


def crashing_in_a_step(event: Any, context: DurableContext) -> None:
    def body(step: Any) -> None:
        raise Crash("ouch")

    context.step(body, name="a")


INVOCATION_ERROR = "aws_durable_execution_sdk_python.exceptions.InvocationError"
ENDINGS = [
    (retryable, "raised", INVOCATION_ERROR, "try again"),
    (exiting, "died", "Runtime.ExitError", "3"),
    (exiting_hard, "died", "Runtime.ExitError", "3"),
    (crashing, "died", "Runtime.ExitError", "exit status 1 (tests.service.test_lifecycle.Crash: ouch)"),
    (exiting_in_a_step, "died", "Runtime.ExitError", "3"),
    (exiting_hard_in_a_step, "died", "Runtime.ExitError", "3"),
    (crashing_in_a_step, "died", "Runtime.ExitError", "Crash: ouch"),
]


@pytest.mark.parametrize(("handler", "status", "kind", "text"), ENDINGS)
def test_an_invocation_that_fails_each_time_is_tried_nine_times(
    ctx: FakeDurableContext, handler: Any, status: str, kind: str, text: str
) -> None:
    execution = ctx.run(handler)
    assert statuses(execution) == [status] * 9
    assert gaps(execution) == GAPS
    assert execution.status == "FAILED"
    assert execution.error is not None and execution.error.message is not None
    assert execution.error.type == kind
    assert text in execution.error.message
    assert {invocation.error for invocation in execution.invocations[-1:]} == {(kind, execution.error.message)}


@pytest.mark.parametrize("hard", [False, True], ids=["sys.exit", "os._exit"])
@pytest.mark.parametrize("code", [0, 1])
def test_an_exit_with_any_status_is_followed_by_another_invocation(
    ctx: FakeDurableContext, hard: bool, code: int
) -> None:
    calls: list[int] = []

    def handler(event: Any, context: DurableContext) -> str:
        def body(step: Any) -> str:
            calls.append(code)
            if len(calls) == 1:
                if hard:
                    os._exit(code)
                sys.exit(code)
            return "second time"

        return context.step(body, name="a", config=ONCE)

    execution = ctx.run(handler)
    assert (execution.result, statuses(execution)) == ("second time", ["died", "SUCCEEDED"])
    assert execution.invocations[0].error is not None
    assert execution.invocations[0].error[0] == "Runtime.ExitError"
    assert execution.body_runs("a") == 2


def test_an_exit_in_the_body_of_an_at_most_once_step_fails_the_step(ctx: FakeDurableContext) -> None:
    def handler(event: Any, context: DurableContext) -> str:
        try:
            context.step(lambda step: os._exit(1), name="a", config=ONCE_AT_MOST)
        except Exception as error:
            return type(error).__name__
        return "never"

    execution = ctx.run(handler)
    assert (execution.result, execution.body_runs("a")) == ("StepError", 1)


HARD_EXIT = """
from os import _exit
from pytest_durable import FakeDurableContext

left = [1]

def handler(event, context):
    while left:
        _exit(left.pop())
    return "alive"

with FakeDurableContext() as ctx:
    print(ctx.run(handler).result)
"""


def test_a_handler_that_imports_the_hard_exit_by_name_does_not_end_the_test_process() -> None:
    done = subprocess.run([sys.executable, "-c", HARD_EXIT], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, "alive"), done.stderr


def test_finally_clauses_run_when_a_handler_exits_but_reach_nothing_durable(ctx: FakeDurableContext) -> None:
    ran: list[str] = []

    def handler(event: Any, context: DurableContext) -> str:
        try:
            if not ran:
                os._exit(1)
            return "done"
        finally:
            ran.append("finally")
            context.step(lambda step: ran.append("body"), name="cleanup")

    execution = ctx.run(handler)
    assert (execution.result, ran) == ("done", ["finally", "finally", "body"])


def test_an_error_of_the_user_is_an_answer_and_not_a_failed_invocation(ctx: FakeDurableContext) -> None:
    def handler(event: Any, context: DurableContext) -> None:
        raise LookupError("no such order")

    execution = ctx.run(handler)
    assert (execution.status, statuses(execution)) == ("FAILED", ["FAILED"])
    assert execution.error is not None
    assert (execution.error.type, execution.error.message) == ("LookupError", "no such order")


def test_an_execution_error_of_the_sdk_fails_the_execution_at_once(ctx: FakeDurableContext) -> None:
    def handler(event: Any, context: DurableContext) -> None:
        raise ExecutionError("for good")

    assert statuses(ctx.run(handler)) == ["FAILED"]


def test_a_clean_invocation_resets_the_count_and_the_gaps(ctx: FakeDurableContext) -> None:
    numbers = iter(range(1, 100))

    def handler(event: Any, context: DurableContext) -> str:
        number = next(numbers)
        if number <= 8:
            raise Crash
        context.wait(seconds(600))
        if number <= 17:
            raise Crash
        return "done"

    execution = ctx.run(handler)
    assert statuses(execution) == ["died"] * 8 + ["PENDING"] + ["died"] * 8 + ["SUCCEEDED"]
    measured = gaps(execution)
    assert measured[:8] == measured[9:] == GAPS
    assert execution.status == "SUCCEEDED"


def test_what_was_stored_before_a_failure_stays(ctx: FakeDurableContext) -> None:
    numbers = iter(range(1, 100))

    def handler(event: Any, context: DurableContext) -> list[int]:
        first = context.step(returns(1), name="first")
        if next(numbers) < 3:
            raise Crash
        return [first, context.step(returns(2), name="second")]

    execution = ctx.run(handler)
    assert execution.result == [1, 2]
    assert (execution.body_runs("first"), execution.body_runs("second")) == (1, 1)


def test_the_last_error_is_the_one_that_is_kept(ctx: FakeDurableContext) -> None:
    numbers = iter(range(1, 100))

    def handler(event: Any, context: DurableContext) -> None:
        raise Crash(f"number {next(numbers)}")

    execution = ctx.run(handler)
    assert execution.error is not None and execution.error.message is not None
    assert "Crash: number 9)" in execution.error.message


# --- what an invocation is told -------------------------------------------------------------------------------------


def test_each_invocation_has_a_request_id_and_a_deadline_of_its_own(ctx: FakeDurableContext) -> None:
    seen: list[tuple[str, int]] = []

    def handler(event: Any, context: DurableContext) -> None:
        lambda_context: Any = context.lambda_context
        seen.append((lambda_context.aws_request_id, lambda_context.get_remaining_time_in_millis()))
        context.wait(seconds(3_600))

    ctx.run(handler, invocation_timeout=60)
    assert [remaining for _, remaining in seen] == [60_000, 60_000]
    assert len({request_id for request_id, _ in seen}) == 2


def test_the_remaining_time_follows_the_virtual_clock(ctx: FakeDurableContext) -> None:
    seen: list[int] = []

    def handler(event: Any, context: DurableContext) -> None:
        lambda_context: Any = context.lambda_context
        for _ in range(3):
            seen.append(lambda_context.get_remaining_time_in_millis())
            time.sleep(0.25)  # noqa: TID251  # virtual: this is a handler

    ctx.run(handler, invocation_timeout=1)
    assert seen == [1_000, 750, 500]


@pytest.mark.parametrize(
    ("payload", "seen"),
    [(None, {}), ({}, {}), ([], []), (0, 0), ("", ""), ({"a": [1, "ø", None]}, {"a": [1, "ø", None]})],
)
def test_the_handler_is_given_the_event(ctx: FakeDurableContext, payload: Any, seen: Any) -> None:
    assert ctx.run(lambda event, context: [event], payload).result == [seen]
