"""Payments and stock: effects that a second run of a step's body does twice."""

from __future__ import annotations

import time
import uuid
from typing import Any

from aws_durable_execution_sdk_python import DurableContext, StepContext, StepError, durable_execution, durable_step
from aws_durable_execution_sdk_python.config import NestingType, ParallelConfig

from pytest_durable import ExecutionStuck, OutcomeChanged, ReplayDiverged
from tests.durable import ONCE, ONCE_AT_MOST, returns, seconds
from tests.quality.pair import Handler, Table, World, new_id

PAIRS = Table()

AT_LEAST_ONCE = "Effect done, success checkpoint lost (at-least-once default)"
KEY = "Idempotency key made outside a step, or inside the same step as the effect"
DEFAULT = "Wrong idea of the default semantics"
SEVERAL = "Several effects in one step"
TOO_LONG = "Step longer than invocation timeout"
DECORATOR = "Idempotency decorator treats replay as duplicate"


@PAIRS.add(AT_LEAST_ONCE, OutcomeChanged, "charge:body")
def charge_without_a_key(fixed: bool, world: World) -> Handler:
    def handler(event: Any, context: DurableContext) -> Any:
        context.step(lambda step: world.bank.charge(100, "order 7" if fixed else None), name="charge")
        context.wait(seconds(300), name="cool off")
        return context.step(lambda step: {"charged": world.bank.balance}, name="receipt")

    return handler


@PAIRS.add(AT_LEAST_ONCE, OutcomeChanged, "reserve:body", event={"sku": "A1", "count": 3})
def stock_counted_down(fixed: bool, world: World) -> Handler:
    """The twin writes down who has taken how much, and the stock follows from that."""

    def handler(event: Any, context: DurableContext) -> Any:
        order = context.execution_context.durable_execution_arn

        def reserve(step: Any) -> None:
            if fixed:
                world.table[order] = event["count"]
            else:
                world.count("taken", event["count"])

        context.step(reserve, name="reserve")
        return context.step(lambda step: 10 - sum(world.table.values()), name="left")

    return handler


@PAIRS.add(AT_LEAST_ONCE, OutcomeChanged, "create account:body", event={"user": "ada"})
def account_that_exists_already(fixed: bool, world: World) -> Handler:
    """An insert that refuses the second row refuses the step's own first run."""

    def handler(event: Any, context: DurableContext) -> Any:
        owner = context.execution_context.durable_execution_arn

        def create(step: Any) -> str:
            if event["user"] in world.table and not (fixed and world.table[event["user"]] == owner):
                raise ValueError("the account exists")
            world.table[event["user"]] = owner
            return "created"

        return context.step(create, name="create account", config=ONCE)

    return handler


@PAIRS.add(AT_LEAST_ONCE, OutcomeChanged, "close account:body")
def account_that_is_gone_already(fixed: bool, world: World) -> Handler:
    def handler(event: Any, context: DurableContext) -> Any:
        def close(step: Any) -> None:
            if fixed:
                world.table.pop("ada", None)
            else:
                del world.table["ada"]

        context.step(lambda step: world.table.update(ada="open"), name="open account")
        context.step(close, name="close account", config=ONCE)
        return "closed"

    return handler


@PAIRS.add(AT_LEAST_ONCE, OutcomeChanged, "toggle:body")
def subscription_toggled(fixed: bool, world: World) -> Handler:
    def handler(event: Any, context: DurableContext) -> Any:
        def toggle(step: Any) -> None:
            world.table["active"] = True if fixed else not world.table.get("active", False)

        context.step(toggle, name="toggle")
        return context.step(lambda step: world.table["active"], name="look")

    return handler


@PAIRS.add(AT_LEAST_ONCE, OutcomeChanged, "take:body")
def job_popped_off_a_queue(fixed: bool, world: World) -> Handler:
    """A message that is received and deleted in one go is lost with the result of the step; the twin deletes later."""

    def handler(event: Any, context: DurableContext) -> Any:
        def fill(step: Any) -> None:
            world.table["queue"] = ["parcel 1", "parcel 2"]

        def take(step: Any) -> str:
            queue: list[str] = world.table["queue"]
            return queue[0] if fixed else queue.pop(0)

        def delete(step: Any) -> None:
            world.table["queue"] = [waiting for waiting in world.table["queue"] if waiting != job]

        context.step(fill, name="fill")
        job = context.step(take, name="take")
        done = context.step(returns(f"{job} delivered"), name="deliver")
        if fixed:
            context.step(delete, name="delete")
        return [done, context.step(lambda step: len(world.table["queue"]), name="left")]

    return handler


@PAIRS.add(AT_LEAST_ONCE, OutcomeChanged, "payment/charge:body", event={"order": "7"})
def charge_in_an_invoked_function(fixed: bool, world: World) -> Handler:
    """The payment is a durable function of its own."""

    @durable_execution
    def pay(event: Any, context: DurableContext) -> Any:
        context.step(lambda step: world.bank.charge(100, event["order"] if fixed else None), name="charge")
        return context.step(lambda step: world.bank.balance, name="receipt")

    world.ctx.register("pay", pay)

    def handler(event: Any, context: DurableContext) -> Any:
        return context.invoke("pay", {"order": event["order"]}, name="payment")

    return handler


@PAIRS.add(AT_LEAST_ONCE, OutcomeChanged, "gifts/parallel-branch-1/wrap:body")
def wrapping_in_flat_branches(fixed: bool, world: World) -> Handler:
    """Of two branches, only the second forgets its key."""

    def wrap(key: str | None) -> Any:
        return lambda child: child.step(lambda step: world.bank.charge(5, key), name="wrap")

    def handler(event: Any, context: DurableContext) -> Any:
        config = ParallelConfig(nesting_type=NestingType.FLAT)
        context.parallel([wrap("ribbon"), wrap("paper" if fixed else None)], name="gifts", config=config)
        return context.step(lambda step: world.bank.balance, name="receipt")

    return handler


