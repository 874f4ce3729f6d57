"""WAIT: STARTED until its time, then SUCCEEDED by the service itself."""

from __future__ import annotations

from datetime import datetime, timedelta

from aws_durable_execution_sdk_python.lambda_service import (
    Operation,
    OperationAction,
    OperationStatus,
    OperationUpdate,
    WaitDetails,
)

from pytest_durable.service.errors import InvalidParameterValue
from pytest_durable.service.operations._common import changed, operation_from

ACTIONS = (OperationAction.START, OperationAction.CANCEL)


def validate(update: OperationUpdate, stored: Operation | None) -> None:
    """Refuse an update that the stored state does not allow.

    Raises:
        InvalidParameterValue: in the service's words.
    """
    if update.action is OperationAction.START:
        if stored is not None:
            raise InvalidParameterValue("Cannot start a WAIT that already exist.")
    elif stored is None or stored.status is not OperationStatus.STARTED:
        raise InvalidParameterValue("Cannot cancel a WAIT that does not exist or has already completed.")


def transition(update: OperationUpdate, current: Operation | None, now: datetime) -> Operation:
    """The wait after a valid update."""
    if update.action is OperationAction.CANCEL:
        assert current is not None
        return changed(current, status=OperationStatus.CANCELLED, end_timestamp=now)
    seconds = update.wait_options.wait_seconds if update.wait_options is not None else 1
    details = WaitDetails(scheduled_end_timestamp=now + timedelta(seconds=seconds))
    return operation_from(update, current, OperationStatus.STARTED, now, wait_details=details)


def timer_of(operation: Operation) -> datetime | None:
    """When the wait is over; None if it is already."""
    if operation.status is OperationStatus.STARTED and operation.wait_details is not None:
        return operation.wait_details.scheduled_end_timestamp
    return None


def fire(operation: Operation, now: datetime) -> Operation:
    """The wait is over."""
    return changed(operation, status=OperationStatus.SUCCEEDED, end_timestamp=now)
