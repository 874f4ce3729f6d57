"""Handlers with something that is seldom meant, each with its repaired twin, about which nothing is said."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any, NamedTuple

from aws_durable_execution_sdk_python import DurableContext, durable_step
from aws_durable_execution_sdk_python.config import (
    ChildConfig,
    MapConfig,
    StepConfig,
    WaitForCallbackConfig,
)
from aws_durable_execution_sdk_python.exceptions import DurableOperationError
from aws_durable_execution_sdk_python.retries import (
    RetryDecision,
    RetryPresets,
    RetryStrategyConfig,
    WithRetryConfig,
    create_retry_strategy,
    with_retry,
)

from tests.advice import steps
from tests.durable import AT_MOST_ONCE, attempts, fails, returns, seconds, timeouts

Handler = Callable[[Any, Any], Any]

KB = 1_024
LIMIT = 256 * KB
MB = 1_024 * KB


class Twins(NamedTuple):
    """A handler to be advised about, and its repaired twin.

    Attributes:
        make: given whether to repair it, makes the handler.
        operation: path of the operation that the advice is about.
        says: words of the advice.
    """

    make: Callable[[bool], Handler]
    operation: str
    says: str


def suppressed(context: DurableContext, body: Callable[[Any], Any], **options: Any) -> None:
    """A step whose failure the handler goes on from."""
    with suppress(DurableOperationError):
        context.step(body, **options)


# --- names ----------------------------------------------------------------------------------------------------------


def unnamed(method: str) -> Callable[[bool], Handler]:
    calls: dict[str, Callable[[Any, Any], Any]] = {
        "step": lambda context, name: context.step(returns(1), name=name),
        "wait": lambda context, name: context.wait(seconds(1), name=name),
        "create_callback": lambda context, name: context.create_callback(name=name, config=timeouts(60)),
        "wait_for_callback": lambda context, name: context.wait_for_callback(
            lambda callback_id, _: None, name=name, config=WaitForCallbackConfig(heartbeat_timeout=seconds(60))
        ),
        "invoke": lambda context, name: context.invoke("target", None, name=name),
        "map": lambda context, name: context.map(
            [1, 2], lambda child, item, *_: child.step(returns(1), name="s"), name=name
        ),
        "parallel": lambda context, name: context.parallel([lambda child: 1], name=name),
        "run_in_child_context": lambda context, name: context.run_in_child_context(lambda child: 1, name=name),
    }

    def make(repaired: bool) -> Handler:
        def handler(event: Any, context: DurableContext) -> None:
            with suppress(DurableOperationError):
                calls[method](context, "named" if repaired else None)

        return handler

    return make


def unnamed_in_a_map(repaired: bool) -> Handler:
    def item(context: DurableContext, number: int, index: int, items: Any) -> None:
        context.step(returns(number), name="double" if repaired else None)

    return lambda event, context: context.map([1, 2, 3], item, name="batch") and None


def virtual(repaired: bool) -> Handler:
    def child(context: DurableContext) -> Any:
        return context.step(returns(1), name="step" if repaired else None)

    return lambda event, context: context.run_in_child_context(child, name="child", config=ChildConfig(is_virtual=True))


def taken_name(repaired: bool) -> Handler:
    def handler(event: Any, context: DurableContext) -> None:
        context.step(returns(1), name="charge")
        context.wait(seconds(1), name="pause" if repaired else "charge")

    return handler


def taken_name_in_a_child(repaired: bool) -> Handler:
    def child(context: DurableContext) -> None:
        context.step(returns(1), name="charge")
        context.step(returns(1), name="charge again" if repaired else "charge")

    def handler(event: Any, context: DurableContext) -> None:
        context.step(returns(1), name="charge")  # not in the same scope
        context.run_in_child_context(child, name="child")

    return handler


# --- waiting and trying ---------------------------------------------------------------------------------------------


def endless_callback(repaired: bool) -> Handler:
    def handler(event: Any, context: DurableContext) -> None:
        context.create_callback(name="approval", config=timeouts(60) if repaired else None)

    return handler


def endless_wait_for_callback(repaired: bool) -> Handler:
    config = WaitForCallbackConfig(timeout=seconds(60 if repaired else 0))

    def handler(event: Any, context: DurableContext) -> None:
        context.wait_for_callback(lambda callback_id, _: None, name="approval", config=config)

    return handler


def hopeless_retries(repaired: bool) -> Handler:
    retried = create_retry_strategy(RetryStrategyConfig(max_attempts=4))
    given_up = create_retry_strategy(RetryStrategyConfig(max_attempts=4, retryable_error_types=[ConnectionError]))
    config = StepConfig(retry_strategy=given_up if repaired else retried)
    return lambda event, context: suppressed(context, fails(ValueError("no such sku")), name="reserve", config=config)


def at_most_once_by_default(repaired: bool) -> Handler:
    strategy = RetryPresets.none() if repaired else None
    config = StepConfig(step_semantics=AT_MOST_ONCE, retry_strategy=strategy)
    return lambda event, context: context.step(returns(1), name="charge", config=config)


def at_most_once_and_a_policy(repaired: bool) -> Handler:
    types: list[type[Exception]] = [ConnectionError] if repaired else [Exception]
    strategy = create_retry_strategy(RetryStrategyConfig(max_attempts=3, retryable_error_types=types))
    config = StepConfig(step_semantics=AT_MOST_ONCE, retry_strategy=strategy)
    return lambda event, context: context.step(returns(1), name="charge", config=config)


# --- sizes ----------------------------------------------------------------------------------------------------------


def large_step(repaired: bool) -> Handler:
    size = int(0.8 * MB) - 2 if repaired else int(0.8 * MB) + 1
    return lambda event, context: len(context.step(returns("x" * size), name="read"))


def large_step_in_bytes(repaired: bool) -> Handler:
    class Utf8:
        """Text as it is, of two bytes a character."""

        def serialize(self, value: Any, _: Any) -> str:
            return str(value)

        def deserialize(self, data: str, _: Any) -> str:
            return data

    text = ("x" if repaired else "ø") * (MB // 2 - 10)
    config = StepConfig(serdes=Utf8())  # type: ignore[arg-type]  # it need not be derived from the SDK's
    return lambda event, context: len(context.step(returns(text), name="read", config=config))


def large_child(repaired: bool) -> Handler:
    size = int(0.8 * LIMIT) - 2 if repaired else int(0.8 * LIMIT) + 1
    return lambda event, context: len(context.run_in_child_context(lambda child: "x" * size, name="child"))


def large_item(repaired: bool) -> Handler:
    """Of the iterations only: the result of the map is too large anyway."""
    size = int(0.8 * LIMIT) - 2 if repaired else int(0.8 * LIMIT) + 1

    def item(context: DurableContext, number: int, index: int, items: Any) -> str:
        return "x" * size

    return lambda event, context: len(context.map([1, 2], item, name="batch", config=MapConfig()).all)


# --- what is called and not passed on -------------------------------------------------------------------------------


@durable_step
def reserve(step: Any, sku: str) -> str:
    return sku


def dropped_step(repaired: bool) -> Handler:
    def drops(event: Any, context: DurableContext) -> None:
        reserve("A1")

    def passes(event: Any, context: DurableContext) -> None:
        context.step(reserve("A1"))

    return passes if repaired else drops


def dropped_step_of_a_module(repaired: bool) -> Handler:
    def drops(event: Any, context: DurableContext) -> None:
        steps.note(2)
        steps.charge(
            100,
        )

    def passes(event: Any, context: DurableContext) -> None:
        steps.note(2)
        bound = steps.charge(100)
        context.step(bound)

    return passes if repaired else drops


def dropped_step_of_a_closure(repaired: bool) -> Handler:
    @durable_step
    def charge(step: Any) -> int:
        return 1

    def drops(event: Any, context: DurableContext) -> None:
        if event:
            charge()

    def passes(event: Any, context: DurableContext) -> None:
        if event:
            context.step(charge())

    return passes if repaired else drops


def dropped_child(repaired: bool) -> Handler:
    def drops(event: Any, context: DurableContext) -> None:
        steps.ship("7")

    def passes(event: Any, context: DurableContext) -> None:
        context.run_in_child_context(steps.ship("7"))

    return passes if repaired else drops


def dropped_step_in_a_child(repaired: bool) -> Handler:
    def drops(context: DurableContext) -> None:
        reserve("A1")

    def passes(context: DurableContext) -> None:
        context.step(reserve("A1"))

    return lambda event, context: context.run_in_child_context(passes if repaired else drops, name="child")


NO_NAME = "has no name="
TAKEN = "in the same scope"
ENDLESS = "has no timeout"
AGAIN = "AT_MOST_ONCE_PER_RETRY, and"
LARGE = "its result takes more than 80%"
DROPS = "alone runs nothing"

TWINS = {
    **{
        f"an unnamed {method}": Twins(unnamed(method), "[1]", f"context.{method} {NO_NAME}")
        for method in (
            "step",
            "wait",
            "create_callback",
            "wait_for_callback",
            "invoke",
            "map",
            "parallel",
            "run_in_child_context",
        )
    },
    "unnamed in a map": Twins(unnamed_in_a_map, "batch/map-item-0/[1]", NO_NAME),
    "unnamed in a virtual context": Twins(virtual, "child/[1]", NO_NAME),
    "a name that is taken": Twins(taken_name, "charge", TAKEN),
    "a name that is taken in a child": Twins(taken_name_in_a_child, "child/charge", TAKEN),
    "a callback without end": Twins(endless_callback, "approval", f"context.create_callback {ENDLESS}"),
    "a wait for a callback without end": Twins(
        endless_wait_for_callback, "approval", f"context.wait_for_callback {ENDLESS}"
    ),
    "retries of what cannot succeed": Twins(
        hopeless_retries, "reserve", "each of its 4 attempts failed with ValueError: no such sku"
    ),
    "at most once by default": Twins(at_most_once_by_default, "charge", f"{AGAIN} the default retry_strategy"),
    "at most once and a policy": Twins(at_most_once_and_a_policy, "charge", f"{AGAIN} its retry_strategy"),
    "a large result of a step": Twins(large_step, "read", LARGE),
    "a result of a step that is large in bytes": Twins(large_step_in_bytes, "read", LARGE),
    "a large result of a child": Twins(large_child, "child", f"{LARGE} of 256 KB"),
    "a large result of an iteration": Twins(large_item, "batch/map-item-0", f"{LARGE} of 256 KB"),
    "a step that is dropped": Twins(dropped_step, "reserve", f"reserve(...) {DROPS}"),
    "a step of a module that is dropped": Twins(dropped_step_of_a_module, "charge", "context.step(steps.charge(...))"),
    "a step of a closure that is dropped": Twins(dropped_step_of_a_closure, "charge", f"charge(...) {DROPS}"),
    "a child that is dropped": Twins(dropped_child, "ship", "context.run_in_child_context(steps.ship(...))"),
    "a step that is dropped in a child": Twins(dropped_step_in_a_child, "child/reserve", f"reserve(...) {DROPS}"),
}


# --- what nothing must be said about --------------------------------------------------------------------------------


def a_loop(event: Any, context: DurableContext) -> None:
    for number in range(3):
        context.step(returns(number), name="poll")
        context.wait(seconds(1), name="pause")


def a_helper_called_twice(event: Any, context: DurableContext) -> None:
    def helper(sku: str) -> None:
        context.step(returns(sku), name="reserve")

    helper("A1")
    helper("A2")


def what_the_sdk_names_itself(event: Any, context: DurableContext) -> None:
    def tries(child: Any, attempt: int) -> None:
        suppressed(child, returns(attempt), name="try")
        if attempt < 3:
            raise ValueError("again")

    strategy: Callable[[Exception, int], RetryDecision] = lambda error, attempt: RetryDecision.retry(seconds(1))  # noqa: E731  # short
    with_retry(context, tries, WithRetryConfig(retry_strategy=strategy))


def an_outage_that_lasts(event: Any, context: DurableContext) -> None:
    suppressed(context, fails(ConnectionError("refused")), name="call", config=attempts(4))


def errors_that_differ(event: Any, context: DurableContext) -> None:
    def body(step: Any) -> None:
        raise ValueError(f"attempt {step.attempt}")

    suppressed(context, body, name="call", config=attempts(4))


def two_attempts(event: Any, context: DurableContext) -> None:
    suppressed(context, fails(ValueError("no such sku")), name="call", config=attempts(2))


def success_at_last(event: Any, context: DurableContext) -> None:
    def body(step: Any) -> None:
        if step.attempt < 4:
            raise ValueError("not yet")

    context.step(body, name="call", config=attempts(6))


def a_policy_that_fails(event: Any, context: DurableContext) -> None:
    def strategy(error: Exception, attempt: int) -> RetryDecision:
        raise RuntimeError("it was not to be asked")

    context.step(returns(1), name="s", config=StepConfig(retry_strategy=strategy, step_semantics=AT_MOST_ONCE))


def a_child_past_the_limit(event: Any, context: DurableContext) -> None:
    context.run_in_child_context(lambda child: "x" * (LIMIT + 1), name="child")


def calls_of_other_functions(event: Any, context: DurableContext) -> None:
    def reserve(sku: str) -> str:
        return sku

    reserve("A1")  # not that of the module
    steps.note(1)
    context.step(steps.charge(1))


BLAMELESS: tuple[Handler, ...] = (
    a_loop,
    a_helper_called_twice,
    what_the_sdk_names_itself,
    an_outage_that_lasts,
    errors_that_differ,
    two_attempts,
    success_at_last,
    a_policy_that_fails,
    a_child_past_the_limit,
    calls_of_other_functions,
)
