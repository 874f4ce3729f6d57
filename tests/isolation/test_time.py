# ruff: noqa: TID251  # what is tested is what these calls do in user code
"""Time that passes in a process is virtual, counts for its invocation, and is what the code is told of it."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterator
from typing import Any

import pytest
from aws_durable_execution_sdk_python import DurableContext

from pytest_durable import ExecutionStuck, FakeDurableContext
from pytest_durable.service.isolation.pipe import Pipe
from tests.durable import seconds

REAL = {"clock": time.perf_counter}


@pytest.fixture(params=["thread", "process"])
def ctx(request: pytest.FixtureRequest) -> Iterator[FakeDurableContext]:
    with FakeDurableContext(isolation=request.param) as context:
        begun = REAL["clock"]()
        yield context
        assert REAL["clock"]() - begun < 20  # of hours of virtual time


async def poll(times: int) -> int:
    async def once(delay: float) -> float:
        await asyncio.sleep(delay)
        return delay

    return sum([len(await asyncio.gather(once(20), once(30))) for _ in range(times)])


def test_a_day_in_bodies(ctx: FakeDurableContext) -> None:
    def handler(event: Any, context: DurableContext) -> Any:
        lambda_context: Any = context.lambda_context
        left = lambda_context.get_remaining_time_in_millis

        def sleep(step: Any) -> list[int]:
            before = left()
            time.sleep(100)
            return [before, left()]

        def branch(child: DurableContext, delay: int, *_: Any) -> Any:
            return child.step(lambda _: time.sleep(delay) or delay, name="work")  # type: ignore[func-returns-value]

        told: Any = [context.step(sleep, name="sleep")]
        told.append(context.map([40, 50, 60], branch, name="at once").get_results())
        told.append(context.step(lambda _: [asyncio.run(poll(3)), left()], name="poll"))
        context.wait(seconds(86_400), name="day")
        time.sleep(7)
        return [*told, left(), lambda_context.get_remaining_time_in_millis() == left()]

    execution = ctx.run(handler)
    (before, after), branches, (polled, later), last, _ = execution.result
    assert (branches, polled) == ([40, 50, 60], 6)
    assert [round(one / 1_000) for one in (before, after, later, last)] == [900, 800, 650, 893]
    first, second = execution.invocations
    assert first.ended is not None and second.ended is not None
    assert [round((one.ended - one.started).total_seconds()) for one in (first, second) if one.ended] == [250, 7]
    assert round(execution.billed) == 257
    assert round(execution.elapsed) == 86_657


def test_a_step_that_outlasts_its_invocation_starts_anew(ctx: FakeDurableContext) -> None:
    def slow(step: Any) -> str:
        try:
            asyncio.run(asyncio.sleep(ctx.clock.now().minute or 901))  # 901 s in the first minute of the day
        finally:
            ctx.effects.record("slept", key=1)
        return "done"

    execution = ctx.run(lambda event, context: context.step(slow, name="slow"))
    assert execution.result == "done"
    assert [invocation.status for invocation in execution.invocations] == ["died", "SUCCEEDED"]
    assert execution.body_runs("slow") == 2
    assert [effect.invocation for effect in ctx.effects] == [2]  # a dead invocation does nothing
    assert round(execution.billed) == 900 + 15


@pytest.mark.parametrize("how", ["time.sleep", "asyncio"])
def test_a_step_that_never_fits_is_stuck_and_the_message_says_so(ctx: FakeDurableContext, how: str) -> None:
    def body(step: Any) -> None:
        time.sleep(40)
        if how == "asyncio":
            asyncio.run(asyncio.sleep(60))
        else:
            time.sleep(60)

    with pytest.raises(ExecutionStuck, match="'report' never ends within the invocation timeout of 90 s") as caught:
        ctx.run(lambda event, context: context.step(body, name="report"), invocation_timeout=90)
    assert "It sleeps until 100 s after the invocation began." in caught.value.failure.explanation


def test_a_long_sleep_is_no_long_talk(monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDK looks ten times a second whether there is something to store: the child need not ask each time."""
    heard: list[str] = []
    receive = Pipe.receive

    def noted(pipe: Pipe) -> Any:
        message = receive(pipe)
        heard.append(message[1])
        return message

    monkeypatch.setattr(Pipe, "receive", noted)
    with FakeDurableContext(isolation="process") as ctx:
        execution = ctx.run(lambda event, context: context.step(lambda _: time.sleep(800), name="sleep"))
    assert round(execution.billed) == 800
    assert len(heard) < 20


def test_a_child_that_dies_by_itself_after_a_sleep_has_slept() -> None:
    def dies(step: Any) -> None:
        time.sleep(300)
        os._exit(3)

    with FakeDurableContext(isolation="process") as ctx:
        execution = ctx.start(lambda event, context: context.step(dies, name="dies"))
        (first, *_) = execution.invocations
    assert first.ended is not None
    assert 300 <= (first.ended - first.started).total_seconds() < 301


def test_waits_are_free_and_a_sleep_of_the_handler_is_not(ctx: FakeDurableContext) -> None:
    def handler(event: Any, context: DurableContext) -> None:
        asyncio.run(asyncio.sleep(2))
        context.wait(seconds(3_600), name="hour")
        context.wait_for_callback(lambda callback_id, _: time.sleep(3), name="approve")

    ctx.callbacks.succeed("approve", after=1_800)
    execution = ctx.run(handler)
    assert round(execution.billed) == 3 * 2 + 3  # each replay sleeps again
    assert 3_600 + 1_800 <= execution.elapsed < 3_600 + 1_800 + 20
