"""Watches journals: what holds between one state and the next, whatever the handler does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import pytest
from aws_durable_execution_sdk_python.lambda_service import Operation, OperationUpdate

from pytest_durable.service.journal import Journal

SETTLED = {"SUCCEEDED", "FAILED", "CANCELLED", "TIMED_OUT", "STOPPED"}

NEXT: dict[str, set[str]] = {
    "STARTED": {"STARTED", "PENDING", *SETTLED},
    "PENDING": {"READY"},
    "READY": {"READY", "STARTED", "PENDING", *SETTLED},
}
"""The states that may follow an open one. A READY one is STARTED and settled in one request at times."""


class Witness:
    """Every state of every journal, and what was wrong between them.

    Attributes:
        wrong: a line for each broken promise.
        changes: how many states were seen, of all journals.
    """

    def __init__(self) -> None:
        self.wrong: list[str] = []
        self.changes = 0
        self._last: dict[str, tuple[datetime, dict[str, Operation]]] = {}

    def look(self, journal: Journal, now: datetime) -> None:
        """Compare the journal with what it was."""
        execution = next(iter(journal.operations))
        then, before = self._last.get(execution, (now, {}))
        after = dict(journal.operations)
        self.changes += 1
        self._last[execution] = (now, after)
        if now < then:
            self.wrong.append(f"time runs backwards, from {then} to {now}")
        if list(after)[: len(before)] != list(before):
            self.wrong.append(f"operations vanished or moved: {list(before)} became {list(after)}")
        for operation_id, old in before.items():
            new = after.get(operation_id)
            if new is not None:
                self.wrong += [f"{old.name or operation_id}: {what}" for what in _wrong(old, new)]


def _wrong(old: Operation, new: Operation) -> Iterator[str]:
    """What may not be, between two states of one operation."""
    if old == new:
        return
    was, became = old.status.value, new.status.value
    if was in SETTLED:
        yield f"it was settled as {was} and changed: {old} became {new}"
    elif became not in NEXT[was]:
        yield f"{was} became {became}"
    for key in ("operation_id", "operation_type", "sub_type", "name", "parent_id", "start_timestamp"):
        if getattr(old, key) != getattr(new, key):
            yield f"its {key} changed from {getattr(old, key)} to {getattr(new, key)}"
    if (new.end_timestamp is None) is (became in SETTLED):
        yield f"it is {became}, and its end is {new.end_timestamp}"
    if old.step_details and new.step_details and new.step_details.attempt < old.step_details.attempt:
        yield f"attempt {old.step_details.attempt} became {new.step_details.attempt}"


@contextmanager
def watching() -> Iterator[Witness]:
    """Look at each journal after each request and after each timer."""
    witness = Witness()
    apply: Callable[..., None] = Journal.apply
    fire_due: Callable[..., bool] = Journal.fire_due

    def watched_apply(journal: Journal, updates: list[OperationUpdate], now: datetime) -> None:
        apply(journal, updates, now)
        witness.look(journal, now)

    def watched_fire_due(journal: Journal, now: datetime) -> bool:
        fired = fire_due(journal, now)
        if fired:
            witness.look(journal, now)
        return fired

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Journal, "apply", watched_apply)
        patch.setattr(Journal, "fire_due", watched_fire_due)
        yield witness


def contents(operations: dict[str, Operation]) -> dict[str, Any]:
    """What must be the same in a run that was killed: all but times, attempts that a kill costs, and order."""
    return {
        operation_id: (operation.name, operation.operation_type.value, operation.parent_id, operation.status.value)
        for operation_id, operation in list(operations.items())[1:]
    }
