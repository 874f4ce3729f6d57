"""Waits, callbacks and invoked functions."""

from __future__ import annotations

import json
import time
from datetime import timedelta
from typing import Any

import pytest
from aws_durable_execution_sdk_python import DurableContext, durable_execution
from aws_durable_execution_sdk_python.config import CallbackConfig, Duration, WaitForCallbackConfig
from aws_durable_execution_sdk_python.execution import InvocationStatus  # type: ignore[attr-defined]  # as published
from aws_durable_execution_sdk_python.lambda_service import ErrorObject, OperationStatus
from aws_durable_execution_sdk_python_testing.exceptions import ResourceNotFoundException
from aws_durable_execution_sdk_python_testing.execution import ExecutionStatus
from aws_durable_execution_sdk_python_testing.runner import (
    CallbackOperation,
    ContextOperation,
    DurableFunctionTestRunner,
    InvokeOperation,
    WaitOperation,
)

FAILED_BY = "aws_durable_execution_sdk_python.exceptions"


@durable_execution
def waiter(event: Any, context: DurableContext) -> Any:
    context.wait(Duration.from_minutes(10), name="pause")
    return "rested"


@durable_execution
def asker(event: Any, context: DurableContext) -> Any:
    config = CallbackConfig(timeout=Duration.from_hours(1))
    return context.create_callback(name="approval", config=config).result()


@durable_execution
def submitter(event: Any, context: DurableContext) -> Any:
    return context.wait_for_callback(lambda callback_id, _: None, name="approval")


@durable_execution
def caller(event: Any, context: DurableContext) -> Any:
    return context.invoke("target", {"amount": 3}, name="call")


def test_a_wait_ends_when_it_should() -> None:
    with DurableFunctionTestRunner(handler=waiter) as runner:
        result = runner.run()
    wait: WaitOperation = result.get_wait("pause")
    assert result.result == '"rested"'
    assert wait.status is OperationStatus.SUCCEEDED
    assert wait.start_timestamp is not None and wait.scheduled_end_timestamp is not None
    assert wait.scheduled_end_timestamp - wait.start_timestamp == timedelta(minutes=10)


def test_a_timeout_does_not_count_what_is_skipped() -> None:
    with DurableFunctionTestRunner(handler=waiter) as runner:
        assert runner.run(execution_timeout=5).status is InvocationStatus.SUCCEEDED


def test_waits_in_a_row() -> None:
    @durable_execution
    def handler(event: Any, context: DurableContext) -> Any:
        for number in range(4):
            context.wait(Duration.from_hours(number + 1), name=f"wait-{number}")
        return "done"

    with DurableFunctionTestRunner(handler=handler) as runner:
        result = runner.run()
    assert [operation.name for operation in result.operations] == ["wait-0", "wait-1", "wait-2", "wait-3"]
    assert {operation.sub_type for operation in result.operations} == {"Wait"}


def test_a_callback_is_answered() -> None:
    with DurableFunctionTestRunner(handler=asker) as runner:
        arn = runner.run_async()
        callback_id = runner.wait_for_callback(arn, name="approval")
        runner.send_callback_success(callback_id, b"yes")
        result = runner.wait_for_result(arn)
    callback: CallbackOperation = result.get_callback("approval")
    assert result.result == '"yes"'
    assert callback.callback_id == callback_id
    assert (callback.status, callback.result) == (OperationStatus.SUCCEEDED, "yes")


def test_a_callback_without_a_name_is_the_latest() -> None:
    with DurableFunctionTestRunner(handler=asker, poll_interval=0.05) as runner:
        arn = runner.run_async(input="{}")
        runner.send_callback_success(runner.wait_for_callback(arn), json.dumps({"ok": True}).encode())
        assert runner.wait_for_result(arn).result == '"{\\"ok\\": true}"'


def test_a_callback_without_a_result() -> None:
    with DurableFunctionTestRunner(handler=asker, poll_interval=0.05) as runner:
        arn = runner.run_async()
        runner.send_callback_success(runner.wait_for_callback(arn, name="approval"))
        assert runner.wait_for_result(arn).result == "null"


