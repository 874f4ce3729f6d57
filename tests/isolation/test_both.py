"""Under both isolations a run is the same, without faults and under a kill at each kind of place."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from aws_durable_execution_sdk_python import DurableContext, durable_execution
from aws_durable_execution_sdk_python.config import StepConfig
from aws_durable_execution_sdk_python.retries import RetryPresets

from pytest_durable import DurabilityViolation, FakeDurableContext
from pytest_durable.service.client import ServiceClient
from tests.durable import ONCE_AT_MOST, attempts, invokes, returns, seconds, timeouts

HANDLERS: list[Callable[[Any, DurableContext], Any]] = []


def handler(function: Callable[[Any, DurableContext], Any]) -> Callable[[Any, DurableContext], Any]:
    HANDLERS.append(function)
    return function


def sometimes(step: Any) -> str:
    """Fails at its first attempt, and says so."""
    if step.attempt == 1:
        raise ConnectionError("busy")
    return f"attempt {step.attempt}"


@handler
def steps(event: Any, context: DurableContext) -> Any:
    first = context.step(lambda _: time.sleep(20), name="sleeps")  # noqa: TID251  # as user code does
    return [first, context.step(returns(3), config=ONCE_AT_MOST), context.is_replaying()]


@handler
def retries(event: Any, context: DurableContext) -> Any:
    return context.step(sometimes, name="jitter", config=StepConfig(retry_strategy=RetryPresets.default()))


@handler
def waits(event: Any, context: DurableContext) -> Any:
    context.wait(seconds(300), name="long")
    context.wait(seconds(1))
    return time.time()  # noqa: TID251  # as user code does


@handler
def maps(event: Any, context: DurableContext) -> Any:
    def item(inner: DurableContext, number: int, index: int, items: Any) -> Any:
        return inner.step(sometimes, name="work", config=attempts(2))

    return context.map([1, 2], item, name="items").get_results()


@handler
def parallels(event: Any, context: DurableContext) -> Any:
    branches = [lambda inner: inner.step(returns("a"), name="a"), lambda inner: inner.wait(seconds(7), name="b")]
    return context.parallel(branches, name="both").get_results()


@handler
def children(event: Any, context: DurableContext) -> Any:
    def outer(inner: DurableContext) -> Any:
        return inner.run_in_child_context(lambda innermost: innermost.step(returns(2), name="two"), name="inner")

    return context.run_in_child_context(outer, name="outer")


@handler
def callbacks(event: Any, context: DurableContext) -> Any:
    first = context.create_callback(name="first", config=timeouts(60)).result()
    return [first, context.wait_for_callback(lambda callback_id, _: None, name="second")]


@handler
def chained(event: Any, context: DurableContext) -> Any:
    return [context.invoke("durable", 3, name="durable"), context.invoke("plain", 4, name="plain")]


@handler
def failing(event: Any, context: DurableContext) -> Any:
    context.step(returns(1), name="before")
    raise LookupError("nothing there")


@handler
def diverging(event: Any, context: DurableContext) -> Any:
    now = time.time()  # noqa: TID251  # the bug
    context.wait(seconds(60), name=f"until {now:.0f}")
    return context.step(returns(1), name="after")


def run(function: Callable[..., Any], isolation: str, plan: str = "") -> tuple[dict[str, Any], list[str]]:
    """All that can be seen of a run, and the places it came to."""
    with FakeDurableContext(isolation=isolation) as context:
        context.callbacks.succeed("first", "one", after=20)
        context.callbacks.succeed("second", {"two": 2})
        context.register("durable", durable_execution(lambda event, inner: inner.step(returns(event + 1), name="add")))
        context.register("plain", lambda event, inner: [event, inner.function_name])
        finding = None
        try:
            execution = context.run(function, {"order": 7}, faults=plan)
        except DurabilityViolation as violation:
            assert context.latest is not None
            execution, finding = context.latest, violation.failure.render()
        records = [record for one in execution._execution.family() for record in one.invocations]
        seen = {
            "status": execution.status,
            "result": execution._execution.result,
            "error": execution.error,
            "history": execution.history,
            "timeline": execution.timeline(),
            "invocations": execution.invocations,
            "billed": execution.billed,
            "bodies": [
                (body.path, body.attempt, body.code, body.outcome) for record in records for body in record.bodies
            ],
            "asked": [
                (asked.path, asked.method, asked.detail, asked.code, asked.place)
                for record in records
                for asked in record.asked.values()
            ],
            "advice": execution.advice,
            "finding": finding,
        }
        return seen, list(dict.fromkeys(map(str, execution._injector.visited)))


def one_of_each(places: list[str]) -> list[str]:
    """Of places that differ in the number of an item, a branch or an invocation alone, the last."""
    return list({re.sub("(item|branch)-[0-9]+|(?<=^invocation)@[0-9]+", "", place): place for place in places}.values())


def test_one_of_each() -> None:
    assert one_of_each(["m/item-0/a@2:body", "m/item-1/a:body", "m/item-1/a@2:body", "m:body"]) == [
        "m/item-1/a@2:body",
        "m/item-1/a:body",
        "m:body",
    ]


@pytest.mark.parametrize("function", HANDLERS, ids=lambda function: str(function.__name__))
def test_a_kill_at_each_kind_of_place_does_the_same(function: Callable[..., Any]) -> None:
    with FakeDurableContext():  # which shows virtual time once, for all that are opened within it
        calm, places = run(function, "thread")
        assert run(function, "process") == (calm, places)
        for place in one_of_each(places):
            assert run(function, "process", place) == run(function, "thread", place), place


@pytest.mark.parametrize(
    "plan", ["items/map-item-0/work:timeout", "invocation:timeout", "items:outage", "items:throttle", "items:revoke"]
)
def test_so_do_the_other_faults(plan: str) -> None:
    assert run(maps, "process", plan) == run(maps, "thread", plan)


@pytest.mark.parametrize("function", [waits, diverging])
def test_so_does_a_search(function: Callable[..., Any]) -> None:
    found = []
    for isolation in ("thread", "process"):
        with FakeDurableContext(isolation=isolation) as context:
            try:
                found.append(str(context.verify(function, kills=1, examples=2)))
            except DurabilityViolation as violation:
                found.append(violation.failure.render())
    assert found[0] == found[1]


def test_a_run_is_the_same_when_it_is_repeated() -> None:
    hashes = set()
    for _ in range(2):
        with FakeDurableContext(isolation="process") as context:
            hashes.add(context.run(maps, faults="items/map-item-1/work:body").trace_hash)
    assert len(hashes) == 1


def test_an_invoked_function_that_fails(ctx: FakeDurableContext) -> None:
    def plain(event: Any, context: Any) -> Any:
        raise LookupError("nothing there")

    ctx.register("plain", plain)
    execution = ctx.run(invokes("plain"))
    assert execution.error is not None and execution.error.message == "nothing there"


@pytest.mark.parametrize("isolation", ["thread", "process"])
@pytest.mark.parametrize("verdict", [pytest.fail, pytest.skip])
def test_a_verdict_of_the_test_in_a_body_is_one(isolation: str, verdict: Any) -> None:
    with FakeDurableContext(isolation=isolation) as context, pytest.raises(verdict.Exception, match="not to be called"):
        context.run(lambda event, context: context.step(lambda _: verdict("not to be called"), name="charge"))


@pytest.mark.parametrize("isolation", ["thread", "process"])
@pytest.mark.parametrize("verdict", [KeyboardInterrupt(), pytest.fail.Exception("out of time")], ids=repr)
def test_a_verdict_that_strikes_while_the_sdk_stores_something_ends_the_test(
    monkeypatch: pytest.MonkeyPatch, isolation: str, verdict: BaseException
) -> None:
    def interrupted(*args: Any, **kwargs: Any) -> None:
        raise verdict

    monkeypatch.setattr(ServiceClient, "checkpoint", interrupted)
    with FakeDurableContext(isolation=isolation) as context, pytest.raises(type(verdict)):
        context.run(lambda event, context: context.step(returns(1), name="charge"))
