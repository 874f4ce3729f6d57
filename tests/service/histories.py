"""Facts of an execution with the event that each of them makes, and the shape that AWS gives such events."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

import botocore.loaders  # type: ignore[import-untyped]  # it has no types
import botocore.model  # type: ignore[import-untyped]  # it has no types
from aws_durable_execution_sdk_python.lambda_service import (
    CallbackDetails,
    CallbackOptions,
    ChainedInvokeDetails,
    ChainedInvokeOptions,
    ContextOptions,
    ErrorObject,
    Operation,
    OperationStatus,
    OperationType,
    OperationUpdate,
)

from pytest_durable.service.history import History
from pytest_durable.service.operations import KINDS, fire
from tests.service.journals import DELAY, NOW, later, retry, update, wait

Event = dict[str, Any]

SECRET = "hush"
"""It is in every payload and in no other place."""

ERROR = ErrorObject(f"no {SECRET}", f"{SECRET}.Error", SECRET, [SECRET])
ERROR_FIELDS = {
    "ErrorMessage": f"no {SECRET}",
    "ErrorType": f"{SECRET}.Error",
    "ErrorData": SECRET,
    "StackTrace": [SECRET],
}
RESULT = f'"{SECRET}"'
CALLBACK_ID = "Y2FsbGJhY2s="
REQUEST_ID = "01234567-89ab-cdef-0123-456789abcdef"
AT = later(7.5)
"""When the facts happen."""


def new_history(execution_timeout: int | None = 60) -> History:
    """The history of an execution that was just started."""
    return History("e1", "order-7", RESULT, execution_timeout, NOW)


# --- facts ----------------------------------------------------------------------------------------------------------

_GIVEN: dict[str, Any] = {"name": "charge", "sub_type": "Sub", "parent_id": "parent"}
_ABOUT = {"Id": "op", "Name": "charge", "SubType": "Sub", "ParentId": "parent"}
_HELD = {"Payload": RESULT, "Truncated": False}
_FAILURE = {"Payload": ERROR_FIELDS, "Truncated": False}


class Fact(NamedTuple):
    """A fact.

    Attributes:
        label: what happened.
        record: has it recorded, at `AT`.
        event: that it makes, without its number and time; None if it makes none.
    """

    label: str
    record: Callable[[History], None]
    event: Event | None


def stored(*updates: OperationUpdate) -> Operation:
    """The operation that is left by ``updates``, all at `NOW`."""
    operation: Operation | None = None
    for one in updates:
        kind = KINDS.get(one.operation_type.name)
        assert kind is not None and kind.transition is not None
        operation = kind.transition(one, operation, NOW)
    assert operation is not None
    return operation


def _updated(*updates: OperationUpdate) -> Callable[[History], None]:
    return lambda history: history.updated(AT, updates[-1], stored(*updates))


def _changed(operation: Operation) -> Callable[[History], None]:
    return lambda history: history.changed(AT, operation)


def _outside(kind: str, status: str, result: str | None = None, error: ErrorObject | None = None) -> Operation:
    """An operation that is answered from outside."""
    details: dict[str, Any] = (
        {"callback_details": CallbackDetails(CALLBACK_ID, result, error)}
        if kind == "CALLBACK"
        else {"chained_invoke_details": ChainedInvokeDetails(result, error)}
    )
    return Operation("op", OperationType[kind], OperationStatus[status], **_GIVEN, **details)


def _begun(kind: str, **options: Any) -> Callable[[History], None]:
    return lambda history: history.updated(AT, update(kind, "START", **_GIVEN, **options), _outside(kind, "STARTED"))


def _event(kind: str, details: Event, about: Event = _ABOUT) -> Event:
    return {"EventType": kind, **about, f"{kind}Details": details}


_STEP = update("STEP", "START", **_GIVEN)
_CONTEXT = update("CONTEXT", "START", **_GIVEN)
_WAIT = wait(**_GIVEN)
_POLLED = retry(payload=RESULT, **_GIVEN)
_FAILED = retry(error=ERROR, **_GIVEN)
_READY = fire(stored(_STEP, _FAILED), NOW)


def _done(action: str = "SUCCEED", kind: str = "STEP", **fields: Any) -> OperationUpdate:
    data = {"payload": RESULT} if action == "SUCCEED" else {"error": ERROR}
    return update(kind, action, **{**data, **_GIVEN, **fields})


def _attempt(number: int, **delay: int) -> Event:
    return {"RetryDetails": {"CurrentAttempt": number, **delay}}


_AGAIN = _attempt(1, NextAttemptDelaySeconds=DELAY)


def _step_again(history: History) -> None:
    kind = KINDS.get("STEP")
    assert kind is not None and kind.transition is not None
    history.updated(AT, _STEP, kind.transition(_STEP, _READY, NOW))


_STEPS = [
    Fact("step started", _updated(_STEP), _event("StepStarted", {})),
    Fact("step started again", _step_again, _event("StepStarted", {})),
    Fact("step succeeded", _updated(_STEP, _done()), _event("StepSucceeded", {"Result": _HELD, **_attempt(1)})),
    Fact("step failed", _updated(_STEP, _done("FAIL")), _event("StepFailed", {"Error": _FAILURE, **_attempt(1)})),
    Fact(
        "step failed in its third attempt",
        _updated(_STEP, _FAILED, _FAILED, _done("FAIL")),
        _event("StepFailed", {"Error": _FAILURE, **_attempt(3)}),
    ),
    Fact("attempt failed", _updated(_STEP, _FAILED), _event("StepFailed", {"Error": _FAILURE, **_AGAIN})),
    Fact("condition polled", _updated(_STEP, _POLLED), _event("StepSucceeded", {"Result": _HELD, **_AGAIN})),
    Fact("attempt ready", _changed(_READY), None),
]

_CONTEXTS = [
    Fact("context started", _updated(_CONTEXT), _event("ContextStarted", {})),
    Fact(
        "context succeeded",
        _updated(_CONTEXT, _done(kind="CONTEXT")),
        _event("ContextSucceeded", {"Result": _HELD}),
    ),
    Fact(
        "context with a large result succeeded",
        _updated(_CONTEXT, _done(kind="CONTEXT", payload="", context_options=ContextOptions(replay_children=True))),
        _event("ContextSucceeded", {"Result": {"Payload": "", "Truncated": False}}),
    ),
    Fact(
        "context failed",
        _updated(_CONTEXT, _done("FAIL", "CONTEXT")),
        _event("ContextFailed", {"Error": _FAILURE}),
    ),
]

_WAITS = [
    Fact(
        "wait started",
        _updated(_WAIT),
        _event("WaitStarted", {"Duration": DELAY, "ScheduledEndTimestamp": later(DELAY).isoformat()}),
    ),
    Fact("wait over", _changed(fire(stored(_WAIT), later(DELAY + 5))), _event("WaitSucceeded", {"Duration": DELAY})),
    Fact("wait cancelled", _updated(_WAIT, update("WAIT", "CANCEL")), _event("WaitCancelled", {})),
    Fact(
        "wait cancelled for a reason",
        _updated(_WAIT, update("WAIT", "CANCEL", error=ERROR)),
        _event("WaitCancelled", {"Error": _FAILURE}),
    ),
]

_CALLBACKS = [
    Fact(
        "callback started",
        _begun("CALLBACK", callback_options=CallbackOptions(timeout_seconds=30, heartbeat_timeout_seconds=5)),
        _event("CallbackStarted", {"CallbackId": CALLBACK_ID, "Timeout": 30, "HeartbeatTimeout": 5}),
    ),
    Fact(
        "callback without a time limit started",
        _begun("CALLBACK", callback_options=CallbackOptions()),
        _event("CallbackStarted", {"CallbackId": CALLBACK_ID}),
    ),
    Fact(
        "callback without options started",
        _begun("CALLBACK"),
        _event("CallbackStarted", {"CallbackId": CALLBACK_ID}),
    ),
    Fact("callback had a heartbeat", _changed(_outside("CALLBACK", "STARTED")), None),
    Fact(
        "callback succeeded",
        _changed(_outside("CALLBACK", "SUCCEEDED", result=RESULT)),
        _event("CallbackSucceeded", {"Result": _HELD}),
    ),
    Fact(
        "callback succeeded with nothing",
        _changed(_outside("CALLBACK", "SUCCEEDED")),
        _event("CallbackSucceeded", {"Result": {"Truncated": False}}),
    ),
    *(
        Fact(
            f"callback {status}",
            _changed(_outside("CALLBACK", status, error=ERROR)),
            _event(kind, {"Error": _FAILURE}),
        )
        for status, kind in (("FAILED", "CallbackFailed"), ("TIMED_OUT", "CallbackTimedOut"))
    ),
]

_INVOKES = [
    Fact(
        "invoke started",
        _begun("CHAINED_INVOKE", payload=RESULT, chained_invoke_options=ChainedInvokeOptions("ship:1", "tenant")),
        _event("ChainedInvokeStarted", {"FunctionName": "ship:1", "TenantId": "tenant", "Input": _HELD}),
    ),
    Fact(
        "invoke without payload started",
        _begun("CHAINED_INVOKE", chained_invoke_options=ChainedInvokeOptions("ship:1")),
        _event("ChainedInvokeStarted", {"FunctionName": "ship:1"}),
    ),
    Fact(
        "invoke succeeded",
        _changed(_outside("CHAINED_INVOKE", "SUCCEEDED", result=RESULT)),
        _event("ChainedInvokeSucceeded", {"Result": _HELD}),
    ),
    *(
        Fact(
            f"invoke {status}",
            _changed(_outside("CHAINED_INVOKE", status, error=ERROR)),
            _event(kind, {"Error": _FAILURE}),
        )
        for status, kind in (
            ("FAILED", "ChainedInvokeFailed"),
            ("TIMED_OUT", "ChainedInvokeTimedOut"),
            ("STOPPED", "ChainedInvokeStopped"),
        )
    ),
]


def _invoked(error: ErrorObject | None) -> Callable[[History], None]:
    return lambda history: history.invocation_completed(NOW, AT, REQUEST_ID, error)


def _ended(status: str, result: str | None = None, error: ErrorObject | None = None) -> Callable[[History], None]:
    return lambda history: history.ended(AT, status, result, error)


def _large(history: History) -> None:
    """An EXECUTION update, which leaves no operation of its own."""
    execution = Operation("execution", OperationType.EXECUTION, OperationStatus.STARTED)
    history.updated(AT, update("EXECUTION", "SUCCEED", "execution-result-1", payload=RESULT), execution)


_INVOCATION = {"StartTimestamp": NOW.isoformat(), "EndTimestamp": AT.isoformat(), "RequestId": REQUEST_ID}
_NAME = {"Id": "e1", "Name": "order-7"}

_EXECUTIONS = [
    Fact("result stored", _large, None),
    Fact("invocation completed", _invoked(None), _event("InvocationCompleted", _INVOCATION, {})),
    Fact(
        "invocation failed",
        _invoked(ERROR),
        _event("InvocationCompleted", {**_INVOCATION, "Error": _FAILURE}, {}),
    ),
    Fact("succeeded", _ended("SUCCEEDED", RESULT), _event("ExecutionSucceeded", {"Result": _HELD}, _NAME)),
    Fact("failed", _ended("FAILED", error=ERROR), _event("ExecutionFailed", {"Error": _FAILURE}, _NAME)),
    Fact(
        "failed without an error",
        _ended("FAILED"),
        _event("ExecutionFailed", {"Error": {"Truncated": False}}, _NAME),
    ),
    Fact("timed out", _ended("TIMED_OUT", error=ERROR), _event("ExecutionTimedOut", {"Error": _FAILURE}, _NAME)),
    Fact("timed out without an error", _ended("TIMED_OUT"), _event("ExecutionTimedOut", {}, _NAME)),
    Fact("stopped", _ended("STOPPED", error=ERROR), _event("ExecutionStopped", {"Error": _FAILURE}, _NAME)),
]

FACTS = [*_STEPS, *_CONTEXTS, *_WAITS, *_CALLBACKS, *_INVOKES, *_EXECUTIONS]
"""Everything that can happen after an execution was started, in every form of it."""


# --- AWS's shape ----------------------------------------------------------------------------------------------------


@cache
def aws_shape() -> Any:
    """The response of ``GetDurableExecutionHistory`` in botocore's model of the Lambda API."""
    model = botocore.loaders.Loader().load_service_model("lambda", "service-2")
    return botocore.model.ServiceModel(model, "lambda").operation_model("GetDurableExecutionHistory").output_shape


