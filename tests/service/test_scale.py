"""Executions that are long, wide or deep: they end, with the right result, within seconds of real time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import freezegun.api
import pytest
from aws_durable_execution_sdk_python import DurableContext
from aws_durable_execution_sdk_python.config import MapConfig, NestingType
from aws_durable_execution_sdk_python.waits import WaitForConditionConfig, WaitForConditionDecision

from pytest_durable import Execution, FakeDurableContext
from tests.durable import returns, seconds

HANGS = 30
"""Seconds of real time after which something is wrong; each of these takes a tenth of that or less."""

DAY = 86_400


def run(ctx: FakeDurableContext, handler: Callable[[Any, DurableContext], Any]) -> Execution:
    """The execution, which must not have taken for ever."""
    began = freezegun.api.real_perf_counter()  # the attribute: a name of our own would be frozen
    execution = ctx.run(handler)
    assert freezegun.api.real_perf_counter() - began < HANGS
    assert execution.error is None
    return execution


def test_a_year_of_polling(ctx: FakeDurableContext) -> None:
    def strategy(state: int, attempt: int) -> WaitForConditionDecision:
        if state == 50:
            return WaitForConditionDecision.stop_polling()
        return WaitForConditionDecision.continue_waiting(seconds(364 * DAY / 49))

    config = WaitForConditionConfig(wait_strategy=strategy, initial_state=0)
    execution = run(ctx, lambda event, context: context.wait_for_condition(lambda state, info: state + 1, config))
    assert (execution.result, len(execution.invocations)) == (50, 50)
    assert round(execution.elapsed / DAY) == 364


def test_a_year_of_waits(ctx: FakeDurableContext) -> None:
    def handler(event: Any, context: DurableContext) -> int:
        for _ in range(52):
            context.wait(seconds(7 * DAY))
        return 52

    execution = run(ctx, handler)
    assert (execution.result, len(execution.invocations)) == (52, 53)
    assert round(execution.elapsed / DAY) == 364


def test_two_thousand_steps_in_one_invocation(ctx: FakeDurableContext) -> None:
    execution = run(ctx, lambda event, context: sum(context.step(returns(number)) for number in range(2_000)))
    assert (execution.result, len(execution.operations)) == (sum(range(2_000)), 2_000)
    assert len(execution.invocations) == 1


def test_two_thousand_operations_in_many_invocations(ctx: FakeDurableContext) -> None:
    def handler(event: Any, context: DurableContext) -> int:
        total = 0
        for _ in range(4):
            total += sum(context.step(returns(1)) for _ in range(499))
            context.wait(seconds(60))
        return total

    execution = run(ctx, handler)
    assert (execution.result, len(execution.operations), len(execution.invocations)) == (1_996, 2_000, 5)
    assert all(execution.body_runs(operation.path) == 1 for operation in execution.operations[:499])


def pausing(context: DurableContext, number: int, index: int, items: Any) -> int:
    context.wait(seconds(60), name="w")
    return number


@pytest.mark.parametrize("nesting", list(NestingType))
def test_a_map_of_a_thousand_items_with_a_wait_in_each(ctx: FakeDurableContext, nesting: NestingType) -> None:
    config = MapConfig[Any](nesting_type=nesting)

    def handler(event: Any, context: DurableContext) -> Any:
        results: list[int] = context.map(range(1_000), pausing, name="m", config=config).get_results()
        return results == [*range(1_000)]

    execution = run(ctx, handler)
    assert execution.result is True
    assert (len(execution.operation("m").children), round(execution.elapsed)) == (1_000, 60)
    assert len(execution.invocations) <= 5


def test_a_map_of_a_thousand_items_ten_at_a_time(ctx: FakeDurableContext) -> None:
    def item(context: DurableContext, number: int, index: int, items: Any) -> int:
        result: int = context.step(returns(number), name="a")
        return result

    config = MapConfig[Any](max_concurrency=10)
    execution = run(
        ctx,
        lambda event, context: sum(context.map(range(1_000), item, name="m", config=config).get_results()),
    )
    assert (execution.result, len(execution.invocations)) == (sum(range(1_000)), 1)


def test_a_map_whose_items_wait_for_different_times(ctx: FakeDurableContext) -> None:
    def item(context: DurableContext, number: int, index: int, items: Any) -> int:
        context.wait(seconds(number), name="w")
        return number

    execution = run(ctx, lambda event, context: sum(context.map(range(1, 41), item, name="m").get_results()))
    assert execution.result == sum(range(1, 41))
    assert len(execution.invocations) == 41


def nested(depth: int, leaf: Callable[[DurableContext], Any]) -> Callable[[DurableContext], Any]:
    if depth == 0:
        return leaf
    inner = nested(depth - 1, leaf)
    return lambda context: [depth, context.run_in_child_context(inner, name="c")]


def branched(depth: int, leaf: Callable[[DurableContext], Any]) -> Callable[[DurableContext], Any]:
    if depth == 0:
        return leaf
    inner = branched(depth - 1, leaf)
    return lambda context: [depth, *context.parallel([inner], name="c").get_results()]


def leaf(context: DurableContext) -> Any:
    context.wait(seconds(60), name="w")
    return [0, context.step(returns("deep"), name="a")]


@pytest.mark.parametrize(("build", "depth"), [(nested, 40), (branched, 20)], ids=["children", "parallels"])
def test_contexts_in_contexts(ctx: FakeDurableContext, build: Any, depth: int) -> None:
    root = build(depth, leaf)
    execution = run(ctx, lambda event, context: root(context))
    found = execution.result
    for level in range(depth, 0, -1):
        assert found[0] == level
        found = found[1]
    assert (found, len(execution.invocations)) == ([0, "deep"], 2)


def test_contexts_in_contexts_survive_a_kill_at_the_bottom(ctx: FakeDurableContext) -> None:
    root = nested(40, leaf)
    path = "/".join(["c"] * 40)
    execution = ctx.run(lambda event, context: root(context), faults=f"{path}/a:body, {path}:stored")
    assert (execution.status, execution.body_runs(f"{path}/a")) == ("SUCCEEDED", 2)


def test_fifty_executions_one_after_another(ctx: FakeDurableContext) -> None:
    def handler(event: Any, context: DurableContext) -> Any:
        context.wait(seconds(60))
        return context.step(returns(event))

    assert [ctx.run(handler, number).result for number in range(50)] == [*range(50)]
