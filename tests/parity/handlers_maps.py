"""Maps. Which items an early end leaves behind must not be a matter of luck: hence the many `one_by_one`."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from aws_durable_execution_sdk_python import (
    BatchItemStatus,
    CompletionDecision,
    CompletionOutcome,
    CompletionStatus,
    DurableContext,
    complete_batch,
    continue_batch,
)
from aws_durable_execution_sdk_python.config import (
    CompletionConfig,
    MapConfig,
    NestingType,
    ParallelConfig,
    StepConfig,
)

from tests.durable import ONCE, fails, returns, seconds
from tests.parity.handlers_steps import LARGE, Broken, Reversed, flaky
from tests.parity.scenario import (
    ALL_COMPLETED,
    ALL_SUCCESSFUL,
    FIRST_SUCCESSFUL,
    Table,
    batch,
    caught,
    until,
    without_jitter,
)

TABLE = Table()


def double(context: DurableContext, item: int, index: int, items: Sequence[int]) -> Any:
    return context.step(returns(item * 2), name="double")


def picky(context: DurableContext, item: int, index: int, items: Sequence[int]) -> Any:
    """Fails for odd items."""
    return context.step(fails(ValueError(f"{item} is odd")) if item % 2 else returns(item), name="pick", config=ONCE)


def late(context: DurableContext, item: int, index: int, items: Sequence[int]) -> Any:
    """Takes as many seconds as the item says."""
    context.wait(seconds(item), name="pause")
    return context.step(returns(item), name="done")


def one_by_one(completion: CompletionConfig | None = None, **more: Any) -> MapConfig[Any]:
    return MapConfig(max_concurrency=1, completion_config=completion or CompletionConfig(), **more)


@TABLE.add()
def mapped(event: Any, context: DurableContext) -> Any:
    return [batch(context.map([1, 2, 3], double, name="m")), batch(context.map((4,), double))]


@TABLE.add()
def map_of_nothing(event: Any, context: DurableContext) -> Any:
    return [
        batch(context.map([], double, name="m")),
        batch(context.map([], double, config=one_by_one(ALL_COMPLETED))),
        caught(lambda: context.map([], double, config=one_by_one(FIRST_SUCCESSFUL))),
    ]


@TABLE.add()
def map_with_arguments(event: Any, context: DurableContext) -> Any:
    def describe(context: DurableContext, item: Any, index: int, items: Sequence[Any]) -> Any:
        return [item, index, list(items)]

    return context.map(["a", {"b": None}], describe, name="m").get_results()


@TABLE.add()
def map_in_twos(event: Any, context: DurableContext) -> Any:
    return batch(context.map([1, 2, 3, 4, 5], double, name="m", config=MapConfig(max_concurrency=2)))


@TABLE.add()
def map_with_a_failing_item(event: Any, context: DurableContext) -> Any:
    config = one_by_one(CompletionConfig(tolerated_failure_count=2))
    return batch(context.map([2, 3, 4], picky, name="m", config=config))


@TABLE.add()
def map_that_fails_fast(event: Any, context: DurableContext) -> Any:
    return batch(context.map([2, 3, 4], picky, name="m", config=one_by_one()))


@TABLE.add()
def map_that_tolerates_no_failure(event: Any, context: DurableContext) -> Any:
    return batch(context.map([2, 3, 4], picky, name="m", config=one_by_one(ALL_SUCCESSFUL)))


@TABLE.add()
def map_that_tolerates_one_failure(event: Any, context: DurableContext) -> Any:
    config = one_by_one(CompletionConfig(tolerated_failure_count=1))
    return batch(context.map([1, 2, 3, 4], picky, name="m", config=config))


@TABLE.add()
def map_that_tolerates_a_third(event: Any, context: DurableContext) -> Any:
    config = one_by_one(CompletionConfig(tolerated_failure_percentage=34.0))
    return [
        batch(context.map([1, 2, 4], picky, name="a", config=config)),
        batch(context.map([1, 3, 4], picky, name="b", config=config)),
    ]


@TABLE.add()
def map_that_completes_all(event: Any, context: DurableContext) -> Any:
    config = MapConfig[int](completion_config=ALL_COMPLETED)
    return batch(context.map([1, 2, 3, 4], picky, name="m", config=config))


@TABLE.add()
def map_until_the_first_success(event: Any, context: DurableContext) -> Any:
    config = one_by_one(FIRST_SUCCESSFUL)
    return batch(context.map([1, 3, 4, 5], picky, name="m", config=config))


@TABLE.add()
def map_until_two_successes(event: Any, context: DurableContext) -> Any:
    config = one_by_one(CompletionConfig(min_successful=2, tolerated_failure_count=1))
    return [
        batch(context.map([2, 3, 4, 6], picky, name="a", config=config)),
        batch(context.map([1, 3, 4, 6], picky, name="b", config=config)),
        batch(context.map([1, 2, 3], picky, name="c", config=one_by_one(CompletionConfig(min_successful=2)))),
    ]


@TABLE.add()
def map_whose_error_is_thrown(event: Any, context: DurableContext) -> Any:
    config = MapConfig[int](completion_config=ALL_COMPLETED)
    result: Any = context.map([2, 3, 5], picky, name="m", config=config)
    errors = [[error.type, error.message] for error in result.get_errors() if error is not None]
    return [errors, caught(result.throw_if_error), len(result.failed()), len(result.started()), result.has_failure]


@TABLE.add()
def map_whose_error_escapes(event: Any, context: DurableContext) -> Any:
    context.map([2, 3, 5], picky, name="m", config=one_by_one()).throw_if_error()


@TABLE.add()
def map_with_named_items(event: Any, context: DurableContext) -> Any:
    config = MapConfig[str](item_namer=lambda item, index: f"{item}-{index}")
    return context.map(["a", "b"], lambda child, *_: child.step(returns(1)), name="m", config=config).get_results()


@TABLE.add()
def map_whose_namer_fails(event: Any, context: DurableContext) -> Any:
    def namer(item: int, index: int) -> str:
        raise ZeroDivisionError("no name")

    return caught(lambda: context.map([1, 2], double, name="m", config=MapConfig[int](item_namer=namer)))


@TABLE.add()
def flat_map(event: Any, context: DurableContext) -> Any:
    def item(child: DurableContext, item: int, index: int, items: Sequence[int]) -> Any:
        child.wait(seconds(1), name="pause")
        return child.run_in_child_context(lambda inner: inner.step(returns(item), name="a"), name="inner")

    config = MapConfig[int](nesting_type=NestingType.FLAT, max_concurrency=1)
    return batch(context.map([1, 2], item, name="m", config=config))


@TABLE.add()
def flat_map_with_a_failing_item(event: Any, context: DurableContext) -> Any:
    config = one_by_one(ALL_COMPLETED, nesting_type=NestingType.FLAT)
    return batch(context.map([1, 2, 3], picky, name="m", config=config))


@TABLE.add()
def map_with_waits(event: Any, context: DurableContext) -> Any:
    return [context.map([1, 1, 1], late, name="m").get_results(), context.step(returns(1), name="after")]


@TABLE.add()
def map_with_waits_of_several_lengths(event: Any, context: DurableContext) -> Any:
    """The runner is ahead of the SDK's clock (9.7) and takes a PENDING for a mistake, but invokes again."""
    return context.map([3, 1, 2], late, name="m").get_results()


