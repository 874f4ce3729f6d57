"""A checkout as a durable function: reserve, hold for the fraud check, charge, ship; undo all of it if a step fails."""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from aws_durable_execution_sdk_python import (
    DurableContext,
    StepContext,
    StepError,
    durable_execution,
    durable_step,
)
from aws_durable_execution_sdk_python.config import Duration, StepConfig
from aws_durable_execution_sdk_python.retries import RetryStrategyConfig, create_retry_strategy

from examples.checkout.world import CarrierRefused, OutOfStock, Shop, connect

FRAUD_HOLD = Duration.from_minutes(30)

TRANSIENT = StepConfig(
    retry_strategy=create_retry_strategy(
        RetryStrategyConfig(
            max_attempts=3,
            initial_delay=Duration.from_seconds(2),
            retryable_error_types=[ConnectionError, sqlite3.OperationalError],
        )
    )
)
"""Try again when the line breaks or the database is locked. A refusal is an answer: it is not asked for again."""

Order = dict[str, Any]
"""Id, sku, pieces, cents."""

Step = Callable[[StepContext], Any]


@dataclass(frozen=True)
class Safeguards:
    """What makes the checkout safe to replay. Each can be left out, to see it found.

    Attributes:
        key_from_step: the idempotency key is made in a step of its own, so each replay is given the same one.
        keyed_charge: the charge is sent with that key.
        tolerant_reservation: a reservation that is there already is no error.
        undo_in_handler: what must be undone is noted by the handler, not inside the bodies that a replay leaves out.
        keyed_refund: the refund is sent with the key of its charge.
        keyed_label: the label is numbered after the order, so a second one is the first.
    """

    key_from_step: bool = True
    keyed_charge: bool = True
    tolerant_reservation: bool = True
    undo_in_handler: bool = True
    keyed_refund: bool = True
    keyed_label: bool = True


def new_key() -> str:
    """A key that no other payment has."""
    return str(uuid.uuid4())


@durable_step
def payment_key(step: StepContext) -> str:
    """Choose the key before the charge it is for: a charge that is run again finds the key it was first made with."""
    return new_key()


@durable_step
def reserve(step: StepContext, shop: Shop, order: Order, statement: str, done: Callable[[], None]) -> None:
    """Take the pieces off the shelf."""
    with connect(shop.database) as database:
        (free,) = database.execute(
            "SELECT pieces - (SELECT coalesce(sum(pieces), 0) FROM reservations WHERE sku = :sku AND order_id != :id)"
            " FROM stock WHERE sku = :sku",
            order,
        ).fetchone()
        if free < order["pieces"]:
            raise OutOfStock(f"{free} of {order['sku']} left")
        database.execute(statement, (order["id"], order["sku"], order["pieces"]))
    done()


@durable_step
def release(step: StepContext, shop: Shop, order: Order) -> None:
    """Put the pieces back; to put back what was never taken does nothing."""
    with connect(shop.database) as database:
        database.execute("DELETE FROM reservations WHERE order_id = ?", (order["id"],))


@durable_step
def charge(step: StepContext, shop: Shop, order: Order, key: str | None, done: Callable[[], None]) -> None:
    """Take the money."""
    shop.payments.charge(order["cents"], key)
    done()


@durable_step
def refund(step: StepContext, shop: Shop, payment: str, key: str | None) -> None:
    """Give the money back."""
    shop.payments.refund(payment, key)


@durable_step
def ship(step: StepContext, shop: Shop, order: Order, keyed: bool) -> str:
    """Buy a label from the carrier."""
    if not shop.delivers:
        raise CarrierRefused("no delivery to this address")
    tracking = f"label-{order['id']}" if keyed else f"label-{uuid.uuid4()}"
    with connect(shop.database) as database:
        database.execute("INSERT OR REPLACE INTO labels VALUES (?, ?)", (tracking, order["id"]))
    return tracking


@durable_step
def receipt(step: StepContext, shop: Shop, order: Order) -> dict[str, int]:
    """Read what was booked, for the receipt: not what the steps believe, but what the world says."""
    with connect(shop.database) as database:
        (reserved,) = database.execute(
            "SELECT coalesce(sum(pieces), 0) FROM reservations WHERE order_id = ?", (order["id"],)
        ).fetchone()
        (labels,) = database.execute("SELECT count(*) FROM labels WHERE order_id = ?", (order["id"],)).fetchone()
    paid, returned = sum(shop.payments.charges.values()), sum(shop.payments.refunds.values())
    return {"paid": paid, "refunded": returned, "reserved": reserved, "labels": labels}


def nothing() -> None:
    """Do nothing."""


def make_handler(shop: Shop, safeguards: Safeguards | None = None) -> Callable[[Any, Any], Any]:
    """Make the durable handler; its event is an order: ``{"id": "7", "sku": "A1", "pieces": 2, "cents": 4200}``."""
    safe = safeguards or Safeguards()
    insert = "INSERT INTO reservations VALUES (?, ?, ?)" + " ON CONFLICT DO NOTHING" * safe.tolerant_reservation

    @durable_execution
    def handler(event: Order, context: DurableContext) -> dict[str, Any]:
        key = context.step(payment_key()) if safe.key_from_step else new_key()
        undo: list[tuple[str, Step]] = []

        def undone_by(name: str, step: Step) -> Callable[[], None]:
            """Note how the next step is undone: at once, or as a step that notes it itself when it is done."""
            if not safe.undo_in_handler:
                return lambda: undo.append((name, step))
            # Before the step, not after it: a step that failed may have done its work, and lost the answer.
            undo.append((name, step))
            return nothing

        try:
            done = undone_by("release", release(shop, event))
            context.step(reserve(shop, event, insert, done), config=TRANSIENT)
            context.wait(FRAUD_HOLD, name="fraud-hold")
            done = undone_by("refund", refund(shop, key, key if safe.keyed_refund else None))
            context.step(charge(shop, event, key if safe.keyed_charge else None, done), config=TRANSIENT)
            context.step(ship(shop, event, safe.keyed_label), config=TRANSIENT)
            status = "shipped"
        except StepError as error:
            context.logger.warning("order is cancelled: %s", error.message)
            for name, step in reversed(undo):
                context.step(step, name=name)
            status = "cancelled"
        return {"status": status, **context.step(receipt(shop, event))}

    return handler
