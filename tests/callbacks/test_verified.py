"""Handlers with callbacks under every kill: planted bugs that must be found, and their repaired twins."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from aws_durable_execution_sdk_python import CallbackError, DurableContext

from pytest_durable import FakeDurableContext, OutcomeChanged, ReplayDiverged, SuspensionSwallowed
from tests.durable import awaits, reporting, returns, seconds, submits, timeouts

Handler = Callable[[Any, Any], Any]


def in_branches(event: Any, context: DurableContext) -> Any:
    def item(inner: DurableContext, name: str, index: int, items: Any) -> Any:
        return [submits(name)(event, inner), inner.step(returns(name), name="after")]

    return context.map(["approval", "other"], item, name="m").get_results()


HANDLERS: dict[str, Handler] = {
    "a callback": awaits(),
    "a wait for one": submits(),
    "two of one name": lambda event, context: [submits()(event, context), awaits()(event, context)],
    "in a child": lambda event, context: context.run_in_child_context(lambda child: submits()(event, child), name="c"),
    "in branches": in_branches,
    "with timeouts": awaits(config=timeouts(600, heartbeat=300)),
}


@pytest.mark.parametrize("handler", HANDLERS.values(), ids=list(HANDLERS))
@pytest.mark.parametrize("after", [0, 0.05, 1.5, 200])
def test_what_is_correct_survives_every_kill(ctx: FakeDurableContext, handler: Handler, after: float) -> None:
    ctx.callbacks.succeed("approval", "yes", after=after)
    ctx.callbacks.succeed("other", "yes", after=after)
    found = ctx.verify(handler)
    assert found.killed
    assert set(found.killed) <= set(found.places)


def test_one_that_fails_or_times_out_survives_every_kill_as_well(ctx: FakeDurableContext) -> None:
    ctx.callbacks.fail("approval", "no", after=30)
    assert ctx.verify(reporting(submits())).killed
    assert ctx.verify(reporting(awaits("late", timeouts(60)))).killed


def test_the_places_of_a_wait_for_a_callback(ctx: FakeDurableContext) -> None:
    ctx.callbacks.succeed("approval", "yes", after=60)
    assert ctx.verify(submits()).killed == (
        "approval:start",
        "approval/approval create callback id:suspend",
        "approval/approval submitter:start",
        "approval/approval submitter:body",
        "approval/approval submitter:stored",
        "invocation:return",
        "approval:body",
        "approval:stored",
        "invocation@2:return",
    )


class Desk:
    """The outside world that a submitter writes to."""

    def __init__(self) -> None:
        self.requests: dict[str, str] = {}

    def handler(self, repaired: bool) -> Handler:
        def submitter(callback_id: str, context: Any) -> None:
            self.requests[callback_id if repaired else f"request {len(self.requests)}"] = callback_id

        def handler(event: Any, context: DurableContext) -> int:
            context.wait_for_callback(submitter, name="approval")
            return context.step(lambda _: len(self.requests), name="count")

        return handler


def test_a_request_that_is_sent_twice_is_found(ctx: FakeDurableContext) -> None:
    desk = Desk()
    ctx.callbacks.succeed("approval", "yes", after=60)
    with pytest.raises(OutcomeChanged) as caught:
        ctx.verify(desk.handler(repaired=False), reset=desk.requests.clear)
    assert caught.value.failure.plan == "approval/approval submitter:body"
    assert caught.value.failure.explanation[0] == "result is 2, and 1 without faults."


def test_a_request_that_is_sent_by_the_id_is_left_alone(ctx: FakeDurableContext) -> None:
    desk = Desk()
    ctx.callbacks.succeed("approval", "yes", after=60)
    assert ctx.verify(desk.handler(repaired=True), reset=desk.requests.clear).killed


def minute() -> int:
    return int(time.time()) // 60 % 60  # noqa: TID251  # as a user would


def asks_by_the_clock(repaired: bool) -> Handler:
    def handler(event: Any, context: DurableContext) -> Any:
        early = context.step(lambda _: minute() == 0, name="hour") if repaired else minute() == 0
        if early:
            return context.create_callback(name="approval").result()
        return context.step(returns("too late"), name="refuse")

    return handler


def test_a_callback_that_depends_on_the_clock_is_found(ctx: FakeDurableContext) -> None:
    ctx.callbacks.succeed("approval", "yes", after=90)
    with pytest.raises(ReplayDiverged, match="asks for step 'refuse' where the first pass asked for create_callback"):
        ctx.run(asks_by_the_clock(repaired=False))


def test_a_callback_that_depends_on_a_step_is_left_alone(ctx: FakeDurableContext) -> None:
    ctx.callbacks.succeed("approval", "yes", after=90)
    assert ctx.run(asks_by_the_clock(repaired=True)).result == "yes"
    assert ctx.verify(asks_by_the_clock(repaired=True)).killed


def falls_back(kind: type[BaseException]) -> Handler:
    def handler(event: Any, context: DurableContext) -> Any:
        callback = context.create_callback(name="approval", config=timeouts(600))
        try:
            return callback.result()
        except kind:
            return context.step(returns("nobody answered"), name="fall back")

    return handler


def test_a_handler_that_swallows_its_suspension_on_a_callback_is_found(ctx: FakeDurableContext) -> None:
    ctx.callbacks.succeed("approval", "yes", after=60)
    with pytest.raises(SuspensionSwallowed, match="its own suspension"):
        ctx.run(falls_back(BaseException))


def test_a_handler_that_catches_the_callbacks_error_is_left_alone(ctx: FakeDurableContext) -> None:
    assert ctx.run(falls_back(CallbackError)).result == "nobody answered"
    ctx.callbacks.succeed("approval", "yes", after=60)
    assert ctx.verify(falls_back(CallbackError)).killed


def test_a_wait_between_callback_and_result_survives_every_kill(ctx: FakeDurableContext) -> None:
    def handler(event: Any, context: DurableContext) -> Any:
        callback = context.create_callback(name="approval")
        context.wait(seconds(120), name="pause")
        return callback.result()

    ctx.callbacks.succeed("approval", "yes", after=60)
    assert ctx.verify(handler).killed
