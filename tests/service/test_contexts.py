"""Child contexts, map and parallel: what they give back, what is stored of them, and how long they take."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from aws_durable_execution_sdk_python import BatchResult, ChildContextError, DurableContext, ParallelBranch
from aws_durable_execution_sdk_python.config import (
    ChildConfig,
    CompletionConfig,
    MapConfig,
    NestingType,
    ParallelConfig,
)

from pytest_durable import FakeDurableContext, Operation
from tests.durable import ONCE, fails, returns, seconds

ALL = CompletionConfig(tolerated_failure_percentage=100)
FIRST = CompletionConfig(min_successful=1)


def paths(operations: Iterable[Operation]) -> list[str]:
    """The paths of operations and of all below them, depth first."""
    return [path for operation in operations for path in (operation.path, *paths(operation.children))]


# --- child contexts -------------------------------------------------------------------------------------------------


def nested(event: Any, context: DurableContext) -> Any:
    def inner(child: DurableContext) -> Any:
        child.wait(seconds(30), name="pause")
        return child.step(returns("deep"), name="step")

    def outer(child: DurableContext) -> Any:
        first = child.step(returns("first"), name="step")
        return [first, child.run_in_child_context(inner, name="inner")]

    return context.run_in_child_context(outer, name="outer")


def test_children_are_below_their_context(ctx: FakeDurableContext) -> None:
    execution = ctx.run(nested)
    assert execution.result == ["first", "deep"]
    assert paths(execution.operations) == [
        "outer",
        "outer/step",
        "outer/inner",
        "outer/inner/pause",
        "outer/inner/step",
    ]
    assert {execution.operation(path).sub_type for path in ("outer", "outer/inner")} == {"RunInChildContext"}
    assert execution.body_runs("outer/step") == 1


def test_a_context_that_fails_raises_in_the_handler(ctx: FakeDurableContext) -> None:
    def child(context: DurableContext) -> None:
        raise LookupError("no stock")

    def handler(event: Any, context: DurableContext) -> Any:
        try:
            context.run_in_child_context(child, name="child")
        except ChildContextError as error:
            return [error.error_type, str(error)]

    execution = ctx.run(handler)
    assert execution.result == ["LookupError", "no stock"]
    assert execution.operation("child").status == "FAILED"


def test_nothing_is_stored_of_a_virtual_context(ctx: FakeDurableContext) -> None:
    def child(context: DurableContext) -> Any:
        return context.step(returns("inside"), name="step")

    def handler(event: Any, context: DurableContext) -> Any:
        return context.run_in_child_context(child, name="scope", config=ChildConfig(is_virtual=True))

    execution = ctx.run(handler)
    assert execution.result == "inside"
    assert paths(execution.operations) == ["scope/step"]
    assert execution.body_runs("scope") == 1


def test_a_virtual_context_that_fails_raises_in_the_handler(ctx: FakeDurableContext) -> None:
    def child(context: DurableContext) -> Any:
        context.wait(seconds(5), name="pause")
        raise LookupError("no stock")

    def handler(event: Any, context: DurableContext) -> Any:
        try:
            context.run_in_child_context(child, name="scope", config=ChildConfig(is_virtual=True))
        except Exception as error:
            return str(error)

    assert ctx.run(handler).result == "no stock"


def test_unnamed_operations_go_by_their_position_in_their_context(ctx: FakeDurableContext) -> None:
    def child(context: DurableContext) -> None:
        context.step(returns(1))
        context.wait(seconds(1))

    def handler(event: Any, context: DurableContext) -> None:
        context.step(returns(1))
        context.step(returns(2), name="named")
        context.run_in_child_context(child)

    assert paths(ctx.run(handler).operations) == ["[1]", "named", "[3]", "[3]/[1]", "[3]/[2]"]


# --- map ------------------------------------------------------------------------------------------------------------


def double(context: DurableContext, item: int, index: int, items: Any) -> Any:
    return context.step(lambda step: item * 2, name="double")


def mapped(items: list[Any], func: Any, **config: Any) -> Any:
    """A handler that maps, and returns the results, the errors' messages and why the map was complete."""

    def handler(event: Any, context: DurableContext) -> Any:
        batch: BatchResult[Any] = context.map(items, func, name="m", config=MapConfig(**config))
        errors = [error and error.message for error in batch.get_errors()]
        return [batch.get_results(), errors, batch.completion_reason.value]

    return handler


