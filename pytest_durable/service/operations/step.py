"""STEP: ``step`` and ``wait_for_condition``.

none -START-> STARTED -RETRY-> PENDING -timer-> READY -START-> STARTED; SUCCEED and FAIL close it from STARTED, READY or
nothing. ``Attempt`` counts finished attempts.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from aws_durable_execution_sdk_python.lambda_service import (
    Operation,
    OperationAction,
    OperationStatus,
    OperationUpdate,
    StepDetails,
)

from pytest_durable.service.errors import InvalidParameterValue
from pytest_durable.service.operations._common import changed, close_rules, operation_from, step_details

_START, _SUCCEED, _FAIL, _RETRY = (
    OperationAction.START,
    OperationAction.SUCCEED,
    OperationAction.FAIL,
    OperationAction.RETRY,
)
_STARTED, _PENDING, _READY, _SUCCEEDED, _FAILED = (
    OperationStatus.STARTED,
    OperationStatus.PENDING,
    OperationStatus.READY,
    OperationStatus.SUCCEEDED,
    OperationStatus.FAILED,
)
ACTIONS = (_START, _SUCCEED, _FAIL, _RETRY)
_FIRST = StepDetails()
_RUNNING = (_STARTED, _READY)


def _check(update: OperationUpdate, current: Operation) -> None:
    """The rules for a step that exists; the service checks nothing but the action while there is none."""
    action, status = update.action, current.status
    if action is _START:
        if status is not _READY:
            raise InvalidParameterValue("Invalid current STEP state to start.")
    elif action in (_SUCCEED, _FAIL):
        if status not in _RUNNING:
            raise InvalidParameterValue("Invalid current STEP state to close.")
        close_rules(update)
    elif action is _RETRY:
        if status not in _RUNNING:
            raise InvalidParameterValue("Invalid current STEP state to re-attempt.")
        if update.step_options is None:
            raise InvalidParameterValue("Invalid StepOptions for the given action.")
        if update.error is not None and update.payload is not None:
            raise InvalidParameterValue("Cannot provide both error and payload to RETRY a STEP.")


def validate(update: OperationUpdate, stored: Operation | None) -> None:
    """Refuse an update that the stored state does not allow.

    Raises:
        InvalidParameterValue: in the service's words.
    """
    if stored is not None:
        _check(update, stored)


def transition(update: OperationUpdate, current: Operation | None, now: datetime) -> Operation:
    """The step after a valid update."""
    before = (current.step_details if current is not None else None) or _FIRST
    action = update.action
    if action is _START:
        # A condition's state is kept: the SDK takes it up again from a STARTED operation after a crash.
        if before.next_attempt_timestamp is not None:
            before = replace(before, next_attempt_timestamp=None)
        return operation_from(update, current, _STARTED, now, step_details=before)
    if action is _RETRY:
        delay = update.step_options.next_attempt_delay_seconds if update.step_options is not None else 0
        due = now + timedelta(seconds=delay)
        details = step_details(before.attempt + 1, update.payload, update.error, due)
        return operation_from(update, current, _PENDING, now, step_details=details)
    details = step_details(before.attempt + 1, update.payload, update.error)
    status = _SUCCEEDED if action is _SUCCEED else _FAILED
    return operation_from(update, current, status, now, step_details=details)


def timer_of(operation: Operation) -> datetime | None:
    """When the next attempt is due; None unless a retry is pending."""
    if operation.status is _PENDING and operation.step_details is not None:
        return operation.step_details.next_attempt_timestamp
    return None


def fire(operation: Operation) -> Operation:
    """PENDING becomes READY; result and error stay."""
    assert operation.step_details is not None
    details = replace(operation.step_details, next_attempt_timestamp=None)
    return changed(operation, status=_READY, step_details=details)
