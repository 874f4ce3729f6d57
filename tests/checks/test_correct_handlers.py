"""No false alarm: correct handlers of every shape are safe, wherever they are killed."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import random
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from aws_durable_execution_sdk_python import (
    BatchResult,
    ChildContextError,
    CompletionStatus,
    DurableContext,
    InvocationError,
    ParallelBranch,
    StepContext,
    StepError,
    WithRetryConfig,
    complete_batch,
    continue_batch,
    durable_execution,
    durable_step,
    durable_with_child_context,
    with_retry,
)
from aws_durable_execution_sdk_python.config import (
    ChildConfig,
    CompletionConfig,
    MapConfig,
    NestingType,
    ParallelConfig,
    StepConfig,
)
from aws_durable_execution_sdk_python.retries import RetryPresets
from aws_durable_execution_sdk_python.waits import WaitForConditionConfig, WaitForConditionDecision

from tests.checks.verdicts import Handler, verified
from tests.durable import AT_MOST_ONCE, ONCE, ONCE_AT_MOST, Flaky, attempts, fails, returns, seconds

FIRST = CompletionConfig(min_successful=1)
TOLERANT = CompletionConfig(tolerated_failure_percentage=100)
LARGE = "x" * 150_000
"""Two of them are more than the SDK stores of a context."""


def now(step: Any = None) -> datetime:
    return datetime.now(UTC)  # noqa: TID251  # as a user would


def new_id(step: Any = None) -> str:
    return str(uuid.uuid4())  # noqa: TID251  # as a user would


def nothing(event: Any, context: DurableContext) -> None:
    pass


def one_step(event: Any, context: DurableContext) -> Any:
    return context.step(returns(1), name="a")


def unnamed_steps(event: Any, context: DurableContext) -> Any:
    return [context.step(returns(number)) for number in range(4)]


def steps_of_one_name(event: Any, context: DurableContext) -> Any:
    return [context.step(returns(number), name="a") for number in range(3)]


def steps_and_waits(event: Any, context: DurableContext) -> Any:
    first = context.step(returns(1), name="first")
    context.wait(seconds(300), name="pause")
    second = context.step(returns(first + 1), name="second")
    context.wait(seconds(86_400), name="night")
    return [first, second]


def id_made_in_a_step(event: Any, context: DurableContext) -> Any:
    request = context.step(new_id, name="id")
    return context.step(lambda step: {"id": request, "status": "sent"}, name=f"send {request}")


def id_made_outside_of_a_step(event: Any, context: DurableContext) -> Any:
    context.step(returns(1), name="a")
    return {"trace": new_id()}


def time_between_two_steps(event: Any, context: DurableContext) -> Any:
    started = context.step(lambda step: now().timestamp(), name="started")
    context.wait(seconds(60), name="pause")
    return context.step(lambda step: now().timestamp(), name="ended") - started


def time_of_recorded_datetimes(event: Any, context: DurableContext) -> Any:
    started: datetime = context.step(now, name="started")
    context.wait(seconds(60), name="pause")
    ended: datetime = context.step(now, name="ended")
    return (ended - started) / timedelta(seconds=1)


def wait_until_a_recorded_moment(event: Any, context: DurableContext) -> Any:
    left = context.step(lambda step: 3_600 - now().minute * 60 - now().second, name="until the hour")
    context.wait(seconds(left), name="until the hour")
    return left


def random_choice_in_a_step(event: Any, context: DurableContext) -> Any:
    number = context.step(lambda step: random.randrange(3), name="draw")
    for _ in range(number):
        context.wait(seconds(5))
    return context.step(returns("done"), name="done")


def default_retries(event: Any, context: DurableContext) -> Any:
    def body(step: StepContext) -> int:
        if step.attempt < 4:
            raise ConnectionError("down")
        return step.attempt

    return context.step(body, name="flaky")


def retries_with_presets(event: Any, context: DurableContext) -> Any:
    def body(step: StepContext) -> int:
        if step.attempt < 2:
            raise ConnectionError("down")
        return step.attempt

    presets = [RetryPresets.critical(), RetryPresets.transient(), RetryPresets.resource_availability()]
    return [context.step(body, config=StepConfig(retry_strategy=preset)) for preset in presets]


flaky = Flaky(2)


def retries_of_the_outside_world(event: Any, context: DurableContext) -> Any:
    return context.step(flaky, name="flaky", config=attempts(3))


def at_most_once(event: Any, context: DurableContext) -> Any:
    return context.step(returns("charged"), name="charge", config=ONCE_AT_MOST)


def at_most_once_with_retries(event: Any, context: DurableContext) -> Any:
    return context.step(returns("charged"), name="charge", config=attempts(5, semantics=AT_MOST_ONCE))


def step_error_caught(event: Any, context: DurableContext) -> Any:
    try:
        context.step(fails(LookupError("no stock")), name="reserve", config=attempts(2))
    except StepError as error:
        return [error.error_type, context.step(returns("refunded"), name="refund")]


def any_error_caught(event: Any, context: DurableContext) -> Any:
    outcomes = []
    for number in range(3):
        try:
            body = fails(ValueError("odd")) if number % 2 else returns(number)
            outcomes.append(context.step(body, name=f"step {number}", config=ONCE))
        except Exception as error:
            outcomes.append(str(error))
    return outcomes


def step_failing_for_good(event: Any, context: DurableContext) -> Any:
    return context.step(fails(LookupError("no stock")), name="reserve", config=attempts(3))


def raising(event: Any, context: DurableContext) -> Any:
    context.step(returns(1), name="a")
    raise LookupError("no such order")


def compensation(event: Any, context: DurableContext) -> Any:
    undo: list[tuple[str, Any]] = []
    try:
        for name in ("flight", "hotel", "car"):
            body = fails(LookupError("no car")) if name == "car" else returns(name)
            booked = context.step(body, name=f"book {name}", config=ONCE)
            undo.append((name, booked))
    except StepError:
        for name, booked in reversed(undo):
            context.step(returns(booked), name=f"cancel {name}")
    return [name for name, _ in undo]


def finally_that_frees_what_is_local(event: Any, context: DurableContext) -> Any:
    buffer: list[int] = []
    try:
        buffer.append(context.step(returns(1), name="a"))
        context.wait(seconds(5))
        return list(buffer)
    finally:
        buffer.clear()


def context_manager_around_steps(event: Any, context: DurableContext) -> Any:
    @contextlib.contextmanager
    def session() -> Iterator[str]:
        yield "session"

    with session() as name:
        context.wait(seconds(5))
        return context.step(returns(name), name="use")


def child_contexts(event: Any, context: DurableContext) -> Any:
    def inner(child: DurableContext) -> Any:
        child.wait(seconds(5), name="pause")
        return child.step(returns("deep"), name="deep")

    def outer(child: DurableContext) -> Any:
        return [child.step(returns(1), name="a"), child.run_in_child_context(inner, name="inner")]

    return context.run_in_child_context(outer, name="outer")


def child_context_that_fails(event: Any, context: DurableContext) -> Any:
    def child(inner: DurableContext) -> None:
        inner.step(returns(1), name="a")
        inner.wait(seconds(5), name="pause")
        raise LookupError("no stock")

    try:
        context.run_in_child_context(child, name="child")
    except ChildContextError as error:
        return str(error)


def virtual_context(event: Any, context: DurableContext) -> Any:
    def child(inner: DurableContext) -> Any:
        first = inner.step(returns(1), name="a")
        inner.wait(seconds(5), name="pause")
        return first + inner.step(returns(2), name="b")

    return context.run_in_child_context(child, name="scope", config=ChildConfig(is_virtual=True))


@durable_with_child_context
def bound_child(context: DurableContext, order: int) -> Any:
    context.wait(seconds(5))
    return context.step(returns(order), name="a")


@durable_step
def bound_step(step: StepContext, order: int) -> int:
    return order + 1


def decorated_bodies(event: Any, context: DurableContext) -> Any:
    return [context.step(bound_step(7)), context.run_in_child_context(bound_child(7))]


def item(context: DurableContext, number: int, index: int, items: Any) -> Any:
    context.wait(seconds(number), name="pause")
    return context.step(returns(number * 2), name="double")


def picky_item(context: DurableContext, number: int, index: int, items: Any) -> Any:
    return context.step(fails(ValueError("odd")) if number % 2 else returns(number), name="pick", config=ONCE)


def results_of(batch: BatchResult[Any]) -> Any:
    return [batch.get_results(), batch.completion_reason.value]


def mapped(event: Any, context: DurableContext) -> Any:
    return results_of(context.map([1, 2], item, name="m"))


def map_of_nothing(event: Any, context: DurableContext) -> Any:
    return results_of(context.map([], item, name="m"))


def map_within_limits(event: Any, context: DurableContext) -> Any:
    return results_of(context.map([10, 20, 10], item, name="m", config=MapConfig(max_concurrency=2)))


def map_one_by_one(event: Any, context: DurableContext) -> Any:
    return results_of(context.map([5, 5], item, name="m", config=MapConfig(max_concurrency=1)))


def map_with_tolerated_failures(event: Any, context: DurableContext) -> Any:
    config = MapConfig[Any](max_concurrency=1, completion_config=TOLERANT)
    return results_of(context.map([2, 3, 4], picky_item, name="m", config=config))


def map_that_fails_fast(event: Any, context: DurableContext) -> Any:
    return results_of(context.map([2, 3, 4], picky_item, name="m", config=MapConfig(max_concurrency=1)))


def map_with_named_items(event: Any, context: DurableContext) -> Any:
    config = MapConfig[Any](item_namer=lambda number, index: f"item {number}")
    return results_of(context.map([2, 4], picky_item, name="m", config=config))


def flat_map(event: Any, context: DurableContext) -> Any:
    config = MapConfig[Any](nesting_type=NestingType.FLAT)
    return results_of(context.map([5, 10], item, name="m", config=config))


def map_in_a_map(event: Any, context: DurableContext) -> Any:
    def row(child: DurableContext, numbers: list[int], index: int, items: Any) -> Any:
        return child.map(numbers, item, name="row").get_results()

    return results_of(context.map([[1], [2]], row, name="table"))


def map_of_a_stored_list(event: Any, context: DurableContext) -> Any:
    items: list[int] = context.step(lambda step: [4, 2], name="list")
    return results_of(context.map(sorted(items), picky_item, name="m"))


def branch(pause: int, value: Any) -> Any:
    def body(context: DurableContext) -> Any:
        context.wait(seconds(pause), name="pause")
        return context.step(returns(value), name="step")

    return body


def parallel(event: Any, context: DurableContext) -> Any:
    return results_of(context.parallel([branch(300, "slow"), branch(20, "quick"), branch(20, "as quick")], name="p"))


def parallel_until_the_first_success(event: Any, context: DurableContext) -> Any:
    config = ParallelConfig(completion_config=FIRST)
    return results_of(context.parallel([branch(600, "slow"), branch(20, "quick")], name="p", config=config))


def parallel_with_a_predicate(event: Any, context: DurableContext) -> Any:
    def enough(status: CompletionStatus) -> Any:
        return complete_batch() if status.success_count >= 1 else continue_batch()

    config = ParallelConfig(completion_config=CompletionConfig(should_complete=enough))
    return results_of(context.parallel([branch(20, "quick"), branch(600, "slow")], name="p", config=config))


def flat_parallel(event: Any, context: DurableContext) -> Any:
    config = ParallelConfig(nesting_type=NestingType.FLAT)
    return results_of(context.parallel([branch(10, "a"), branch(20, "b")], name="p", config=config))


def named_branches(event: Any, context: DurableContext) -> Any:
    branches: list[ParallelBranch[Any]] = [
        ParallelBranch(branch(10, "a"), name="left"),
        ParallelBranch(branch(10, "b"), name="right"),
    ]
    return results_of(context.parallel(branches, name="p"))


def retries_in_branches(event: Any, context: DurableContext) -> Any:
    def retried(delay: int) -> Any:
        def body(step: StepContext) -> int:
            if step.attempt < 2:
                raise ConnectionError("down")
            return step.attempt

        return lambda child: child.step(body, name="flaky", config=attempts(3, delay=delay))

    return results_of(context.parallel([retried(5), retried(50)], name="p"))


def parallel_of_children(event: Any, context: DurableContext) -> Any:
    def nested(child: DurableContext) -> Any:
        return child.run_in_child_context(branch(5, "deep"), name="inner")

    return results_of(context.parallel([nested, nested], name="p"))


def large_child(event: Any, context: DurableContext) -> Any:
    def child(inner: DurableContext) -> Any:
        return inner.step(returns(LARGE), name="half") + inner.step(returns(LARGE), name="rest")

    found = context.run_in_child_context(child, name="child")
    context.wait(seconds(5), name="pause")
    return len(found)


def large_map(event: Any, context: DurableContext) -> Any:
    def part(child: DurableContext, number: int, index: int, items: Any) -> Any:
        return child.step(returns(LARGE + str(number)), name="part")

    parts: list[str] = context.map([1, 2], part, name="m").get_results()
    context.wait(seconds(5), name="pause")
    return [len(text) for text in parts]


def polled(event: Any, context: DurableContext) -> Any:
    def strategy(state: int, attempt: int) -> WaitForConditionDecision:
        if state >= 3:
            return WaitForConditionDecision.stop_polling()
        return WaitForConditionDecision.continue_waiting(seconds(30))

    config = WaitForConditionConfig(wait_strategy=strategy, initial_state=0)
    return context.wait_for_condition(lambda state, check: state + 1, config, name="poll")


def retried_block(event: Any, context: DurableContext) -> Any:
    def block(inner: Any, attempt: int) -> Any:
        first = inner.step(returns(attempt), name="a")
        if attempt < 3:
            raise ConnectionError("down")
        return [first, inner.step(returns("done"), name="b")]

    strategy = attempts(3).retry_strategy
    return with_retry(context, block, WithRetryConfig(retry_strategy=strategy), name="block")


def retried_block_without_a_context(event: Any, context: DurableContext) -> Any:
    def block(inner: Any, attempt: int) -> Any:
        if attempt < 2:
            raise ConnectionError("down")
        return inner.step(returns(attempt), name="a")

    config: WithRetryConfig[Any] = WithRetryConfig(attempts(3).retry_strategy, wrap_with_run_in_child_context=False)
    return with_retry(context, block, config, name="block")


def steps_that_take_time(event: Any, context: DurableContext) -> Any:
    context.step(lambda step: time.sleep(0.5), name="short")  # noqa: TID251  # virtual: this is a step
    context.step(lambda step: time.sleep(300), name="long")  # noqa: TID251  # virtual: this is a step
    return context.step(returns("done"), name="done")


def threads_in_a_step(event: Any, context: DurableContext) -> Any:
    def body(step: Any) -> int:
        with ThreadPoolExecutor(2) as pool:
            return sum(pool.map(abs, range(-5, 5)))

    return context.step(body, name="sum")


def coroutines_in_a_step(event: Any, context: DurableContext) -> Any:
    async def fetch(number: int) -> int:
        await asyncio.sleep(0)
        return number

    async def gather() -> list[int]:
        return list(await asyncio.gather(*map(fetch, range(3))))

    return context.step(lambda step: asyncio.run(gather()), name="gather")


def values_of_every_type(event: Any, context: DurableContext) -> Any:
    values: list[Any] = [None, "", [], {}, 0, False, 1.5, "ø", b"bytes", Decimal("1.10"), (1, 2), {1: 2}, now()]
    return [str(context.step(returns(value))) for value in values[:-1]]


def logging_handler(event: Any, context: DurableContext) -> Any:
    context.logger.info("started")
    context.step(lambda step: step.logger.info("in the step"), name="a")
    context.wait(seconds(5))
    context.logger.info("resumed")


def loop_over_the_event(event: Any, context: DurableContext) -> Any:
    totals = {}
    for order in event["orders"]:
        if order["cents"] > 1_000:
            context.wait(seconds(60), name=f"review {order['id']}")
        totals[order["id"]] = context.step(returns(order["cents"] * 2), name=f"charge {order['id']}")
    return totals


def branch_on_a_stored_result(event: Any, context: DurableContext) -> Any:
    if context.step(lambda step: now().second % 2 == 0, name="read flag"):
        context.wait(seconds(5), name="even")
    else:
        context.step(returns(1), name="odd")
    return "done"


def result_beyond_what_an_answer_holds(event: Any, context: DurableContext) -> Any:
    """The SDK stores it instead, as an update of the execution itself."""
    return context.step(returns(1), name="a") and "r" * (6 * 1_024 * 1_024 - 10)


def error_of_a_retry_strategy(event: Any, context: DurableContext) -> Any:
    """The SDK has not stored the step when its strategy raises, and the handler goes on."""

    def strategy(error: Exception, attempt: int) -> Any:
        raise LookupError("no decision")

    context.step(returns(1), name="before")
    with contextlib.suppress(LookupError):
        context.step(fails(ConnectionError("down")), name="a", config=StepConfig(retry_strategy=strategy))
    return "done"


def failing_until_it_is_given_up(event: Any, context: DurableContext) -> Any:
    """Whether it is this error or a kill that the last of all invocations fails with is not its business."""

    def child(inner: DurableContext) -> None:
        raise InvocationError("try again")

    context.run_in_child_context(child, name="child")


def lambda_context_read(event: Any, context: DurableContext) -> Any:
    lambda_context: Any = context.lambda_context
    lambda_context.get_remaining_time_in_millis()
    return context.step(returns(lambda_context.function_name), name="a")


class Orders:
    """A handler that is an object."""

    def __call__(self, event: Any, context: DurableContext) -> Any:
        return context.step(self.charge, name="charge")

    def charge(self, step: Any) -> str:
        return "charged"

    def handle(self, event: Any, context: DurableContext) -> Any:
        context.wait(seconds(5))
        return context.step(self.charge)


def with_settings(settings: dict[str, int], event: Any, context: DurableContext) -> Any:
    return context.step(returns(settings["limit"]), name="a")


RANDOM: list[Handler] = [id_made_in_a_step, random_choice_in_a_step]
"""Handlers whose operations differ from run to run, so that not every kill finds its place."""

TWICE: list[Handler] = [
    steps_and_waits,
    id_made_outside_of_a_step,
    time_between_two_steps,
    default_retries,
    at_most_once,
    at_most_once_with_retries,
    step_error_caught,
    compensation,
    child_contexts,
    child_context_that_fails,
    map_within_limits,
    map_with_tolerated_failures,
    flat_map,
    parallel,
    parallel_until_the_first_success,
    retries_in_branches,
    large_child,
    polled,
    retried_block,
    raising,
]
"""Those that are killed twice, and so at every single place as well."""

ONCE_EACH: list[Handler] = [
    nothing,
    one_step,
    unnamed_steps,
    steps_of_one_name,
    time_of_recorded_datetimes,
    wait_until_a_recorded_moment,
    retries_with_presets,
    any_error_caught,
    step_failing_for_good,
    finally_that_frees_what_is_local,
    context_manager_around_steps,
    virtual_context,
    decorated_bodies,
    mapped,
    map_of_nothing,
    map_one_by_one,
    map_that_fails_fast,
    map_with_named_items,
    map_in_a_map,
    map_of_a_stored_list,
    parallel_with_a_predicate,
    flat_parallel,
    named_branches,
    parallel_of_children,
    large_map,
    retried_block_without_a_context,
    steps_that_take_time,
    threads_in_a_step,
    coroutines_in_a_step,
    values_of_every_type,
    logging_handler,
    branch_on_a_stored_result,
    lambda_context_read,
    result_beyond_what_an_answer_holds,
    error_of_a_retry_strategy,
    failing_until_it_is_given_up,
    Orders(),
    Orders().handle,
    functools.partial(with_settings, {"limit": 3}),
    durable_execution(one_step),
]
"""The others: every shape is somewhere."""


def name_of(handler: Handler) -> str:
    return getattr(handler, "__qualname__", type(handler).__name__)


@pytest.mark.parametrize("handler", ONCE_EACH, ids=name_of)
def test_a_correct_handler_survives_any_single_kill(handler: Handler) -> None:
    found = verified(handler)
    assert found.killed == found.places


@pytest.mark.parametrize("handler", TWICE, ids=name_of)
def test_a_correct_handler_survives_two_kills(handler: Handler) -> None:
    found = verified(handler, kills=2, examples=12)
    assert found.killed == found.places
    assert found.drawn >= 1


@pytest.mark.parametrize("handler", RANDOM, ids=name_of)
def test_a_correct_handler_may_do_another_thing_in_each_run(handler: Handler) -> None:
    verified(handler, kills=2, examples=20)


def racing(count: int, enough: int, pause: int) -> Handler:
    """Branches that take equally long, of which some are enough: which ones those are is not the handler's business."""

    def racer(number: int) -> Any:
        def body(context: DurableContext) -> Any:
            context.step(returns(number), name="start")
            if pause:
                context.wait(seconds(pause), name="pause")
            return context.step(returns(number), name="arrive")

        return body

    def handler(event: Any, context: DurableContext) -> Any:
        config = ParallelConfig(completion_config=CompletionConfig(min_successful=enough))
        return results_of(context.parallel([racer(number) for number in range(count)], name="race", config=config))

    return handler


@pytest.mark.parametrize(("count", "enough", "pause"), [(2, 1, 0), (3, 2, 5)])
def test_branches_that_race_may_win_in_any_order(count: int, enough: int, pause: int) -> None:
    verified(racing(count, enough, pause))


def test_retries_of_the_outside_world_are_safe_if_it_is_reset() -> None:
    verified(retries_of_the_outside_world, reset=flaky.reset)


def test_a_handler_that_works_through_its_event_is_safe() -> None:
    orders = [{"id": "a", "cents": 500}, {"id": "b", "cents": 2_000}, {"id": "c", "cents": 100}]
    verified(loop_over_the_event, {"orders": orders}, kills=2, examples=20)


def ledger_of(seen: dict[str, int]) -> Callable[[Any, DurableContext], Any]:
    def handler(event: Any, context: DurableContext) -> Any:
        key = context.step(new_id, name="key")
        context.step(lambda step: seen.setdefault(key, 100), name="charge")
        return sum(seen.values())

    return handler


def test_an_effect_under_a_stored_key_is_safe() -> None:
    seen: dict[str, int] = {}
    verified(ledger_of(seen), reset=seen.clear, kills=2, examples=20)
