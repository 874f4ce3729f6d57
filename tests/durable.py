"""Short names for what durable handlers in the tests are written with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from aws_durable_execution_sdk_python import DurableContext
from aws_durable_execution_sdk_python.config import CallbackConfig, Duration, InvokeConfig, StepConfig, StepSemantics
from aws_durable_execution_sdk_python.exceptions import DurableOperationError
from aws_durable_execution_sdk_python.retries import RetryDecision

from pytest_durable import Execution, FakeDurableContext, Operation

AT_LEAST_ONCE = StepSemantics.AT_LEAST_ONCE_PER_RETRY
AT_MOST_ONCE = StepSemantics.AT_MOST_ONCE_PER_RETRY

seconds = Duration.from_seconds


def attempts(count: int, delay: int = 5, semantics: StepSemantics = AT_LEAST_ONCE) -> StepConfig:
    """A step that is tried at most ``count`` times, ``delay`` seconds apart, without jitter."""

    def strategy(error: Exception, attempt: int) -> RetryDecision:
        return RetryDecision.retry(seconds(delay)) if attempt < count else RetryDecision.no_retry()

    return StepConfig(retry_strategy=strategy, step_semantics=semantics)


ONCE = attempts(1)
"""A step that is not retried; after a kill it is run again."""

ONCE_AT_MOST = attempts(1, semantics=AT_MOST_ONCE)
"""A step that is not retried, nor run again after a kill."""


def returns(value: Any) -> Callable[[Any], Any]:
    """A step body that returns ``value``."""
    return lambda step: value


def fails(error: Exception) -> Callable[[Any], Any]:
    """A step body that raises ``error``."""

    def body(step: Any) -> Any:
        raise error

    return body


class Flaky:
    """A step body that fails until it was called ``failures`` times; what it lives in survives a kill."""

    def __init__(self, failures: int, value: Any = "done") -> None:
        self.failures = failures
        self.value = value
        self.calls = 0

    def __call__(self, step: Any) -> Any:
        self.calls += 1
        if self.calls <= self.failures:
            raise ConnectionError(f"call {self.calls}")
        return self.value

    def reset(self) -> None:
        """Have it fail from the beginning."""
        self.calls = 0


def gaps(execution: Execution) -> list[float]:
    """Seconds from the end of each invocation to the start of the next."""
    ended = [invocation.ended for invocation in execution.invocations]
    started = [invocation.started for invocation in execution.invocations]
    return [(after - before).total_seconds() for before, after in zip(ended, started[1:], strict=False) if before]


def lasted(operation: Operation) -> float:
    """Seconds from the start of an operation to its end, exact."""
    assert operation.started is not None and operation.ended is not None
    return (operation.ended - operation.started).total_seconds()


def timeouts(timeout: int = 0, heartbeat: int = 0) -> CallbackConfig:
    """A callback with these timeouts, in seconds; 0 is none."""
    return CallbackConfig(timeout=seconds(timeout), heartbeat_timeout=seconds(heartbeat))


def awaits(name: str | None = "approval", config: CallbackConfig | None = None) -> Callable[[Any, Any], Any]:
    """A handler that makes one callback and returns its result."""

    def handler(event: Any, context: DurableContext) -> Any:
        return context.create_callback(name=name, config=config).result()

    return handler


def submits(name: str | None = "approval") -> Callable[[Any, Any], Any]:
    """A handler that waits for one callback, whose submitter does nothing, and returns its result."""

    def handler(event: Any, context: DurableContext) -> Any:
        return context.wait_for_callback(lambda callback_id, _: None, name=name)

    return handler


def invokes(target: str, payload: Any = None, name: str | None = "call", **config: Any) -> Callable[[Any, Any], Any]:
    """A handler that invokes ``target`` and returns its result."""

    def handler(event: Any, context: DurableContext) -> Any:
        return context.invoke(target, payload, name=name, config=InvokeConfig(**config))

    return handler


def reporting(handler: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """``handler``, but it returns what it sees of the failure of an operation, instead of failing."""

    def reports(event: Any, context: DurableContext) -> Any:
        try:
            return handler(event, context)
        except DurableOperationError as error:
            return {
                "kind": type(error).__name__,
                "type": error.error_type,
                "message": error.message,
                "data": error.data,
            }

    return reports


def without_check(ctx: FakeDurableContext, name: str) -> None:
    """Switch a check off: the handler does what it finds, and the test is about something else."""
    ctx.budget = replace(ctx.budget, checks=frozenset(ctx.budget.checks) - {name})
