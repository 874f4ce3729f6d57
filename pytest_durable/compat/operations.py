"""Operations as AWS's testing library shows them: frozen values with its names, made from what the journal holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from aws_durable_execution_sdk_python.lambda_service import ErrorObject, OperationStatus, OperationType
from aws_durable_execution_sdk_python.lambda_service import Operation as StoredOperation

from pytest_durable.compat.exceptions import DurableFunctionsTestError
from pytest_durable.service.operations import details_of, sub_type_of


@dataclass(frozen=True)
class Operation:
    """One operation of an execution.

    Attributes:
        operation_id: the SDK's id.
        operation_type: as the SDK's enum.
        status: as the SDK's enum.
        parent_id: of the context that it is in; None at the root.
        name: as given; None for none.
        sub_type: as text: ``Step``, ``Map``, ``MapIteration``, ...
        start_timestamp: virtual time, in UTC.
        end_timestamp: likewise; None while it is open.
    """

    operation_id: str
    operation_type: OperationType
    status: OperationStatus
    parent_id: str | None = field(default=None, kw_only=True)
    name: str | None = field(default=None, kw_only=True)
    sub_type: str | None = field(default=None, kw_only=True)
    start_timestamp: datetime | None = field(default=None, kw_only=True)
    end_timestamp: datetime | None = field(default=None, kw_only=True)


Kind = TypeVar("Kind", bound=Operation)


class Named:
    """Looks up operations by name; what is asked for as a step is given even if it is none, as AWS's library does."""

    _missing = "Operation with name '{}' not found"

    def _named(self) -> Sequence[Operation]:
        """Among what is looked."""
        raise NotImplementedError

    def get_operation_by_name(self, name: str) -> Operation:
        """The first operation of that name.

        Raises:
            DurableFunctionsTestError: if there is none.
        """
        __tracebackhide__ = True
        for operation in self._named():
            if operation.name == name:
                return operation
        raise DurableFunctionsTestError(self._missing.format(name))

    def get_step(self, name: str) -> StepOperation:
        """The step of that name; errors as of `get_operation_by_name`, here and below."""
        return self._as(StepOperation, name)

    def get_wait(self, name: str) -> WaitOperation:
        """The wait of that name."""
        return self._as(WaitOperation, name)

    def get_context(self, name: str) -> ContextOperation:
        """The child context, map, parallel or ``wait_for_callback`` of that name."""
        return self._as(ContextOperation, name)

    def get_callback(self, name: str) -> CallbackOperation:
        """The callback of that name."""
        return self._as(CallbackOperation, name)

    def get_invoke(self, name: str) -> InvokeOperation:
        """The invoke of that name."""
        return self._as(InvokeOperation, name)

    def get_execution(self, name: str) -> ExecutionOperation:
        """The execution of that name."""
        return self._as(ExecutionOperation, name)

    def _as(self, kind: type[Kind], name: str) -> Kind:
        __tracebackhide__ = True
        found: Any = self.get_operation_by_name(name)
        result: Kind = found  # unchecked, on purpose
        return result


@dataclass(frozen=True)
class ExecutionOperation(Operation):
    """The execution itself, with its input as JSON."""

    input_payload: str | None = None


@dataclass(frozen=True)
class ContextOperation(Operation, Named):
    """A context, with the operations in it.

    Attributes:
        child_operations: in order of creation.
        result: as stored: text that the handler's serdes wrote, JSON by default.
        error: as stored.
    """

    child_operations: list[Operation]
    result: str | None = None
    error: ErrorObject | None = None

    _missing = "Child Operation with name '{}' not found"

    def _named(self) -> Sequence[Operation]:
        return self.child_operations


@dataclass(frozen=True)
class StepOperation(ContextOperation):
    """A step, or a ``wait_for_condition``.

    Attributes:
        attempt: how many attempts have ended.
        next_attempt_timestamp: when it is tried again; None unless it waits for that.
    """

    attempt: int = 0
    next_attempt_timestamp: datetime | None = None


@dataclass(frozen=True)
class WaitOperation(Operation):
    """A wait, with the time at which it was to end."""

    scheduled_end_timestamp: datetime | None = None


@dataclass(frozen=True)
class CallbackOperation(ContextOperation):
    """A callback, with the id that the outside world answers it by."""

    callback_id: str | None = None


@dataclass(frozen=True)
class InvokeOperation(Operation):
    """An invocation of another function, with what came of it."""

    result: str | None = None
    error: ErrorObject | None = None


def create_operation(
    svc_operation: StoredOperation, all_operations: Sequence[StoredOperation] | None = None
) -> Operation:
    """The view of a stored operation.

    Args:
        svc_operation: as the journal holds it.
        all_operations: of the execution, to find those below it.

    Raises:
        DurableFunctionsTestError: for an operation of a type that is not known.
    """
    read = _READERS.get(svc_operation.operation_type)
    if read is None:
        raise DurableFunctionsTestError(f"Unknown operation type: {svc_operation.operation_type}")
    kind, more = read
    common: dict[str, Any] = {
        "operation_id": svc_operation.operation_id,
        "operation_type": svc_operation.operation_type,
        "status": svc_operation.status,
        "parent_id": svc_operation.parent_id,
        "name": svc_operation.name,
        "sub_type": sub_type_of(svc_operation),
        "start_timestamp": svc_operation.start_timestamp,
        "end_timestamp": svc_operation.end_timestamp,
    }
    if issubclass(kind, ContextOperation):
        below = [one for one in all_operations or () if one.parent_id == svc_operation.operation_id]
        common["child_operations"] = [create_operation(one, all_operations) for one in below]
    return kind(**common, **more(svc_operation))


def _outcome(operation: StoredOperation) -> dict[str, Any]:
    details = details_of(operation)
    return {} if details is None else {"result": details.result, "error": details.error}


def _execution(operation: StoredOperation) -> dict[str, Any]:
    details = operation.execution_details
    return {} if details is None else {"input_payload": details.input_payload}


def _step(operation: StoredOperation) -> dict[str, Any]:
    details = operation.step_details
    if details is None:
        return {}
    return {
        **_outcome(operation),
        "attempt": details.attempt,
        "next_attempt_timestamp": details.next_attempt_timestamp,
    }


def _wait(operation: StoredOperation) -> dict[str, Any]:
    details = operation.wait_details
    return {} if details is None else {"scheduled_end_timestamp": details.scheduled_end_timestamp}


def _callback(operation: StoredOperation) -> dict[str, Any]:
    details = operation.callback_details
    return {} if details is None else {**_outcome(operation), "callback_id": details.callback_id}


_READERS: dict[OperationType, tuple[type[Operation], Any]] = {
    OperationType.EXECUTION: (ExecutionOperation, _execution),
    OperationType.CONTEXT: (ContextOperation, _outcome),
    OperationType.STEP: (StepOperation, _step),
    OperationType.WAIT: (WaitOperation, _wait),
    OperationType.CALLBACK: (CallbackOperation, _callback),
    OperationType.CHAINED_INVOKE: (InvokeOperation, _outcome),
}