def test_a_map_gives_the_results_in_the_order_of_the_items(ctx: FakeDurableContext) -> None:
    execution = ctx.run(mapped([3, 1, 2], double))
    assert execution.result == [[6, 2, 4], [], "ALL_COMPLETED"]
    assert paths(execution.operations) == ["m"] + [
        path for index in range(3) for path in (f"m/map-item-{index}", f"m/map-item-{index}/double")
    ]
    assert execution.operation("m").sub_type == "Map"
    assert execution.operation("m/map-item-2").sub_type == "MapIteration"


def test_a_map_of_nothing_gives_nothing(ctx: FakeDurableContext) -> None:
    execution = ctx.run(mapped([], double))
    assert execution.result == [[], [], "ALL_COMPLETED"]
    assert paths(execution.operations) == ["m"]


def test_items_can_be_named(ctx: FakeDurableContext) -> None:
    execution = ctx.run(mapped([3, 1], double, item_namer=lambda item, index: f"item {item}"))
    assert paths(execution.operations) == ["m", "m/item 3", "m/item 3/double", "m/item 1", "m/item 1/double"]


def waiting(context: DurableContext, item: int, index: int, items: Any) -> Any:
    context.wait(seconds(item), name="pause")
    return context.step(returns(item), name="step")


@pytest.mark.parametrize(
    ("items", "limit", "duration"),
    [([30, 60, 10], None, 60), ([30, 60, 10], 1, 100), ([30, 60, 10, 20], 2, 60), ([5] * 10, 5, 10)],
)
def test_waits_of_items_pass_side_by_side_within_the_limit(
    ctx: FakeDurableContext, items: list[int], limit: int | None, duration: int
) -> None:
    execution = ctx.run(mapped(items, waiting, max_concurrency=limit))
    assert execution.result[0] == items
    assert execution.elapsed == pytest.approx(duration, abs=3)
    assert execution.billed < 5


def picky(context: DurableContext, item: int, index: int, items: Any) -> Any:
    return context.step(fails(ValueError(f"item {item}")) if item < 0 else returns(item), name="step", config=ONCE)


def test_a_map_fails_fast_by_default(ctx: FakeDurableContext) -> None:
    execution = ctx.run(mapped([1, -2, 3], picky, max_concurrency=1))
    assert execution.result == [[1], ["item -2"], "FAILURE_TOLERANCE_EXCEEDED"]
    assert execution.operation("m").status == "SUCCEEDED"
    assert execution.operation("m/map-item-1").status == "FAILED"


def test_a_map_can_tolerate_every_failure(ctx: FakeDurableContext) -> None:
    execution = ctx.run(mapped([1, -2, 3, -4], picky, completion_config=ALL))
    assert execution.result == [[1, 3], ["item -2", "item -4"], "ALL_COMPLETED"]


def test_a_map_in_a_map(ctx: FakeDurableContext) -> None:
    def row(context: DurableContext, item: list[int], index: int, items: Any) -> Any:
        return context.map(item, double, name="row").get_results()

    execution = ctx.run(mapped([[1, 2], [3]], row))
    assert execution.result[0] == [[2, 4], [6]]
    assert "m/map-item-0/row/map-item-1/double" in paths(execution.operations)


@pytest.mark.parametrize("place", ["m:start", "m/map-item-1/double:body", "m/map-item-1:stored", "m:body", "m:stored"])
def test_a_kill_within_a_flat_map(ctx: FakeDurableContext, place: str) -> None:
    handler = mapped([1, 2, 3], double, nesting_type=NestingType.FLAT)
    if place.startswith("m/map-item-1:"):
        with pytest.warns(match="never came to that place"):
            execution = ctx.run(handler, faults=place)
    else:
        execution = ctx.run(handler, faults=place)
    assert execution.result[0] == [2, 4, 6]
    assert paths(execution.operations) == ["m", *(f"m/map-item-{index}/double" for index in range(3))]


