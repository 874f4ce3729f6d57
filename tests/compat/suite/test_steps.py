"""Steps, retries and polling, in the style in which AWS publishes its examples."""

from __future__ import annotations

from typing import Any

import pytest
from aws_durable_execution_sdk_python import DurableContext, StepContext, durable_execution, durable_step
from aws_durable_execution_sdk_python.config import Duration, JitterStrategy, StepConfig, StepSemantics
from aws_durable_execution_sdk_python.exceptions import StepError
from aws_durable_execution_sdk_python.execution import InvocationStatus  # type: ignore[attr-defined]  # as published
from aws_durable_execution_sdk_python.lambda_service import OperationStatus, OperationType
from aws_durable_execution_sdk_python.retries import RetryStrategyConfig, create_retry_strategy
from aws_durable_execution_sdk_python.waits import WaitForConditionConfig, WaitForConditionDecision
from aws_durable_execution_sdk_python_testing.exceptions import DurableFunctionsTestError
from aws_durable_execution_sdk_python_testing.execution import ExecutionStatus
from aws_durable_execution_sdk_python_testing.runner import (
    DurableFunctionTestResult,
    DurableFunctionTestRunner,
    Operation,
    StepOperation,
)


def retried(attempts: int, delay: int = 5) -> StepConfig:
    strategy = create_retry_strategy(
        RetryStrategyConfig(
            max_attempts=attempts, initial_delay=Duration.from_seconds(delay), jitter_strategy=JitterStrategy.NONE
        )
    )
    return StepConfig(retry_strategy=strategy)


@durable_step
def greet(step_context: StepContext, name: str) -> str:
    return f"Hello, {name}!"


@durable_execution
def greeter(event: Any, context: DurableContext) -> Any:
    return context.step(greet(event["name"]))


@durable_execution
def three_steps(event: Any, context: DurableContext) -> Any:
    first = context.step(lambda _: {"n": 1}, name="first")
    second = context.step(lambda _: first["n"] + 1, name="second")
    return [first, second, context.step(lambda _: None, name="third")]


@durable_execution
def echo(event: Any, context: DurableContext) -> Any:
    return event


