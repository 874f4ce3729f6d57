"""The order, killed at every place; and with each of its safeguards removed. The world is DynamoDB, as moto has it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields

import pytest

from examples.inventory.inventory import Safeguards, make_handler
from examples.inventory.warehouse import Warehouse
from pytest_durable import EffectLedger, EffectRepeated, FakeDurableContext

ORDER = {"id": "7", "sku": "A1", "pieces": 2}

FOUND = {
    "reserved_once": ("reserve:body", "dynamodb.UpdateItem"),
    "counted_once": ("count:body", "dynamodb.UpdateItem"),
    "shipment_from_step": ("ship:body", "dynamodb.PutItem"),
}
"""By safeguard, the kill under which its absence is found, and the effect that is repeated."""


@pytest.fixture
def warehouse(durable_effects: EffectLedger) -> Iterator[Warehouse]:
    import boto3  # type: ignore[import-untyped]  # it has no types
    from moto import mock_aws

    with mock_aws():
        warehouse = Warehouse(durable_effects.watch(boto3.client("dynamodb", region_name="eu-west-1")))
        warehouse.create()
        yield warehouse


def test_an_order_is_shipped_when_it_is_packed(durable_ctx: FakeDurableContext, warehouse: Warehouse) -> None:
    execution = durable_ctx.run(make_handler(warehouse.dynamodb), ORDER)

    assert execution.result == "shipped"
    stock = warehouse.items()["stock#A1"]
    assert (stock["pieces"], stock["sold"]) == ("8", "2")
    assert [effect.name for effect in durable_ctx.effects] == [
        "dynamodb.TransactWriteItems",
        "dynamodb.PutItem",
        "dynamodb.UpdateItem",
    ]


def test_an_order_survives_any_kill(durable_ctx: FakeDurableContext, warehouse: Warehouse) -> None:
    verification = durable_ctx.verify(make_handler(warehouse.dynamodb), ORDER, reset=warehouse.reset)

    assert verification.killed == verification.places
    assert {"reserve:body", "ship:body", "count:body"} <= set(verification.killed)
    print(verification)


@pytest.mark.parametrize("without", [field.name for field in fields(Safeguards)])
def test_an_order_without_one_of_its_safeguards_is_caught(
    durable_ctx: FakeDurableContext, warehouse: Warehouse, without: str
) -> None:
    handler = make_handler(warehouse.dynamodb, Safeguards(**{without: False}))
    with pytest.raises(EffectRepeated) as found:
        durable_ctx.verify(handler, ORDER, reset=warehouse.reset)  # no assertion of ours: the result is the same

    plan, effect = FOUND[without]
    assert found.value.failure.plan == plan
    assert effect in str(found.value)
    print(found.value)
