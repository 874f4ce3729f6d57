"""CONTEXT: child contexts, ``map``, ``parallel`` and their branches."""

from __future__ import annotations

from datetime import datetime

from aws_durable_execution_sdk_python.lambda_service import (
    ContextDetails,
    Operation,
    OperationAction,
    OperationStatus,
    OperationUpdate,
)

from pytest_durable.service.errors import InvalidParameterValue
from pytest_durable.service.operations._common import close_rules, operation_from

ACTIONS = (OperationAction.START, OperationAction.SUCCEED, OperationAction.FAIL)


def validate(update: OperationUpdate, stored: Operation | None) -> None:
    """Refuse an update that the stored state does not allow.

    Raises:
        InvalidParameterValue: in the service's words.
    """
    if update.action is OperationAction.START:
        if stored is not None:
            raise InvalidParameterValue("Cannot start a CONTEXT that already exist.")
        return
    if stored is not None and stored.status is not OperationStatus.STARTED:
        raise InvalidParameterValue("Invalid current CONTEXT state to close.")
    close_rules(update)


def transition(update: OperationUpdate, current: Operation | None, now: datetime) -> Operation:
    """The context after a valid update."""
    if update.action is OperationAction.START:
        return operation_from(update, current, OperationStatus.STARTED, now, context_details=ContextDetails())
    status = OperationStatus.SUCCEEDED if update.action is OperationAction.SUCCEED else OperationStatus.FAILED
    details = ContextDetails(
        replay_children=bool(update.context_options and update.context_options.replay_children),
        result=update.payload,
        error=update.error,
    )
    return operation_from(update, current, status, now, context_details=details)
