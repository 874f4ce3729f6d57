"""Journals in every state an operation can be in, and the updates that bring them there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from aws_durable_execution_sdk_python.lambda_service import (
    CallbackOptions,
    ChainedInvokeOptions,
    ErrorObject,
    ExecutionDetails,
    Operation,
    OperationAction,
    OperationStatus,
    OperationType,
    OperationUpdate,
    StepOptions,
    WaitOptions,
)

from pytest_durable.service.history import History
from pytest_durable.service.journal import Journal

NOW = datetime(2026, 1, 1, tzinfo=UTC)
DELAY = 10
ERROR = ErrorObject("no", "ValueError", None, None)
RETRY = {"step_options": StepOptions(next_attempt_delay_seconds=DELAY)}


def later(seconds: float) -> datetime:
    """The instant ``seconds`` after `NOW`."""
    return NOW + timedelta(seconds=seconds)


def update(kind: str, action: str, operation_id: str = "op", **fields: Any) -> OperationUpdate:
    """An update, its type and action by their names."""
    return OperationUpdate(operation_id, OperationType[kind], OperationAction[action], **fields)


def retry(operation_id: str = "op", delay: int = DELAY, **fields: Any) -> OperationUpdate:
    """A RETRY of a step."""
    options = StepOptions(next_attempt_delay_seconds=delay)
    return update("STEP", "RETRY", operation_id, **{"step_options": options, **fields})


def wait(operation_id: str = "op", seconds: int = DELAY, **fields: Any) -> OperationUpdate:
    """A START of a wait."""
    return update("WAIT", "START", operation_id, wait_options=WaitOptions(wait_seconds=seconds), **fields)


def callback(operation_id: str = "op", **fields: Any) -> OperationUpdate:
    """A START of a callback that times out after `DELAY` seconds."""
    options = CallbackOptions(timeout_seconds=DELAY, heartbeat_timeout_seconds=0)
    return update("CALLBACK", "START", operation_id, callback_options=options, **fields)


def invoke(operation_id: str = "op", target: str = "orders", tenant_id: Any = None, **fields: Any) -> OperationUpdate:
    """A START of a chained invoke."""
    options = ChainedInvokeOptions(function_name=target, tenant_id=tenant_id)
    return update("CHAINED_INVOKE", "START", operation_id, chained_invoke_options=options, **fields)


def _nobody(micros: int) -> None:
    """Does not care when the next timer is due."""


def new_journal(watch: Callable[[int], None] = _nobody) -> Journal:
    """A journal that holds the EXECUTION only."""
    details = ExecutionDetails(input_payload="{}")
    execution = Operation(
        "execution", OperationType.EXECUTION, OperationStatus.STARTED, start_timestamp=NOW, execution_details=details
    )
    return Journal(execution, watch, History(execution.operation_id, "order-7", "{}", None, NOW))


_HISTORIES: dict[tuple[str, str | None], Sequence[Sequence[OperationUpdate]]] = {
    ("STEP", "STARTED"): [[update("STEP", "START")]],
    ("STEP", "PENDING"): [[retry(error=ERROR)]],
    ("STEP", "READY"): [[retry(error=ERROR)]],
    ("STEP", "SUCCEEDED"): [[update("STEP", "SUCCEED", payload="1")]],
    ("STEP", "FAILED"): [[update("STEP", "FAIL", error=ERROR)]],
    ("WAIT", "STARTED"): [[wait()]],
    ("WAIT", "SUCCEEDED"): [[wait()]],
    ("WAIT", "CANCELLED"): [[wait()], [update("WAIT", "CANCEL")]],
    ("CONTEXT", "STARTED"): [[update("CONTEXT", "START")]],
    ("CONTEXT", "SUCCEEDED"): [[update("CONTEXT", "SUCCEED", payload="1")]],
    ("CONTEXT", "FAILED"): [[update("CONTEXT", "FAIL", error=ERROR)]],
    **{("CALLBACK", status): [[callback()]] for status in ("STARTED", "SUCCEEDED", "FAILED", "TIMED_OUT")},
    **{
        ("CHAINED_INVOKE", status): [[invoke()]]
        for status in ("STARTED", "SUCCEEDED", "FAILED", "TIMED_OUT", "STOPPED")
    },
}

_FIRED = (("STEP", "READY"), ("WAIT", "SUCCEEDED"), ("CALLBACK", "TIMED_OUT"))
_CLOSED_FROM_OUTSIDE = ("CALLBACK", "CHAINED_INVOKE")

STATES = (*((kind, None) for kind in ("STEP", "WAIT", "CONTEXT", *_CLOSED_FROM_OUTSIDE)), *_HISTORIES)
"""Every type with every status that its operations can have; None while there is none."""


def journal_with(kind: str, status: str | None) -> Journal:
    """A journal with an operation ``op`` of that type and status."""
    journal = new_journal()
    for updates in _HISTORIES.get((kind, status), ()):
        journal.apply(updates, NOW)
    if (kind, status) in _FIRED:
        assert journal.fire_due(later(DELAY))
    elif kind in _CLOSED_FROM_OUTSIDE and status not in (None, "STARTED"):
        journal.close("op", OperationStatus[status], NOW)
    assert status is None or journal.operations["op"].status is OperationStatus[status]
    return journal
