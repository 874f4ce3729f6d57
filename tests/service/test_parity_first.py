"""The same handler on AWS's own local runner ends the same and leaves the same operations."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from aws_durable_execution_sdk_python import BatchResult, DurableContext, StepContext, durable_execution
from aws_durable_execution_sdk_python.config import CompletionConfig, JitterStrategy, MapConfig, StepConfig
from aws_durable_execution_sdk_python.lambda_service import OperationType
from aws_durable_execution_sdk_python.retries import RetryStrategyConfig, create_retry_strategy
from aws_durable_execution_sdk_python_testing.runner import DurableFunctionTestRunner

from pytest_durable import FakeDurableContext, Operation
from tests.durable import ONCE, fails, returns, seconds

Handler = Callable[[Any, DurableContext], Any]
Seen = list[tuple[str, str | None, str]]

RETRIED = StepConfig(
    retry_strategy=create_retry_strategy(
        RetryStrategyConfig(max_attempts=3, initial_delay=seconds(1), jitter_strategy=JitterStrategy.NONE)
    )
)


def steps(event: Any, context: DurableContext) -> Any:
    return [context.step(returns(1), name="a"), context.step(returns({"b": [None, 2.5]}), name="b")]


def unnamed_steps(event: Any, context: DurableContext) -> Any:
    return [context.step(returns(1)), context.step(returns(2))]


def nothing(event: Any, context: DurableContext) -> Any:
    return None


def step_retry(event: Any, context: DurableContext) -> Any:
    def body(step: StepContext) -> int:
        if step.attempt < 3:
            raise ConnectionError("down")
        return step.attempt

    return context.step(body, name="flaky", config=RETRIED)


def step_failing_for_good(event: Any, context: DurableContext) -> Any:
    return context.step(fails(LookupError("no stock")), name="a", config=RETRIED)


def step_error_caught(event: Any, context: DurableContext) -> Any:
    try:
        context.step(fails(LookupError("no stock")), name="a", config=ONCE)
    except Exception as error:
        return [type(error).__name__, str(error), context.step(returns("refunded"), name="refund")]


def wait(event: Any, context: DurableContext) -> Any:
    context.step(returns(1), name="before")
    context.wait(seconds(1), name="pause")
    return context.step(returns(2), name="after")


def child_context(event: Any, context: DurableContext) -> Any:
    return context.run_in_child_context(lambda child: child.step(returns(1), name="a"), name="child")


def nested_child(event: Any, context: DurableContext) -> Any:
    def inner(child: DurableContext) -> Any:
        child.wait(seconds(1), name="pause")
        return child.step(returns("deep"), name="deep")

    def outer(child: DurableContext) -> Any:
        return [child.step(returns(1), name="a"), child.run_in_child_context(inner, name="inner")]

    return context.run_in_child_context(outer, name="outer")


def child_failing(event: Any, context: DurableContext) -> Any:
    def child(inner: DurableContext) -> None:
        inner.step(returns(1), name="a")
        raise LookupError("no stock")

    return context.run_in_child_context(child, name="child")


def double(context: DurableContext, item: int, index: int, items: Any) -> Any:
    return context.step(returns(item * 2), name="double")


def picky(context: DurableContext, item: int, index: int, items: Any) -> Any:
    return context.step(fails(ValueError("odd")) if item % 2 else returns(item), name="pick", config=ONCE)


def mapped(event: Any, context: DurableContext) -> Any:
    return context.map([1, 2, 3], double, name="m").get_results()


def map_of_nothing(event: Any, context: DurableContext) -> Any:
    batch: BatchResult[int] = context.map([], double, name="m")
    return [batch.get_results(), batch.completion_reason.value]


def map_with_a_failing_item(event: Any, context: DurableContext) -> Any:
    config = MapConfig[int](max_concurrency=1, completion_config=CompletionConfig(tolerated_failure_count=2))
    batch: BatchResult[int] = context.map([2, 3, 4], picky, name="m", config=config)
    return [batch.get_results(), batch.completion_reason.value, batch.status.value]


def map_that_fails_fast(event: Any, context: DurableContext) -> Any:
    batch: BatchResult[int] = context.map([2, 3, 4], picky, name="m", config=MapConfig[int](max_concurrency=1))
    return [batch.get_results(), batch.completion_reason.value, batch.status.value]


def parallel(event: Any, context: DurableContext) -> Any:
    branches: list[Any] = [
        lambda child: child.step(returns("a"), name="a"),
        lambda child: child.run_in_child_context(lambda inner: inner.step(returns("b"), name="b"), name="inner"),
    ]
    return context.parallel(branches, name="p").get_results()


def raising(event: Any, context: DurableContext) -> Any:
    context.step(returns(1), name="a")
    raise LookupError("no such order")


HANDLERS: list[Handler] = [
    steps,
    unnamed_steps,
    nothing,
    step_retry,
    step_failing_for_good,
    step_error_caught,
    wait,
    child_context,
    nested_child,
    child_failing,
    mapped,
    map_of_nothing,
    map_with_a_failing_item,
    map_that_fails_fast,
    parallel,
    raising,
]


def on_the_local_runner(handler: Handler) -> tuple[str, Any, Any, Seen]:
    with DurableFunctionTestRunner(handler=durable_execution(handler), poll_interval=0.01) as runner:
        ended = runner.run(input="{}", execution_timeout=60)
    runner._scheduler._loop.close()  # the runner leaves it open, and a later test would be blamed for that

    def walk(operations: Any) -> Seen:
        seen: Seen = []
        for operation in operations:
            if operation.operation_type is not OperationType.EXECUTION:
                seen.append((operation.operation_type.value, operation.name, operation.status.value))
                seen.extend(walk(getattr(operation, "child_operations", ())))
        return seen

    error = None if ended.error is None else (ended.error.type, ended.error.message)
    result = None if ended.result is None else json.loads(ended.result)
    return ended.status.value, result, error, walk(ended.operations)


def simulated(handler: Handler) -> tuple[str, Any, Any, Seen]:
    def walk(operations: tuple[Operation, ...]) -> Seen:
        seen: Seen = []
        for operation in operations:
            seen.append((operation.type, operation.name, operation.status))
            seen.extend(walk(operation.children))
        return seen

    with FakeDurableContext() as context:
        execution = context.run(handler)
    error = None if execution.error is None else (execution.error.type, execution.error.message)
    return execution.status.value, execution.result, error, walk(execution.operations)


@pytest.mark.parametrize("handler", HANDLERS, ids=lambda handler: handler.__name__)
def test_both_end_the_same_and_leave_the_same_operations(handler: Handler) -> None:
    expected = on_the_local_runner(handler)
    assert simulated(handler) == expected
