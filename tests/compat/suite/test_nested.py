"""Child contexts, map and parallel."""

from __future__ import annotations

from typing import Any

import pytest
from aws_durable_execution_sdk_python import BatchResult, DurableContext, durable_execution, durable_with_child_context
from aws_durable_execution_sdk_python.config import CompletionConfig, Duration, MapConfig, ParallelConfig
from aws_durable_execution_sdk_python.execution import InvocationStatus  # type: ignore[attr-defined]  # as published
from aws_durable_execution_sdk_python.lambda_service import OperationStatus, OperationType
from aws_durable_execution_sdk_python_testing import DurableChildContextTestRunner, DurableFunctionTestRunner
from aws_durable_execution_sdk_python_testing.exceptions import DurableFunctionsTestError
from aws_durable_execution_sdk_python_testing.runner import ContextOperation, StepOperation


@durable_with_child_context
def packed(context: DurableContext, item: str, count: int = 1) -> str:
    weight = context.step(lambda _: count * 2, name="weigh")
    context.wait(Duration.from_seconds(30), name="dry")
    return context.step(lambda _: f"{item}: {weight}", name="label")


CHILD: Any = packed
"""AWS's runner wants the function as it is before it is decorated, by its types alone."""


def double(context: DurableContext, item: int, index: int, items: Any) -> Any:
    return context.step(lambda _: item * 2, name=f"double-{index}")


def fails_on_two(context: DurableContext, item: int, index: int, items: Any) -> int:
    if item == 2:
        raise ValueError("two")
    return item


def test_a_child_context() -> None:
    @durable_execution
    def handler(event: Any, context: DurableContext) -> Any:
        return context.run_in_child_context(packed("book", 3), name="pack")

    with DurableFunctionTestRunner(handler=handler) as runner:
        result = runner.run()
    context: ContextOperation = result.get_context("pack")
    assert result.result == '"book: 6"'
    assert context.operation_type is OperationType.CONTEXT
    assert context.sub_type == "RunInChildContext"
    assert [child.name for child in context.child_operations] == ["weigh", "dry", "label"]
    assert context.get_step("weigh").result == "6"
    assert context.get_wait("dry").status is OperationStatus.SUCCEEDED
    assert {child.parent_id for child in context.child_operations} == {context.operation_id}


def test_a_context_function_alone() -> None:
    with DurableChildContextTestRunner(CHILD, "book", count=5) as runner:
        result = runner.run()
    assert result.status is InvocationStatus.SUCCEEDED
    assert result.result == '"book: 10"'
    assert result.get_step("weigh").result == "10"


def test_what_is_not_in_a_context_is_an_error() -> None:
    with DurableChildContextTestRunner(CHILD, "book") as runner:
        step: StepOperation = runner.run().get_step("weigh")
    with pytest.raises(DurableFunctionsTestError, match="Child Operation with name 'dry' not found"):
        step.get_wait("dry")


def test_a_context_in_a_context() -> None:
    @durable_execution
    def handler(event: Any, context: DurableContext) -> Any:
        def outer(child: DurableContext) -> Any:
            return child.run_in_child_context(packed("cup"), name="inner")

        return context.run_in_child_context(outer, name="outer")

    with DurableFunctionTestRunner(handler=handler) as runner:
        result = runner.run()
    assert result.get_context("outer").get_context("inner").get_step("label").result == '"cup: 2"'
    assert [one.name for one in result.get_all_operations()] == ["outer", "inner", "label", "dry", "weigh"]


def test_a_context_that_fails() -> None:
    @durable_execution
    def handler(event: Any, context: DurableContext) -> Any:
        def body(child: DurableContext) -> None:
            raise ValueError("broken")

        return context.run_in_child_context(body, name="child")

    with DurableFunctionTestRunner(handler=handler) as runner:
        result = runner.run()
    error = result.get_context("child").error
    assert error is not None
    assert (error.type, error.message) == ("ValueError", "broken")
    assert result.error is not None
    assert result.error.type == "aws_durable_execution_sdk_python.exceptions.ChildContextError"


