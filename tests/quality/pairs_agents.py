"""Agents and sagas: conversations, tools, budgets, and what is undone when a later step fails."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any

from aws_durable_execution_sdk_python import DurableContext, StepError, WithRetryConfig, with_retry

from pytest_durable import ExecutionStuck, OutcomeChanged, ReplayDiverged
from tests.durable import ONCE, attempts, fails, returns, seconds
from tests.quality.pair import Handler, Table, World, new_id, now

PAIRS = Table()

RANDOM = "uuid/random outside a step"
CLOCK = "Wall clock read outside a step"
CLOSURE = "Closure variable assigned inside a step"
AT_LEAST_ONCE = "Effect done, success checkpoint lost (at-least-once default)"
SEVERAL = "Several effects in one step"
EFFECT = "Side effect outside any step"
GLOBAL = "Module-global state"
CLEANUP = "Cleanup in finally"
KEY = "Idempotency key made outside a step, or inside the same step as the effect"
NO_PROGRESS = "Deterministic fault reported as pending"


def model(world: World, messages: list[str]) -> str:
    """A language model: it says another thing each time it is asked."""
    return f"reply {len(messages)} {new_id()}"


@PAIRS.add(RANDOM, ReplayDiverged, "")
def model_asked_in_the_body(fixed: bool, world: World) -> Handler:
    """What it says names the tool that is called."""

    def handler(event: Any, context: DurableContext) -> Any:
        def ask(step: Any = None) -> str:
            return model(world, ["hello"])

        reply = context.step(ask, name="ask") if fixed else ask()
        return len(context.step(returns(reply), name=f"tool {reply}"))

    return handler


@PAIRS.add(CLOSURE, OutcomeChanged, "turn 1:stored", event={"turns": 2})
def conversation_grown_in_a_step(fixed: bool, world: World) -> Handler:
    def handler(event: Any, context: DurableContext) -> Any:
        messages = ["hello"]

        def ask(step: Any) -> int:
            known = list(messages)
            if not fixed:
                messages.append(model(world, messages))
            return len(known)

        seen = []
        for number in range(event["turns"]):
            seen.append(context.step(ask, name=f"turn {number + 1}"))
            if fixed:
                messages.append(f"stored reply {seen[-1]}")
        return seen

    return handler


@PAIRS.add(SEVERAL, OutcomeChanged, "turn:body", event={"question": "refund me"})
def tool_called_in_the_step_of_the_model(fixed: bool, world: World) -> Handler:
    def handler(event: Any, context: DurableContext) -> Any:
        def tool(step: Any = None) -> int:
            return world.bank.charge(-10, "refund 7" if fixed else None)

        def turn(step: Any) -> int:
            model(world, [event["question"]])
            return tool()

        if fixed:
            context.step(lambda step: model(world, [event["question"]]), name="ask")
            context.step(tool, name="refund")
        else:
            context.step(turn, name="turn")
        return context.step(lambda step: world.bank.balance, name="statement")

    return handler


@PAIRS.add(CLOSURE, ReplayDiverged, "", event={"budget": 200})
def tokens_counted_in_a_step(fixed: bool, world: World) -> Handler:
    """On replay nothing is spent, and the loop runs until its last turn."""

    def handler(event: Any, context: DurableContext) -> Any:
        spent = 0

        def ask(step: Any) -> int:
            nonlocal spent
            spent += 0 if fixed else 100
            return 100

        for number in range(6):
            if spent >= event["budget"]:
                return f"stopped after {number}"
            tokens = context.step(ask, name=f"turn {number}")
            spent += tokens if fixed else 0
        return "finished"

    return handler


@PAIRS.add(GLOBAL, ReplayDiverged, "")
def memory_of_a_warm_process(fixed: bool, world: World) -> Handler:
    """What was learnt in the first invocation is known in the second, before it is learnt."""
    memory: list[str] = []

    def handler(event: Any, context: DurableContext) -> Any:
        known = [] if fixed else memory
        if "greeted" not in known:
            context.step(returns("hello"), name="greet")
            known.append("greeted")
        context.wait(seconds(3_600), name="customer thinks")
        return context.step(returns(len(known)), name="answer")

    return handler


@PAIRS.add(CLOCK, ReplayDiverged, "")
def session_that_expires_while_it_waits(fixed: bool, world: World) -> Handler:
    """The twin asks in a step that comes after the wait."""

    def handler(event: Any, context: DurableContext) -> Any:
        started = context.step(now, name="started")

        def expired(step: Any = None) -> bool:
            return now() - started > timedelta(hours=1)

        if not fixed and expired():
            return context.step(returns("log in again"), name="log in")
        context.wait(seconds(7_200), name="customer thinks")
        if context.step(expired, name="expired?"):
            return context.step(returns("log in again"), name="log in")
        return "answered"

    return handler


@PAIRS.add(EFFECT, OutcomeChanged, "answer:start")
def usage_reported_in_the_body(fixed: bool, world: World) -> Handler:
    """Bytes are billed by the invocation; the twin bills them by a number that is written down once."""

    def handler(event: Any, context: DurableContext) -> Any:
        if fixed:
            context.step(lambda step: world.bank.charge(3, "usage"), name="usage")
        else:
            world.bank.charge(3)
        context.step(returns("hello"), name="answer")
        return context.step(lambda step: world.bank.balance, name="bill")

    return handler


@PAIRS.add(NO_PROGRESS, ExecutionStuck, "", endless=True)
def tool_retried_for_ever(fixed: bool, world: World) -> Handler:
    """What it fails on will not change; the twin gives up, and says so."""

    def handler(event: Any, context: DurableContext) -> Any:
        tries = 3 if fixed else 10**9
        try:
            return context.step(fails(LookupError("no such city")), name="weather", config=attempts(tries))
        except StepError as error:
            return str(error)

    return handler


@PAIRS.add(CLOSURE, ReplayDiverged, "")
def bookings_to_undo_noted_by_steps(fixed: bool, world: World) -> Handler:
    """A replay knows of nothing to undo, and asks for no cancellation."""

    def handler(event: Any, context: DurableContext) -> Any:
        undo: list[str] = []

        def book(name: str, step: Any = None) -> str:
            if not fixed:
                undo.append(name)
            return name

        try:
            for name in ("flight", "hotel"):
                booked = context.step(partial(book, name), name=f"book {name}")
                if fixed:
                    undo.append(booked)
            context.step(fails(LookupError("no car")), name="book car", config=ONCE)
        except StepError:
            for name in reversed(undo):
                context.step(returns(name), name=f"cancel {name}")
        return "cancelled"

    return handler


@PAIRS.add(CLOSURE, OutcomeChanged, "book flight:stored")
def bookings_undone_by_one_step(fixed: bool, world: World) -> Handler:
    """The step that cancels is asked for all the same, and has nothing to cancel."""

    def handler(event: Any, context: DurableContext) -> Any:
        undo: list[str] = []

        def book(step: Any) -> str:
            world.table["flight"] = "booked"
            if not fixed:
                undo.append("flight")
            return "flight"

        def cancel(step: Any) -> None:
            for name in undo:
                world.table.pop(name, None)

        try:
            booked = context.step(book, name="book flight")
            if fixed:
                undo.append(booked)
            context.step(fails(LookupError("no car")), name="book car", config=ONCE)
        except StepError:
            context.step(cancel, name="cancel")
        return context.step(lambda step: sorted(world.table), name="open bookings")

    return handler


@PAIRS.add(AT_LEAST_ONCE, OutcomeChanged, "refund:body")
def refund_without_a_key(fixed: bool, world: World) -> Handler:
    def handler(event: Any, context: DurableContext) -> Any:
        context.step(lambda step: world.bank.charge(100, "order 7"), name="charge")
        try:
            context.step(fails(LookupError("no stock")), name="reserve", config=attempts(2))
        except StepError:
            context.step(lambda step: world.bank.charge(-100, "refund 7" if fixed else None), name="refund")
        return context.step(lambda step: world.bank.balance, name="statement")

    return handler


@PAIRS.add(CLEANUP, OutcomeChanged, "work:start")
def compensation_in_the_body(fixed: bool, world: World) -> Handler:
    """Undone by the handler itself, in whatever invocation; the twin undoes in a step."""

    def handler(event: Any, context: DurableContext) -> Any:
        def undo(step: Any = None) -> None:
            if fixed:
                world.table["undone"] = 1
            else:
                world.count("undone")

        try:
            context.step(fails(LookupError("no car")), name="book car", config=ONCE)
        except StepError:
            context.step(undo, name="undo") if fixed else undo()
        context.step(returns("apology"), name="work")
        return context.step(lambda step: world.table["undone"], name="report")

    return handler


@PAIRS.add(KEY, ReplayDiverged, "")
def key_of_a_block_that_is_retried(fixed: bool, world: World) -> Handler:
    """The key is made anew by every replay of the block, not only by every attempt."""

    def handler(event: Any, context: DurableContext) -> Any:
        def block(inner: Any, attempt: int) -> Any:
            key = "order 7" if fixed else new_id()
            inner.step(lambda step: world.bank.charge(100, key), name="charge")
            if attempt < 2:
                raise ConnectionError("down")
            return inner.step(lambda step: world.bank.balance, name="statement")

        return with_retry(context, block, WithRetryConfig(retry_strategy=attempts(3).retry_strategy), name="block")

    return handler
