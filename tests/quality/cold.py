"""Handlers at the top level of a module, which is imported anew when they start cold."""

from __future__ import annotations

from typing import Any

from aws_durable_execution_sdk_python import DurableContext

from tests.durable import ONCE

connections: dict[str, str] = {}
tmp: dict[str, str] = {}


def _connect(step: Any = None) -> None:
    connections["orders"] = "open"


def _write(step: Any) -> str:
    tmp["rows.csv"] = "1,2,3"
    return tmp["rows.csv"]


def connects_in_a_step(event: Any, context: DurableContext) -> Any:
    context.step(_connect, name="connect")
    return context.step(lambda step: connections["orders"], name="report", config=ONCE)


def connects_in_each_invocation(event: Any, context: DurableContext) -> Any:
    _connect()
    return context.step(lambda step: connections["orders"], name="report", config=ONCE)


def reads_what_was_written(event: Any, context: DurableContext) -> Any:
    context.step(_write, name="write")
    return context.step(lambda step: tmp["rows.csv"], name="read", config=ONCE)


def hands_on_what_was_written(event: Any, context: DurableContext) -> Any:
    rows = context.step(_write, name="write")
    return context.step(lambda step: rows, name="read", config=ONCE)