@PAIRS.add(KEY, ReplayDiverged, "", event={"order": "7"})
def key_made_in_the_body(fixed: bool, world: World) -> Handler:
    """The twin derives it from the execution: outside of a step, and the same on every replay."""

    def handler(event: Any, context: DurableContext) -> Any:
        arn = context.execution_context.durable_execution_arn
        key = str(uuid.uuid5(uuid.NAMESPACE_OID, arn)) if fixed else new_id()
        context.step(lambda step: world.bank.charge(100, key), name="charge")
        return context.step(lambda step: world.bank.balance, name="receipt")

    return handler


@PAIRS.add(KEY, OutcomeChanged, "charge:body")
def key_made_beside_the_effect(fixed: bool, world: World) -> Handler:
    def handler(event: Any, context: DurableContext) -> Any:
        key = context.step(new_id, name="key") if fixed else None
        context.step(lambda step: world.bank.charge(100, key or new_id()), name="charge")
        return context.step(lambda step: world.bank.balance, name="receipt")

    return handler


@PAIRS.add(KEY, ReplayDiverged, "")
def key_kept_in_a_default_argument(fixed: bool, world: World) -> Handler:
    """Made when the step is bound, which every replay does anew."""

    @durable_step
    def charge(step: StepContext, key: str) -> int:
        return world.bank.charge(100, key)

    def handler(event: Any, context: DurableContext) -> Any:
        key: str = context.step(new_id, name="key") if fixed else new_id()
        context.step(charge(key))
        return context.step(lambda step: world.bank.balance, name="receipt")

    return handler


@PAIRS.add(KEY, OutcomeChanged, "charge:body")
def key_with_the_time_of_the_attempt(fixed: bool, world: World) -> Handler:
    def handler(event: Any, context: DurableContext) -> Any:
        def charge(step: StepContext) -> int:
            return world.bank.charge(100, "order 7" if fixed else f"order 7 at {time.monotonic_ns()}")

        context.step(charge, name="charge")
        return context.step(lambda step: world.bank.balance, name="receipt")

    return handler


@PAIRS.add(DEFAULT, OutcomeChanged, "charge:body")
def attempt_taken_for_a_rerun(fixed: bool, world: World) -> Handler:
    """A step that is run again after a kill is still at its first attempt."""

    def handler(event: Any, context: DurableContext) -> Any:
        def charge(step: StepContext) -> int:
            if (fixed and "order 7" in world.bank.keys) or step.attempt > 1:
                return 100
            return world.bank.charge(100, "order 7" if fixed else None)

        context.step(charge, name="charge")
        return context.step(lambda step: world.bank.balance, name="receipt")

    return handler


@PAIRS.add(DEFAULT, OutcomeChanged, "charge:body")
def no_retries_taken_for_at_most_once(fixed: bool, world: World) -> Handler:
    """``ONCE`` forbids a second attempt, not a second run; the twin asks the bank about a run that was cut short."""

    def handler(event: Any, context: DurableContext) -> Any:
        def charge(step: Any) -> int:
            return world.bank.charge(100)

        try:
            context.step(charge, name="charge", config=ONCE_AT_MOST if fixed else ONCE)
        except StepError:
            context.step(lambda step: None if world.bank.booked else charge(step), name="make sure")
        return context.step(lambda step: world.bank.balance, name="receipt")

    return handler


@PAIRS.add(SEVERAL, OutcomeChanged, "fulfil:body")
def charge_and_parcel_in_one_step(fixed: bool, world: World) -> Handler:
    """The parcel has a key, the charge has none; the twin makes two steps of them."""

    def handler(event: Any, context: DurableContext) -> Any:
        def fulfil(step: Any) -> None:
            world.bank.charge(100)
            world.table["parcel 7"] = "sent"

        if fixed:
            context.step(lambda step: world.bank.charge(100, "order 7"), name="charge")
            context.step(lambda step: world.table.update({"parcel 7": "sent"}), name="ship")
        else:
            context.step(fulfil, name="fulfil")
        return context.step(lambda step: [world.bank.balance, len(world.table)], name="receipt")

    return handler


@PAIRS.add(TOO_LONG, ExecutionStuck, "")
def settlement_polled_in_a_step(fixed: bool, world: World) -> Handler:
    def handler(event: Any, context: DurableContext) -> Any:
        def settle(step: Any) -> str:
            for _ in range(0 if fixed else 20):
                time.sleep(60)  # noqa: TID251  # the bug
            return "settled"

        context.wait(seconds(20 * 60 if fixed else 1), name="settlement")
        return context.step(settle, name="settle")

    return handler


@PAIRS.add(DECORATOR, ReplayDiverged, "", event={"order": 7})
def guard_that_locks_itself_out(fixed: bool, world: World) -> Handler:
    """The twin's guard lets its own execution in again."""

    def idempotent(function: Handler) -> Handler:
        def guarded(event: Any, context: DurableContext) -> Any:
            owner = context.execution_context.durable_execution_arn
            holder = world.table.setdefault(event["order"], owner)
            if holder != owner or (not fixed and world.count("entered") > 1):
                raise RuntimeError("AlreadyInProgress")
            return function(event, context)

        return guarded

    @idempotent
    def handler(event: Any, context: DurableContext) -> Any:
        return context.step(lambda step: world.bank.charge(100, "order 7"), name="charge")

    return handler
