"""Bugs that only the outside world sees: the result of the handler does not tell what was done."""

from __future__ import annotations

import contextlib
from typing import Any

from aws_durable_execution_sdk_python import DurableContext, StepError

from pytest_durable import EffectLost, EffectRepeated
from tests.durable import AT_MOST_ONCE, ONCE_AT_MOST, attempts, seconds
from tests.quality.pair import Handler, Table, World, new_id

PAIRS = Table()


@PAIRS.add("Effect done, success checkpoint lost (at-least-once default)", EffectRepeated, "mail:body")
def mail_sent_twice(fixed: bool, world: World) -> Handler:
    def handler(event: Any, context: DurableContext) -> Any:
        def mail(step: Any) -> None:
            if not (fixed and "order 7" in world.sent):
                world.mail("order 7")

        context.step(mail, name="mail")
        return "done"

    return handler


@PAIRS.add("Side effect outside any step", EffectRepeated, "")
def mail_sent_by_every_invocation(fixed: bool, world: World) -> Handler:
    def handler(event: Any, context: DurableContext) -> Any:
        context.step(lambda step: world.mail("order 7", "order 7"), name="mail") if fixed else world.mail("order 7")
        context.wait(seconds(60), name="cool off")
        return "done"

    return handler


@PAIRS.add("Side effect outside any step", EffectRepeated, "")
def release_in_finally_while_suspended(fixed: bool, world: World) -> Handler:
    """A suspension leaves the handler as an exception does."""

    def handler(event: Any, context: DurableContext) -> Any:
        try:
            context.wait(seconds(60), name="cool off")
        finally:
            world.mail("lock released", "order 7" if fixed else None)
        return "done"

    return handler


@PAIRS.add("Side effect outside any step", EffectRepeated, "")
def mail_sent_by_the_code_of_a_child_context(fixed: bool, world: World) -> Handler:
    def handler(event: Any, context: DurableContext) -> Any:
        def child(inner: DurableContext) -> str:
            if fixed:
                inner.step(lambda step: world.mail("order 7", "order 7"), name="mail")
            else:
                world.mail("order 7")
            inner.wait(seconds(60), name="cool off")
            return "done"

        return context.run_in_child_context(child, name="notify")

    return handler


@PAIRS.add("At-most-once plus a retrying policy", EffectRepeated, "charge:body")
def at_most_once_per_attempt(fixed: bool, world: World) -> Handler:
    """Even a result that tells is not compared once an at-most-once step was interrupted."""

    def handler(event: Any, context: DurableContext) -> Any:
        config = attempts(3, semantics=AT_MOST_ONCE)
        context.step(lambda step: world.pay(100, "order 7" if fixed else None), name="charge", config=config)
        return context.step(lambda step: world.bank.balance, name="receipt")

    return handler


@PAIRS.add("Idempotency key made inside the step it is for", EffectRepeated, "charge:body")
def key_made_by_each_attempt(fixed: bool, world: World) -> Handler:
    def handler(event: Any, context: DurableContext) -> Any:
        key = context.step(new_id, name="key")
        context.step(lambda step: world.pay(100, key if fixed else new_id()), name="charge")
        return "charged"

    return handler


@PAIRS.add("Wrong idea of the default semantics", EffectLost, "ship:start")
def interruption_taken_for_success(fixed: bool, world: World) -> Handler:
    """An at-most-once step may not have run at all."""

    def handler(event: Any, context: DurableContext) -> Any:
        def ship(step: Any) -> None:
            world.put("parcel 7", "sent")

        try:
            context.step(ship, name="ship", config=ONCE_AT_MOST)
        except StepError:
            if fixed:
                context.step(ship, name="make sure")
        return context.step(lambda step: len(world.table), name="parcels")

    return handler


@PAIRS.add("Wrong idea of the default semantics", EffectRepeated, "charge:body")
def interruption_taken_for_a_failure(fixed: bool, world: World) -> Handler:
    """An at-most-once step may have run to its end all the same."""

    def handler(event: Any, context: DurableContext) -> Any:
        def charge(step: Any) -> int:
            return int(world.pay(100, "order 7" if fixed else None))

        with contextlib.suppress(StepError):
            return context.step(charge, name="charge", config=ONCE_AT_MOST)
        return context.step(charge, name="charge again", config=ONCE_AT_MOST if not fixed else None)

    return handler


@PAIRS.add("Several effects in one step", EffectLost, "fulfil:effect:charge")
def parcel_forgotten_by_the_second_run(fixed: bool, world: World) -> Handler:
    """A guard over both effects believes in the second one as soon as there is the first."""

    def handler(event: Any, context: DurableContext) -> Any:
        def fulfil(step: Any) -> None:
            if not fixed and "order 7" in world.bank.keys:
                return
            world.pay(100, "order 7")
            world.put("parcel 7", "sent")

        context.step(fulfil, name="fulfil")
        return context.step(lambda step: [world.bank.balance, len(world.table)], name="receipt")

    return handler


@PAIRS.add("Several effects in one step", EffectLost, "mail:effect:put")
def marked_as_sent_before_it_is_sent(fixed: bool, world: World) -> Handler:
    def handler(event: Any, context: DurableContext) -> Any:
        def mail(step: Any) -> None:
            if "mail 7" in world.table:
                return
            if fixed:
                world.mail("order 7", "order 7")
                world.put("mail 7", "sent")
            else:
                world.put("mail 7", "sent")
                world.mail("order 7", "order 7")

        context.step(mail, name="mail")
        return "done"

    return handler


@PAIRS.add("Several effects in one step", EffectRepeated, "fulfil:body")
def only_the_first_of_two_has_a_key(fixed: bool, world: World) -> Handler:
    def handler(event: Any, context: DurableContext) -> Any:
        def fulfil(step: Any) -> None:
            world.pay(100, "order 7")
            world.mail("receipt 7", "order 7" if fixed else None)

        context.step(fulfil, name="fulfil")
        return "done"

    return handler


@PAIRS.add("Closure variable assigned inside a step", EffectLost, "quote:stored")
def charge_of_nothing_after_a_replay(fixed: bool, world: World) -> Handler:
    def handler(event: Any, context: DurableContext) -> Any:
        price = 0

        def quote(step: Any) -> int:
            nonlocal price
            price = 100
            return price

        stored = context.step(quote, name="quote")
        context.step(lambda step: world.pay(stored if fixed else price, "order 7"), name="charge")
        return "charged"

    return handler
