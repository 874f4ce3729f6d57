"""The events of a history as values with AWS's names, in the manner of Python."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields, make_dataclass
from datetime import datetime
from typing import Any

from aws_durable_execution_sdk_python.lambda_service import ErrorObject


@dataclass(frozen=True)
class EventInput:
    """The input of an execution or of an invoke, as JSON; None if it is left out."""

    payload: str | None = None
    truncated: bool = False


@dataclass(frozen=True)
class EventResult:
    """A result, as it is stored; None if it is left out."""

    payload: str | None = None
    truncated: bool = False


@dataclass(frozen=True)
class EventError:
    """An error; None if it is left out."""

    payload: ErrorObject | None = None
    truncated: bool = False


@dataclass(frozen=True)
class RetryDetails:
    """Attempts that have ended, and seconds until the next one if there is one."""

    current_attempt: int = 0
    next_attempt_delay_seconds: int | None = None


_DETAILS = {
    "ExecutionStarted": "input execution_timeout",
    "ExecutionSucceeded": "result",
    "ExecutionFailed": "error",
    "ExecutionTimedOut": "error",
    "ExecutionStopped": "error",
    "ContextStarted": "",
    "ContextSucceeded": "result",
    "ContextFailed": "error",
    "WaitStarted": "duration scheduled_end_timestamp",
    "WaitSucceeded": "duration",
    "WaitCancelled": "error",
    "StepStarted": "",
    "StepSucceeded": "result retry_details",
    "StepFailed": "error retry_details",
    "ChainedInvokeStarted": "function_name tenant_id input durable_execution_arn",
    "ChainedInvokeSucceeded": "result",
    "ChainedInvokeFailed": "error",
    "ChainedInvokeTimedOut": "error",
    "ChainedInvokeStopped": "error",
    "CallbackStarted": "callback_id heartbeat_timeout timeout",
    "CallbackSucceeded": "result",
    "CallbackFailed": "error",
    "CallbackTimedOut": "error",
    "InvocationCompleted": "start_timestamp end_timestamp request_id",
}
"""The fields of the details of each type of event."""

_CLASSES: dict[str, Any] = {
    kind: make_dataclass(f"{kind}Details", [(name, Any, None) for name in names.split()], frozen=True)
    for kind, names in _DETAILS.items()
}


def _pythonic(name: str) -> str:
    """``StepStarted`` as ``step_started``."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


class _Event:
    """One event.

    Attributes:
        event_type: as ``StepSucceeded``.
        event_timestamp: virtual time.
        sub_type: of the operation.
        event_id: from 1.
        operation_id: of the operation, or of the execution.
        name: of either.
        parent_id: of the context that the operation is in.
        step_succeeded_details: and likewise for each type; None for all types but its own.
    """

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Any:
        """The event of a history as the API answers it."""
        kind = data["EventType"]
        return cls(
            **{
                "event_type": kind,
                "event_timestamp": _time(data["EventTimestamp"]),
                "sub_type": data.get("SubType"),
                "event_id": data["EventId"],
                "operation_id": data.get("Id"),
                "name": data.get("Name"),
                "parent_id": data.get("ParentId"),
                f"{_pythonic(kind)}_details": _details(kind, data.get(f"{kind}Details") or {}),
            }
        )


Event: Any = make_dataclass(
    "Event",
    [
        ("event_type", str),
        ("event_timestamp", datetime),
        ("sub_type", Any, None),
        ("event_id", int, 1),
        ("operation_id", Any, None),
        ("name", Any, None),
        ("parent_id", Any, None),
        *((f"{_pythonic(kind)}_details", Any, None) for kind in _DETAILS),
    ],
    bases=(_Event,),
    frozen=True,
)


def _details(kind: str, data: dict[str, Any]) -> Any:
    values = {_pythonic(name): value for name, value in data.items()}
    known = {field.name for field in fields(_CLASSES[kind])}
    return _CLASSES[kind](**{name: _value(name, value) for name, value in values.items() if name in known})


def _value(name: str, value: Any) -> Any:
    if name == "error":
        payload = value.get("Payload")
        error = None if payload is None else ErrorObject.from_dict(payload)
        return EventError(error, value["Truncated"])
    if name in ("input", "result"):
        return (EventInput if name == "input" else EventResult)(value.get("Payload"), value["Truncated"])
    if name == "retry_details":
        return RetryDetails(value["CurrentAttempt"], value.get("NextAttemptDelaySeconds"))
    return _time(value) if name.endswith("_timestamp") else value


def _time(value: Any) -> datetime:
    return value if isinstance(value, datetime) else datetime.fromisoformat(value)


@dataclass(frozen=True)
class GetDurableExecutionHistoryResponse:
    """A history: its events, the oldest first."""

    events: list[Any]
    next_marker: str | None = None

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> GetDurableExecutionHistoryResponse:
        """The history that the API answers."""
        return cls([Event.from_dict(event) for event in data["Events"]], data.get("NextMarker"))


__all__ = ["Event", "EventError", "EventInput", "EventResult", "GetDurableExecutionHistoryResponse", "RetryDetails"]
