"""What user code does to the outside world: an effect as a value, with where in which execution it happened."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pytest_durable.engine import Task
from pytest_durable.seams.observe import Call
from pytest_durable.service.points import AFTER_EFFECT, INVOCATION

if TYPE_CHECKING:
    from pytest_durable.service.lifecycle import DurableExecution


@dataclass(frozen=True, slots=True)
class Effect:
    """Something that was done to the outside world.

    Attributes:
        name: of the effect.
        key: its idempotency key: what happens again under the same key does not happen to the world; None for none.
        details: what is known of it, by name.
        operation: path of the operation whose body did it; ``invocation`` for handler code outside of any.
        attempt: of the step that did it, from 1; None if no step did. An invoked function that is not durable has one.
        invocation: number of the invocation, from 1.
        time: virtual time.
        execution: name of the execution.
        operation_id: the SDK's id of that operation; None for none.
    """

    name: str
    key: Hashable
    details: Mapping[str, Any] = field(hash=False)
    operation: str
    attempt: int | None
    invocation: int
    time: datetime
    execution: str
    operation_id: str | None = field(default=None, repr=False)

    def __str__(self) -> str:
        return called(self.name, self.details)


POSITIONAL = "args"
"""The detail that holds the arguments of a call whose parameters have no names."""

_LONGEST_VALUE = 40
"""Characters of a detail in a message."""


def called(name: str, details: Mapping[str, Any]) -> str:
    """An effect as the call that it was: ``bank.charge(order=7)``."""
    unnamed = [_short(value) for value in details.get(POSITIONAL, ())]
    named = [f"{detail}={_short(value)}" for detail, value in details.items() if detail != POSITIONAL]
    return f"{name}({', '.join([*unnamed, *named])})" if details else name


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _LONGEST_VALUE else f"{text[: _LONGEST_VALUE - 1]}…"


def happened(task: Task, name: str, key: Hashable, details: Mapping[str, Any]) -> None:
    """Write down the effect that the code of ``task`` has just done.

    Raises:
        Killed: if its process dies of a fault right after the effect.
    """
    if task.world.is_real:  # the invocation itself is in another process
        task.process.owner.effect(_innermost(task.data), name, key, details)
    else:
        done_by(task.process.owner, _innermost(task.data), name, key, details)


def done_by(owner: Any, operation_id: str | None, name: str, key: Hashable, details: Mapping[str, Any]) -> None:
    """Write down an effect of an invocation: of the operation whose body did it, or of the handler itself.

    What the replay of a finished journal does is none, and is kept nowhere: that replay is ours.

    Args:
        owner: the invocation.
        operation_id: of the operation; None for the handler. A plain function knows its own.
        name: of the effect.
        key: its idempotency key.
        details: what is known of it.

    Raises:
        Killed: if its process dies of a fault right after the effect.
    """
    execution: DurableExecution = owner.execution
    now = execution.service.world.clock.now()
    record = getattr(owner, "record", None)
    if record is None:  # a plain function that was invoked: its caller's operation is what it is the body of
        asked_by = execution.path_of(owner.operation_id)
        effect = Effect(name, key, details, asked_by, 1, 1, now, execution.name, owner.operation_id)
    else:
        attempt = None
        for run in reversed(record.bodies if operation_id is not None else ()):
            if run.operation_id == operation_id:
                attempt = run.attempt
                break
        path = f"{execution.prefix}{INVOCATION}" if operation_id is None else execution.path_of(operation_id)
        effect = Effect(name, key, details, path, attempt, record.number, now, execution.name, operation_id)
    if not execution.sealed:
        keep(execution, effect)
        if record is not None:
            owner.die_if(effect.operation, f"{AFTER_EFFECT}{name}")


def _innermost(doing: Any) -> str | None:
    """The id of the operation whose body runs; None for the handler itself."""
    if doing is None:
        return None
    if type(doing) is Call:  # the SDK asks the user's code something for a call: a retry strategy, a serdes
        return doing.context_id
    operation_id: str = doing.operation_id
    return operation_id


def keep(execution: DurableExecution, effect: Effect) -> None:
    """Write an effect down, with the execution that did it and for the test: every effect passes here, once."""
    execution.effects.append(effect)
    execution.service.outside.effects.append(effect)
    execution.service.world.note("effect", effect.operation, effect.name)
