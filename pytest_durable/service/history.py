"""The history of one execution: the events that ``GetDurableExecutionHistory`` returns, in the order of the facts.

A fact is written down as it is, with one append, because it happens in every checkpoint; the events are made of the
facts only when somebody asks for them. Field names are those of the Lambda API model.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from aws_durable_execution_sdk_python.lambda_service import (
    ErrorObject,
    Operation,
    OperationStatus,
    OperationType,
    OperationUpdate,
)

from pytest_durable.service.operations import TERMINAL, details_of, sub_type_of

_SECOND = timedelta(seconds=1)
_Fields = dict[str, Any]
_Told = tuple[str, _Fields, _Fields]
"""What a fact tells: the type of the event, what it is about, and its details."""


class History:
    """What happened in one execution, since it was started.

    Args:
        execution_id: id of the EXECUTION operation.
        name: of the execution.
        payload: its input, as JSON.
        execution_timeout: in seconds; None for none, and then the event has none, although the API promises one.
        started: now, aware, as all times here.
    """

    __slots__ = ("_facts", "_invoked", "_subject")

    def __init__(
        self, execution_id: str, name: str, payload: str, execution_timeout: int | None, started: datetime
    ) -> None:
        self._subject = {"Id": execution_id, "Name": name}
        # Each fact: the function that tells it, the time, and that function's arguments.
        self._facts: list[tuple[Any, ...]] = [(_tell_start, started, self._subject, payload, execution_timeout)]
        self._invoked: dict[str, str | None] = {}

    # --- facts ----------------------------------------------------------------------------------------------------

    def updated(self, now: datetime, update: OperationUpdate, operation: Operation) -> None:
        """One update of a checkpoint was accepted, and left ``operation`` in the journal."""
        self._facts.append((_tell_update, now, update, operation))

    def changed(self, now: datetime, operation: Operation) -> None:
        """The service, or the outside world, changed an operation; only its end makes an event."""
        self._facts.append((_tell_change, now, operation))

    def invoked(self, operation_id: str, arn: str | None) -> None:
        """A chained invoke, told already, became the execution ``arn``; None if there is no such function."""
        self._invoked[operation_id] = arn

    def invocation_completed(
        self, started: datetime, ended: datetime, request_id: str, error: ErrorObject | None
    ) -> None:
        """An invocation ended, in whatever way; ``error`` is its handler's, or what it died of."""
        self._facts.append((_tell_invocation, ended, started, ended, request_id, error))

    def ended(self, now: datetime, status: str, result: str | None, error: ErrorObject | None) -> None:
        """The execution is over: ``SUCCEEDED``, ``FAILED``, ``TIMED_OUT`` or ``STOPPED``."""
        self._facts.append((_tell_end, now, self._subject, status, result, error))

    # --- events ---------------------------------------------------------------------------------------------------

    def events(self, include_execution_data: bool = True) -> list[dict[str, Any]]:
        """The events so far, the oldest first; times are ISO 8601 with offset, as the AWS CLI prints them.

        Args:
            include_execution_data: with the payloads of inputs, results and errors.
        """
        events: list[_Fields] = []
        for tell, now, *about in self._facts:
            told: _Told | None = tell(include_execution_data, *about)
            if told is not None:
                kind, subject, details = told
                if kind == "ChainedInvokeStarted":
                    self._tell_invoked(subject["Id"], details)
                number = len(events) + 1
                head = {"EventType": kind, "EventId": number, "EventTimestamp": now.isoformat()}
                events.append({**head, **subject, f"{kind}Details": details})
        return events

    def _tell_invoked(self, operation_id: str, details: _Fields) -> None:
        """As AWS's local runner has it: of a function that it does not find, the service keeps no input."""
        if operation_id in self._invoked:
            arn = self._invoked[operation_id]
            if arn is None:
                details.pop("Input", None)
            else:
                details["DurableExecutionArn"] = arn


# --- the execution and its invocations ------------------------------------------------------------------------------


def _tell_start(with_data: bool, subject: _Fields, payload: str, execution_timeout: int | None) -> _Told:
    details: _Fields = {"Input": _data(payload, with_data)}
    if execution_timeout is not None:
        details["ExecutionTimeout"] = execution_timeout
    return "ExecutionStarted", subject, details


def _tell_invocation(
    with_data: bool, started: datetime, ended: datetime, request_id: str, error: ErrorObject | None
) -> _Told:
    details = {
        "StartTimestamp": started.isoformat(),
        "EndTimestamp": ended.isoformat(),
        "RequestId": request_id,
    }
    return "InvocationCompleted", {}, details | _error_if_any(error, with_data)


