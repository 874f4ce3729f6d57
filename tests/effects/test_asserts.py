"""What a test asserts of effects; each message says which kill, and which invocations and attempts did it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from aws_durable_execution_sdk_python import DurableContext

from pytest_durable import FakeDurableContext, UsageError
from tests.durable import seconds


def order(ctx: FakeDurableContext) -> Callable[[Any, DurableContext], None]:
    def handler(event: Any, context: DurableContext) -> None:
        context.step(lambda _: ctx.effects.record("charge", "order 7", amount=100), name="charge")
        context.step(lambda _: ctx.effects.record("mail", to="ada"), name="mail")
        context.wait(seconds(3_600), name="a while")
        context.step(lambda _: ctx.effects.record("ship"), name="ship")

    return handler


def message(assertion: Callable[..., None], *args: Any, **kwargs: Any) -> list[str]:
    with pytest.raises(AssertionError) as caught:
        assertion(*args, **kwargs)
    return str(caught.value).splitlines()


def test_what_holds_is_silent(ctx: FakeDurableContext) -> None:
    ctx.run(order(ctx), faults="charge:body")

    ctx.effects.assert_exactly_once("charge")  # done twice, under one key
    ctx.effects.assert_exactly_once("charge", key="order 7")
    ctx.effects.assert_at_most_once("refund")
    ctx.effects.assert_at_most_once("mail", key=None)
    ctx.effects.assert_at_least_once("mail")
    ctx.effects.assert_none_after("ship")
    ctx.effects.assert_none_after("mail", name="charge")
    ctx.effects.assert_none_after(datetime(2026, 1, 1, 0, 30), name="mail")
    ctx.effects.assert_none_after(datetime(2026, 1, 1, 2, tzinfo=UTC))


def test_twice_instead_of_once(ctx: FakeDurableContext) -> None:
    ctx.run(order(ctx), faults="mail:body")

    for assertion, wanted in (
        (ctx.effects.assert_exactly_once, "exactly once"),
        (ctx.effects.assert_at_most_once, "at most once"),
    ):
        assert message(assertion, "mail") == [
            f"mail happened twice, not {wanted}",
            "  mail(to='ada') without a key: 'mail', invocation 1, attempt 1, at 2026-01-01 00:00:00",
            "  mail(to='ada') without a key: 'mail', invocation 2, attempt 1, at 2026-01-01 00:00:01",
            "  killed: mail:body, invocation 1",
        ]


def test_not_at_all(ctx: FakeDurableContext) -> None:
    ctx.run(order(ctx))

    assert message(ctx.effects.assert_at_least_once, "refund") == [
        "refund did not happen, not at least once",
        "  what happened: charge, mail, ship",
        "  nothing was killed",
    ]
    assert message(ctx.effects.assert_exactly_once, "charge", key="order 8") == [
        "charge under the key 'order 8' did not happen, not exactly once",
        "  charge(amount=100) under the key 'order 7': 'charge', invocation 1, attempt 1, at 2026-01-01 00:00:00",
        "  nothing was killed",
    ]


def test_many_of_several_executions(ctx: FakeDurableContext) -> None:
    for _ in range(10):
        ctx.run(order(ctx))

    lines = message(ctx.effects.assert_exactly_once, "mail")
    assert lines[0] == "mail happened 10 times, not exactly once"
    assert "'mail', invocation 1 of execution-2, attempt 1" in lines[2]
    assert lines[-2:] == ["  and 2 more", "  nothing was killed"]


def test_after_something(ctx: FakeDurableContext) -> None:
    ctx.run(order(ctx), faults="invocation:return")

    assert message(ctx.effects.assert_none_after, "mail") == [
        "something was done after 'mail'",
        "  ship without a key: 'ship', invocation 3, attempt 1, at 2026-01-01 01:00:00",
        "  killed: invocation:return, invocation 1",
    ]
    half_past = datetime(2026, 1, 1, 0, 30, tzinfo=UTC)
    assert message(ctx.effects.assert_none_after, half_past, name="ship")[0] == (
        "ship was done after 2026-01-01T00:30:00+00:00"
    )


def test_what_makes_no_sense(ctx: FakeDurableContext) -> None:
    ctx.run(order(ctx))
    with pytest.raises(UsageError, match="no effect is named 'refund'; there were: charge, mail, ship"):
        ctx.effects.assert_none_after("refund")
    with pytest.raises(UsageError, match="takes a datetime or the name of an effect, not 7"):
        ctx.effects.assert_none_after(7)  # type: ignore[arg-type]  # what a user may do
