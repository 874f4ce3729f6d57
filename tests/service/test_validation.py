"""The journal does with every update what AWS's local runner does with it, refusals word for word."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from aws_durable_execution_sdk_python.lambda_service import OperationStatus, OperationUpdate
from aws_durable_execution_sdk_python_testing.checkpoint.validators.checkpoint import CheckpointValidator
from aws_durable_execution_sdk_python_testing.exceptions import InvalidParameterValueException

from pytest_durable.service.errors import InvalidParameterValue
from pytest_durable.service.journal import Journal
from tests.service.journals import ERROR, NOW, STATES, callback, invoke, journal_with, new_journal, update, wait
from tests.service.refusals import ACCOUNT, INVOKES, REQUESTS, TRANSITIONS, UPDATES, Refusal, Transition


def refusal_of(journal: Journal, updates: Sequence[OperationUpdate]) -> str | None:
    """The journal's words; None if it accepts."""
    try:
        journal.apply(updates, NOW)
    except InvalidParameterValue as refusal:
        return str(refusal)
    return None


def refusal_of_local_runner(journal: Journal, updates: Sequence[OperationUpdate]) -> str | None:
    """The words of AWS's local runner about the same journal; None if it accepts."""
    execution: Any = SimpleNamespace(
        operations=list(journal.operations.values()),
        parent_execution_arn=None,
        start_input=SimpleNamespace(account_id=ACCOUNT),
        region="us-east-1",
    )
    try:
        CheckpointValidator.validate_input(list(updates), execution)
    except InvalidParameterValueException as refusal:
        return str(refusal)
    return None


def stored(request: Refusal) -> Journal:
    return new_journal() if request.stored is None else journal_with(*request.stored)


def test_the_table_has_every_status_and_every_action() -> None:
    wanted = {(kind, status, action) for kind, status in STATES for of, action in UPDATES if of == kind}
    assert {(row.kind, row.status, row.action) for row in TRANSITIONS} == wanted
    assert len(TRANSITIONS) == len(wanted)


@pytest.mark.parametrize("row", TRANSITIONS, ids=str)
def test_each_transition(row: Transition) -> None:
    journal = journal_with(row.kind, row.status)
    before = dict(journal.operations)
    assert refusal_of(journal, [UPDATES[row.kind, row.action]]) == row.refusal
    if row.leads_to is None:
        assert journal.operations == before
    else:
        assert journal.operations["op"].status is OperationStatus[row.leads_to]


@pytest.mark.parametrize("row", TRANSITIONS, ids=str)
def test_each_transition_of_the_local_runner(row: Transition) -> None:
    journal = journal_with(row.kind, row.status)
    assert refusal_of_local_runner(journal, [UPDATES[row.kind, row.action]]) == row.refusal


@pytest.mark.parametrize("request_", REQUESTS, ids=str)
def test_each_refusal(request_: Refusal) -> None:
    assert refusal_of(stored(request_), request_.updates) == request_.words


@pytest.mark.parametrize("request_", REQUESTS, ids=str)
def test_each_refusal_of_the_local_runner(request_: Refusal) -> None:
    assert refusal_of_local_runner(stored(request_), request_.updates) == request_.words


@pytest.mark.parametrize("request_", REQUESTS, ids=str)
def test_a_refused_request_stores_nothing_of_what_came_before_it(request_: Refusal) -> None:
    journal = stored(request_)
    before = dict(journal.operations)
    journal.take_delta()
    fine = [
        update("STEP", "START", "fine"),
        update("CONTEXT", "SUCCEED", "fine-too", payload="1"),
        wait("fine-as-well"),
    ]
    assert refusal_of(journal, [*fine, *request_.updates]) is not None
    assert journal.operations == before
    assert journal.take_delta() == []


@pytest.mark.parametrize("request_", INVOKES, ids=str)
def test_each_refusal_of_an_invoke(request_: Refusal) -> None:
    assert refusal_of(stored(request_), request_.updates) == request_.words


@pytest.mark.parametrize("request_", INVOKES, ids=str)
def test_each_refusal_of_an_invoke_by_the_local_runner(request_: Refusal) -> None:
    assert refusal_of_local_runner(stored(request_), request_.updates) == request_.words


