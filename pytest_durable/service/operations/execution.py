"""EXECUTION: the handler's result or error, where it is too large for its answer. Completes the execution."""

from __future__ import annotations

from datetime import datetime

from aws_durable_execution_sdk_python.lambda_service import (
    ExecutionDetails,
    Operation,
    OperationAction,
    OperationStatus,
    OperationType,
    OperationUpdate,
)

from pytest_durable.service.operations._common import changed, close_rules

_STARTED = Operation("", OperationType.EXECUTION, OperationStatus.STARTED)
ACTIONS = (OperationAction.SUCCEED, OperationAction.FAIL)


def validate(update: OperationUpdate, stored: Operation | None) -> None:
    """Refuse a result with an error, or an error with a result.

    Raises:
        InvalidParameterValue: in the service's words.
    """
    close_rules(update)


def started(execution_id: str, payload: str, now: datetime) -> Operation:
    """The operation that every execution begins with: it carries the input."""
    details = ExecutionDetails(input_payload=payload)
    return changed(_STARTED, operation_id=execution_id, start_timestamp=now, execution_details=details)
