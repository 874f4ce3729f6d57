"""The default budget is small: a handler of ten operations is searched while one waits for it."""

from __future__ import annotations

from typing import Any

from aws_durable_execution_sdk_python import DurableContext

from benchmarks.measure import average
from pytest_durable import FakeDurableContext
from tests.durable import returns

TEN = 10


def ten_steps(event: Any, context: DurableContext) -> Any:
    return [context.step(returns(number), name=f"step {number}") for number in range(TEN)]


def test_ten_operations_take_one_run_for_each_place_and_few_more(ctx: FakeDurableContext) -> None:
    found = ctx.verify(ten_steps)
    assert len(found.places) == 3 * TEN + 1
    assert found.runs <= len(found.places) + 5


def test_a_run_of_a_search_costs_little_more_than_a_run(ctx: FakeDurableContext) -> None:
    """Each of them is two invocations, so a replay as well, and is checked."""
    ctx.verify(ten_steps)
    one = min(average(1, lambda: ctx.run(ten_steps)) for _ in range(10))
    search = min(average(1, lambda: ctx.verify(ten_steps)) for _ in range(2))
    assert search < 4 * one * ctx.verify(ten_steps).runs