def _tell_end(with_data: bool, subject: _Fields, status: str, result: str | None, error: ErrorObject | None) -> _Told:
    if status == "SUCCEEDED":
        details = {"Result": _data(result, with_data)}
    elif status == "TIMED_OUT":
        details = _error_if_any(error, with_data)
    else:
        details = {"Error": _error(error, with_data)}
    return f"Execution{_camel(status)}", subject, details


# --- operations -----------------------------------------------------------------------------------------------------


def _tell_update(with_data: bool, update: OperationUpdate, operation: Operation) -> _Told | None:
    if update.operation_type is OperationType.EXECUTION:
        return None  # it is told as the end of the execution, after that of the invocation
    if operation.status is OperationStatus.STARTED:
        return _told(operation, "Started", _start(with_data, update, operation))
    if operation.status is OperationStatus.PENDING:
        # A retry is the end of an attempt; one without an error is a poll of a condition that does not hold yet.
        outcome = "Succeeded" if update.error is None else "Failed"
        details = _end(with_data, outcome, operation)
        if update.step_options is not None:
            details["RetryDetails"]["NextAttemptDelaySeconds"] = update.step_options.next_attempt_delay_seconds
        return _told(operation, outcome, details)
    if operation.status is OperationStatus.CANCELLED:
        return _told(operation, "Cancelled", _error_if_any(update.error, with_data))
    return _tell_change(with_data, operation)


def _tell_change(with_data: bool, operation: Operation) -> _Told | None:
    if operation.status not in TERMINAL:
        return None  # a retry became ready, a callback had a heartbeat
    outcome = _camel(operation.status.value)
    return _told(operation, outcome, _end(with_data, outcome, operation))


def _told(operation: Operation, outcome: str, details: _Fields) -> _Told:
    subject = {
        "Id": operation.operation_id,
        "Name": operation.name,
        "SubType": sub_type_of(operation),
        "ParentId": operation.parent_id,
    }
    # The SDK sends no empty text: to the service "" is the same as nothing.
    present = {field: value for field, value in subject.items() if value}
    return f"{_camel(operation.operation_type.value)}{outcome}", present, details


def _start(with_data: bool, update: OperationUpdate, operation: Operation) -> _Fields:
    details: _Fields = {}
    if operation.wait_details is not None:
        ends = operation.wait_details.scheduled_end_timestamp
        assert ends is not None
        details = {"Duration": _duration(operation), "ScheduledEndTimestamp": ends.isoformat()}
    elif operation.callback_details is not None:
        details["CallbackId"] = operation.callback_details.callback_id
        timeouts = update.callback_options
        if timeouts is not None and timeouts.timeout_seconds:  # 0 is none
            details["Timeout"] = timeouts.timeout_seconds
        if timeouts is not None and timeouts.heartbeat_timeout_seconds:
            details["HeartbeatTimeout"] = timeouts.heartbeat_timeout_seconds
    elif update.chained_invoke_options is not None:
        details["FunctionName"] = update.chained_invoke_options.function_name
        if update.chained_invoke_options.tenant_id is not None:
            details["TenantId"] = update.chained_invoke_options.tenant_id
        if update.payload is not None:
            details["Input"] = _data(update.payload, with_data)
    return details


def _end(with_data: bool, outcome: str, operation: Operation) -> _Fields:
    if operation.wait_details is not None:
        return {"Duration": _duration(operation)}
    stored = details_of(operation)
    assert stored is not None
    succeeded = outcome == "Succeeded"
    details = {"Result": _data(stored.result, with_data)} if succeeded else {"Error": _error(stored.error, with_data)}
    if operation.step_details is not None:
        details["RetryDetails"] = {"CurrentAttempt": operation.step_details.attempt}
    return details


def _duration(wait: Operation) -> int:
    """Seconds that a wait was started for, however long it took."""
    assert wait.wait_details is not None and wait.wait_details.scheduled_end_timestamp is not None
    assert wait.start_timestamp is not None
    return (wait.wait_details.scheduled_end_timestamp - wait.start_timestamp) // _SECOND


# --- values ---------------------------------------------------------------------------------------------------------


def _camel(name: str) -> str:
    """``TIMED_OUT`` as ``TimedOut``."""
    return name.title().replace("_", "")


def _data(payload: Any, with_data: bool) -> _Fields:
    """An ``EventInput``, ``EventResult`` or ``EventError``; what is left out counts as truncated."""
    if not with_data:
        return {"Truncated": True}
    return {"Truncated": False} if payload is None else {"Payload": payload, "Truncated": False}


def _error(error: ErrorObject | None, with_data: bool) -> _Fields:
    return _data(None if error is None else dict(error.to_dict()), with_data)


def _error_if_any(error: ErrorObject | None, with_data: bool) -> _Fields:
    return {} if error is None else {"Error": _error(error, with_data)}