@TABLE.add()
def map_with_waits_one_by_one(event: Any, context: DurableContext) -> Any:
    return batch(context.map([3, 1, 2], late, name="m", config=one_by_one()))


@TABLE.add()
def map_with_retries(event: Any, context: DurableContext) -> Any:
    config = StepConfig(retry_strategy=without_jitter())
    return context.map(
        [1, 2, 3], lambda child, item, *_: child.step(flaky(item), name="a", config=config), name="m"
    ).get_results()


@TABLE.add()
def map_with_conditions(event: Any, context: DurableContext) -> Any:
    def item(child: DurableContext, item: int, index: int, items: Sequence[int]) -> Any:
        return child.wait_for_condition(lambda state, check: state + 1, until(item), name="ready")

    return context.map([1, 2, 2], item, name="m").get_results()


@TABLE.add()
def map_with_a_large_result(event: Any, context: DurableContext) -> Any:
    def item(child: DurableContext, item: int, index: int, items: Sequence[int]) -> Any:
        return str(child.step(returns(item), name="a")) + LARGE[:150_000]

    first: Any = context.map([1, 2], item, name="m")
    context.wait(seconds(1), name="pause")
    return [[len(result) for result in first.get_results()], first.completion_reason.value]


@TABLE.add()
def map_with_large_items_and_a_summary(event: Any, context: DurableContext) -> Any:
    def item(child: DurableContext, item: int, index: int, items: Sequence[int]) -> Any:
        if item == 3:
            raise ValueError("three")
        return child.step(returns(LARGE), name="a")

    config = one_by_one(summary_generator=lambda result: f"{result.success_count} of {result.total_count}")
    first: Any = context.map([1, 2, 3, 4], item, name="m", config=config)
    context.wait(seconds(1), name="pause")
    return [len(first.get_results()), first.completion_reason.value, [item.status.value for item in first.all]]