def test_a_callback_is_refused() -> None:
    with DurableFunctionTestRunner(handler=asker, poll_interval=0.05) as runner:
        arn = runner.run_async()
        error = ErrorObject(message="too much", type="Refused", data=None, stack_trace=None)
        runner.send_callback_failure(runner.wait_for_callback(arn, name="approval"), error)
        result = runner.wait_for_result(arn)
    assert result.status is InvocationStatus.FAILED
    assert result.get_callback("approval").error == error
    assert result.error is not None
    assert result.error.message == "too much"


def test_a_callback_is_answered_once() -> None:
    with DurableFunctionTestRunner(handler=asker, poll_interval=0.05) as runner:
        arn = runner.run_async()
        callback_id = runner.wait_for_callback(arn, name="approval")
        runner.send_callback_success(callback_id, b"yes")
        with pytest.raises(ResourceNotFoundException, match="Failed to process callback success"):
            runner.send_callback_success(callback_id, b"yes")
        assert runner.wait_for_result(arn).result == '"yes"'


def test_heartbeats_keep_a_callback_open() -> None:
    @durable_execution
    def handler(event: Any, context: DurableContext) -> Any:
        config = CallbackConfig(heartbeat_timeout=Duration.from_seconds(1))
        return context.create_callback(name="work", config=config).result()

    with DurableFunctionTestRunner(handler=handler, poll_interval=0.05) as runner:
        arn = runner.run_async()
        callback_id = runner.wait_for_callback(arn, name="work")
        for _ in range(3):
            time.sleep(0.5)  # noqa: TID251  # the time of AWS's runner is real
            runner.send_callback_heartbeat(callback_id)
        time.sleep(1.5)  # noqa: TID251  # as above
        result = runner.wait_for_result(arn)
    assert result.error is not None
    assert result.error.message == "Callback timed out on heartbeat"
    assert result.get_callback("work").status is OperationStatus.TIMED_OUT


def test_a_callback_times_out() -> None:
    @durable_execution
    def handler(event: Any, context: DurableContext) -> Any:
        config = CallbackConfig(timeout=Duration.from_seconds(1))
        return context.create_callback(name="work", config=config).result()

    with DurableFunctionTestRunner(handler=handler) as runner:
        result = runner.run()
    assert result.error is not None
    assert (result.error.type, result.error.message) == (f"{FAILED_BY}.CallbackTimeoutError", "Callback timed out")


def test_wait_for_callback_has_its_parts() -> None:
    with DurableFunctionTestRunner(handler=submitter, poll_interval=0.05) as runner:
        arn = runner.run_async()
        callback_id = runner.wait_for_callback(arn, name="approval create callback id")
        runner.send_callback_success(callback_id, b"yes")
        result = runner.wait_for_result(arn)
    context: ContextOperation = result.get_context("approval")
    assert context.sub_type == "WaitForCallback"
    assert context.result == '"yes"'
    assert context.get_callback("approval create callback id").callback_id == callback_id
    assert context.get_step("approval submitter").status is OperationStatus.SUCCEEDED


def test_a_submitter_that_fails() -> None:
    def refuse(callback_id: str, context: Any) -> None:
        raise ValueError("not sent")

    @durable_execution
    def handler(event: Any, context: DurableContext) -> Any:
        config = WaitForCallbackConfig(retry_strategy=lambda error, attempt: NEVER)
        return context.wait_for_callback(refuse, name="approval", config=config)

    from aws_durable_execution_sdk_python.retries import RetryDecision

    NEVER = RetryDecision.no_retry()
    with DurableFunctionTestRunner(handler=handler) as runner:
        result = runner.run()
    assert result.status is InvocationStatus.FAILED
    assert result.error is not None
    assert result.error.message == "not sent"


