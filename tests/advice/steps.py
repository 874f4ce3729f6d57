"""Functions bound by the SDK's decorators, for handlers that reach them through a module."""

from __future__ import annotations

from typing import Any

from aws_durable_execution_sdk_python import DurableContext, durable_step, durable_with_child_context


@durable_step
def charge(step: Any, amount: int) -> int:
    return amount


@durable_with_child_context
def ship(context: DurableContext, order: str) -> str:
    return context.step(lambda step: order, name="pack")


def note(amount: int) -> int:
    return amount
