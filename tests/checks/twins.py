"""Handlers whose replay asks for something else than the first pass, each with its repaired twin."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, NamedTuple

from aws_durable_execution_sdk_python import DurableContext

from tests.checks.verdicts import Handler
from tests.durable import returns, seconds


def now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251  # as a user would


def minute() -> int:
    """The minute of the hour, which every run begins at 0: a replay after a pause of a minute sees another one."""
    return now().minute


class Twins(NamedTuple):
    """A planted bug and its repaired twin.

    Attributes:
        make: given whether to repair it, makes the handler.
        says: words of the failure.
    """

    make: Callable[[bool], Handler]
    says: tuple[str, ...]


def clock_in_a_wait(repaired: bool) -> Handler:
    def until_noon(step: Any = None) -> int:
        return 43_200 - now().minute * 60 - now().second

    def handler(event: Any, context: DurableContext) -> None:
        duration = context.step(until_noon, name="plan") if repaired else until_noon()
        context.wait(seconds(duration), name="until noon")
        context.wait(seconds(90), name="a little longer")

    return handler


def clock_in_a_name(repaired: bool) -> Handler:
    def handler(event: Any, context: DurableContext) -> None:
        stamp = context.step(lambda step: str(now()), name="stamp") if repaired else str(now())
        context.step(returns(1), name=f"charge at {stamp}")
        context.wait(seconds(60), name="pause")

    return handler


def id_in_a_name(repaired: bool) -> Handler:
    def handler(event: Any, context: DurableContext) -> None:
        request = (
            context.step(lambda step: str(uuid.uuid4()), name="id")  # noqa: TID251  # as a user would
            if repaired
            else str(uuid.uuid4())  # noqa: TID251  # as a user would
        )
        context.step(returns(1), name=f"charge {request}")

    return handler


def items_of_a_map(repaired: bool) -> Handler:
    def item(context: DurableContext, number: int, index: int, items: Any) -> Any:
        return context.step(returns(number), name="step")

    def handler(event: Any, context: DurableContext) -> None:
        items = [1, 2, 3] if repaired else [1, 2, 4 + minute()]
        context.map(items, item, name="batch")
        context.wait(seconds(60), name="pause")

    return handler


def number_of_items(repaired: bool) -> Handler:
    def item(context: DurableContext, number: int, index: int, items: Any) -> Any:
        context.wait(seconds(60), name="pause")

    def handler(event: Any, context: DurableContext) -> None:
        context.map(list(range(3 if repaired else 3 + minute())), item, name="batch")

    return handler


def function_of_a_step(repaired: bool) -> Handler:
    def handler(event: Any, context: DurableContext) -> None:
        body: Any = (lambda step: "a") if repaired or minute() == 0 else (lambda step: "b")
        context.step(body, name="choose")
        context.wait(seconds(60), name="pause")

    return handler


def functions_of_a_parallel(repaired: bool) -> Handler:
    def left(context: DurableContext) -> Any:
        return context.step(returns("left"), name="left")

    def right(context: DurableContext) -> Any:
        return context.step(returns("right"), name="right")

    def handler(event: Any, context: DurableContext) -> None:
        branches = [left, right] if repaired or minute() == 0 else [right, left]
        context.parallel(branches, name="both")
        context.wait(seconds(60), name="pause")

    return handler


def dropped_step(repaired: bool) -> Handler:
    def handler(event: Any, context: DurableContext) -> None:
        context.step(returns(1), name="charge")
        context.wait(seconds(60), name="pause")
        if repaired or minute() == 1:
            context.step(returns(2), name="receipt")
            context.wait(seconds(60), name="pause again")

    return handler


def dropped_step_in_a_child(repaired: bool) -> Handler:
    def child(context: DurableContext) -> None:
        context.wait(seconds(60), name="pause")
        if repaired or minute() == 1:
            context.step(returns(2), name="receipt")
            context.wait(seconds(60), name="pause again")

    return lambda event, context: context.run_in_child_context(child, name="child")


def another_method(repaired: bool) -> Handler:
    def handler(event: Any, context: DurableContext) -> None:
        if repaired or minute() == 0:
            context.step(returns(1), name="a")
        else:
            context.run_in_child_context(lambda child: 1, name="a")
        context.wait(seconds(60), name="pause")

    return handler


def flag_in_a_branch(repaired: bool) -> Handler:
    def handler(event: Any, context: DurableContext) -> None:
        express = context.step(lambda step: minute() == 0, name="read flag") if repaired else minute() == 0
        context.wait(seconds(60 if express else 1_000), name="delivery")
        context.wait(seconds(60), name="pause")

    return handler


def clock_in_the_result(repaired: bool) -> Handler:
    def handler(event: Any, context: DurableContext) -> str:
        started = context.step(lambda step: str(now()), name="clock") if repaired else str(now())
        context.step(returns(1), name="a")
        return started

    return handler


def clock_in_the_result_after_a_wait(repaired: bool) -> Handler:
    def handler(event: Any, context: DurableContext) -> str:
        context.wait(seconds(60), name="pause")
        return context.step(lambda step: str(now()), name="clock") if repaired else str(now())

    return handler


TWINS = {
    "the clock in a wait": Twins(clock_in_a_wait, ("'until noon'", "43200 s")),
    "the clock in a name": Twins(clock_in_a_name, ("charge at 2026-01-01 00:00:00",)),
    "a random id in a name": Twins(id_in_a_name, ("charge ",)),
    "other items": Twins(items_of_a_map, ("'batch'", "[1, 2, 4]", "[1, 2, 5]")),
    "more items": Twins(number_of_items, ("'batch'", "[0, 1, 2]", "[0, 1, 2, 3]")),
    "another function": Twins(function_of_a_step, ("'choose'", "another function", "function_of_a_step")),
    "other branches": Twins(functions_of_a_parallel, ("'both'", "another function", "functions_of_a_parallel")),
    "a step left out": Twins(dropped_step, ("'receipt'", "not asked for again")),
    "a step left out in a child": Twins(dropped_step_in_a_child, ("'child/receipt'", "not asked for again")),
    "another operation": Twins(another_method, ("run_in_child_context", "step", "'a'")),
    "a flag read outside of a step": Twins(flag_in_a_branch, ("'delivery'", "60 s", "1000 s")),
    "the clock in the result": Twins(clock_in_the_result, ("another result", "2026-01-01 00:00:00")),
    "the clock in the result after a wait": Twins(clock_in_the_result_after_a_wait, ("another result",)),
}
