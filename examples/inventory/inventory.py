"""An order as a durable function on DynamoDB: reserve the pieces, wait for them to be packed, ship, count."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from aws_durable_execution_sdk_python import DurableContext, StepContext, durable_execution, durable_step
from aws_durable_execution_sdk_python.config import Duration

from examples.inventory.warehouse import TABLE

PACKING = Duration.from_hours(20)

Order = dict[str, Any]
"""Id, sku, pieces."""


@dataclass(frozen=True)
class Safeguards:
    """What makes the order safe to replay. Each can be left out, to see it found.

    Attributes:
        reserved_once: the stock is reduced in one transaction with the order's record, which must not be there yet.
        counted_once: the counter is increased on the condition that it has not counted this order.
        shipment_from_step: the id of the shipment is made in a step of its own, so that each attempt finds the same.
    """

    reserved_once: bool = True
    counted_once: bool = True
    shipment_from_step: bool = True


def new_id() -> str:
    """An id that no other shipment has."""
    return str(uuid.uuid4())


@durable_step
def shipment_id(step: StepContext) -> str:
    """Choose the shipment's id before there is a shipment."""
    return new_id()


@durable_step
def reserve(step: StepContext, dynamodb: Any, order: Order, once: bool) -> None:
    """Take the pieces off the shelf."""
    take = {
        "TableName": TABLE,
        "Key": {"id": {"S": f"stock#{order['sku']}"}},
        "UpdateExpression": "SET pieces = pieces - :pieces",
        "ConditionExpression": "pieces >= :pieces",
        "ExpressionAttributeValues": {":pieces": {"N": str(order["pieces"])}},
    }
    note = {
        "TableName": TABLE,
        "Item": {"id": {"S": f"order#{order['id']}"}, "pieces": {"N": str(order["pieces"])}},
        "ConditionExpression": "attribute_not_exists(id)",
    }
    if not once:
        dynamodb.update_item(**take)
        return
    try:
        dynamodb.transact_write_items(TransactItems=[{"Put": note}, {"Update": take}])
    except dynamodb.exceptions.TransactionCanceledException as error:
        if error.response["CancellationReasons"][0]["Code"] != "ConditionalCheckFailed":
            raise  # else an attempt before this one has done it


@durable_step
def ship(step: StepContext, dynamodb: Any, order: Order, shipment: str | None) -> None:
    """Hand it to the carrier; the same shipment a second time is the first one."""
    item = {"id": {"S": f"shipment#{shipment or new_id()}"}, "order": {"S": order["id"]}}
    dynamodb.put_item(TableName=TABLE, Item=item)


@durable_step
def count(step: StepContext, dynamodb: Any, order: Order, once: bool) -> None:
    """Count what was sold."""
    update: dict[str, Any] = {
        "TableName": TABLE,
        "Key": {"id": {"S": f"stock#{order['sku']}"}},
        "UpdateExpression": "ADD sold :pieces",
        "ExpressionAttributeValues": {":pieces": {"N": str(order["pieces"])}},
    }
    if once:
        update["UpdateExpression"] = "ADD sold :pieces, counted :orders"
        update["ConditionExpression"] = "NOT contains(counted, :order)"
        update["ExpressionAttributeValues"] |= {":order": {"S": order["id"]}, ":orders": {"SS": [order["id"]]}}
    try:
        dynamodb.update_item(**update)
    except dynamodb.exceptions.ConditionalCheckFailedException:
        step.logger.info("order %s is counted already", order["id"])


def make_handler(dynamodb: Any, safeguards: Safeguards | None = None) -> Callable[[Any, Any], Any]:
    """Make the durable handler; its event is an order: ``{"id": "7", "sku": "A1", "pieces": 2}``."""
    safe = safeguards or Safeguards()

    @durable_execution
    def handler(event: Order, context: DurableContext) -> str:
        shipment = context.step(shipment_id()) if safe.shipment_from_step else None
        context.step(reserve(dynamodb, event, safe.reserved_once))
        context.wait(PACKING, name="packing")
        context.step(ship(dynamodb, event, shipment))
        context.step(count(dynamodb, event, safe.counted_once))
        return "shipped"

    return handler
