"""Orders: handler code that does not compute the same on every replay."""

from __future__ import annotations

import random
import time
import uuid
from datetime import datetime, timedelta
from typing import Any

from aws_durable_execution_sdk_python import DurableContext
from aws_durable_execution_sdk_python.waits import WaitForConditionConfig, WaitForConditionDecision

from pytest_durable import ExecutionStuck, OutcomeChanged, ReplayDiverged
from tests.durable import returns, seconds
from tests.quality.pair import Handler, Table, World, new_id, now

PAIRS = Table()

CLOCK = "Wall clock read outside a step"
RANDOM = "uuid/random outside a step"
IN_A_NAME = "Time or random value in an operation name"
DATABASE = "Database/API read in the body, then branch"
EFFECT = "Side effect outside any step"
GLOBAL = "Module-global state"
CLOSURE = "Closure variable assigned inside a step"
SAME_NAME = "Same name, or no name, on several operations"
SLEEP = "time.sleep in a step or in the body"


@PAIRS.add(CLOCK, ReplayDiverged, "")
def wait_until_the_shop_opens(fixed: bool, world: World) -> Handler:
    def left(step: Any = None) -> int:
        opens = now().replace(hour=9, minute=0, second=0, microsecond=0)
        return int((opens - now()).total_seconds())

    def handler(event: Any, context: DurableContext) -> Any:
        pause = context.step(left, name="until nine") if fixed else left()
        if pause > 0:
            context.wait(seconds(pause), name="closed")
        return context.step(returns("picked"), name="pick")

    return handler


@PAIRS.add(CLOCK, ReplayDiverged, "")
def surcharge_at_the_weekend(fixed: bool, world: World) -> Handler:
    def is_weekend(step: Any = None) -> bool:
        return now().weekday() >= 5

    def handler(event: Any, context: DurableContext) -> Any:
        price = 100
        if context.step(is_weekend, name="day") if fixed else is_weekend():
            price = context.step(returns(120), name="surcharge")
        context.wait(seconds(3 * 86_400), name="delivery")
        return price

    return handler


@PAIRS.add(CLOCK, ReplayDiverged, "")
def yield_before_lambda_times_out(fixed: bool, world: World) -> Handler:
    """The time left is another one in each invocation, and so is whether there is a pause."""

    def handler(event: Any, context: DurableContext) -> Any:
        lambda_context: Any = context.lambda_context
        context.step(lambda step: time.sleep(30), name="pack")  # noqa: TID251  # virtual: this is a step
        if fixed or lambda_context.get_remaining_time_in_millis() < 880_000:
            context.wait(seconds(1), name="fresh start")
        return context.step(returns("shipped"), name="ship")

    return handler


@PAIRS.add(RANDOM, ReplayDiverged, "")
def invoice_number_made_in_the_body(fixed: bool, world: World) -> Handler:
    world.ctx.register("billing", lambda event, context: "billed")

    def handler(event: Any, context: DurableContext) -> Any:
        invoice = context.step(new_id, name="number") if fixed else new_id()
        return context.invoke("billing", {"invoice": invoice}, name="bill")

    return handler


@PAIRS.add(RANDOM, ReplayDiverged, "", event={"order": 7})
def warehouse_drawn_by_lot(fixed: bool, world: World) -> Handler:
    """The twin draws outside of a step as well, but the same on every replay."""

    def handler(event: Any, context: DurableContext) -> Any:
        lot = random.Random(event["order"] if fixed else None).randrange(1, 10**9)
        context.wait(seconds(lot % 86_400 + 1), name="transport")
        return context.step(returns("shipped"), name="ship")

    return handler


@PAIRS.add(IN_A_NAME, ReplayDiverged, "", event={"day": "2026-01-01"})
def snapshot_named_after_the_moment(fixed: bool, world: World) -> Handler:
    """No suspension: the first replay of any kind breaks it."""

    def handler(event: Any, context: DurableContext) -> Any:
        stamp = datetime.fromisoformat(event["day"]) if fixed else now()
        return context.step(returns("saved"), name=f"snapshot {stamp:%d %H:%M:%S}")

    return handler


@PAIRS.add(IN_A_NAME, ReplayDiverged, "", event={"order": 7})
def step_named_after_a_request(fixed: bool, world: World) -> Handler:
    def handler(event: Any, context: DurableContext) -> Any:
        arn = context.execution_context.durable_execution_arn
        request = uuid.uuid5(uuid.NAMESPACE_URL, arn) if fixed else new_id()
        return context.step(returns("reserved"), name=f"reserve {request}")

    return handler


