"""The journal of one execution: its operations, in the order in which they were created, and nothing else.

What is stored is the SDK's own ``Operation``, which is immutable: a change replaces the entry. The journal knows which
operations changed since the invocation in flight last saw the state (`take_delta`), and which of them the service
changed by itself since the previous invocation saw them (`take_updated_ids`).
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from hashlib import blake2b
from operator import attrgetter

from aws_durable_execution_sdk_python.lambda_service import (
    ChainedInvokeDetails,
    ErrorObject,
    Operation,
    OperationAction,
    OperationStatus,
    OperationType,
    OperationUpdate,
)

from pytest_durable.engine import micros_of
from pytest_durable.service.errors import InvalidParameterValue
from pytest_durable.service.history import History
from pytest_durable.service.limits import check_update
from pytest_durable.service.operations import KINDS, TERMINAL, callback, details_of, fire, is_pending, timer_of
from pytest_durable.service.operations._common import changed

# Looking up a member in its enum costs as much as a call: what every checkpoint asks for is looked up once.
_EXECUTION, _CONTEXT, _STEP = OperationType.EXECUTION, OperationType.CONTEXT, OperationType.STEP
_CONTEXT_OR_STEP = (_CONTEXT, _STEP)
_START, _STARTED = OperationAction.START, OperationStatus.STARTED
_TYPE = attrgetter("operation_type")


class Journal:
    """The operations of one execution.

    Args:
        execution: the EXECUTION operation, which carries the input; it is the first entry.
        watch: called with each timer's time, in microseconds, when one is set.
        history: in which every change is written down.

    Attributes:
        moved_since_input: whether the service changed an operation since the latest invocation was given its input.
    """

    def __init__(self, execution: Operation, watch: Callable[[int], None], history: History) -> None:
        self.operations: dict[str, Operation] = {execution.operation_id: execution}
        self._order: dict[str, int] = {execution.operation_id: 0}
        self._watch = watch
        self._history = history
        self._changed: dict[str, None] = {}
        self._by_service: dict[str, None] = {}
        self._unseen: dict[str, None] = {}
        self._pending: dict[str, None] = {}
        self.moved_since_input = False
        self._timers: list[tuple[int, int, str]] = []
        self._callbacks: dict[str, callback.Timers] = {}
        self._execution_id = execution.operation_id

    # --- updates by the handler -----------------------------------------------------------------------------------

    def apply(self, updates: Sequence[OperationUpdate], now: datetime) -> None:
        """Apply one request's updates, in their order; all of them or, if one is refused, none.

        Raises:
            InvalidParameterValue: in the service's words; nothing has changed then.
        """
        self._validate(updates)
        operations = self.operations
        for update in updates:
            transition = KINDS[update.operation_type._name_].transition
            if transition is None:
                continue
            operation = transition(update, operations.get(update.operation_id), now)
            if operation.callback_details is not None:
                operation = callback.with_id(operation, self._execution_id)
                timers = callback.timers_of(update, micros_of(now))
                self._callbacks[operation.operation_id] = timers
                if timers.ends is not None:  # watched from now on, also if a heartbeat is due before
                    self._watch(timers.ends)
            self._store(operation)
            self._history.updated(now, update, operation)

    def _validate(self, updates: Sequence[OperationUpdate]) -> None:
        """The order of the checks is the service's: EXECUTION, then ids and parents, then each update by its type."""
        if _EXECUTION in map(_TYPE, updates):
            _validate_executions(updates)
        self._validate_ids(updates)
        operations = self.operations
        update = None
        try:
            for position, update in enumerate(updates):
                stored = operations.get(update.operation_id)
                if stored is not None:
                    _validate_identity(update, stored)
                check_update(update, position)
                kind = KINDS.get(update.operation_type._name_)
                if kind is None:
                    raise InvalidParameterValue("Unknown operation type.")
                if update.action not in kind.actions:
                    raise InvalidParameterValue("Invalid action for the given operation type.")
                kind.validate(update, stored)
        except InvalidParameterValue as refusal:
            refusal.operation_id = None if update is None else update.operation_id
            raise

    def _validate_ids(self, updates: Sequence[OperationUpdate]) -> None:
        last: dict[str, OperationAction] = {}
        for update in updates:
            operation_id, action, parent_id = update.operation_id, update.action, update.parent_id
            if operation_id in last and not (
                update.operation_type in _CONTEXT_OR_STEP and last[operation_id] is _START and action is not _START
            ):
                raise InvalidParameterValue("Cannot checkpoint multiple operations with the same ID.")
            last[operation_id] = action
            if parent_id is not None:
                parent = self.operations.get(parent_id)
                if parent is None and _is_started_before(update, updates):
                    continue
                if parent is None or parent.operation_type is not _CONTEXT:
                    raise InvalidParameterValue("Invalid parent operation id.")

    def _store(self, operation: Operation) -> None:
        operation_id = operation.operation_id
        if operation_id not in self.operations:
            self._order[operation_id] = len(self._order)
        self.operations[operation_id] = operation
        self._changed[operation_id] = None
        if not is_pending(operation):
            self._pending.pop(operation_id, None)
            return
        self._pending[operation_id] = None
        self._set_timer(operation)

    def _set_timer(self, operation: Operation) -> None:
        micros = self._due(operation)
        if micros is not None:
            heapq.heappush(self._timers, (micros, self._order[operation.operation_id], operation.operation_id))
            self._watch(micros)

    def _due(self, operation: Operation) -> int | None:
        """When the service itself changes this operation next, in microseconds; None if it will not."""
        if operation.callback_details is not None:
            return self._callbacks[operation.operation_id].due if operation.status not in TERMINAL else None
        due = timer_of(operation)
        return None if due is None else micros_of(due)

    def restore(self, operations: Iterable[Operation], timers: Mapping[str, callback.Timers]) -> None:
        """Take over the operations of another journal, in order, and the timers of its open callbacks."""
        self._callbacks.update(timers)
        for operation in operations:
            self._store(operation)

    # --- changes by the service -----------------------------------------------------------------------------------

    def fire_due(self, now: datetime) -> bool:
        """Let every timer go off that is due; whether one did."""
        if not self._timers:
            return False
        micros = micros_of(now)
        fired = False
        while self._timers and self._timers[0][0] <= micros:
            due, _, operation_id = heapq.heappop(self._timers)
            operation = self.operations[operation_id]
            if self._due(operation) != due:
                continue  # it was closed, or set anew, in the meantime
            if operation.callback_details is not None:
                error = self._callbacks[operation_id].error
                self.close(operation_id, OperationStatus.TIMED_OUT, now, error=error)
            else:
                self._move(fire(operation, now), now)
            fired = True
        return fired

    def close(
        self,
        operation_id: str,
        status: OperationStatus,
        now: datetime,
        *,
        result: str | None = None,
        error: ErrorObject | None = None,
    ) -> None:
        """End a callback, or a chained invoke, as the outside world did."""
        operation = self.operations[operation_id]
        if operation.callback_details is not None:
            details = replace(operation.callback_details, result=result, error=error)
            closed = changed(operation, status=status, end_timestamp=now, callback_details=details)
        else:
            invoked = ChainedInvokeDetails(result, error)
            closed = changed(operation, status=status, end_timestamp=now, chained_invoke_details=invoked)
        self._move(closed, now)

    def forget_timers(self) -> None:
        """The execution is over: nobody waits for its timers any more."""
        self._watch = _nobody

    def beat(self, operation_id: str, now: datetime) -> None:
        """A heartbeat of an open callback: the heartbeat timer starts again, and nothing else happens."""
        timers = self._callbacks[operation_id]
        if timers.every:
            timers.beats = micros_of(now) + timers.every
            self._set_timer(self.operations[operation_id])

    def _move(self, operation: Operation, now: datetime) -> None:
        """Store what the service itself changed."""
        self._store(operation)
        self._history.changed(now, operation)
        self._by_service[operation.operation_id] = None
        self._unseen[operation.operation_id] = None
        self.moved_since_input = True

    # --- what an invocation sees ----------------------------------------------------------------------------------

    def take_delta(self) -> list[Operation]:
        """The operations that changed since the invocation in flight last saw the state, in order of creation."""
        moved = list(self._changed)
        if len(moved) > 1:
            moved.sort(key=self._order.__getitem__)
        self._changed.clear()
        if self._by_service:
            for operation_id in moved:
                self._by_service.pop(operation_id, None)
            self._unseen.clear()
        operations = self.operations
        return [operations[operation_id] for operation_id in moved]

    def take_state(self) -> list[Operation]:
        """All operations a new invocation is given: those below a finished context are left out, as on AWS."""
        self._changed.clear()
        self._unseen.clear()
        self.moved_since_input = False
        hidden: set[str] = set()
        visible = []
        for operation_id, operation in self.operations.items():
            if self._is_hidden(operation, hidden):
                hidden.add(operation_id)
            else:
                visible.append(operation)
        return visible

    def _is_hidden(self, operation: Operation, hidden: set[str]) -> bool:
        """Below a finished context, unless that one must be re-run over its children (``ReplayChildren``)."""
        if operation.parent_id is None:
            return False
        if operation.parent_id in hidden:
            return True
        parent = self.operations[operation.parent_id]
        if parent.status not in TERMINAL:
            return False
        return not (parent.context_details is not None and parent.context_details.replay_children)

    def take_updated_ids(self) -> list[str]:
        """Ids of operations the service changed since the previous invocation saw the state, in order of creation."""
        updated = sorted(self._by_service, key=self._order.__getitem__)
        self._by_service.clear()
        return updated

    @property
    def has_unseen(self) -> bool:
        """Whether the service changed something that the invocation in flight has not been shown."""
        return bool(self._unseen)

    @property
    def has_pending(self) -> bool:
        """Whether there is something to be suspended on."""
        return bool(self._pending)

    def open_operations(self) -> list[Operation]:
        """The operations that are not finished, in order of creation, without the EXECUTION itself."""
        return [
            operation
            for operation in list(self.operations.values())[1:]
            if operation.status not in TERMINAL and operation.operation_type is not _CONTEXT
        ]

    def contents(self) -> str:
        """A fingerprint of what a replay is given: every operation with its result, and no times."""
        text = repr([_content(operation) for operation in list(self.operations.values())[1:]])
        return blake2b(text.encode(), digest_size=16).hexdigest()

    def is_terminal(self, operation_id: str) -> bool:
        """Whether the operation is stored and finished."""
        operation = self.operations.get(operation_id)
        return operation is not None and operation.status in TERMINAL

    def is_started(self, operation_id: str) -> bool:
        """Whether the operation's START is stored and it is running."""
        operation = self.operations.get(operation_id)
        return operation is not None and operation.status is _STARTED


