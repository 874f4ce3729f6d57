"""CALLBACK: STARTED until the outside world answers it by its id, or one of its two timers goes off.

The timers are not part of the stored operation, as on AWS; the journal keeps them beside it.
"""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass, replace
from datetime import datetime

from aws_durable_execution_sdk_python.lambda_service import (
    CallbackDetails,
    ErrorObject,
    Operation,
    OperationAction,
    OperationStatus,
    OperationUpdate,
)

from pytest_durable.engine import MICROS
from pytest_durable.service.errors import InvalidParameterValue
from pytest_durable.service.operations._common import operation_from

ACTIONS = (OperationAction.START,)

_TIMED_OUT = ErrorObject("Callback timed out", "Callback.Timeout", None, None)
_NO_HEARTBEAT = ErrorObject("Callback timed out on heartbeat", "Callback.Heartbeat", None, None)


@dataclass
class Timers:
    """When an open callback times out, in microseconds since the epoch.

    Attributes:
        ends: its timeout; None for none.
        every: within how many microseconds a heartbeat must come; 0 for no need of one.
        beats: until when the next heartbeat must come; None for no need of one.
    """

    ends: int | None
    every: int
    beats: int | None

    @property
    def due(self) -> int | None:
        """The earlier of the two; None if it waits for ever."""
        if self.ends is None or self.beats is None:
            return self.beats if self.ends is None else self.ends
        return min(self.ends, self.beats)

    @property
    def error(self) -> ErrorObject:
        """What the callback fails with at `due`, as AWS words it."""
        return _TIMED_OUT if self.due == self.ends else _NO_HEARTBEAT


def validate(update: OperationUpdate, stored: Operation | None) -> None:
    """Refuse an update that the stored state does not allow.

    Raises:
        InvalidParameterValue: in the service's words.
    """
    if stored is not None:
        raise InvalidParameterValue("Cannot start a CALLBACK that already exist.")


def transition(update: OperationUpdate, current: Operation | None, now: datetime) -> Operation:
    """The callback after its START; its id is not yet that of an execution, see `with_id`."""
    return operation_from(update, current, OperationStatus.STARTED, now, callback_details=CallbackDetails(""))


def with_id(operation: Operation, execution_id: str) -> Operation:
    """The callback with the id that the outside world answers it by: unique, and the same in every run."""
    callback_id = b64encode(f"{execution_id}/{operation.operation_id}".encode()).decode()
    return replace(operation, callback_details=CallbackDetails(callback_id))


def timers_of(update: OperationUpdate, micros: int) -> Timers:
    """The timers that a START sets; an option of 0, or none, sets none."""
    options = update.callback_options
    timeout = 0 if options is None else options.timeout_seconds or 0
    heartbeat = 0 if options is None else options.heartbeat_timeout_seconds or 0
    return Timers(
        ends=micros + timeout * MICROS if timeout else None,
        every=heartbeat * MICROS,
        beats=micros + heartbeat * MICROS if heartbeat else None,
    )
