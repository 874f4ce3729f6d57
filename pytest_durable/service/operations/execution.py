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

from pytest_durable.service.operations._common import close_rules

ACTIONS = (OperationAction.SUCCEED, OperationAction.FAIL)


def validate(update: OperationUpdate, stored: Operation | None) -> None:
    """Refuse a result with an error, or an error with a result.

    Raises:
        InvalidParameterValue: in the service's words.
    """
    close_rules(update)


def started(execution_id: str, payload: str, now: datetime) -> Operation:
    """The operation that every execution begins with: it carries the input."""
    return Operation(
        operation_id=execution_id,
        operation_type=OperationType.EXECUTION,
        status=OperationStatus.STARTED,
        start_timestamp=now,
        execution_details=ExecutionDetails(input_payload=payload),
    )
