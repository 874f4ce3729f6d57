"""The place right after an effect: where a kill leaves half a body done."""

from __future__ import annotations

import warnings
from typing import Any

import pytest
from aws_durable_execution_sdk_python import DurableContext, durable_execution

from pytest_durable import FakeDurableContext, FaultNotReached, InvalidPlan
from tests.durable import ONCE_AT_MOST, attempts


def two_effects(ctx: FakeDurableContext) -> Any:
    """A handler whose one step charges, and sends two mails; all of it under keys."""

    def body(step: Any) -> str:
        ctx.effects.record("bank.charge", "order 7")
        for mail in ("receipt", "advert"):
            ctx.effects.record("mail", mail)
        return "done"

    def handler(event: Any, context: DurableContext) -> Any:
        result = context.step(body, name="fulfil")
        ctx.effects.record("log", "order 7")
        return result

    return handler


@pytest.mark.parametrize(
    ("plan", "before"),
    [
        ("fulfil:effect:bank.charge", ["bank.charge"]),
        ("fulfil:effect:mail", ["bank.charge", "mail"]),
        ("fulfil@2:effect:mail", ["bank.charge", "mail", "mail"]),
        ("*:effect:mail", ["bank.charge", "mail"]),
        ("fulfil@2:effect", ["bank.charge", "mail"]),
        ("*@4:effect", ["bank.charge", "mail", "mail", "log"]),
        ("invocation:effect:log", ["bank.charge", "mail", "mail", "log"]),
    ],
)
def test_a_kill_right_after_an_effect(ctx: FakeDurableContext, plan: str, before: list[str]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        execution = ctx.run(two_effects(ctx), faults=plan)

    assert [effect.name for effect in ctx.effects if effect.invocation == 1] == before
    assert [invocation.status for invocation in execution.invocations] == ["died", "SUCCEEDED"]
    assert execution.result == "done"
    assert ctx.effects.count("mail") == 2


def test_the_kill_is_named_in_full_whatever_the_plan_said(ctx: FakeDurableContext) -> None:
    assert ctx.run(two_effects(ctx), faults="*@3:effect").invocations[0].killed == "fulfil@2:effect:mail"


def test_a_search_kills_after_every_effect(ctx: FakeDurableContext) -> None:
    assert ctx.verify(two_effects(ctx)).killed == (
        "fulfil:start",
        "fulfil:body",
        "fulfil:stored",
        "invocation:return",
        "fulfil:effect:bank.charge",  # within bodies last
        "fulfil:effect:mail",
        "fulfil@2:effect:mail",
        "invocation:effect:log",
    )


def test_at_most_once_half_a_body_is_not_run_again(ctx: FakeDurableContext) -> None:
    def body(step: Any) -> None:
        ctx.effects.record("charge")
        ctx.effects.record("mail")

    execution = ctx.run(
        lambda event, context: context.step(body, name="fulfil", config=ONCE_AT_MOST), faults="fulfil:effect:charge"
    )

    assert execution.status == "FAILED"
    assert [effect.name for effect in ctx.effects] == ["charge"]


def test_an_effect_of_an_invoked_function(ctx: FakeDurableContext) -> None:
    @durable_execution
    def pay(event: Any, context: DurableContext) -> Any:
        return context.step(lambda _: ctx.effects.record("charge", "order 7"), name="charge")

    ctx.register("pay", pay)
    execution = ctx.run(
        lambda event, context: context.invoke("pay", None, name="payment"), faults="payment/charge:effect:charge"
    )

    assert execution.invoked("payment").invocations[0].killed == "payment/charge:effect:charge"
    assert [effect.invocation for effect in ctx.effects] == [1, 2]


def test_the_second_attempt(ctx: FakeDurableContext) -> None:
    def body(step: Any) -> None:
        ctx.effects.record("mail", "order 7")
        if ctx.effects.count("again") == 0:
            ctx.effects.record("again", "order 7")
            raise ConnectionError

    ctx.run(lambda event, context: context.step(body, name="mail", config=attempts(2)), faults="mail@2:effect:mail")

    assert [(effect.attempt, effect.invocation) for effect in ctx.effects if effect.name == "mail"] == [
        (1, 1),
        (2, 2),
        (2, 3),
    ]


def test_a_plan_that_names_an_effect_that_does_not_happen(ctx: FakeDurableContext) -> None:
    with pytest.warns(FaultNotReached, match="'fulfil:effect:bank.refund' did not happen.*'?fulfil:effect:bank.charge"):
        ctx.run(two_effects(ctx), faults="fulfil:effect:bank.refund")


def test_a_plan_that_names_an_operation_that_there_is_not(ctx: FakeDurableContext) -> None:
    with pytest.raises(InvalidPlan, match="'fulfill:effect:mail': no operation is named 'fulfill'"):
        ctx.run(two_effects(ctx), faults="fulfill:effect:mail")
