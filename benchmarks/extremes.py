"""Executions at the far end of what AWS allows: long, many, wide and deep."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aws_durable_execution_sdk_python import DurableContext
from aws_durable_execution_sdk_python.config import Duration
from aws_durable_execution_sdk_python.waits import WaitForConditionConfig, WaitForConditionDecision

from benchmarks.measure import Scale, Table, work
from pytest_durable import Execution, FakeDurableContext

POLLS = 50
BETWEEN_POLLS = Duration.from_days(364 / POLLS)
OPERATIONS = 2_000
ITEMS = 1_000
LEVELS = 40


def a_year_of_polls(event: Any, context: DurableContext) -> Any:
    """364 days in 50 polls of a condition."""

    def decide(polled: int, attempt: int) -> WaitForConditionDecision:
        done = polled > POLLS
        return (
            WaitForConditionDecision.stop_polling()
            if done
            else WaitForConditionDecision.continue_waiting(BETWEEN_POLLS)
        )

    config = WaitForConditionConfig(wait_strategy=decide, initial_state=0)
    return context.wait_for_condition(lambda polled, _: polled + 1, config, name="poll")


def many_operations(event: Any, context: DurableContext) -> Any:
    """2,000 steps, one after the other."""
    return sum(context.step(lambda _: 1, name=f"step-{index}") for index in range(OPERATIONS))


def a_wide_map(event: Any, context: DurableContext) -> Any:
    """A map over 1,000 items, with a wait of a minute and a step in each."""

    def item(branch: DurableContext, number: int, index: int, items: Any) -> int:
        branch.wait(Duration.from_minutes(1), name="pause")
        done: int = branch.step(lambda _: 1, name="done")
        return done

    return sum(context.map(range(ITEMS), item, name="items").get_results())


def deep_nesting(event: Any, context: DurableContext) -> Any:
    """A step within 40 child contexts."""

    def level(depth: int) -> Callable[[DurableContext], Any]:
        if depth == 0:
            return lambda child: child.step(lambda _: LEVELS, name="innermost")
        return lambda child: child.run_in_child_context(level(depth - 1), name=f"level-{depth}")

    return level(LEVELS)(context)


HANDLERS = {
    "364 days in 50 polls": (a_year_of_polls, POLLS + 1),
    "2,000 steps": (many_operations, OPERATIONS),
    "a map over 1,000 items with waits": (a_wide_map, ITEMS),
    "40 levels of nesting": (deep_nesting, LEVELS),
}
"""For each what it returns."""


def measure(scale: Scale) -> Table:
    """Run each, as often as is worth it, and tell the fastest."""
    rows = []
    for name, (handler, expected) in HANDLERS.items():
        times = []
        for _ in range(min(scale.batches, 3)):
            seconds, execution = _timed(handler)
            assert execution.result == expected, execution
            times.append(seconds)
        invocations = f"{len(execution.invocations):,}"
        rows.append((name, f"{min(times) * 1_000:.0f} ms", invocations, f"{execution.elapsed / 86_400:.1f} days"))
    return Table("extremes", ("", "best", "invocations", "virtual time"), rows, readme=("", "best", "virtual time"))


def _timed(handler: Callable[..., Any]) -> tuple[float, Execution]:
    with FakeDurableContext() as context:
        context.run(deep_nesting)
        began = work()
        execution = context.run(handler)
        return work() - began, execution
