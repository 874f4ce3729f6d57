"""Replays of a journal to which nothing may be added: a finished one, or one of a recorded execution."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from pytest_durable.engine import Killed

if TYPE_CHECKING:
    from pytest_durable.service.lifecycle import DurableExecution
    from pytest_durable.service.watched import Watched

_FOR_EVER = 10 * 366 * 86_400
"""Seconds: longer than an execution may live."""


def take_over(execution: DurableExecution, finished: DurableExecution) -> None:
    """Take over the journal of a finished execution of the same name, to replay it."""
    execution.journal.operations.update(finished.journal.operations)
    execution.asked = dict(finished.asked)
    execution.children = {context: dict(made) for context, made in finished.children.items()}
    execution.paths = dict(finished.paths)
    last = finished.invocations[-1].asked
    execution.unstored = frozenset(key for key in last if key not in finished.journal.operations)


def stop_sealed(invocation: Watched, operation_id: str, what: str) -> NoReturn:
    """End the replay that wants to add to its journal; a patient one only where it does, the other threads go on."""
    execution = invocation.execution
    if operation_id in execution.journal.operations or operation_id in execution.unstored:
        execution.cut_short = True  # the SDK never closed it, or never stored it: it is free to run it again
    else:
        execution.breach = f"{what} {execution.path_of(operation_id)}"
    if execution.patient:
        invocation.world.sleep(_FOR_EVER)
    cause = "a finished journal is sealed"
    invocation.process.kill(cause)
    raise Killed(cause)
