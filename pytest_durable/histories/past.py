"""What a history says was there at one moment: the journal of the execution, and what its code had asked for.

`service.history` the other way round. One thing is not in a history: whether a finished context is to be run again over
its children (``ReplayChildren``), because its result was too large. The SDK stores none then, or a summary of its own
for a map or parallel. A summary of the user's own cannot be told from a result here: `replaying` knows which
contexts have one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from aws_durable_execution_sdk_python.lambda_service import (
    CallbackDetails,
    ChainedInvokeDetails,
    ContextDetails,
    ErrorObject,
    Operation,
    OperationStatus,
    OperationSubType,
    OperationType,
    StepDetails,
    WaitDetails,
)

from pytest_durable.engine import MICROS, micros_of
from pytest_durable.errors import InvalidHistory
from pytest_durable.histories.reading import Event
from pytest_durable.service.operations import sub_type_of
from pytest_durable.service.operations.callback import Timers
from pytest_durable.service.record import PAYLOAD, Asked, fingerprint

_EVENT = re.compile(r"(Execution|Context|Wait|Step|ChainedInvoke|Callback|Invocation)([A-Z]\w+)")
_TYPES = {
    "Context": OperationType.CONTEXT,
    "Wait": OperationType.WAIT,
    "Step": OperationType.STEP,
    "ChainedInvoke": OperationType.CHAINED_INVOKE,
    "Callback": OperationType.CALLBACK,
}
_STATUSES = {
    "Started": OperationStatus.STARTED,
    "Succeeded": OperationStatus.SUCCEEDED,
    "Failed": OperationStatus.FAILED,
    "TimedOut": OperationStatus.TIMED_OUT,
    "Stopped": OperationStatus.STOPPED,
    "Cancelled": OperationStatus.CANCELLED,
}
_FAILED = (OperationStatus.FAILED, OperationStatus.TIMED_OUT, OperationStatus.STOPPED)
_METHODS = {
    "WaitForCondition": "wait_for_condition",
    "Map": "map",
    "Parallel": "parallel",
    "WaitForCallback": "wait_for_callback",
}
"""By subtype, where the type does not say it."""

_BY_TYPE = {
    OperationType.STEP: "step",
    OperationType.WAIT: "wait",
    OperationType.CALLBACK: "create_callback",
    OperationType.CHAINED_INVOKE: "invoke",
    OperationType.CONTEXT: "run_in_child_context",
}
BRANCHES = ("MapIteration", "ParallelBranch")
"""Subtypes of the contexts that the SDK makes, without a call for each."""

_LARGE = {"Map": "MapResult", "Parallel": "ParallelResult"}


class RecordedCall(Asked):
    """What was asked for, as far as a history says it."""

    __slots__ = ()

    def is_same(self, other: Asked) -> bool:
        """Whether it is the same operation, as the SDK compares them."""
        return (self.method, self.name) == (other.method, other.name)

    def has_changed(self, other: Asked) -> bool:
        """Whether the same operation is asked for with another duration, target or payload.

        An execution in flight keeps what is recorded: no replay goes wrong by that. What a serdes of the user's own has
        written is not compared, nor what is not recorded: the input of a function that was not found.
        """
        recorded, asked = self.detail, other.detail
        own = getattr(other.config, "serdes_payload", None) is not None
        if self.method == "invoke" and (own or recorded == self.target):
            recorded, asked = self.target, other.target
        return bool(recorded and asked and recorded != asked)


@dataclass
class Past:
    """One moment of a recorded execution.

    Attributes:
        name: of the execution.
        payload: its input, as JSON.
        now: the moment.
        operations: the journal, in order of creation, without the EXECUTION itself.
        timers: of the callbacks that are open, by operation id.
        calls: what was asked for, by operation id; not for the branches of a map or parallel.
        ended: how the execution has ended: ``Succeeded``, ``Failed``, ``TimedOut``, ``Stopped``; None while it runs.
        is_failing: whether the latest change of the journal is that an operation failed for good.
    """

    name: str
    payload: str
    now: datetime
    operations: dict[str, Operation] = field(default_factory=dict)
    timers: dict[str, Timers] = field(default_factory=dict)
    calls: dict[str, RecordedCall] = field(default_factory=dict)
    ended: str | None = None
    is_failing: bool = False

    def may_fail(self, last: Past) -> bool:
        """Whether code that fails at this moment does no other than the recorded one, as far as it is recorded.

        Args:
            last: the latest moment there is.
        """
        if last.ended in ("Failed", "Succeeded"):
            return last.ended == "Failed"
        return self.is_failing and self.operations == last.operations


def moments(events: Iterable[Event]) -> Iterator[Past]:
    """The past after each event that changes the journal, the beginning first, each on its own.

    Raises:
        InvalidHistory: for an event that is not known, or of which something is missing.
    """
    first, *others = events
    started = first["ExecutionStartedDetails"]
    payload = (started.get("Input") or {}).get("Payload")
    past = Past(first.get("Name") or "recorded", "{}" if payload is None else payload, first["EventTimestamp"])
    yield _copy(past)
    for event in others:
        past.now = event["EventTimestamp"]
        if _happen(past, event):
            yield _copy(past)


def past_of(events: Iterable[Event]) -> Past:
    """The past after the last event; errors as of `moments`."""
    *_, past = moments(events)
    return past


def _copy(past: Past) -> Past:
    return replace(past, operations=dict(past.operations), timers=dict(past.timers), calls=dict(past.calls))


def _happen(past: Past, event: Event) -> bool:
    """Let one event happen; whether it concerns the journal, or the end of the execution."""
    kind = event["EventType"]
    match = _EVENT.fullmatch(kind)
    if match is None or (match[1] in _TYPES and (match[2] not in _STATUSES or "Id" not in event)):
        raise InvalidHistory(f"event {event['EventId']} is of the type {kind!r}, or lacks its Id: that is not known")
    what, outcome = match.groups()
    if what == "Invocation":
        return False
    if what == "Execution":
        past.ended = outcome
        return True
    before = past.operations.get(event["Id"])
    parent_id = event.get("ParentId")
    if parent_id is not None and parent_id not in past.operations:
        raise InvalidHistory(f"event {event['EventId']}, {kind}, is in a context that the history does not have")
    details = event[f"{kind}Details"]
    operation = _operation(event, _TYPES[what], _STATUSES[outcome], before)
    past.operations[operation.operation_id] = operation = _CHANGES[what](operation, before, details, event)
    past.is_failing = operation.status in _FAILED
    if what == "Callback" and outcome == "Started":
        past.timers[operation.operation_id] = _timers(details, event["EventTimestamp"])
    if before is None:
        call = _call(past, operation, details)
        if call is not None:
            past.calls[operation.operation_id] = call
    return True


# --- operations -----------------------------------------------------------------------------------------------------


def sub_type(text: str | None) -> Any:
    """A subtype as the installed SDK has it: text, or up to 2.1 a member of an enum.

    Raises:
        InvalidHistory: for one that this SDK does not know.
    """
    if text is None or issubclass(OperationSubType, str):
        return text
    try:
        return OperationSubType(text)
    except ValueError:
        raise InvalidHistory(f"the installed SDK knows no operation of the subtype {text!r}") from None


def _operation(event: Event, kind: OperationType, status: OperationStatus, before: Operation | None) -> Operation:
    return Operation(
        operation_id=event["Id"],
        operation_type=kind,
        status=status,
        parent_id=event.get("ParentId"),
        name=event.get("Name"),
        sub_type=sub_type(event.get("SubType")),
        start_timestamp=event["EventTimestamp"] if before is None else before.start_timestamp,
        end_timestamp=None if status is OperationStatus.STARTED else event["EventTimestamp"],
    )


def _data(details: Event, name: str) -> Any:
    return (details.get(name) or {}).get("Payload")


def _error(details: Event) -> ErrorObject | None:
    payload = _data(details, "Error")
    return None if payload is None else ErrorObject.from_dict(payload)


def _step(operation: Operation, before: Operation | None, details: Event, event: Event) -> Operation:
    known = StepDetails() if before is None or before.step_details is None else before.step_details
    if operation.status is OperationStatus.STARTED:
        # The state of a condition, or the error of the attempt before, is kept.
        return replace(operation, step_details=replace(known, next_attempt_timestamp=None))
    retry = details.get("RetryDetails") or {}
    attempt = retry.get("CurrentAttempt") or known.attempt + 1
    ended = StepDetails(attempt=attempt, result=_data(details, "Result"), error=_error(details))
    delay = retry.get("NextAttemptDelaySeconds")
    if not delay:
        return replace(operation, step_details=ended)
    due = event["EventTimestamp"] + timedelta(seconds=delay)
    return replace(
        operation,
        status=OperationStatus.PENDING,
        end_timestamp=None,
        step_details=replace(ended, next_attempt_timestamp=due),
    )


def _wait(operation: Operation, before: Operation | None, details: Event, event: Event) -> Operation:
    if before is not None:
        return replace(operation, wait_details=before.wait_details)
    ends = details.get("ScheduledEndTimestamp")
    if ends is None:
        ends = event["EventTimestamp"] + timedelta(seconds=details.get("Duration") or 0)
    return replace(operation, wait_details=WaitDetails(scheduled_end_timestamp=ends))


def _context(operation: Operation, before: Operation | None, details: Event, event: Event) -> Operation:
    if operation.status is OperationStatus.STARTED:
        return replace(operation, context_details=ContextDetails())
    result = _data(details, "Result")
    again = operation.status is OperationStatus.SUCCEEDED and _is_large(event.get("SubType"), result)
    return replace(
        operation, context_details=ContextDetails(replay_children=again, result=result, error=_error(details))
    )


def _is_large(kind: str | None, result: Any) -> bool:
    """Whether the result was too large to be stored: see above."""
    if not result:
        return True
    try:
        envelope = json.loads(result)
    except ValueError:
        return False
    return isinstance(envelope, dict) and kind in _LARGE and envelope.get("type") == _LARGE[kind]


def _callback(operation: Operation, before: Operation | None, details: Event, event: Event) -> Operation:
    if before is None:
        return replace(operation, callback_details=CallbackDetails(details.get("CallbackId") or ""))
    assert before.callback_details is not None
    closed = replace(before.callback_details, result=_data(details, "Result"), error=_error(details))
    return replace(operation, callback_details=closed)


def _invoke(operation: Operation, before: Operation | None, details: Event, event: Event) -> Operation:
    if before is None:
        return replace(operation, chained_invoke_details=ChainedInvokeDetails())
    return replace(operation, chained_invoke_details=ChainedInvokeDetails(_data(details, "Result"), _error(details)))


_CHANGES = {"Step": _step, "Wait": _wait, "Context": _context, "Callback": _callback, "ChainedInvoke": _invoke}


def _timers(details: Event, now: datetime) -> Timers:
    timeout, heartbeat = details.get("Timeout") or 0, details.get("HeartbeatTimeout") or 0
    return Timers(
        ends=micros_of(now) + timeout * MICROS if timeout else None,
        every=heartbeat * MICROS,
        beats=micros_of(now) + heartbeat * MICROS if heartbeat else None,
    )


# --- calls ----------------------------------------------------------------------------------------------------------


def _call(past: Past, operation: Operation, details: Event) -> RecordedCall | None:
    """What the code asked for; None if it is the SDK that made it."""
    kind = sub_type_of(operation)
    if kind in BRANCHES:
        return None
    method = _METHODS.get(kind or "", _BY_TYPE[operation.operation_type])
    return RecordedCall(method, operation.name, (), _detail(method, details), _path(past, operation), None, 0)


def _path(past: Past, operation: Operation) -> str:
    """Its names from the root; a history does not say which position an unnamed one has."""
    name = operation.name or f"[{sub_type_of(operation)}]"
    above = past.operations.get(operation.parent_id or "")
    return name if above is None else f"{_path(past, above)}/{name}"


def _detail(method: str, details: Event) -> str:
    if method == "wait" and "Duration" in details:
        return f"{details['Duration']} s"
    if method == "invoke":
        text, function = _data(details, "Input"), str(details.get("FunctionName"))
        try:
            return function if text is None else f"{function}{PAYLOAD}{fingerprint(json.loads(text))}"
        except ValueError:
            return function
    return ""