class Unreliable:
    """A service that answers the third call."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, step_context: StepContext) -> str:
        self.calls += 1
        if self.calls < 3:
            raise ConnectionError(f"call {self.calls}")
        return "answered"


def test_a_step_has_a_result() -> None:
    with DurableFunctionTestRunner(handler=greeter) as runner:
        result: DurableFunctionTestResult = runner.run(input='{"name": "Ada"}')
    assert result.status is InvocationStatus.SUCCEEDED
    assert result.execution_status is ExecutionStatus.SUCCEEDED
    assert result.result == '"Hello, Ada!"'
    assert result.error is None


def test_a_step_is_found_by_its_name() -> None:
    with DurableFunctionTestRunner(handler=greeter) as runner:
        step: StepOperation = runner.run(input='{"name": "Ada"}').get_step("greet")
    assert isinstance(step, StepOperation)
    assert step.operation_type is OperationType.STEP
    assert step.status is OperationStatus.SUCCEEDED
    assert step.sub_type == "Step"
    assert (step.result, step.error, step.attempt) == ('"Hello, Ada!"', None, 1)
    assert step.parent_id is None
    assert step.child_operations == []


def test_steps_are_listed_in_their_order() -> None:
    with DurableFunctionTestRunner(handler=three_steps) as runner:
        result = runner.run()
    assert [operation.name for operation in result.operations] == ["first", "second", "third"]
    assert [result.get_step(name).result for name in ("second", "third")] == ["2", "null"]
    assert result.result == '[{"n": 1}, 2, null]'


def test_steps_have_times() -> None:
    with DurableFunctionTestRunner(handler=three_steps) as runner:
        result = runner.run()
    times = [(step.start_timestamp, step.end_timestamp) for step in result.operations]
    flat = [time for pair in times for time in pair if time is not None]
    assert len(flat) == 6
    assert flat == sorted(flat)
    assert all(time.tzinfo is not None for time in flat)


def test_what_is_not_there_is_an_error() -> None:
    with DurableFunctionTestRunner(handler=greeter) as runner:
        result = runner.run(input='{"name": "Ada"}')
    with pytest.raises(DurableFunctionsTestError, match="Operation with name 'wave' not found"):
        result.get_step("wave")


@pytest.mark.parametrize(
    ("given", "seen"),
    [(None, "null"), ("text", '"text"'), ('{"a": [1]}', '{"a": [1]}'), ('"text"', '"text"'), ("7", "7")],
)
def test_the_input_is_json_or_becomes_it(given: str | None, seen: str) -> None:
    with DurableFunctionTestRunner(handler=echo) as runner:
        assert runner.run(input=given).result == seen


def test_a_step_is_retried() -> None:
    service = Unreliable()

    @durable_execution
    def handler(event: Any, context: DurableContext) -> Any:
        return context.step(service, name="call", config=retried(3))

    with DurableFunctionTestRunner(handler=handler) as runner:
        result = runner.run()
    assert result.result == '"answered"'
    assert result.get_step("call").attempt == 3
    assert service.calls == 3


def test_a_step_fails_after_its_retries() -> None:
    @durable_execution
    def handler(event: Any, context: DurableContext) -> Any:
        return context.step(Unreliable(), name="call", config=retried(2))

    with DurableFunctionTestRunner(handler=handler) as runner:
        result = runner.run()
    step = result.get_step("call")
    assert result.status is InvocationStatus.FAILED
    assert step.status is OperationStatus.FAILED
    assert step.error is not None
    assert (step.error.type, step.error.message) == ("ConnectionError", "call 1")
    assert result.error is not None
    assert result.error.type == "aws_durable_execution_sdk_python.exceptions.StepError"


def test_an_error_can_be_handled() -> None:
    def refuse(step_context: StepContext) -> None:
        raise ValueError("no")

    @durable_execution
    def handler(event: Any, context: DurableContext) -> Any:
        try:
            context.step(refuse, name="try", config=retried(1))
        except StepError as error:
            message = error.message
            return context.step(lambda _: f"undone after {message}", name="undo")

    with DurableFunctionTestRunner(handler=handler) as runner:
        result = runner.run()
    assert result.result == '"undone after no"'
    assert [operation.status.value for operation in result.operations] == ["FAILED", "SUCCEEDED"]


def test_a_step_at_most_once() -> None:
    @durable_execution
    def handler(event: Any, context: DurableContext) -> Any:
        config = StepConfig(step_semantics=StepSemantics.AT_MOST_ONCE_PER_RETRY)
        return context.step(lambda _: "once", name="pay", config=config)

    with DurableFunctionTestRunner(handler=handler) as runner:
        assert runner.run().get_step("pay").result == '"once"'


def test_polling_until_a_condition_holds() -> None:
    def decide(state: int, attempt: int) -> WaitForConditionDecision:
        if state >= 3:
            return WaitForConditionDecision.stop_polling()
        return WaitForConditionDecision.continue_waiting(Duration.from_seconds(30))

    @durable_execution
    def handler(event: Any, context: DurableContext) -> Any:
        config: WaitForConditionConfig[int] = WaitForConditionConfig(wait_strategy=decide, initial_state=0)
        return context.wait_for_condition(lambda state, _: state + 1, config=config, name="poll")

    with DurableFunctionTestRunner(handler=handler) as runner:
        result = runner.run()
    poll: Operation = result.get_operation_by_name("poll")
    assert result.result == "3"
    assert poll.sub_type == "WaitForCondition"
    assert poll.status is OperationStatus.SUCCEEDED


def test_a_handler_that_raises_has_failed() -> None:
    @durable_execution
    def handler(event: Any, context: DurableContext) -> Any:
        raise LookupError("nothing there")

    with DurableFunctionTestRunner(handler=handler) as runner:
        result = runner.run()
    assert result.status is InvocationStatus.FAILED
    assert result.result is None
    assert result.error is not None
    assert (result.error.type, result.error.message) == ("LookupError", "nothing there")


def test_one_runner_runs_several_executions() -> None:
    with DurableFunctionTestRunner(handler=greeter) as runner:
        results = [runner.run(input=f'{{"name": "{name}"}}').result for name in ("Ada", "Bob")]
    assert results == ['"Hello, Ada!"', '"Hello, Bob!"']
