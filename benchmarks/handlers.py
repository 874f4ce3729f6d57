"""The durable functions that are measured."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aws_durable_execution_sdk_python import DurableContext, durable_execution
from aws_durable_execution_sdk_python.config import Duration

from pytest_durable import FakeDurableContext

Handler = Callable[..., Any]


@durable_execution
def three_steps_and_a_wait(event: Any, context: DurableContext) -> int:
    """Three steps, and 300 seconds between the first and the second."""
    first: int = context.step(lambda _: 1, name="first")
    context.wait(Duration.from_seconds(300), name="pause")
    second: int = context.step(lambda _: 2, name="second")
    third: int = context.step(lambda _: 3, name="third")
    return first + second + third


@durable_execution
def map_of_ten(event: Any, context: DurableContext) -> list[int]:
    """A map over ten items with a step in each."""
    results: list[int] = context.map(range(10), _doubled, name="items").get_results()
    return results


def _doubled(context: DurableContext, item: int, index: int, items: Any) -> int:
    doubled: int = context.step(lambda _: 2 * item, name="double")
    return doubled


def map_of(count: int) -> Handler:
    """A map over ``count`` items with a step in each."""

    @durable_execution
    def handler(event: Any, context: DurableContext) -> int:
        return sum(context.map(range(count), _doubled, name="items").get_results())

    return handler


@durable_execution
def ten_operations(event: Any, context: DurableContext) -> list[Any]:
    """Ten operations, in the shape of an order: steps, two waits, and a child context with a step."""
    order = context.step(lambda _: 7, name="accept")
    price = context.step(lambda _: 100 * order, name="price")
    context.wait(Duration.from_minutes(5), name="cool-off")
    context.step(lambda _: "reserved", name="reserve")
    paid = context.step(lambda _: price, name="charge")
    parcel: str = context.run_in_child_context(_dispatch, name="dispatch")
    context.wait(Duration.from_days(1), name="delivery")
    told = context.step(lambda _: f"{parcel} arrived", name="notify")
    return [order, paid, told, context.step(lambda _: "closed", name="close")]


def steps(count: int) -> Handler:
    """A handler of ``count`` steps, one after the other."""

    @durable_execution
    def handler(event: Any, context: DurableContext) -> int:
        return sum(context.step(lambda _: 1, name=f"step-{index}") for index in range(count))

    return handler


@durable_execution
def mixed(event: Any, context: DurableContext) -> list[Any]:
    """Something of everything; it needs `mixed_world`."""
    reserved = context.step(lambda _: "reserved", name="reserve")
    context.wait(Duration.from_hours(8), name="night")
    doubled: list[int] = context.map([1, 2, 3], _doubled, name="items").get_results()
    approved = context.wait_for_callback(lambda callback_id, _: None, name="approve")
    invoked: list[str] = [
        context.invoke("durable", approved, name="durable"),
        context.invoke("plain", approved, name="plain"),
    ]
    return [reserved, doubled, invoked, context.run_in_child_context(_dispatch, name="dispatch")]


def mixed_world(context: FakeDurableContext) -> FakeDurableContext:
    """Give ``context`` what `mixed` asks of the outside world."""
    context.callbacks.succeed("approve", "yes", after=60)
    context.register("durable", _durable)
    context.register("plain", lambda event, _: f"plain {event}")
    return context


@durable_execution
def _durable(event: Any, context: DurableContext) -> str:
    context.wait(Duration.from_minutes(1), name="nap")
    done: str = context.step(lambda _: f"durable {event}", name="work")
    return done


def _dispatch(context: DurableContext) -> str:
    label: str = context.step(lambda _: "label", name="print")
    return label
