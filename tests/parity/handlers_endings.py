"""How a handler ends, and what it can see of its replay."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from aws_durable_execution_sdk_python import DurableContext, ExecutionError, ValidationError

from tests.durable import returns, seconds
from tests.parity.handlers_steps import OutOfStock
from tests.parity.scenario import Table

TABLE = Table()


@TABLE.add()
def nothing(event: Any, context: DurableContext) -> Any:
    return None


@TABLE.add()
def result_that_is_large(event: Any, context: DurableContext) -> Any:
    return "r" * (6 * 1024 * 1024 - 10)


@TABLE.add()
def error_that_is_large(event: Any, context: DurableContext) -> Any:
    raise ValueError("e" * 20_000)


@TABLE.add()
def result_that_is_no_json(event: Any, context: DurableContext) -> Any:
    return {1, 2}


@TABLE.add()
def raising(event: Any, context: DurableContext) -> Any:
    context.step(returns(1), name="a")
    raise LookupError("no such order")


@TABLE.add()
def raising_an_error_of_its_own(event: Any, context: DurableContext) -> Any:
    raise OutOfStock("A1")


@TABLE.add()
def raising_without_a_text(event: Any, context: DurableContext) -> Any:
    raise RuntimeError


@TABLE.add()
def raising_an_execution_error(event: Any, context: DurableContext) -> Any:
    raise ExecutionError("cannot go on")


@TABLE.add()
def raising_a_validation_error(event: Any, context: DurableContext) -> Any:
    context.step(returns(1), name="a")
    raise ValidationError("bad order")


@dataclass(frozen=True)
class _Seen:
    context: DurableContext

    def status(self) -> bool:
        return self.context.is_replaying()


@TABLE.add()
def replay_status(event: Any, context: DurableContext) -> Any:
    seen = _Seen(context)
    before = context.step(returns(1), name="a")
    context.wait(seconds(1), name="pause")
    return [before, seen.status(), context.step(lambda step: seen.status(), name="b")]