@TABLE.add()
def map_with_serdes(event: Any, context: DurableContext) -> Any:
    def item(child: DurableContext, item: str, index: int, items: Sequence[str]) -> str:
        return item * 2

    config = MapConfig[str](item_serdes=Reversed())
    broken = MapConfig[str](serdes=Broken(), item_serdes=Reversed())
    first: Any = context.map(["ab", "cd"], item, name="m", config=config).get_results()
    error = caught(lambda: context.map(["ab"], item, name="broken", config=broken))
    context.wait(seconds(1))
    return [first, error]


@TABLE.add()
def completion_that_makes_no_sense(event: Any, context: DurableContext) -> Any:
    predicate = dict[str, Any](should_complete=lambda status: continue_batch())
    wrong: list[dict[str, Any]] = [
        {"min_successful": 0},
        {"tolerated_failure_count": -1},
        {"tolerated_failure_percentage": 101},
        {"should_complete": 7},
        {"min_successful": 1, **predicate},
    ]
    return [
        *(caught(partial(CompletionConfig, **arguments)) for arguments in wrong),
        caught(lambda: MapConfig[int](max_concurrency=0)),
        caught(lambda: ParallelConfig(max_concurrency=-1)),
        caught(lambda: context.map([1], double, config=one_by_one(CompletionConfig(min_successful=2)))),
        caught(lambda: CompletionDecision(complete=True)),
        caught(lambda: CompletionDecision(complete=False, outcome=CompletionOutcome.FAILED)),
    ]


@TABLE.add()
def completion_by_predicate(event: Any, context: DurableContext) -> Any:
    def two(status: CompletionStatus) -> CompletionDecision:
        return complete_batch() if status.success_count >= 2 else continue_batch()

    def odd(status: CompletionStatus) -> CompletionDecision:
        return complete_batch(CompletionOutcome.FAILED) if status.failure_count else continue_batch()

    def second(status: CompletionStatus) -> CompletionDecision:
        succeeded = status.items[1].status is BatchItemStatus.SUCCEEDED
        return complete_batch() if succeeded else continue_batch()

    results: Any = [
        context.map([2, 3, 4, 6], picky, name=rule.__name__, config=one_by_one(CompletionConfig(should_complete=rule)))
        for rule in (two, odd, second)
    ]
    context.wait(seconds(1), name="pause")
    return [[batch(result), caught(result.throw_if_error)] for result in results]


@TABLE.add()
def completion_before_anything_starts(event: Any, context: DurableContext) -> Any:
    config = one_by_one(CompletionConfig(should_complete=lambda status: complete_batch(CompletionOutcome.FAILED)))
    result: Any = context.map([1, 2], double, name="m", config=config)
    return [batch(result), caught(result.throw_if_error)]


@TABLE.add()
def completion_by_a_predicate_that_fails(event: Any, context: DurableContext) -> Any:
    def rule(status: CompletionStatus) -> CompletionDecision:
        raise ZeroDivisionError("no decision")

    config = one_by_one(CompletionConfig(should_complete=rule))
    return caught(lambda: context.map([1, 2], double, name="m", config=config))
