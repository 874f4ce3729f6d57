"""What is run on both sides: a handler, its event, and the outside world that it talks to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from aws_durable_execution_sdk_python import BatchResult, DurableContext, durable_execution
from aws_durable_execution_sdk_python.config import CompletionConfig, JitterStrategy
from aws_durable_execution_sdk_python.retries import RetryDecision, RetryStrategyConfig, create_retry_strategy
from aws_durable_execution_sdk_python.waits import WaitForConditionConfig, WaitStrategyConfig, create_wait_strategy

from tests.durable import seconds

ABSENT = "absent"
"""Stands for what only the other side has."""

# The SDK gives these no types.
ALL_COMPLETED: CompletionConfig = CompletionConfig.all_completed()  # type: ignore[no-untyped-call]
ALL_SUCCESSFUL: CompletionConfig = CompletionConfig.all_successful()  # type: ignore[no-untyped-call]
FIRST_SUCCESSFUL: CompletionConfig = CompletionConfig.first_successful()  # type: ignore[no-untyped-call]

Handler = Callable[[Any, DurableContext], Any]


@dataclass(frozen=True)
class Answer:
    """An answer of the outside world to a callback.

    Attributes:
        name: of the callback or of the ``wait_for_callback``; None for the only one that is open.
        result: that it succeeds with: ``str`` and ``bytes`` as they are, anything else as JSON.
        error: type and message that it fails with, instead.
        after: seconds from its creation to the answer.
        heartbeat: seconds between heartbeats, instead of an end.
        times: how many heartbeats.
    """

    name: str | None = None
    result: Any = None
    error: tuple[str, str] | None = None
    after: float = 0
    heartbeat: float | None = None
    times: int = 0


@dataclass(frozen=True)
class Function:
    """A target of ``invoke``.

    Attributes:
        handler: a durable or a plain handler.
        durable: which of the two.
    """

    handler: Callable[..., Any]
    durable: bool = True


@dataclass(frozen=True)
class Differs:
    """Why AWS's local runner is wrong, and exactly what is then different: the test fails if anything else is.

    Attributes:
        reason: why; the numbers are those of the list of the runner's known faults.
        fields: ``what: (ours, the runner's)``.
    """

    reason: str
    fields: Mapping[str, tuple[Any, Any]]


@dataclass(frozen=True)
class Scenario:
    """One handler in one world.

    Attributes:
        handler: not decorated yet.
        event: anything JSON.
        answers: of the outside world, in the order in which the callbacks are created.
        functions: what ``invoke`` finds, by name.
        plugins: factories of SDK plugins.
        seen: what handler and plugins noted, beside the result; emptied before each run.
        real_time: the runner must not skip time: what is abandoned would fall due before it could be abandoned.
        execution_timeout: seconds.
        differs: for a handler that the runner gets wrong.
    """

    handler: Handler
    event: Any = None
    answers: tuple[Answer, ...] = ()
    functions: Mapping[str, Function] = field(default_factory=dict)
    plugins: tuple[Any, ...] = ()
    seen: list[Any] = field(default_factory=list)
    real_time: bool = False
    execution_timeout: int | None = None
    differs: Differs | None = None

    @property
    def name(self) -> str:
        return self.handler.__name__

    def decorated(self) -> Callable[..., Any]:
        """The handler as Lambda is given it."""
        if self.plugins:
            return durable_execution(self.handler, plugins=list(self.plugins))
        return durable_execution(self.handler)


class Table(list[Scenario]):
    """The scenarios of one module."""

    def add(self, **world: Any) -> Callable[[Handler], Handler]:
        """Enter the decorated handler into the table, with its world."""

        def enter(handler: Handler) -> Handler:
            self.append(Scenario(handler, **world))
            return handler

        return enter


def without_jitter(max_attempts: int = 3, delay: int = 1, **more: Any) -> Callable[[Exception, int], RetryDecision]:
    """The SDK's own exponential strategy."""
    return create_retry_strategy(
        RetryStrategyConfig(
            max_attempts=max_attempts, initial_delay=seconds(delay), jitter_strategy=JitterStrategy.NONE, **more
        )
    )


def until(target: int, max_attempts: int = 5, initial: int = 0, **more: Any) -> WaitForConditionConfig[Any]:
    """Poll a counter until it reaches ``target``, with the SDK's own strategy."""
    strategy: WaitStrategyConfig[Any] = WaitStrategyConfig(
        should_continue_polling=lambda state: state < target,
        max_attempts=max_attempts,
        initial_delay=seconds(1),
        jitter_strategy=JitterStrategy.NONE,
    )
    return WaitForConditionConfig(wait_strategy=create_wait_strategy(strategy), initial_state=initial, **more)


def batch(result: BatchResult[Any]) -> Any:
    """Everything that a batch says of itself."""
    return {
        "items": [
            [item.index, item.status.value, item.result, item.error and [item.error.type, item.error.message]]
            for item in result.all
        ],
        "reason": result.completion_reason.value,
        "status": result.status.value,
        "counts": [result.success_count, result.failure_count, result.started_count, result.total_count],
    }


def caught(call: Callable[[], Any]) -> Any:
    """What a call returns, or the error that it raises, with its cause."""
    try:
        return ["returned", call()]
    except Exception as error:
        cause = error.__cause__
        return ["raised", _described(error), cause and _described(cause)]


def _described(error: BaseException) -> list[Any]:
    return [type(error).__name__, str(error), getattr(error, "error_type", None), getattr(error, "data", None)]
