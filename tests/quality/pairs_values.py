"""Bugs of values: what a step returned is not what a replay gets, or the world is answered with something else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aws_durable_execution_sdk_python import DurableContext, StepError
from aws_durable_execution_sdk_python.config import ChildConfig, StepConfig
from aws_durable_execution_sdk_python.serdes import JsonSerDes

from pytest_durable import OutcomeChanged, ReplayDiverged
from tests.durable import attempts, fails, returns, seconds
from tests.quality.pair import Handler, Table, World

PAIRS = Table()

DRIFT = "Type drift: int keys, tuples, Decimal, plain JSON at invoke"
CLOSURE = "Closure variable assigned inside a step"

PLAIN: StepConfig = StepConfig(serdes=JsonSerDes())


@PAIRS.add(DRIFT, AssertionError, "", result=100)
def prices_by_number(fixed: bool, world: World) -> Handler:
    """JSON knows no numbers as keys: once read back, no price is found, and the default is charged."""

    def handler(event: Any, context: DurableContext) -> Any:
        prices: dict[Any, int] = context.step(returns({"7": 100} if fixed else {7: 100}), name="prices", config=PLAIN)
        context.wait(seconds(60), name="cool off")
        return context.step(lambda step: world.bank.charge(prices.get("7" if fixed else 7, 999), "7"), name="charge")

    return handler


@PAIRS.add(DRIFT, AssertionError, "", result="home")
def coordinates_that_are_a_tuple(fixed: bool, world: World) -> Handler:
    """Read back it is a list, which is not the same as the tuple it is compared with."""

    def handler(event: Any, context: DurableContext) -> Any:
        pair: Any = context.step(returns((1, 2)), name="pair", config=PLAIN)
        home = tuple(pair) == (1, 2) if fixed else pair == (1, 2)
        return context.step(returns("home" if home else "abroad"), name="where")

    return handler


@PAIRS.add(CLOSURE, ReplayDiverged, "")
def rows_sorted_in_place(fixed: bool, world: World) -> Handler:
    """The step sorts what the handler holds; a replay holds what was stored by the step before."""

    def handler(event: Any, context: DurableContext) -> Any:
        rows: list[int] = context.step(returns([3, 1, 2]), name="read")

        def sort(step: Any) -> list[int]:
            rows.sort()
            return rows

        result = context.step(sort, name="sort")
        return context.step(returns((result if fixed else rows)[0]), name="cheapest")

    return handler


@PAIRS.add(CLOSURE, ReplayDiverged, "")
def argument_grown_in_a_child(fixed: bool, world: World) -> Handler:
    """The list is given to a child context, which adds to it; stored is only what the child returns."""

    def handler(event: Any, context: DurableContext) -> Any:
        loaded: list[str] = []

        def load(child: DurableContext, into: list[str]) -> list[str]:
            into.append(child.step(returns("orders"), name="read"))
            return into

        result = context.run_in_child_context(lambda child: load(child, loaded), name="load", config=ChildConfig())
        return context.step(returns(len(result if fixed else loaded)), name="count")

    return handler


@PAIRS.add("Callback result is a string", AssertionError, "", result=True)
def answer_taken_for_an_object(fixed: bool, world: World) -> Handler:
    world.ctx.callbacks.succeed("approve", {"approved": True}, after=60)

    def handler(event: Any, context: DurableContext) -> Any:
        answer: Any = context.wait_for_callback(lambda callback_id, _: None, name="approve")
        return "true" in answer if fixed else answer["approved"]

    return handler


@PAIRS.add("Unsupported type noticed after the body ran", AssertionError, "", result={"receipt": "7"})
def result_that_is_no_json(fixed: bool, world: World) -> Handler:
    def handler(event: Any, context: DurableContext) -> Any:
        def charge(step: Any) -> Any:
            world.bank.charge(100, "order 7")
            return {"receipt": "7"} if fixed else object()

        return context.step(charge, name="charge")

    return handler


@PAIRS.add("Believing an exception in the handler body is retried", AssertionError, "", result="shipped")
def not_ready_yet(fixed: bool, world: World) -> Handler:
    def handler(event: Any, context: DurableContext) -> Any:
        def check(step: Any) -> bool:
            ready = world.count("checked") >= 3
            if fixed and not ready:
                raise BlockingIOError("not ready")
            return ready

        if not context.step(check, name="ready?", config=attempts(3)):
            raise BlockingIOError("not ready")
        return "shipped"

    return handler


@PAIRS.add("except <OriginalError> around a step or callback", AssertionError, "", result="cached")
def original_error_expected(fixed: bool, world: World) -> Handler:
    """What a step raises arrives as a StepError: the fallback is never come to."""
    caught: type[Exception] = StepError if fixed else ConnectionError

    def handler(event: Any, context: DurableContext) -> Any:
        try:
            return context.step(fails(ConnectionError("down")), name="fetch", config=attempts(2))
        except caught:
            return context.step(returns("cached"), name="fall back")

    return handler


@PAIRS.add(CLOSURE, OutcomeChanged, "", event={"prices": [40, 60]})
def prices_added_up_before_an_approval(fixed: bool, world: World) -> Handler:
    """The bodies add up the total, which is nothing once somebody has approved."""
    world.ctx.callbacks.succeed("approval", "yes", after=3_600)

    def handler(event: Any, context: DurableContext) -> Any:
        total = 0

        def adding(price: int) -> Callable[[Any], int]:
            def add(step: Any) -> int:
                nonlocal total
                total += price
                return price

            return add

        prices: list[int] = [context.step(adding(price), name="add") for price in event["prices"]]
        context.wait_for_callback(lambda callback_id, submitter: None, name="approval")
        return sum(prices) if fixed else total

    return handler


@PAIRS.add(CLOSURE, OutcomeChanged, "")
def session_opened_before_an_invoke(fixed: bool, world: World) -> Handler:
    """The body keeps the session in a variable, which is empty once the other function has answered."""
    world.ctx.register("score", lambda event, context: 7)

    def handler(event: Any, context: DurableContext) -> Any:
        session: dict[str, str] = {}

        def open_one(step: Any) -> str:
            session["id"] = "s-1"
            return "s-1"

        opened = context.step(open_one, name="open")
        score: int = context.invoke("score", {}, name="score")
        return {"session": opened if fixed else session.get("id"), "score": score}

    return handler


@PAIRS.add(CLOSURE, OutcomeChanged, "", event={"words": ["a", "b", "a"]})
def words_counted_in_a_map(fixed: bool, world: World) -> Handler:
    """The bodies of the branches count into a dictionary, which is empty after the wait."""

    def handler(event: Any, context: DurableContext) -> Any:
        counts: dict[str, int] = {}

        def count(word: str) -> str:
            counts[word] = counts.get(word, 0) + 1
            return word

        words: list[str] = context.map(
            event["words"], lambda inner, word, index, items: inner.step(lambda step: count(word)), name="count"
        ).get_results()
        context.wait(seconds(60), name="pause")
        return {word: words.count(word) for word in sorted(words)} if fixed else counts

    return handler
