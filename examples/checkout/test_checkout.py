"""The checkout, killed at every place; and with each of its safeguards removed."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from examples.checkout.checkout import Safeguards, make_handler
from examples.checkout.world import Payments, Shop
from pytest_durable import DurabilityViolation, FakeDurableContext, OutcomeChanged, ReplayDiverged

ORDER = {"id": "7", "sku": "A1", "pieces": 2, "cents": 4200}
SHIPPED = {"status": "shipped", "paid": 4200, "refunded": 0, "reserved": 2, "labels": 1}
CANCELLED = {"status": "cancelled", "paid": 4200, "refunded": 4200, "reserved": 0, "labels": 0}

FOUND: dict[str, tuple[type[DurabilityViolation], str, str]] = {
    # It takes no kill: any replay makes another key.
    "key_from_step": (ReplayDiverged, "", "step 'charge' is given another 'key' on replay"),
    "keyed_charge": (OutcomeChanged, "charge:body", "result['paid'] is 8400, and 4200 without faults"),
    "tolerant_reservation": (OutcomeChanged, "reserve:body", 'is "cancelled", and "shipped" without faults'),
    "keyed_label": (OutcomeChanged, "ship:body", "result['labels'] is 2, and 1 without faults"),
    "keyed_refund": (OutcomeChanged, "refund:body", "result['refunded'] is 8400, and 4200 without faults"),
    # It takes no kill: a replay runs no body, so it finds nothing to undo.
    "undo_in_handler": (ReplayDiverged, "", "asks for step 'receipt' where the first pass asked for step 'refund'"),
}
"""By safeguard, what is found without it: the violation, the plan of kills, and what its message says."""

IN_THE_UNDOING = {"keyed_refund", "undo_in_handler"}


def make_shop(directory: Path, *, delivers: bool = True, lost_answers: int = 0) -> Shop:
    shop = Shop(directory / "shop.db", Payments(lost_answers), delivers)
    shop.create()
    return shop


def test_an_order_is_charged_after_the_fraud_hold_and_shipped(durable_ctx: FakeDurableContext, tmp_path: Path) -> None:
    execution = durable_ctx.run(make_handler(make_shop(tmp_path)), ORDER)

    assert execution.result == SHIPPED
    assert [invocation.status for invocation in execution.invocations] == ["PENDING", "SUCCEEDED"]
    assert 1800 <= execution.elapsed < 1810


def test_an_order_that_cannot_be_delivered_is_undone(durable_ctx: FakeDurableContext, tmp_path: Path) -> None:
    execution = durable_ctx.run(make_handler(make_shop(tmp_path, delivers=False)), ORDER)

    assert execution.result == CANCELLED
    assert [operation.name for operation in execution.operations][-3:] == ["refund", "release", "receipt"]


def test_an_order_of_more_than_there_is_costs_nothing(durable_ctx: FakeDurableContext, tmp_path: Path) -> None:
    execution = durable_ctx.run(make_handler(make_shop(tmp_path)), {**ORDER, "pieces": 11})

    assert execution.result == {"status": "cancelled", "paid": 0, "refunded": 0, "reserved": 0, "labels": 0}
    assert execution.body_runs("reserve") == 1  # a refusal is not tried again


def test_a_charge_whose_every_answer_is_lost_is_paid_back(durable_ctx: FakeDurableContext, tmp_path: Path) -> None:
    execution = durable_ctx.run(make_handler(make_shop(tmp_path, lost_answers=3)), ORDER)

    assert execution.result == CANCELLED
    assert execution.body_runs("charge") == 3


def test_a_shipped_order_survives_any_two_kills(durable_ctx: FakeDurableContext, tmp_path: Path) -> None:
    shop = make_shop(tmp_path, lost_answers=1)  # so there is a retry to be killed in as well
    verification = durable_ctx.verify(make_handler(shop), ORDER, kills=2, reset=shop.reset)

    assert verification.outcome is None
    assert verification.killed == verification.places
    assert {"charge:body", "charge:suspend", "ship:body"} <= set(verification.killed)
    print(verification)


def test_a_cancelled_order_survives_any_kill(durable_ctx: FakeDurableContext, tmp_path: Path) -> None:
    shop = make_shop(tmp_path, delivers=False)
    verification = durable_ctx.verify(make_handler(shop), ORDER, reset=shop.reset)

    assert verification.killed == verification.places
    assert {"refund:body", "release:body"} <= set(verification.killed)
    print(verification)


@pytest.mark.parametrize("without", [field.name for field in fields(Safeguards)])
def test_a_checkout_without_one_of_its_safeguards_is_caught(
    durable_ctx: FakeDurableContext, tmp_path: Path, without: str
) -> None:
    violation, plan, says = FOUND[without]
    shop = make_shop(tmp_path, delivers=without not in IN_THE_UNDOING)
    handler = make_handler(shop, Safeguards(**{without: False}))
    with pytest.raises(violation) as found:
        durable_ctx.verify(handler, ORDER, reset=shop.reset)

    assert found.value.failure.plan == plan
    assert says in str(found.value)
    print(found.value)