# --- parallel -------------------------------------------------------------------------------------------------------


def branch(pause: int, value: Any) -> Any:
    def body(context: DurableContext) -> Any:
        context.wait(seconds(pause), name="pause")
        return context.step(returns(value), name="step")

    return body


def test_parallel_branches_with_different_waits_take_as_long_as_the_longest(ctx: FakeDurableContext) -> None:
    def handler(event: Any, context: DurableContext) -> Any:
        return context.parallel(
            [branch(300, "slow"), branch(20, "quick"), branch(20, "as quick")], name="p"
        ).get_results()

    execution = ctx.run(handler)
    assert execution.result == ["slow", "quick", "as quick"]
    assert int(execution.elapsed) == 300
    assert execution.operation("p").sub_type == "Parallel"
    assert execution.operation("p/parallel-branch-0").sub_type == "ParallelBranch"
    assert all(execution.body_runs(f"p/parallel-branch-{index}/step") == 1 for index in range(3))


def test_parallel_branches_can_be_named(ctx: FakeDurableContext) -> None:
    def handler(event: Any, context: DurableContext) -> Any:
        branches = [ParallelBranch(branch(5, "a"), name="stock"), branch(5, "b")]
        return context.parallel(branches, name="p").get_results()

    assert [view.path for view in ctx.run(handler).operation("p").children] == ["p/stock", "p/parallel-branch-1"]


def test_a_branch_that_works_while_another_waits_keeps_the_invocation(ctx: FakeDurableContext) -> None:
    import time

    def worker(context: DurableContext) -> Any:
        context.step(lambda step: time.sleep(100), name="work")  # noqa: TID251  # virtual
        return "worked"

    def handler(event: Any, context: DurableContext) -> Any:
        return context.parallel([branch(10, "waited"), worker], name="p").get_results()

    execution = ctx.run(handler)
    assert (execution.result, len(execution.invocations)) == (["waited", "worked"], 1)
    assert int(execution.elapsed) == 100


def test_the_first_success_is_enough_if_so_configured(ctx: FakeDurableContext) -> None:
    config = ParallelConfig(completion_config=FIRST)

    def handler(event: Any, context: DurableContext) -> Any:
        batch = context.parallel([branch(600, "slow"), branch(20, "quick")], name="p", config=config)
        return [batch.get_results(), batch.completion_reason.value]

    execution = ctx.run(handler)
    assert execution.result == [["quick"], "MIN_SUCCESSFUL_REACHED"]
    assert int(execution.elapsed) == 20
    assert execution.operation("p/parallel-branch-0").status == "STARTED"


def test_the_wait_of_an_abandoned_branch_does_not_keep_the_execution_open(ctx: FakeDurableContext) -> None:
    config = ParallelConfig(completion_config=FIRST)

    def handler(event: Any, context: DurableContext) -> Any:
        context.parallel([branch(600, "slow"), branch(20, "quick")], name="p", config=config)
        context.wait(seconds(3_600), name="later")

    execution = ctx.run(handler)
    assert execution.status == "SUCCEEDED"
    assert execution.operation("p/parallel-branch-0/pause").status == "SUCCEEDED"
    assert int(execution.elapsed) == 3_620


@pytest.mark.parametrize("nesting", list(NestingType))
def test_flat_and_nested_branches_give_the_same(ctx: FakeDurableContext, nesting: NestingType) -> None:
    def handler(event: Any, context: DurableContext) -> Any:
        config = ParallelConfig(nesting_type=nesting)
        return context.parallel([branch(10, "a"), branch(20, "b")], name="p", config=config).get_results()

    execution = ctx.run(handler)
    assert execution.result == ["a", "b"]
    kinds = {view.sub_type for view in execution.operation("p").children}
    assert kinds == ({"ParallelBranch"} if nesting is NestingType.NESTED else {"Wait", "Step"})