def aws_event_types() -> set[str]:
    """The types of events that the Lambda API knows."""
    return set(aws_shape().members["Events"].member.members["EventType"].enum)


def misfits(value: Any, shape: Any, path: str = "") -> Iterator[str]:
    """The places where ``value`` is not of ``shape``."""
    if shape.type_name == "structure":
        yield from (f"{path}.{name} is unknown" for name in value if name not in shape.members)
        yield from (f"{path}.{name} is missing" for name in shape.required_members if name not in value)
        for name in shape.members:
            if name in value:
                yield from misfits(value[name], shape.members[name], f"{path}.{name}")
    elif shape.type_name == "list":
        for index, item in enumerate(value):
            yield from misfits(item, shape.member, f"{path}[{index}]")
    elif not _is_of(value, shape):
        yield f"{path} is {value!r}, not of {shape.name}"


def _is_of(value: Any, shape: Any) -> bool:
    if shape.type_name == "timestamp":
        return isinstance(value, str) and datetime.fromisoformat(value).tzinfo is not None
    if shape.type_name != "string":
        return type(value) is {"integer": int, "boolean": bool}[shape.type_name]
    allowed, pattern = shape.enum, shape.metadata.get("pattern", "(?s:.*)")
    return type(value) is str and (not allowed or value in allowed) and re.fullmatch(pattern, value) is not None