@PAIRS.add(DATABASE, ReplayDiverged, "")
def stock_read_in_the_body(fixed: bool, world: World) -> Handler:
    def in_stock(step: Any = None) -> bool:
        return int(world.table.get("reserved", 0)) < 1

    def reserve(step: Any) -> int:
        world.table["reserved"] = 1
        return 1

    def handler(event: Any, context: DurableContext) -> Any:
        if context.step(in_stock, name="look") if fixed else in_stock():
            context.step(reserve, name="reserve")
            context.wait(seconds(600), name="pack")
            return "shipped"
        return "sold out"

    return handler


@PAIRS.add(DATABASE, ReplayDiverged, "")
def greeting_for_a_new_customer(fixed: bool, world: World) -> Handler:
    """Never suspended: only a replay of the finished execution tells."""

    def is_new(step: Any = None) -> bool:
        return "customer" not in world.table

    def handler(event: Any, context: DurableContext) -> Any:
        new = context.step(is_new, name="new?") if fixed else is_new()
        context.step(lambda step: world.table.update(customer=1), name="register")
        return context.step(returns("welcome" if new else "hello again"), name="greet new" if new else "greet")

    return handler


@PAIRS.add(EFFECT, ReplayDiverged, "")
def charge_in_the_body(fixed: bool, world: World) -> Handler:
    def handler(event: Any, context: DurableContext) -> Any:
        def charge(step: Any = None) -> int:
            return world.bank.charge(30, "order 7" if fixed else None)

        context.step(charge, name="charge") if fixed else charge()
        context.step(returns("shipped"), name="ship")
        return {"charged": world.bank.balance}

    return handler


@PAIRS.add(EFFECT, OutcomeChanged, "book:start")
def order_counted_in_the_body(fixed: bool, world: World) -> Handler:
    def handler(event: Any, context: DurableContext) -> Any:
        if fixed:
            context.step(lambda step: world.table.update(orders=1), name="count")
        else:
            world.count("orders")
        return context.step(lambda step: {"orders": world.table["orders"]}, name="book")

    return handler


@PAIRS.add(EFFECT, OutcomeChanged, "pay:body")
def charge_in_a_child_context(fixed: bool, world: World) -> Handler:
    """A child context is stored as a whole, but it is no step: its body runs again until then."""

    def pay(child: DurableContext) -> int:
        if fixed:
            return child.step(lambda step: world.bank.charge(30, "order 7"), name="charge")
        return world.bank.charge(30)

    def handler(event: Any, context: DurableContext) -> Any:
        context.run_in_child_context(pay, name="pay")
        return context.step(lambda step: world.bank.balance, name="statement")

    return handler


@PAIRS.add(GLOBAL, ReplayDiverged, "")
def price_list_cached_by_a_step(fixed: bool, world: World) -> Handler:
    """A warm process skips the step."""
    cache: dict[str, int] = {}

    def handler(event: Any, context: DurableContext) -> Any:
        if fixed or "price" not in cache:
            cache["price"] = context.step(returns(7), name="price")
        context.wait(seconds(60), name="cool off")
        return context.step(returns(cache["price"]), name="charge")

    return handler


@PAIRS.add(GLOBAL, ReplayDiverged, "")
def order_number_counted_in_memory(fixed: bool, world: World) -> Handler:
    numbers = [0]

    def handler(event: Any, context: DurableContext) -> Any:
        def next_number(step: Any = None) -> int:
            numbers[0] += 1
            return numbers[0]

        number = context.step(lambda step: world.table.setdefault("number", 1), name="number") if fixed else None
        return context.step(returns("filed"), name=f"file {number or next_number()}")

    return handler


@PAIRS.add(CLOSURE, OutcomeChanged, "quote:stored")
def price_remembered_in_a_variable(fixed: bool, world: World) -> Handler:
    def handler(event: Any, context: DurableContext) -> Any:
        price = 0

        def quote(step: Any) -> int:
            nonlocal price
            price = 100
            return price

        stored = context.step(quote, name="quote")
        return context.step(lambda step: world.bank.charge(stored if fixed else price, "order 7"), name="charge")

    return handler


@PAIRS.add(CLOSURE, OutcomeChanged, "enrich:stored", event={"order": 7})
def event_enriched_in_a_step(fixed: bool, world: World) -> Handler:
    """The event is the same object for the whole invocation, and a fresh one in the next."""

    def handler(event: Any, context: DurableContext) -> Any:
        def enrich(step: Any) -> dict[str, str]:
            event["address"] = "Main Street 1"
            return {"address": event["address"]}

        enriched = context.step(enrich, name="enrich")
        where = {**event, **enriched} if fixed else event
        return context.step(lambda step: where.get("address", "returned to sender"), name="ship")

    return handler


