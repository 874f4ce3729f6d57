"""One function in several versions: that of before, and later ones, which executions in flight survive or do not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from aws_durable_execution_sdk_python import DurableContext
from aws_durable_execution_sdk_python.config import StepConfig

from tests.durable import ONCE, returns, seconds

Handler = Callable[[Any, DurableContext], Any]


def before(event: Any, context: DurableContext) -> Any:
    """What is recorded."""
    price = context.step(returns(100), name="price", config=ONCE)
    context.wait(seconds(300), name="cool-off")
    paid = context.step(returns(price), name="charge", config=ONCE)
    sent = context.run_in_child_context(_shipping("pack", "hand over"), name="shipping")
    return {"paid": paid, "sent": sent}


def _shipping(*names: str) -> Callable[[DurableContext], Any]:
    def body(child: DurableContext) -> Any:
        done = []
        for name in names:
            done.append(child.step(returns(name), name=name, config=ONCE))
            child.wait(seconds(60), name=f"after {name}")
        return done

    return body


@dataclass(frozen=True)
class Version:
    """A later version.

    Attributes:
        handler: its code.
        replay: the summaries of the differences that a replay of the recorded history names, in their order.
        upgrade: how the message of the first violation of an upgrade begins, after the kill; None for none.
    """

    handler: Handler
    replay: tuple[str, ...] = ()
    upgrade: str | None = None


VERSIONS: list[Version] = []


def version(*replay: str, upgrade: str | None = None) -> Callable[[Handler], Handler]:
    def enter(handler: Handler) -> Handler:
        VERSIONS.append(Version(handler, replay, upgrade))
        return handler

    return enter


@version()
def the_same(event: Any, context: DurableContext) -> Any:
    return before(event, context)


@version()
def appended(event: Any, context: DurableContext) -> Any:
    result = before(event, context)
    context.step(returns("thanks"), name="thank", config=ONCE)
    return result


@version()
def other_bodies_and_results(event: Any, context: DurableContext) -> Any:
    config = StepConfig(retry_strategy=ONCE.retry_strategy)
    price = context.step(returns(90), name="price", config=config)
    context.wait(seconds(300), name="cool-off")
    paid = context.step(lambda _: price * 2, name="charge", config=config)
    return [paid, context.run_in_child_context(_shipping("pack", "hand over"), name="shipping")]


@version()
def longer_wait(event: Any, context: DurableContext) -> Any:
    price = context.step(returns(100), name="price", config=ONCE)
    context.wait(seconds(900), name="cool-off")
    paid = context.step(returns(price), name="charge", config=ONCE)
    return [paid, context.run_in_child_context(_shipping("pack", "hand over"), name="shipping")]


@version(
    "step 'audit' was inserted before wait 'cool-off'",
    "wait 'cool-off' is where step 'charge' was",
    "step 'charge' is where run_in_child_context 'shipping' was",
    upgrade="the new code asks for something else: step 'audit' is where wait 'cool-off' was",
)
def inserted(event: Any, context: DurableContext) -> Any:
    price = context.step(returns(100), name="price", config=ONCE)
    context.step(returns(None), name="audit", config=ONCE)
    context.wait(seconds(300), name="cool-off")
    context.step(returns(price), name="charge", config=ONCE)
    return context.run_in_child_context(_shipping("pack", "hand over"), name="shipping")


@version(
    "step 'charge' has become step 'book'",
    upgrade="the new code asks for something else: step 'charge' has become step 'book'",
)
def renamed(event: Any, context: DurableContext) -> Any:
    price = context.step(returns(100), name="price", config=ONCE)
    context.wait(seconds(300), name="cool-off")
    paid = context.step(returns(price), name="book", config=ONCE)
    return [paid, context.run_in_child_context(_shipping("pack", "hand over"), name="shipping")]


@version(
    "step 'price' has become step 'quote'",
    "step 'charge' has become step 'book'",
    "run_in_child_context 'shipping' has become run_in_child_context 'sending'",
    upgrade="the new code asks for something else: step 'price' has become step 'quote'",
)
def renamed_throughout(event: Any, context: DurableContext) -> Any:
    price = context.step(returns(100), name="quote", config=ONCE)
    context.wait(seconds(300), name="cool-off")
    paid = context.step(returns(price), name="book", config=ONCE)
    return [paid, context.run_in_child_context(_shipping("pack", "hand over"), name="sending")]


@version(
    "run_in_child_context 'shipping' is where step 'charge' was",
    "step 'charge' is where run_in_child_context 'shipping' was",
    upgrade="the new code asks for something else: run_in_child_context 'shipping' is where step 'charge' was",
)
def reordered(event: Any, context: DurableContext) -> Any:
    price = context.step(returns(100), name="price", config=ONCE)
    context.wait(seconds(300), name="cool-off")
    sent = context.run_in_child_context(_shipping("pack", "hand over"), name="shipping")
    return [sent, context.step(returns(price), name="charge", config=ONCE)]


@version(
    "step 'charge' was removed before run_in_child_context 'shipping'",
    "run_in_child_context 'shipping' is no longer asked for",
    upgrade="the new code asks for something else: run_in_child_context 'shipping' is where step 'charge' was",
)
def removed(event: Any, context: DurableContext) -> Any:
    context.step(returns(100), name="price", config=ONCE)
    context.wait(seconds(300), name="cool-off")
    return context.run_in_child_context(_shipping("pack", "hand over"), name="shipping")


@version(
    "run_in_child_context 'shipping' is no longer asked for",
    upgrade="the new code asks for something else: run_in_child_context 'shipping' is no longer asked for",
)
def removed_at_the_end(event: Any, context: DurableContext) -> Any:
    price = context.step(returns(100), name="price", config=ONCE)
    context.wait(seconds(300), name="cool-off")
    return context.step(returns(price), name="charge", config=ONCE)


@version(
    "step 'shipping/hand over' has become step 'shipping/deliver'",
    "wait 'shipping/after hand over' has become wait 'shipping/after deliver'",
    upgrade="the new code asks for something else: step 'shipping/hand over' has become step 'shipping/deliver'",
)
def renamed_in_a_child(event: Any, context: DurableContext) -> Any:
    """A finished context is not run again: only moments at which it was open tell."""
    price = context.step(returns(100), name="price", config=ONCE)
    context.wait(seconds(300), name="cool-off")
    paid = context.step(returns(price), name="charge", config=ONCE)
    return [paid, context.run_in_child_context(_shipping("pack", "deliver"), name="shipping")]


@version(
    "step 'charge' has become invoke 'charge'",
    upgrade="the new code asks for something else: invoke 'charge' is where step 'charge' was",
)
def another_kind(event: Any, context: DurableContext) -> Any:
    price = context.step(returns(100), name="price", config=ONCE)
    context.wait(seconds(300), name="cool-off")
    paid: Any = context.invoke("charge", price, name="charge")
    return [paid, context.run_in_child_context(_shipping("pack", "hand over"), name="shipping")]


@version(
    "the code fails on what is recorded: TypeError: 'int' object is not subscriptable",
    upgrade="the execution ends FAILED under the new one",
)
def another_shape(event: Any, context: DurableContext) -> Any:
    """New code reads an old result."""
    price = context.step(returns({"net": 100}), name="price", config=ONCE)
    context.wait(seconds(300), name="cool-off")
    net = price["net"]
    paid = context.step(returns(net), name="charge", config=ONCE)
    return [paid, context.run_in_child_context(_shipping("pack", "hand over"), name="shipping")]
