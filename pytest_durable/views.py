"""Invocations and operations as a test reads them: frozen, taken from what the service keeps."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from aws_durable_execution_sdk_python.lambda_service import ErrorObject
from aws_durable_execution_sdk_python.lambda_service import Operation as StoredOperation

from pytest_durable.engine import at
from pytest_durable.service.lifecycle import DurableExecution
from pytest_durable.service.operations import details_of, sub_type_of
from pytest_durable.service.record import InvocationRecord


@dataclass(frozen=True)
class Invocation:
    """One invocation of the handler.

    Attributes:
        number: from 1.
        started: virtual time.
        ended: virtual time; None while it runs.
        status: ``PENDING``, ``SUCCEEDED`` or ``FAILED`` as the handler answered, ``died`` if it was killed or timed
            out, ``raised`` if an exception left it, ``lost`` if the service gave up on it, None while it runs.
        killed: the fault that killed it, as text; None if none did.
        struck: the fault of the service that struck it, as text; None if none did.
        error: type and message, if it died or raised.
    """

    number: int
    started: datetime
    ended: datetime | None
    status: str | None
    killed: str | None
    struck: str | None
    error: tuple[str, str] | None

    @classmethod
    def of(cls, record: InvocationRecord) -> Invocation:
        """The view of a record."""
        ended = None if record.ended is None else at(record.ended)
        return cls(record.number, at(record.started), ended, record.output, record.fault, record.struck, record.error)


@dataclass(frozen=True)
class Operation:
    """One operation in the journal.

    Attributes:
        path: its names from the root, joined by ``/``; ``[3]`` for an unnamed third one.
        id: the SDK's operation id.
        name: as given; None for none.
        type: ``STEP``, ``WAIT``, ``CONTEXT``, ...
        sub_type: as the SDK records it: ``Step``, ``Map``, ``MapIteration``, ...
        status: ``STARTED``, ``PENDING``, ``READY``, ``SUCCEEDED``, ``FAILED``, ...
        result: the payload as stored, undecoded: it is the handler's serdes that knows how.
        error: as stored; None unless it failed or is retried.
        attempts: finished attempts of a step; 0 for anything else.
        started: virtual time.
        ended: virtual time; None while it is open.
        children: the operations below it, in order of creation.
        callback_id: by which a callback is answered; None for anything else.
    """

    path: str
    id: str
    name: str | None
    type: str
    sub_type: str | None
    status: str
    result: str | None
    error: ErrorObject | None
    attempts: int
    started: datetime | None
    ended: datetime | None
    children: tuple[Operation, ...]
    callback_id: str | None = None


def tree_of(execution: DurableExecution) -> tuple[tuple[Operation, ...], dict[str, Operation]]:
    """The operations at the root of an execution, in order of creation; and all by path, of several the last."""
    below: dict[str | None, list[StoredOperation]] = {}
    for operation in list(execution.journal.operations.values())[1:]:  # the first is the execution itself
        below.setdefault(operation.parent_id, []).append(operation)
    by_path: dict[str, Operation] = {}

    def view(operation: StoredOperation) -> Operation:
        children = tuple(view(child) for child in below.get(operation.operation_id, ()))
        found = _view(operation, execution.path_of(operation.operation_id), children)
        by_path[found.path] = found
        return found

    return tuple(view(operation) for operation in below.get(None, ())), by_path


def _view(operation: StoredOperation, path: str, children: tuple[Operation, ...]) -> Operation:
    details = details_of(operation)
    return Operation(
        path=path,
        id=operation.operation_id,
        name=operation.name,
        type=operation.operation_type.value,
        sub_type=sub_type_of(operation),
        status=operation.status.value,
        result=None if details is None else details.result,
        error=None if details is None else details.error,
        attempts=operation.step_details.attempt if operation.step_details is not None else 0,
        started=operation.start_timestamp,
        ended=operation.end_timestamp,
        children=children,
        callback_id=operation.callback_details.callback_id if operation.callback_details is not None else None,
    )
