"""A durable handler with code of every shape a tracer has to follow; the scripts beside it run it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from aws_durable_execution_sdk_python import DurableContext, StepContext
from aws_durable_execution_sdk_python.config import Duration, StepConfig
from aws_durable_execution_sdk_python.retries import RetryDecision

EVENT = {"order": 7, "items": ["book", "lamp", "desk"]}
RESULT = [
    216,
    "refused",
    ["book", "lamp in a large box", "desk"],
    ["thank you, for your order", "audited"],
    "shipped",
]
ONCE = StepConfig(retry_strategy=lambda error, attempt: RetryDecision.no_retry())


def handler(event: Any, context: DurableContext) -> Any:
    total = context.step(lambda _: price(event["items"]), name="price")
    if total > 1_000:
        context.wait(Duration.from_hours(1), name="approval")
    context.wait(Duration.from_minutes(5), name="pause")
    try:
        context.step(charge, name="charge", config=ONCE)
    except Exception:
        outcome = "refused"
    else:
        outcome = "charged"
    finally:
        total += 1
    packed: list[str] = context.map(event["items"], pack, name="pack").get_results()
    sides = context.parallel([notify, audit], name="sides").get_results()
    label = context.run_in_child_context(ship, name="ship")
    return [total, outcome, packed, sides, label]


def price(items: list[str]) -> int:
    total = 0
    for item in items:
        if item == "desk":
            total += 200
        elif item == "piano":
            total += 9_000
        else:
            total += 10
    while total > 215:
        total -= 1
    return total


def charge(step: StepContext) -> str:
    with refusal() as reason:
        raise PermissionError(reason)
    return "charged"


class refusal:
    def __enter__(self) -> str:
        return "no funds"

    def __exit__(self, *error: object) -> None:
        if error[0] is None:
            raise AssertionError("never")


def pack(context: DurableContext, item: str, index: int, items: Any) -> str:
    if index == 1:
        context.wait(Duration.from_seconds(30), name="find a box")
        box = "large"
    else:
        box = "small"

    def wrap(step: StepContext) -> str:
        if box == "large":
            return f"{item} in a {box} box"
        return item

    wrapped: str = context.step(wrap, name="wrap")
    if not wrapped:
        raise ValueError("nothing to pack")
    return wrapped


def notify(context: DurableContext) -> str:
    sent: str = context.step(lambda _: ", ".join(lines()), name="send")
    return sent


def lines() -> Iterator[str]:
    yield "thank you"
    yield "for your order"


def audit(context: DurableContext) -> str:
    context.wait(Duration.from_seconds(1), name="settle")
    return "audited" if context else "never"


def ship(context: DurableContext) -> str:
    label = context.step(lambda step: "label", name="print label")
    context.wait(Duration.from_days(1), name="courier")
    match label:
        case "label":
            return "shipped"
        case _:
            return "lost"