def test_a_map() -> None:
    @durable_execution
    def handler(event: Any, context: DurableContext) -> Any:
        return context.map(event, double, name="doubled").get_results()

    with DurableFunctionTestRunner(handler=handler) as runner:
        result = runner.run(input="[1, 2, 3]")
    context = result.get_context("doubled")
    branches = [branch for branch in context.child_operations if isinstance(branch, ContextOperation)]
    assert result.result == "[2, 4, 6]"
    assert context.sub_type == "Map"
    assert sorted(branch.name or "" for branch in branches) == ["map-item-0", "map-item-1", "map-item-2"]
    assert sorted(branch.child_operations[0].name or "" for branch in branches) == ["double-0", "double-1", "double-2"]


def test_an_empty_map() -> None:
    @durable_execution
    def handler(event: Any, context: DurableContext) -> Any:
        return context.map([], double, name="doubled").get_results()

    with DurableFunctionTestRunner(handler=handler) as runner:
        assert runner.run().result == "[]"


def test_a_map_with_few_at_once() -> None:
    @durable_execution
    def handler(event: Any, context: DurableContext) -> Any:
        return context.map(list(range(6)), double, name="doubled", config=MapConfig(max_concurrency=2)).get_results()

    with DurableFunctionTestRunner(handler=handler) as runner:
        assert runner.run().result == "[0, 2, 4, 6, 8, 10]"


def test_a_map_tolerates_a_failure() -> None:
    @durable_execution
    def handler(event: Any, context: DurableContext) -> Any:
        config: MapConfig[Any] = MapConfig(completion_config=CompletionConfig(tolerated_failure_count=1))
        batch: BatchResult[Any] = context.map([1, 2, 3], fails_on_two, name="tried", config=config)
        return {"good": batch.success_count, "bad": batch.failure_count, "reason": batch.completion_reason.value}

    with DurableFunctionTestRunner(handler=handler) as runner:
        result = runner.run()
    assert result.result == '{"good": 2, "bad": 1, "reason": "ALL_COMPLETED"}'
    failed = [branch for branch in result.get_context("tried").child_operations if branch.status.value == "FAILED"]
    assert [branch.name for branch in failed] == ["map-item-1"]


def test_a_map_whose_failure_is_raised() -> None:
    @durable_execution
    def handler(event: Any, context: DurableContext) -> Any:
        batch: BatchResult[Any] = context.map([2], fails_on_two, name="tried")
        batch.throw_if_error()

    with DurableFunctionTestRunner(handler=handler) as runner:
        result = runner.run()
    assert result.status is InvocationStatus.FAILED
    assert result.error is not None
    assert result.error.message == "two"


def test_a_parallel() -> None:
    @durable_execution
    def handler(event: Any, context: DurableContext) -> Any:
        branches = [
            lambda child: child.step(lambda _: "left", name="l"),
            lambda child: child.step(lambda _: "right", name="r"),
        ]
        return context.parallel(branches, name="both").get_results()

    with DurableFunctionTestRunner(handler=handler) as runner:
        result = runner.run()
    assert result.result == '["left", "right"]'
    names = sorted(branch.name or "" for branch in result.get_context("both").child_operations)
    assert names == ["parallel-branch-0", "parallel-branch-1"]


def test_a_parallel_that_needs_one_only() -> None:
    @durable_execution
    def handler(event: Any, context: DurableContext) -> Any:
        config = ParallelConfig(completion_config=CompletionConfig(min_successful=1), max_concurrency=1)
        branches = [lambda child: "first", lambda child: "second"]
        batch: BatchResult[str] = context.parallel(branches, name="race", config=config)
        return [batch.success_count, batch.completion_reason.value]

    with DurableFunctionTestRunner(handler=handler) as runner:
        assert runner.run().result == '[1, "MIN_SUCCESSFUL_REACHED"]'


def test_branches_that_wait() -> None:
    @durable_execution
    def handler(event: Any, context: DurableContext) -> Any:
        def branch(child: DurableContext, item: int, index: int, items: Any) -> Any:
            child.wait(Duration.from_seconds(item), name="pause")
            return item

        return context.map([1, 1], branch, name="paused").get_results()

    with DurableFunctionTestRunner(handler=handler) as runner:
        result = runner.run()
    assert result.result == "[1, 1]"
    assert [one.name for one in result.get_all_operations()].count("pause") == 2
