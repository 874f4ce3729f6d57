"""Parallels. Which branches an early end leaves behind must not be a matter of luck: hence `real_time`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from aws_durable_execution_sdk_python import DurableContext, ParallelBranch, durable_parallel_branch
from aws_durable_execution_sdk_python.config import NestingType, ParallelConfig, StepConfig

from tests.durable import ONCE, fails, returns, seconds
from tests.parity.handlers_maps import double, late
from tests.parity.handlers_steps import LARGE, flaky
from tests.parity.scenario import ALL_COMPLETED, FIRST_SUCCESSFUL, Table, batch, caught, without_jitter

TABLE = Table()


@TABLE.add()
def parallel(event: Any, context: DurableContext) -> Any:
    branches: list[Any] = [
        lambda child: child.step(returns("a"), name="a"),
        lambda child: child.run_in_child_context(lambda inner: inner.step(returns("b"), name="b"), name="inner"),
        lambda child: None,
    ]
    return [batch(context.parallel(branches, name="p")), batch(context.parallel(branches[:1]))]


@TABLE.add()
def parallel_of_nothing(event: Any, context: DurableContext) -> Any:
    return batch(context.parallel([], name="p"))


@durable_parallel_branch(name="fetch")
def fetch(child: DurableContext, user: int) -> Any:
    return child.step(returns(user), name="load")


@durable_parallel_branch()
def unnamed_fetch(child: DurableContext, user: int) -> Any:
    return child.step(returns(user), name="load")


@TABLE.add()
def parallel_with_named_branches(event: Any, context: DurableContext) -> Any:
    branches = [
        ParallelBranch[Any](lambda child: child.step(returns(1), name="a"), name="first"),
        ParallelBranch[Any](lambda child: 2),
        fetch(3),
        unnamed_fetch(4),
    ]
    return context.parallel(branches, name="p").get_results()


@TABLE.add()
def parallel_that_fails(event: Any, context: DurableContext) -> Any:
    branches: list[Any] = [
        lambda child: child.step(returns("a"), name="a"),
        lambda child: child.step(fails(LookupError("no b")), name="b", config=ONCE),
        lambda child: child.step(returns("c"), name="c"),
    ]
    result: Any = context.parallel(branches, name="p", config=ParallelConfig(max_concurrency=1))
    return [batch(result), caught(result.throw_if_error)]


@TABLE.add()
def parallel_that_completes_all(event: Any, context: DurableContext) -> Any:
    def failing(child: DurableContext) -> None:
        raise LookupError("no b")

    config = ParallelConfig(completion_config=ALL_COMPLETED)
    return batch(context.parallel([lambda child: 1, failing, failing], name="p", config=config))


@TABLE.add()
def flat_parallel(event: Any, context: DurableContext) -> Any:
    branches: list[Any] = [
        lambda child: child.step(returns("a"), name="a"),
        ParallelBranch[Any](lambda child: child.step(returns("b"), name="b"), name="second"),
    ]
    config = ParallelConfig(nesting_type=NestingType.FLAT)
    return batch(context.parallel(branches, name="p", config=config))


@TABLE.add()
def parallel_with_waits_and_retries(event: Any, context: DurableContext) -> Any:
    config = StepConfig(retry_strategy=without_jitter())

    def waiting(child: DurableContext) -> Any:
        child.wait(seconds(2), name="pause")
        return child.step(flaky(2), name="a", config=config)

    branches: list[Any] = [waiting, lambda child: child.step(flaky(3), name="b", config=config), lambda child: 3]
    return context.parallel(branches, name="p").get_results()


@TABLE.add()
def parallel_in_a_map(event: Any, context: DurableContext) -> Any:
    def item(child: DurableContext, item: int, index: int, items: Sequence[int]) -> Any:
        branches: list[Any] = [lambda inner: late(inner, 1, 0, []), lambda inner: double(inner, item, 0, [])]
        return child.parallel(branches, name="p").get_results()

    return context.map([1, 2], item, name="m").get_results()


@TABLE.add()
def parallel_with_a_large_result(event: Any, context: DurableContext) -> Any:
    branches: list[Any] = [lambda child: LARGE, lambda child: child.step(returns(1), name="a")]
    config = ParallelConfig(summary_generator=lambda result: "summary")
    result: Any = context.parallel(branches, name="p", config=config)
    context.wait(seconds(1), name="pause")
    return [len(result.get_results()[0]), result.get_results()[1]]


@TABLE.add()
def parallel_whose_summary_fails(event: Any, context: DurableContext) -> Any:
    def summary(result: Any) -> str:
        raise ZeroDivisionError("no summary")

    config = ParallelConfig(summary_generator=summary)
    return caught(lambda: context.parallel([lambda child: LARGE], name="p", config=config))


@TABLE.add(real_time=True)
def first_of_two(event: Any, context: DurableContext) -> Any:
    """The slower branch is left behind in its wait."""
    branches: list[Any] = [lambda child: late(child, 600, 0, []), lambda child: late(child, 1, 0, [])]
    config = ParallelConfig(completion_config=FIRST_SUCCESSFUL)
    result = batch(context.parallel(branches, name="p", config=config))
    return [result, context.step(returns(1), name="after")]


@TABLE.add(real_time=True)
def failing_while_another_waits(event: Any, context: DurableContext) -> Any:
    def failing(child: DurableContext) -> None:
        child.wait(seconds(1), name="pause")
        raise LookupError("no stock")

    result: Any = context.parallel([lambda child: late(child, 600, 0, []), failing], name="p")
    return [batch(result), caught(result.throw_if_error)]


@TABLE.add()
def parallel_in_which_one_fails_and_another_waits(event: Any, context: DurableContext) -> Any:
    """The inner parallel fails once both of its branches are over; a branch beside it waits as long."""

    def waiting(child: DurableContext) -> Any:
        return late(child, 2, 0, [])

    def failing(child: DurableContext) -> Any:
        return child.step(fails(LookupError("no stock")), name="reserve", config=ONCE)

    def inner(child: DurableContext) -> None:
        result: Any = child.parallel([failing, waiting], name="inner", config=to_the_end)
        result.throw_if_error()

    to_the_end = ParallelConfig(completion_config=ALL_COMPLETED)
    outer: Any = context.parallel([inner, waiting], name="outer", config=to_the_end)
    return [batch(outer), caught(outer.throw_if_error)]


@TABLE.add()
def large_parallel_in_which_one_fails(event: Any, context: DurableContext) -> Any:
    """It is run again over its branches, one of which has failed."""
    branches: list[Any] = [
        lambda child: child.step(returns(LARGE), name="large"),
        lambda child: child.step(fails(LookupError("no stock")), name="failing", config=ONCE),
    ]
    config = ParallelConfig(max_concurrency=1, completion_config=ALL_COMPLETED)
    result: Any = context.parallel(branches, name="p", config=config)
    context.wait(seconds(1), name="pause")
    found = batch(result)
    return [found["reason"], found["counts"], caught(result.throw_if_error)]
