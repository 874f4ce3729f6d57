"""The payment, killed at every place. No test asserts anything about the charges: the ledger sees them."""

from __future__ import annotations

import pytest

from examples.payments.payments import Bank, Key, Provider, make_handler
from pytest_durable import EffectLedger, EffectRepeated, FakeDurableContext

ORDER = {"id": "7", "cents": 4200}


@pytest.fixture
def bank(durable_effects: EffectLedger) -> Provider:
    provider: Provider = durable_effects.wrap(Bank({}), name="bank", key="key")
    return provider


def test_a_key_of_an_earlier_step_is_safe(durable_ctx: FakeDurableContext, bank: Provider) -> None:
    verification = durable_ctx.verify(make_handler(bank), ORDER)

    assert {"charge:body", "charge:effect:bank.charge", "receipt:body"} <= set(verification.killed)
    print(verification)


@pytest.mark.parametrize(
    ("key", "says"),
    [
        (Key.NONE, "bank.charge(order='7', cents=4200) happened twice, without an idempotency key"),
        (Key.SAME_STEP, "happened twice, each time under another idempotency key"),
    ],
    ids=["without a key", "a key of the same step"],
)
def test_without_such_a_key_the_customer_pays_twice(
    durable_ctx: FakeDurableContext, bank: Provider, key: Key, says: str
) -> None:
    with pytest.raises(EffectRepeated) as found:
        durable_ctx.verify(make_handler(bank, key), ORDER)

    assert found.value.failure.plan == "charge:body"
    assert says in found.value.failure.summary
    print(found.value)


def test_what_was_done_can_be_asserted(
    durable_ctx: FakeDurableContext, durable_effects: EffectLedger, bank: Provider
) -> None:
    durable_ctx.run(make_handler(bank), ORDER, faults="charge:body")

    durable_effects.assert_exactly_once("bank.charge")
    durable_effects.assert_exactly_once("bank.receipt", key="receipt 7")
    durable_effects.assert_none_after("bank.receipt")