@PAIRS.add(CLOSURE, OutcomeChanged, "reserve:stored")
def reservation_kept_on_an_object(fixed: bool, world: World) -> Handler:
    class Order:
        reserved: tuple[str, ...] = ()

        def reserve(self, step: Any) -> list[str]:
            self.reserved = ("A1", "B2")
            return list(self.reserved)

        def ship(self, step: Any) -> str:
            return f"shipped {len(self.reserved)}"

    def handler(event: Any, context: DurableContext) -> Any:
        order = Order()
        reserved = context.step(order.reserve, name="reserve")
        if fixed:
            order.reserved = tuple(reserved)
        return context.step(order.ship, name="ship")

    return handler


@PAIRS.add(SAME_NAME, ReplayDiverged, "notify:body")
def customers_notified_by_changing_priority(fixed: bool, world: World) -> Handler:
    """Every operation is a step 'notify': a replay hands the answer of one customer to another."""

    def queue(step: Any = None) -> list[str]:
        return sorted("abc", key=lambda customer: (int(world.table.get(customer, 0)), customer))

    def handler(event: Any, context: DurableContext) -> Any:
        def notify(customer: str) -> Any:
            def body(step: Any) -> str:
                world.table[customer] = 1
                return f"mail {customer}"

            return context.step(body, name=f"notify {customer}" if fixed else "notify")

        first = context.step(queue, name="queue") if fixed else queue()
        answers = {first[0]: notify(first[0])}
        for customer in "abc" if fixed else queue():
            if customer not in answers:
                answers[customer] = notify(customer)
        return answers

    return handler


@PAIRS.add(SLEEP, ExecutionStuck, "")
def patience_in_the_body(fixed: bool, world: World) -> Handler:
    def handler(event: Any, context: DurableContext) -> Any:
        if fixed:
            context.wait(seconds(1_200), name="cool off")
        else:
            time.sleep(1_200)  # noqa: TID251  # the bug
        return context.step(returns("shipped"), name="ship")

    return handler


@PAIRS.add(CLOCK, ExecutionStuck, "", endless=True)
def deadline_that_moves_with_every_replay(fixed: bool, world: World) -> Handler:
    def handler(event: Any, context: DurableContext) -> Any:
        deadline = (context.step(now, name="asked") if fixed else now()) + timedelta(hours=2)

        def strategy(late: bool, attempt: int) -> WaitForConditionDecision:
            if late:
                return WaitForConditionDecision.stop_polling()
            return WaitForConditionDecision.continue_waiting(seconds(1_800))

        config = WaitForConditionConfig(wait_strategy=strategy, initial_state=False)
        return context.wait_for_condition(lambda late, check: now() >= deadline, config, name="parcel")

    return handler


@PAIRS.add(CLOCK, ReplayDiverged, "")
def discount_of_the_first_second(fixed: bool, world: World) -> Handler:
    """For all that the result tells the price is random; but what it is made of is another time on replay."""

    def handler(event: Any, context: DurableContext) -> Any:
        ordered = context.step(now, name="ordered") if fixed else now()
        return context.step(lambda step: world.bank.charge(100 if ordered.second else 90, "order 7"), name="pay")

    return handler


@PAIRS.add(CLOSURE, OutcomeChanged, "")
def price_lost_at_a_suspension(fixed: bool, world: World) -> Handler:
    """Every run loses it; only one that waits in one piece would not."""

    def handler(event: Any, context: DurableContext) -> Any:
        price = 0

        def quote(step: Any) -> int:
            nonlocal price
            price = 100
            return price

        stored = context.step(quote, name="quote")
        context.wait(seconds(60), name="cool off")
        return context.step(returns(stored if fixed else price), name="charge")

    return handler


@PAIRS.add(CLOCK, OutcomeChanged, "")
def apology_that_nobody_gets(fixed: bool, world: World) -> Handler:
    """How long it took is counted anew from each suspension; the result is the same, with and without the apology."""

    def handler(event: Any, context: DurableContext) -> Any:
        began = context.step(now, name="begin") if fixed else now()
        context.wait(seconds(7200), name="pack")
        took = (context.step(now, name="end") if fixed else now()) - began
        if took.total_seconds() > 3600:
            context.step(returns("sorry"), name="apologise")
        return context.step(returns("sent"), name="send")

    return handler
