"""Results beyond the SDK's limits: a context's, whose children are replayed, and the execution's own."""

from __future__ import annotations

from typing import Any

import pytest
from aws_durable_execution_sdk_python import DurableContext
from aws_durable_execution_sdk_python.config import ChildConfig

from pytest_durable import FakeDurableContext
from tests.durable import returns, seconds

CONTEXT_LIMIT = 256 * 1024
"""Characters of a context's result; of a larger one the SDK stores that its children are to be replayed."""
RESPONSE_LIMIT = 6 * 1024 * 1024 - 50
"""Characters of a handler's result; a larger one the SDK stores by an update of the EXECUTION."""


def text(length: int) -> str:
    """A string whose JSON has so many characters."""
    return "x" * (length - 2)


# --- contexts -------------------------------------------------------------------------------------------------------


def in_child(length: int, **config: Any) -> Any:
    """A handler with a child whose result has so many characters as JSON, from two steps; then it waits."""

    def child(context: DurableContext) -> str:
        half: str = context.step(returns(text(length // 2)), name="half")
        rest: str = context.step(returns("x" * (length - length // 2)), name="rest")
        return half + rest

    def handler(event: Any, context: DurableContext) -> int:
        large = context.run_in_child_context(child, name="child", config=ChildConfig(**config))
        context.wait(seconds(60), name="pause")
        return len(large)

    return handler


def test_a_result_at_the_limit_is_stored_and_its_children_are_forgotten(ctx: FakeDurableContext) -> None:
    execution = ctx.run(in_child(CONTEXT_LIMIT - 100))
    assert execution.result == CONTEXT_LIMIT - 102
    assert (execution.body_runs("child"), execution.body_runs("child/half")) == (1, 1)
    assert len(execution.operation("child").result or "") > CONTEXT_LIMIT // 2


def test_of_a_larger_result_the_body_runs_again_over_its_stored_children(ctx: FakeDurableContext) -> None:
    execution = ctx.run(in_child(CONTEXT_LIMIT + 100))
    assert execution.result == CONTEXT_LIMIT + 98
    assert execution.operation("child").result == ""
    assert (execution.body_runs("child"), execution.body_runs("child/half"), execution.body_runs("child/rest")) == (
        2,
        1,
        1,
    )


def test_a_summary_of_a_large_result_is_stored(ctx: FakeDurableContext) -> None:
    execution = ctx.run(in_child(CONTEXT_LIMIT + 100, summary_generator=lambda result: f"{len(result)} characters"))
    assert execution.operation("child").result == f"{CONTEXT_LIMIT + 98} characters"


def test_a_kill_after_a_large_result_is_stored_is_survived(ctx: FakeDurableContext) -> None:
    execution = ctx.run(in_child(CONTEXT_LIMIT + 100), faults="child:stored, pause:suspend, invocation@2:return")
    assert execution.result == CONTEXT_LIMIT + 98
    assert execution.body_runs("child/half") == 1


def test_a_large_map_is_rebuilt_from_its_items(ctx: FakeDurableContext) -> None:
    def item(context: DurableContext, number: int, index: int, items: Any) -> str:
        found: str = context.step(returns(text(CONTEXT_LIMIT // 2)), name="step")
        return found

    def handler(event: Any, context: DurableContext) -> list[int]:
        results: list[str] = context.map([1, 2, 3], item, name="m").get_results()
        context.wait(seconds(60))
        return [len(result) for result in results]

    execution = ctx.run(handler)
    assert execution.result == [CONTEXT_LIMIT // 2 - 2] * 3
    assert [execution.body_runs(f"m/map-item-{index}/step") for index in range(3)] == [1, 1, 1]


def test_a_large_result_below_a_finished_context_is_of_no_interest(ctx: FakeDurableContext) -> None:
    def inner(context: DurableContext) -> str:
        found: str = context.step(returns(text(CONTEXT_LIMIT + 100)), name="step")
        return found

    def outer(context: DurableContext) -> int:
        return len(context.run_in_child_context(inner, name="inner"))

    def handler(event: Any, context: DurableContext) -> int:
        found = context.run_in_child_context(outer, name="outer")
        context.wait(seconds(60))
        return found

    execution = ctx.run(handler)
    assert execution.result == CONTEXT_LIMIT + 98
    assert [execution.body_runs(path) for path in ("outer", "outer/inner", "outer/inner/step")] == [1, 1, 1]


# --- the execution --------------------------------------------------------------------------------------------------


def large(length: int) -> Any:
    """A handler whose result has so many characters as JSON."""

    def handler(event: Any, context: DurableContext) -> str:
        context.step(returns(1), name="a")
        return text(length)

    return handler


@pytest.mark.parametrize("excess", [0, 1])
def test_a_result_around_the_limit_of_a_response(ctx: FakeDurableContext, excess: int) -> None:
    execution = ctx.run(large(RESPONSE_LIMIT + excess))
    assert (execution.status, len(execution.result)) == ("SUCCEEDED", RESPONSE_LIMIT + excess - 2)
    assert [operation.path for operation in execution.operations] == ["a"]
    assert len(execution.invocations) == 1


def test_a_large_result_survives_a_kill_before_it_is_stored(ctx: FakeDurableContext) -> None:
    execution = ctx.run(large(RESPONSE_LIMIT + 1), faults="a:stored")
    assert (len(execution.result), execution.body_runs("a")) == (RESPONSE_LIMIT - 1, 1)


def test_a_kill_after_a_large_result_was_stored_comes_too_late(ctx: FakeDurableContext) -> None:
    execution = ctx.run(large(RESPONSE_LIMIT + 1), faults="return")
    assert (execution.status, len(execution.invocations)) == ("SUCCEEDED", 1)


def test_an_error_too_large_for_a_response_fails_the_execution_all_the_same(ctx: FakeDurableContext) -> None:
    def handler(event: Any, context: DurableContext) -> None:
        raise ValueError("x" * (RESPONSE_LIMIT + 1))

    execution = ctx.run(handler)
    assert (execution.status, len(execution.invocations)) == ("FAILED", 1)
