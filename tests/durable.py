"""Short names for what durable handlers in the tests are written with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aws_durable_execution_sdk_python.config import Duration, StepConfig, StepSemantics
from aws_durable_execution_sdk_python.retries import RetryDecision

from pytest_durable import Execution

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
