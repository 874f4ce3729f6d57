"""Functions, methods and whole clients whose calls are effects."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any
from unittest.mock import Mock, create_autospec

import pytest
from aws_durable_execution_sdk_python import DurableContext

from pytest_durable import FakeDurableContext, UsageError
from tests.durable import ONCE


class Bank:
    """A client: two methods, one of which may fail; and what is no method."""

    currency = "EUR"

    def __init__(self) -> None:
        self.booked: list[int] = []

    def charge(self, amount: int, key: str | None = None, **more: Any) -> int:
        """Charge it."""
        if amount < 0:
            raise ValueError(f"{amount}")
        self.booked.append(amount)
        return amount

    def close(self) -> str:
        self._log()
        return "closed"

    def _log(self) -> None:
        self.charge(0)

    def __enter__(self) -> Bank:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def __len__(self) -> int:
        return len(self.booked)


def in_a_step(ctx: FakeDurableContext, act: Callable[[], Any]) -> Any:
    """Run ``act`` in a step, once; what it returned."""
    return ctx.run(lambda event, context: context.step(lambda _: act(), name="act", config=ONCE)).result


def seen(ctx: FakeDurableContext) -> list[str]:
    return [f"{effect}{'' if effect.key is None else f' under {effect.key}'}" for effect in ctx.effects]


def charge(amount: int, *rest: int, currency: str = "EUR") -> int:
    """Charge it."""
    return amount + sum(rest)


def test_a_function(ctx: FakeDurableContext) -> None:
    wrapped = ctx.effects.wrap(charge)

    assert in_a_step(ctx, lambda: wrapped(1, 2, currency="USD")) == 3
    assert seen(ctx) == ["charge(2, amount=1, currency='USD')"]
    assert (wrapped.__name__, wrapped.__doc__, wrapped.__wrapped__) == ("charge", "Charge it.", charge)


def test_a_method_under_another_name_and_a_key(ctx: FakeDurableContext) -> None:
    wrapped = ctx.effects.wrap(Bank().charge, name="bank.charge", key="key")
    in_a_step(ctx, lambda: [wrapped(1, key="a"), wrapped(1, "a"), wrapped(2)])

    assert seen(ctx) == ["bank.charge(amount=1) under a", "bank.charge(amount=1) under a", "bank.charge(amount=2)"]
    assert ctx.effects.count("bank.charge") == 2


def test_a_key_made_of_the_arguments(ctx: FakeDurableContext) -> None:
    wrapped = ctx.effects.wrap(charge, key=lambda amount, currency="EUR": (amount, currency))
    in_a_step(ctx, lambda: wrapped(7))

    assert [effect.key for effect in ctx.effects] == [(7, "EUR")]
    assert seen(ctx) == ["charge(amount=7, currency='EUR') under (7, 'EUR')"]


def test_a_call_that_raises_is_none_of_the_worlds(ctx: FakeDurableContext) -> None:
    bank = ctx.effects.wrap(Bank())

    def act() -> str:
        with pytest.raises(ValueError, match="-1"):
            bank.charge(-1)
        return "refused"

    assert in_a_step(ctx, act) == "refused"
    assert seen(ctx) == []


def test_a_client(ctx: FakeDurableContext) -> None:
    bank = Bank()
    wrapped = ctx.effects.wrap(bank, name="bank", key="key")

    assert in_a_step(ctx, lambda: [wrapped.charge(5, key="a", via="card"), wrapped.close()]) == [5, "closed"]
    assert seen(ctx) == ["bank.charge(amount=5, via='card') under a", "bank.close"]
    assert bank.booked == [5, 0]  # what a method calls of its own object is no effect of its own

    assert isinstance(wrapped, Bank)
    assert (wrapped.currency, wrapped.booked, len(wrapped)) == ("EUR", [5, 0], 2)
    wrapped.currency = "USD"
    assert bank.currency == "USD"
    assert repr(wrapped) == f"<effects of {bank!r}>"
    with wrapped as inner:
        assert inner is bank


def test_a_mock(ctx: FakeDurableContext) -> None:
    client = Mock()
    client.charge.return_value = 7
    client.return_value = 8
    wrapped = ctx.effects.wrap(client, name="client")

    assert in_a_step(ctx, lambda: [wrapped.charge(1, key="a"), wrapped()]) == [7, 8]
    assert seen(ctx) == ["client.charge(1, key='a')", "client"]
    client.charge.assert_called_once_with(1, key="a")


def test_a_mock_with_a_specification_whose_methods_have_mocks_for_names(ctx: FakeDurableContext) -> None:
    bank = create_autospec(Bank, instance=True)
    bank.charge.return_value = 100
    wrapped = ctx.effects.wrap(bank, name="bank", key="key")
    assert in_a_step(ctx, lambda: wrapped.charge(100, key="7")) == 100
    bank.charge.assert_called_once_with(100, key="7")
    assert [(effect.name, effect.key) for effect in ctx.effects] == [("bank.charge", "7")]


def test_a_builtin_a_partial_and_a_coroutine_function(ctx: FakeDurableContext) -> None:
    sent: list[int] = []

    async def mail(to: str) -> str:
        await asyncio.sleep(0)
        return to

    append = ctx.effects.wrap(sent.append)
    part = ctx.effects.wrap(partial(charge, 1), name="part")
    mails = ctx.effects.wrap(mail)
    in_a_step(ctx, lambda: [append(1), part(), asyncio.run(mails("ada"))])

    assert sent == [1]
    assert [effect.name for effect in ctx.effects] == ["append", "part", "mail"]
    assert seen(ctx)[-1] == "mail(to='ada')"


def test_what_the_test_itself_calls_is_no_effect(ctx: FakeDurableContext) -> None:
    assert ctx.effects.wrap(charge)(3) == 3
    assert seen(ctx) == []


def test_nothing_reaches_the_world_from_a_dead_invocation(ctx: FakeDurableContext) -> None:
    bank = Bank()
    wrapped = ctx.effects.wrap(bank)

    def handler(event: Any, context: DurableContext) -> None:
        try:
            context.step(lambda _: wrapped.charge(1), name="charge")
        finally:
            wrapped.charge(-0)

    ctx.run(handler, faults="charge:effect:charge")

    assert bank.booked == [1, 1, 0]


def test_details_are_as_they_were(ctx: FakeDurableContext) -> None:
    def act() -> None:
        rows = [1]
        ctx.effects.record("load", rows=rows)
        rows.append(2)

    in_a_step(ctx, act)
    assert seen(ctx) == ["load(rows=[1])"]


@pytest.mark.parametrize("what", [charge, Bank()])
def test_wrapping_twice_is_refused(ctx: FakeDurableContext, what: Any) -> None:
    says = (
        "(charge|Bank) is wrapped already: each of its effects would count twice. Use what the first wrap has returned"
    )
    with FakeDurableContext() as other, pytest.raises(UsageError, match=f"^{says}$"):
        other.effects.wrap(ctx.effects.wrap(what))


@pytest.mark.parametrize("isolation", ["thread", "process"])
def test_wrapping_twice_in_a_step_is_told_to_the_test_although_the_step_would_be_retried(isolation: str) -> None:
    with FakeDurableContext(isolation=isolation) as ctx:
        wrapped = ctx.effects.wrap(charge)
        with pytest.raises(UsageError, match="charge is wrapped already"):
            ctx.run(lambda event, context: context.step(lambda _: ctx.effects.wrap(wrapped)(1), name="charge"))


def test_a_client_one_of_whose_methods_is_wrapped_is_refused(ctx: FakeDurableContext) -> None:
    bank: Any = Bank()
    bank.charge = ctx.effects.wrap(bank.charge)
    with pytest.raises(UsageError, match=r"Bank\.charge is wrapped already"):
        ctx.effects.wrap(bank)
    with pytest.raises(UsageError, match="charge is wrapped already"):
        ctx.effects.wrap(ctx.effects.wrap(Bank()).charge)


@pytest.mark.parametrize(
    ("what", "options", "says"),
    [
        (Bank, {}, "not the class Bank: wrap an instance"),
        (7, {"name": ""}, "a name is text, such as 'bank.charge', not ''"),
        (charge, {"key": 7}, "key is the name of a parameter or a function of the call's arguments, not 7"),
        (charge, {"key": "id"}, "charge has no parameter 'id' to be its key; it has: amount, rest, currency"),
        (object(), {}, "wrap takes a function, a method or a client with public methods, not <object"),
    ],
)
def test_what_makes_no_sense_is_refused(ctx: FakeDurableContext, what: Any, options: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        ctx.effects.wrap(what, **options)


def test_no_method_of_a_client_has_the_key(ctx: FakeDurableContext) -> None:
    class Mail:
        def send(self, to: str) -> None: ...

    with pytest.raises(UsageError, match="no method of Mail has a parameter 'token' to be its key"):
        ctx.effects.wrap(Mail(), key="token")


def test_a_key_that_is_not_hashable(ctx: FakeDurableContext) -> None:
    wrapped = ctx.effects.wrap(charge, key=lambda amount: [amount])
    with pytest.raises(UsageError, match=r"the key of the effect 'charge' is not hashable: \[7\]"):
        in_a_step(ctx, lambda: wrapped(7))
