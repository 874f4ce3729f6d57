"""A run made to find out what a difference comes from: what it does otherwise than a plain one, and what it notes.

A search makes such runs only where it has something to say, to be sure of it.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from aws_durable_execution_sdk_python.lambda_service import (
    Operation,
    OperationAction,
    OperationStatus,
    OperationType,
    OperationUpdate,
)

from pytest_durable.engine import MICROS
from pytest_durable.service.callbacks import owner_of
from pytest_durable.service.variables import text_of

if TYPE_CHECKING:
    from pytest_durable.seams.observe import Call
    from pytest_durable.service.invocation import Invocation
    from pytest_durable.service.journal import Journal
    from pytest_durable.service.lifecycle import DurableExecution

FOREVER = 366 * 86_400 * MICROS
"""Microseconds that an invocation may take which waits for everything within itself."""

PATIENCE = 10
"""How often it waits for an answer as long as that took before: another pace may be slower."""

SHORTEST = 0.001
"""Seconds that it waits at least."""

Key = tuple[str, str]
"""An operation: the prefix of its execution, and its id."""


@dataclass
class Trial:
    """What is tried in one run, and what came of it.

    Attributes:
        twice: the body of each step is run twice in a row; the first run counts.
        given: what durable calls return to the handler, whatever their operation has stored.
        in_one_piece: what ``context.wait`` waits for is waited for within the invocation, which is not suspended.
        answers: likewise, for callbacks and invokes: how they ended in another run.
        values: what each durable call has returned to the handler, last.
        variable: operations whose body gave two results, one after the other, and might have given either.
    """

    twice: bool = False
    given: Mapping[Key, Any] = field(default_factory=dict)
    in_one_piece: bool = False
    answers: Mapping[Key, Operation] = field(default_factory=dict)
    values: dict[Key, Any] = field(default_factory=dict)
    variable: dict[Key, None] = field(default_factory=dict)

    def returned(self, observer: Any, call: Call, value: Any) -> Any:
        """A durable call returns ``value``; what the handler shall see instead."""
        assert call.operation_id is not None
        key = (observer.execution.prefix, call.operation_id)
        self.values[key] = _copied(value)
        return _copied(self.given[key]) if key in self.given else value

    def ran(self, observer: Any, run: Any, outcome: Any, again: Callable[[], Any]) -> None:
        """A body has returned, or raised, ``outcome``; run it ``again`` if that is to be tried, and it is a step's."""
        if not self.twice or run.attempt is None:
            return
        if isinstance(outcome, BaseException) and not isinstance(outcome, Exception):
            return
        other: Any
        try:
            other = again()
        except Exception as error:
            other = error
        failed = isinstance(outcome, Exception)
        if failed != isinstance(other, Exception):
            differs = failed  # what fails when it is run again is told from what merely gives another result
        elif failed:
            differs = (type(outcome), str(outcome)) != (type(other), str(other))
        else:
            differs = not _is_same(outcome, other)
        if differs:
            self.variable[observer.execution.prefix, run.operation_id] = None


def in_one_piece(trial: Trial | None) -> bool:
    """Whether an invocation waits within itself."""
    return trial is not None and trial.in_one_piece


def pass_time(sleep: Callable[[float, bool], None], call: Call) -> None:
    """Let the time pass that a wait takes which is about to be stored, in the thread that waits."""
    if call.method == "wait":
        sleep(call.argument("duration").to_seconds(), True)


def end_waits(journal: Journal, updates: Sequence[OperationUpdate], now: datetime) -> None:
    """End the waits among ``updates`` at once, so that the SDK is answered that they are over."""
    for update in updates:
        if update.wait_options is not None:
            journal.close(update.operation_id, OperationStatus.SUCCEEDED, now)


def answers_of(execution: DurableExecution) -> dict[Key, Operation]:
    """How the callbacks and invokes of an execution ended that were waited for as soon as they were made."""
    return {
        (execution.prefix, operation_id): operation
        for operation_id, operation in execution.journal.operations.items()
        if operation.start_timestamp is not None
        and operation.end_timestamp is not None
        and (
            operation.operation_type is OperationType.CHAINED_INVOKE
            or (operation.callback_details is not None and owner_of(execution, operation_id) is not operation)
        )
    }


def await_answers(invocation: Invocation, updates: Sequence[OperationUpdate]) -> None:
    """Wait for the answers that are known, where the SDK would be suspended for them, so that it is told of them."""
    assert invocation.trial is not None
    prefix, answers = invocation.execution.prefix, invocation.trial.answers
    for update in updates:
        for (whose, _), answer in answers.items():
            if whose == prefix and _is_awaited_after(update, answer):
                _await(invocation, answer)


def _is_awaited_after(update: OperationUpdate, answer: Operation) -> bool:
    """Whether it is that of the invoke that is asked for, or of the callback whose submitter has run."""
    if answer.callback_details is None:
        return answer.operation_id == update.operation_id
    has_run = update.operation_type is OperationType.STEP and update.action is OperationAction.SUCCEED
    return has_run and answer.parent_id == update.parent_id


def _await(invocation: Invocation, known: Operation) -> None:
    """Wait as long as for the answer that is ``known``; if nobody has given it by then, it is given."""
    journal, operation_id = invocation.execution.journal, known.operation_id
    assert known.start_timestamp is not None and known.end_timestamp is not None
    took = max((known.end_timestamp - known.start_timestamp).total_seconds(), SHORTEST)
    for _ in range(PATIENCE):
        if not journal.is_terminal(operation_id):
            invocation.sleep(took)
    details = known.callback_details
    if details is not None and not journal.is_terminal(operation_id):  # who answers waits for the end of this
        now = invocation.world.clock.now()
        journal.close(operation_id, known.status, now, result=details.result, error=details.error)


def _copied(value: Any) -> Any:
    try:
        return copy.deepcopy(value)
    except Exception:  # of the user's, which may refuse in any way
        return value


def _is_same(one: Any, other: Any) -> bool:
    if type(one) is not type(other):
        return False
    text = text_of(one)
    if text is not None:
        return text == text_of(other)
    try:
        return bool(one == other) or vars(one) == vars(other)
    except Exception:  # of the user's
        return False
