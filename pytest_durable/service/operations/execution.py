"""EXECUTION: the handler's result or error, where it is too large for its answer. Completes the execution."""

from __future__ import annotations

from aws_durable_execution_sdk_python.lambda_service import Operation, OperationAction, OperationUpdate

from pytest_durable.service.operations._common import close_rules

ACTIONS = (OperationAction.SUCCEED, OperationAction.FAIL)


def validate(update: OperationUpdate, stored: Operation | None) -> None:
    """Refuse a result with an error, or an error with a result.

    Raises:
        InvalidParameterValue: in the service's words.
    """
    close_rules(update)
