"""Handlers that start cold: what they keep in their module is gone after a death."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from functools import wraps
from typing import Any, get_type_hints

from aws_durable_execution_sdk_python import DurableContext, durable_execution
from aws_durable_execution_sdk_python.config import Duration
from aws_durable_execution_sdk_python.exceptions import StepInterruptedError

from tests.durable import returns
from tests.service import cold_world

cache: dict[str, Any] = {}
calls = 0
cold_world.imports.append(__name__)


def keeps_in_the_module(event: Any, context: DurableContext) -> Any:
    """The planted bug: what a body leaves in the module is read by a later invocation."""

    def price(step: Any) -> None:
        cache["price"] = 100

    context.step(price, name="price")
    context.wait(Duration.from_seconds(60), name="pause")
    return context.step(returns(cache.get("price")), name="charge")


@durable_execution
def keeps_in_the_step(event: Any, context: DurableContext) -> Any:
    """Its repaired twin."""
    price = context.step(returns(100), name="price")
    context.wait(Duration.from_seconds(60), name="pause")
    return context.step(returns(price), name="charge")


def counts(event: Any, context: DurableContext) -> None:
    """Tells the world of the invocations that this module has seen, and which module it is."""
    global calls
    calls += 1
    cold_world.seen.append((calls, sys.modules[__name__].__dict__ is globals()))
    context.step(returns(1), name="a")
    context.wait(Duration.from_seconds(60), name="pause")
    context.step(returns(2), name="b")
    if event.get("sleeps"):
        time.sleep(60)  # noqa: TID251  # as a user would
    if event.get("ends") and not cold_world.ended:
        cold_world.ended.append(event["ends"])
        if event["ends"] == "exit":
            sys.exit(1)
        raise StepInterruptedError("the service is to invoke again")


def plain(event: Any, context: DurableContext) -> Any:
    return context.step(returns(calls), name="a")


bound_to_another_name = durable_execution(plain)


def twice(function: Any) -> Any:
    @wraps(function)
    def wrapper(event: Any, context: Any) -> Any:
        return function(event, context)

    return wrapper


@twice
@durable_execution
def wrapped(event: Any, context: DurableContext) -> Any:
    return context.step(returns(calls), name="a")


class Orders:
    @staticmethod
    def handler(event: Any, context: DurableContext) -> Any:
        return context.step(returns(calls), name="a")


class Instance:
    def __call__(self, event: Any, context: DurableContext) -> Any:
        return context.step(returns(calls), name="a")


instance = Instance()


@dataclass
class Item:
    sku: str


@dataclass
class Order:
    item: Item


def looks_classes_up(event: Any, context: DurableContext) -> bool:
    """As libraries do that read annotations, inside of a body, after a death as well."""
    return context.step(lambda step: get_type_hints(Order)["item"] is Item, name="look")


def invokes(event: Any, context: DurableContext) -> Any:
    return context.invoke("pay", {}, name="call")


def made_in_a_function() -> Any:
    def handler(event: Any, context: DurableContext) -> None: ...

    return handler


nested = made_in_a_function()
without_a_name = lambda event, context: None  # noqa: E731  # it is what is refused
if cold_world.hidden:
    del wrapped
if cold_world.broken:
    raise ValueError("Duplicated timeseries")