def _nobody(micros: int) -> None:
    """Nobody watches."""


def _content(operation: Operation) -> tuple[object, ...]:
    details = details_of(operation)
    stored = (details.result, details.error) if details is not None else ()
    return (operation.operation_id, operation.name, operation.status._name_, *stored)


def _validate_executions(updates: Sequence[OperationUpdate]) -> None:
    """The end of the execution comes once, and last.

    Raises:
        InvalidParameterValue: in the service's words.
    """
    if sum(update.operation_type is _EXECUTION for update in updates) > 1:
        raise InvalidParameterValue("Cannot checkpoint multiple EXECUTION updates.")
    if updates[-1].operation_type is not _EXECUTION:
        raise InvalidParameterValue("EXECUTION checkpoint must be the last update.")


def _is_started_before(update: OperationUpdate, updates: Sequence[OperationUpdate]) -> bool:
    """Whether the parent of ``update`` is a context that the same request has started."""
    for earlier in updates:
        if earlier is update:
            return False
        if earlier.operation_id == update.parent_id and earlier.operation_type is _CONTEXT and earlier.action is _START:
            return True
    return False


def _validate_identity(update: OperationUpdate, stored: Operation) -> None:
    """An operation keeps its type, subtype, name and parent.

    Raises:
        InvalidParameterValue: in the service's words.
    """
    if stored.operation_type is not update.operation_type:
        raise InvalidParameterValue("Inconsistent operation type.")
    if _differ(stored.sub_type, update.sub_type):
        raise InvalidParameterValue("Inconsistent operation subtype.")
    if _differ(stored.name, update.name):
        raise InvalidParameterValue("Inconsistent operation name.")
    if _differ(stored.parent_id, update.parent_id):
        raise InvalidParameterValue("Inconsistent parent operation id.")


def _differ(stored: object, updated: object) -> bool:
    return updated is not None and stored != updated
