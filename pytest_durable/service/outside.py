"""The outside world as a test declares it: the functions that can be invoked, and who answers callbacks when."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aws_durable_execution_sdk_python.lambda_service import ErrorObject

from pytest_durable.service.changes import Changes
from pytest_durable.service.effects import Effect
from pytest_durable.service.handlers import Handler
from pytest_durable.service.operations.invoke import names_of


@dataclass(frozen=True)
class Function:
    """A Lambda function that ``context.invoke`` can reach.

    Attributes:
        name: that it is registered under.
        handler: if it is a durable function, else None.
        plain: what Lambda calls otherwise, with the event and a Lambda context.
        execution_timeout: seconds a durable execution of it may take; None for no limit.
        invocation_timeout: seconds one invocation of it may take.
    """

    name: str
    handler: Handler | None
    plain: Callable[[Any, Any], Any]
    execution_timeout: float | None = None
    invocation_timeout: float = 900


@dataclass(frozen=True)
class Answer:
    """What the outside world does with every callback of a name.

    Attributes:
        name: of the callback, of its ``wait_for_callback``, or the path of either.
        call: ``succeed``, ``fail`` or ``heartbeat``.
        after: microseconds after the callback was created; for heartbeats the time between them.
        result: of a success, as text.
        error: of a failure.
        times: how many heartbeats.
    """

    name: str
    call: str
    after: int
    result: str | None = None
    error: ErrorObject | None = None
    times: int = 1


@dataclass
class Outside:
    """Everything a test has declared, and what was done; shared by all worlds of one durable context."""

    functions: dict[str, Function] = field(default_factory=dict)
    answers: list[Answer] = field(default_factory=list)
    effects: list[Effect] = field(default_factory=list)
    changes: Changes = field(default_factory=Changes)
    deaths: list[str] = field(default_factory=list)

    def forget(self) -> None:
        """Forget what was done, and what was killed."""
        self.effects.clear()
        self.deaths.clear()

    def function(self, target: str) -> Function | None:
        """The function that ``target``, a name or an ARN, with a qualifier or without, names; None if none does."""
        for name in names_of(target):
            if name in self.functions:
                return self.functions[name]
        return None
