"""The operation types: for each, which transitions the service allows, what they store and which timer they set.

A type is a module with ``validate(update, stored)``, which refuses in the service's words what the stored state
does not allow, and ``transition(update, current, now)``, pure, which gives the operation's next state. Timers are
part of the state: `timer_of` reads them, `fire` lets them go off.

Sources: AWS's local runner 1.4 (``checkpoint/validators``) for the words, the Lambda API model for the ranges.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple

from aws_durable_execution_sdk_python.lambda_service import (
    CallbackDetails,
    ChainedInvokeDetails,
    ContextDetails,
    Operation,
    OperationAction,
    OperationStatus,
    OperationType,
    OperationUpdate,
    StepDetails,
)

from pytest_durable.service.operations import callback, context, execution, invoke, step, wait


class Kind(NamedTuple):
    """The rules of one operation type.

    Attributes:
        actions: that an update of this type may ask for.
        validate: refuses what the stored operation does not allow.
        transition: gives the operation's next state; None if the type stores no operation.
    """

    actions: tuple[OperationAction, ...]
    validate: Callable[[OperationUpdate, Operation | None], None]
    transition: Callable[[OperationUpdate, Operation | None, datetime], Operation] | None


KINDS: dict[str, Kind] = {
    "STEP": Kind(step.ACTIONS, step.validate, step.transition),
    "WAIT": Kind(wait.ACTIONS, wait.validate, wait.transition),
    "CONTEXT": Kind(context.ACTIONS, context.validate, context.transition),
    "CALLBACK": Kind(callback.ACTIONS, callback.validate, callback.transition),
    "CHAINED_INVOKE": Kind(invoke.ACTIONS, invoke.validate, invoke.transition),
    "EXECUTION": Kind(execution.ACTIONS, execution.validate, None),
}
"""By the type's name: hashing an enum member is a call into Python, on the hottest path there is."""

TERMINAL = (
    OperationStatus.SUCCEEDED,
    OperationStatus.FAILED,
    OperationStatus.CANCELLED,
    OperationStatus.TIMED_OUT,
    OperationStatus.STOPPED,
)


_STEP, _CONTEXT = OperationType.STEP, OperationType.CONTEXT
_STARTED, _PENDING = OperationStatus.STARTED, OperationStatus.PENDING


def timer_of(operation: Operation) -> datetime | None:
    """When the service itself changes this operation next; None if it will not."""
    if operation.wait_details is not None:
        return wait.timer_of(operation)
    if operation.step_details is not None:
        return step.timer_of(operation)
    return None


def fire(operation: Operation, now: datetime) -> Operation:
    """The operation after its timer went off."""
    return wait.fire(operation, now) if operation.operation_type is OperationType.WAIT else step.fire(operation)


def is_pending(operation: Operation) -> bool:
    """Whether the execution may be suspended on this operation: something outside of the handler will change it."""
    kind = operation.operation_type
    if kind is _STEP:
        return operation.status is _PENDING
    return kind is not _CONTEXT and operation.status is _STARTED


def details_of(operation: Operation) -> StepDetails | ContextDetails | CallbackDetails | ChainedInvokeDetails | None:
    """The part of an operation that holds its result and its error; None for one that has neither."""
    return (
        operation.step_details
        or operation.context_details
        or operation.callback_details
        or operation.chained_invoke_details
    )


BATCHES = ("Map", "Parallel")
"""The subtypes of operations that have branches."""


def sub_type_of(operation: Operation) -> str | None:
    """The subtype as text; up to SDK 2.1 the operation has a member of an enum."""
    sub_type: Any = operation.sub_type
    text: str | None = getattr(sub_type, "value", sub_type)
    return text
