"""A payment as a durable function: a charge, and a receipt. Nothing in its result tells how often it has charged."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any, Protocol

from aws_durable_execution_sdk_python import DurableContext, StepContext, durable_execution
from aws_durable_execution_sdk_python.config import Duration


class Provider(Protocol):
    """The client of a payment provider."""

    def charge(self, order: str, cents: int, key: str | None = None) -> str:
        """Take the money, once for each key; return the number of the charge."""

    def receipt(self, order: str, key: str) -> None:
        """Send a receipt, once for each key."""


class Key(Enum):
    """Where the idempotency key of the charge comes from."""

    NONE = "there is none"
    SAME_STEP = "the step that charges makes it"
    EARLIER_STEP = "a step of its own makes it, and a replay finds it stored"


@dataclass(frozen=True)
class Bank:
    """A payment provider, as simple as can be.

    Attributes:
        charges: cents by key, or by number where there is no key.
    """

    charges: dict[str, int]

    def charge(self, order: str, cents: int, key: str | None = None) -> str:
        """See `Provider`."""
        number = key or f"charge-{len(self.charges)}"
        self.charges[number] = cents
        return number

    def receipt(self, order: str, key: str) -> None:
        """See `Provider`."""


def make_handler(provider: Provider, key: Key = Key.EARLIER_STEP) -> Callable[[Any, Any], Any]:
    """Make the durable handler; its event is an order: ``{"id": "7", "cents": 4200}``."""

    @durable_execution
    def handler(event: dict[str, Any], context: DurableContext) -> str:
        stored = context.step(lambda _: str(uuid.uuid4()), name="key") if key is Key.EARLIER_STEP else None

        def charge(step: StepContext) -> None:
            made = str(uuid.uuid4()) if key is Key.SAME_STEP else stored
            provider.charge(event["id"], event["cents"], made)

        context.step(charge, name="charge")
        context.wait(Duration.from_minutes(5), name="cool-off")
        context.step(lambda _: provider.receipt(event["id"], f"receipt {event['id']}"), name="receipt")
        return "paid"

    return handler