IDENTITY: dict[str, Any] = {"name": "name", "sub_type": "Step", "parent_id": "parent"}
WORDS = {
    "name": "Inconsistent operation name.",
    "sub_type": "Inconsistent operation subtype.",
    "parent_id": "Inconsistent parent operation id.",
}


def journal_with_identity(**identity: Any) -> Journal:
    """A journal with contexts ``parent`` and ``other``, and a started step ``op`` of that identity."""
    journal = new_journal()
    contexts = [update("CONTEXT", "START", "parent"), update("CONTEXT", "START", "other")]
    journal.apply([*contexts, update("STEP", "START", **identity)], NOW)
    return journal


@pytest.mark.parametrize("field", IDENTITY)
@pytest.mark.parametrize("judge", [refusal_of, refusal_of_local_runner])
def test_an_operation_keeps_its_identity(judge: Any, field: str) -> None:
    changed = {**IDENTITY, field: "other"}
    assert judge(journal_with_identity(**IDENTITY), [update("STEP", "SUCCEED", **changed)]) == WORDS[field]


@pytest.mark.parametrize("field", IDENTITY)
@pytest.mark.parametrize("judge", [refusal_of, refusal_of_local_runner])
def test_an_update_may_leave_the_identity_out(judge: Any, field: str) -> None:
    left_out = {**IDENTITY, field: None}
    assert judge(journal_with_identity(**IDENTITY), [update("STEP", "SUCCEED", **left_out)]) is None


@pytest.mark.parametrize("field", IDENTITY)
@pytest.mark.parametrize("judge", [refusal_of, refusal_of_local_runner])
def test_an_operation_without_name_subtype_or_parent_is_given_none_later(judge: Any, field: str) -> None:
    nothing = {**IDENTITY, field: None}
    assert judge(journal_with_identity(**nothing), [update("STEP", "SUCCEED", **IDENTITY)]) == WORDS[field]


ACCEPTED = {
    "no update at all": [],
    "a step started and closed": [update("STEP", "START"), update("STEP", "SUCCEED", payload="1")],
    "a context started and failed": [update("CONTEXT", "START"), update("CONTEXT", "FAIL", error=ERROR)],
    "a child of a context that starts in the same request": [
        update("CONTEXT", "START"),
        update("CONTEXT", "START", "child", parent_id="op"),
        update("STEP", "SUCCEED", "grandchild", parent_id="child", payload="1"),
    ],
    "the execution's result after another update": [
        update("STEP", "SUCCEED", payload="1"),
        update("EXECUTION", "SUCCEED", "result", payload="1"),
    ],
    "the execution's error alone": [update("EXECUTION", "FAIL", "result", error=ERROR)],
    "a callback and an invoke in a context that starts in the same request": [
        update("CONTEXT", "START"),
        callback("child", parent_id="op"),
        invoke("other", parent_id="op", target=f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:orders:live"),
    ],
    "an invoke of a mebibyte for a tenant": [invoke(tenant_id="acme/a b", payload="x" * 1_048_576)],
    "a new step failed with a payload": [update("STEP", "FAIL", error=ERROR, payload="1")],
    "a new step retried without options": [update("STEP", "RETRY")],
}
"""The last two look wrong, but AWS's local runner looks at a step's update only if the step exists."""


@pytest.mark.parametrize("updates", ACCEPTED.values(), ids=list(ACCEPTED))
@pytest.mark.parametrize("judge", [refusal_of, refusal_of_local_runner])
def test_what_is_accepted(judge: Any, updates: Sequence[OperationUpdate]) -> None:
    assert judge(new_journal(), updates) is None


def test_a_child_of_a_finished_context_is_accepted() -> None:
    journal = journal_with("CONTEXT", "SUCCEEDED")
    child = [update("STEP", "START", "child", parent_id="op")]
    assert refusal_of_local_runner(journal, child) is None
    assert refusal_of(journal, child) is None


def test_an_execution_update_stores_no_operation() -> None:
    journal = new_journal()
    journal.apply([update("EXECUTION", "SUCCEED", "result", payload="1")], NOW)
    assert list(journal.operations) == ["execution"]
