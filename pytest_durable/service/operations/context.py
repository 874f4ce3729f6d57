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
from pytest_durable.service.operations._common import close_rules, context_details, operation_from

_START, _SUCCEED = OperationAction.START, OperationAction.SUCCEED
_STARTED, _SUCCEEDED, _FAILED = OperationStatus.STARTED, OperationStatus.SUCCEEDED, OperationStatus.FAILED
_OPEN = ContextDetails()
ACTIONS = (_START, _SUCCEED, OperationAction.FAIL)


def validate(update: OperationUpdate, stored: Operation | None) -> None:
    """Refuse an update that the stored state does not allow.

    Raises:
        InvalidParameterValue: in the service's words.
    """
    if update.action is _START:
        if stored is not None:
            raise InvalidParameterValue("Cannot start a CONTEXT that already exist.")
        return
    if stored is not None and stored.status is not _STARTED:
        raise InvalidParameterValue("Invalid current CONTEXT state to close.")
    close_rules(update)


def transition(update: OperationUpdate, current: Operation | None, now: datetime) -> Operation:
    """The context after a valid update."""
    if update.action is _START:
        return operation_from(update, current, _STARTED, now, context_details=_OPEN)
    status = _SUCCEEDED if update.action is _SUCCEED else _FAILED
    options = update.context_options
    details = context_details(options is not None and bool(options.replay_children), update.payload, update.error)
    return operation_from(update, current, status, now, context_details=details)
