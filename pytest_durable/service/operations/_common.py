"""What the operation types share: building the stored operation, and the rules for closing one."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from aws_durable_execution_sdk_python.lambda_service import (
    CallbackDetails,
    ChainedInvokeDetails,
    ContextDetails,
    ErrorObject,
    Operation,
    OperationAction,
    OperationStatus,
    OperationUpdate,
    StepDetails,
    WaitDetails,
)

from pytest_durable.service.errors import InvalidParameterValue

_SUCCEED, _FAIL = OperationAction.SUCCEED, OperationAction.FAIL
_OPEN = (OperationStatus.STARTED, OperationStatus.PENDING, OperationStatus.READY)


def operation_from(
    update: OperationUpdate,
    current: Operation | None,
    status: OperationStatus,
    now: datetime,
    *,
    step_details: StepDetails | None = None,
    wait_details: WaitDetails | None = None,
    context_details: ContextDetails | None = None,
    callback_details: CallbackDetails | None = None,
    chained_invoke_details: ChainedInvokeDetails | None = None,
) -> Operation:
    """The operation that ``update`` leaves in the journal; it keeps its start time."""
    # A frozen dataclass sets each of its 14 fields through object.__setattr__, which is most of a checkpoint's cost.
    operation = object.__new__(Operation)
    operation.__dict__.update(
        operation_id=update.operation_id,
        operation_type=update.operation_type,
        status=status,
        parent_id=update.parent_id,
        name=update.name,
        start_timestamp=now if current is None else current.start_timestamp,
        end_timestamp=None if status in _OPEN else now,
        sub_type=update.sub_type,
        execution_details=None,
        context_details=context_details,
        step_details=step_details,
        wait_details=wait_details,
        callback_details=callback_details,
        chained_invoke_details=chained_invoke_details,
    )
    return operation


def changed(operation: Operation, **fields: Any) -> Operation:
    """The operation with other values in some fields, as ``dataclasses.replace`` gives it, in a tenth of the time."""
    other = object.__new__(Operation)
    other.__dict__.update(operation.__dict__, **fields)
    return other


def context_details(replay_children: bool, result: str | None, error: ErrorObject | None) -> ContextDetails:
    """The details of a context, made as `operation_from` makes the operation."""
    details = object.__new__(ContextDetails)
    details.__dict__.update(replay_children=replay_children, result=result, error=error)
    return details


def step_details(
    attempt: int, result: str | None, error: ErrorObject | None, next_attempt: datetime | None = None
) -> StepDetails:
    """The details of a step, made as `operation_from` makes the operation."""
    details = object.__new__(StepDetails)
    details.__dict__.update(attempt=attempt, next_attempt_timestamp=next_attempt, result=result, error=error)
    return details


def close_rules(update: OperationUpdate) -> None:
    """What SUCCEED and FAIL may carry.

    Raises:
        InvalidParameterValue: in the service's words.
    """
    if update.action is _FAIL and update.payload is not None:
        raise InvalidParameterValue("Cannot provide a Payload for FAIL action.")
    if update.action is _SUCCEED and update.error is not None:
        raise InvalidParameterValue("Cannot provide an Error for SUCCEED action.")