def test_two_callbacks_in_any_order() -> None:
    @durable_execution
    def handler(event: Any, context: DurableContext) -> Any:
        first, second = context.create_callback(name="first"), context.create_callback(name="second")
        return [first.result(), second.result()]

    with DurableFunctionTestRunner(handler=handler, poll_interval=0.05) as runner:
        arn = runner.run_async()
        runner.send_callback_success(runner.wait_for_callback(arn, name="second"), b"2")
        runner.send_callback_success(runner.wait_for_callback(arn, name="first"), b"1")
        assert runner.wait_for_result(arn).result == '["1", "2"]'


def test_nobody_answers() -> None:
    with DurableFunctionTestRunner(handler=submitter, poll_interval=0.05) as runner:
        arn = runner.run_async()
        with pytest.raises(TimeoutError, match="Execution did not complete within timeout"):
            runner.wait_for_result(arn, timeout=1)


def test_a_callback_that_is_never_made() -> None:
    with DurableFunctionTestRunner(handler=asker, poll_interval=0.05) as runner:
        arn = runner.run_async()
        with pytest.raises(TimeoutError, match="Callback did not become available within 1s"):
            runner.wait_for_callback(arn, name="refusal", timeout=1)


def test_an_execution_times_out() -> None:
    with DurableFunctionTestRunner(handler=submitter) as runner:
        arn = runner.run_async(execution_timeout=1)
        result = runner.wait_for_result(arn, timeout=5)
    assert result.status is InvocationStatus.FAILED
    assert result.execution_status is ExecutionStatus.TIMED_OUT
    assert result.error is not None
    assert result.error.message == "Execution timed out after 1 seconds."


def test_a_durable_function_is_invoked() -> None:
    @durable_execution
    def target(event: Any, context: DurableContext) -> Any:
        context.wait(Duration.from_minutes(1), name="think")
        return {"charged": event["amount"]}

    with DurableFunctionTestRunner(handler=caller) as runner:
        runner.register_durable_function("target", target, execution_timeout=60)
        result = runner.run()
    invoke: InvokeOperation = result.get_invoke("call")
    assert result.result == '{"charged": 3}'
    assert (invoke.status, invoke.result, invoke.error) == (OperationStatus.SUCCEEDED, '{"charged": 3}', None)


def test_a_plain_function_is_invoked() -> None:
    with DurableFunctionTestRunner(handler=caller) as runner:
        result = runner.register_function("target", lambda event, context: event["amount"] * 2).run()
    assert result.result == "6"


def test_an_invoked_function_fails() -> None:
    def target(event: Any, context: Any) -> None:
        raise ValueError("broken")

    with DurableFunctionTestRunner(handler=caller) as runner:
        runner.register_function("target", target)
        result = runner.run()
    invoke = result.get_invoke("call")
    assert invoke.status is OperationStatus.FAILED
    assert invoke.error is not None
    assert (invoke.error.type, invoke.error.message) == ("ValueError", "broken")


def test_an_unknown_function_is_invoked() -> None:
    with DurableFunctionTestRunner(handler=caller) as runner:
        result = runner.run()
    error = result.get_invoke("call").error
    assert error is not None
    assert error.type == "ResourceNotFoundException"


def test_the_history_of_an_execution() -> None:
    with DurableFunctionTestRunner(handler=waiter) as runner:
        arn = runner.run_async()
        runner.wait_for_result(arn)
        events = runner.get_execution_history(arn, include_execution_data=True).events
    kinds = [event.event_type for event in events]
    assert kinds[:2] == ["ExecutionStarted", "WaitStarted"]
    assert sorted(kinds[2:]) == ["ExecutionSucceeded", "InvocationCompleted", "InvocationCompleted", "WaitSucceeded"]
    assert [event.event_id for event in events] == [1, 2, 3, 4, 5, 6]
    assert events[1].name == "pause"
    assert events[1].wait_started_details.duration == 600
    assert [
        event.execution_succeeded_details.result.payload for event in events if event.execution_succeeded_details
    ] == ['"rested"']
