"""A step that calls ``breakpoint()``."""

from __future__ import annotations

import sys
from typing import Any

from aws_durable_execution_sdk_python import DurableContext, StepContext

from pytest_durable import FakeDurableContext


def body(step: StepContext) -> int:
    count = 1
    breakpoint()
    count += 1
    return count


def handler(event: Any, context: DurableContext) -> int:
    count: int = context.step(body, name="count")
    doubled = 2 * count
    return doubled


if __name__ == "__main__":
    with FakeDurableContext() as context:
        sys.stdout.write(f"result {context.run(handler).result}\n")
