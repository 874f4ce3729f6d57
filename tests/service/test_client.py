"""The service as an invocation sees it: tokens, refusals as the SDK classifies them, what a response holds."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from aws_durable_execution_sdk_python.exceptions import BotoClientError, CheckpointError, GetExecutionStateError
from aws_durable_execution_sdk_python.lambda_service import OperationUpdate

from pytest_durable import FakeDurableContext
from pytest_durable.primitives.sleep import sleep
from tests.service.functions import PENDING, SUCCEEDED, Caller, finish, function
from tests.service.journals import ERROR, retry, update, wait

STALE = "Invalid checkpoint token"


def call(body: Callable[[Caller], Any], **options: Any) -> Any:
    """What ``body`` returns, called once in the only invocation of an execution."""
    seen: list[Any] = []

    def invoke(event: Any, context: Any) -> Any:
        seen.append(body(Caller(event)))
        return SUCCEEDED

    execution = finish(function(invoke), **options)
    assert execution.status == "SUCCEEDED", execution.error
    return seen[0]


def refused(error: type[BotoClientError], message: str, retryable: bool, request: Callable[[], Any]) -> None:
    """Assert that the service answers ``request`` with HTTP 400, and how the SDK classifies that."""
    with pytest.raises(error) as caught:
        request()
    assert caught.value.error == {"Code": "InvalidParameterValueException", "Message": message}
    assert caught.value.response_metadata is not None
    assert caught.value.response_metadata["HTTPStatusCode"] == 400
    assert caught.value.is_retryable() is retryable


# --- tokens ---------------------------------------------------------------------------------------------------------


def test_every_accepted_checkpoint_supersedes_its_token() -> None:
    def body(caller: Caller) -> None:
        tokens = [caller.token]
        for _ in range(3):
            caller.checkpoint()
            tokens.append(caller.token)
        assert len(set(tokens)) == 4
        for stale in tokens[:-1]:
            refused(CheckpointError, STALE, True, partial(caller.checkpoint, token=stale))
            refused(GetExecutionStateError, STALE, True, partial(caller.state, token=stale))

    call(body)


@pytest.mark.parametrize("token", ["", "bm9ib2R5", "%"])
def test_a_token_that_was_never_issued_is_refused(token: str) -> None:
    call(lambda caller: refused(CheckpointError, STALE, True, lambda: caller.checkpoint(token=token)))


def test_a_token_is_of_no_use_for_another_execution() -> None:
    call(lambda caller: refused(CheckpointError, STALE, True, lambda: caller.checkpoint(arn=caller.arn + "0")))


def test_a_refused_checkpoint_leaves_its_token_valid() -> None:
    def body(caller: Caller) -> Any:
        bad = update("STEP", "START", parent_id="nobody")
        refused(CheckpointError, "Invalid parent operation id.", False, lambda: caller.checkpoint(bad))
        return caller.delta(update("STEP", "START"))

    assert call(body) == [("op", "STARTED")]


def test_reading_the_state_leaves_its_token_valid() -> None:
    def body(caller: Caller) -> Any:
        before = caller.token
        caller.state()
        caller.state()
        assert caller.token == before
        return caller.delta(update("STEP", "START"))

    assert call(body) == [("op", "STARTED")]


def test_a_token_of_an_earlier_invocation_is_refused() -> None:
    callers: list[Caller] = []

    def invoke(event: Any, context: Any) -> Any:
        callers.append(Caller(event))
        if len(callers) == 1:
            callers[0].checkpoint(update("STEP", "START"))
            raise RuntimeError("the first invocation fails")
        assert callers[0].token != callers[1].token
        refused(CheckpointError, STALE, True, lambda: callers[0].checkpoint(update("STEP", "SUCCEED")))
        refused(CheckpointError, STALE, True, lambda: callers[1].checkpoint(token=callers[0].token))
        return SUCCEEDED

    execution = finish(function(invoke))
    assert (execution.status, len(callers)) == ("SUCCEEDED", 2)
    assert execution.journal.operations["op"].status.value == "STARTED"


def test_no_token_is_valid_between_two_invocations(ctx: FakeDurableContext) -> None:
    callers: list[Caller] = []

    def invoke(event: Any, context: Any) -> Any:
        callers.append(Caller(event))
        if len(callers) == 1:
            callers[0].checkpoint(wait(seconds=60))
            return PENDING
        return SUCCEEDED

    ctx.start(function(invoke))
    refused(CheckpointError, STALE, True, lambda: callers[0].checkpoint(update("STEP", "START")))


@pytest.mark.parametrize("ending", [SUCCEEDED, {"Status": "FAILED", "Error": {"ErrorMessage": "no"}}])
def test_no_token_of_a_finished_execution_is_valid(ending: dict[str, Any]) -> None:
    callers: list[Caller] = []

    def invoke(event: Any, context: Any) -> Any:
        callers.append(Caller(event))
        return ending

    finish(function(invoke))
    refused(CheckpointError, STALE, True, lambda: callers[0].checkpoint(update("STEP", "START")))
    refused(GetExecutionStateError, STALE, True, lambda: callers[0].state())


@pytest.mark.parametrize(
    ("result", "answer"),
    [
        (update("EXECUTION", "SUCCEED", "result", payload="1"), {"Status": "SUCCEEDED", "Result": ""}),
        (update("EXECUTION", "FAIL", "result", error=ERROR), {"Status": "FAILED"}),
    ],
    ids=["SUCCEED", "FAIL"],
)
def test_the_response_to_the_executions_own_update_holds_no_token(result: OperationUpdate, answer: Any) -> None:
    tokens: list[Any] = []

    def invoke(event: Any, context: Any) -> Any:
        caller = Caller(event)
        tokens.append(caller.token)
        tokens.append(caller.checkpoint(result).checkpoint_token)
        refused(CheckpointError, STALE, True, lambda: caller.checkpoint(token=tokens[0]))
        return answer

    execution = finish(function(invoke))
    assert tokens[1:] == [None]
    assert (execution.status, execution.result, execution.error) == (answer["Status"], result.payload, result.error)


# --- refusals -------------------------------------------------------------------------------------------------------


def test_the_sdk_takes_a_refused_update_for_an_error_that_no_retry_mends() -> None:
    def body(caller: Caller) -> None:
        caller.checkpoint(update("STEP", "START"))
        again = update("STEP", "START")
        refused(CheckpointError, "Invalid current STEP state to start.", False, lambda: caller.checkpoint(again))

    call(body)


def test_one_refused_update_leaves_nothing_of_its_request_stored() -> None:
    def body(caller: Caller) -> Any:
        bad = wait("wait", parent_id="nobody")
        request = [update("STEP", "START", "a"), update("CONTEXT", "START", "b"), bad]
        refused(CheckpointError, "Invalid parent operation id.", False, lambda: caller.checkpoint(*request))
        return caller.delta()

    assert call(body) == []


# --- responses ------------------------------------------------------------------------------------------------------


def test_a_response_holds_what_the_request_changed() -> None:
    def body(caller: Caller) -> Any:
        return [
            caller.delta(update("STEP", "START", "a"), update("CONTEXT", "START", "b")),
            caller.delta(retry("a", error=ERROR), update("STEP", "START", "c", parent_id="b")),
            caller.delta(update("CONTEXT", "SUCCEED", "b")),
            caller.delta(),
        ]

    assert call(body) == [
        [("a", "STARTED"), ("b", "STARTED")],
        [("a", "PENDING"), ("c", "STARTED")],
        [("b", "SUCCEEDED")],
        [],
    ]


def test_a_response_holds_what_fell_due_before_it() -> None:
    def body(caller: Caller) -> Any:
        asked = caller.delta(wait("short", 5), wait("long", 50), retry("retried", 6))
        sleep(10)
        return [asked, caller.delta(), caller.delta()]

    assert call(body) == [
        [("short", "STARTED"), ("long", "STARTED"), ("retried", "PENDING")],
        [("short", "SUCCEEDED"), ("retried", "READY")],
        [],
    ]


# --- pages of the state ---------------------------------------------------------------------------------------------


def read(body: Callable[[Caller], Any], operations: int, **options: Any) -> Any:
    """What ``body`` returns in an invocation that is given a journal of so many operations, the EXECUTION included."""
    seen: list[Any] = []

    def invoke(event: Any, context: Any) -> Any:
        caller = Caller(event)
        if len(event.initial_execution_state.operations) == 1 and not event.initial_execution_state.next_marker:
            caller.checkpoint(*(update("STEP", "SUCCEED", f"step-{n}") for n in range(2, operations)), wait("wait", 1))
            return PENDING
        seen.append(body(caller))
        return SUCCEEDED

    execution = finish(function(invoke), **options)
    assert execution.status == "SUCCEEDED", execution.error
    return seen[0]


@pytest.mark.parametrize("page_size", [1, 2, 3, 4, 5, 6, 7, 1_000])
def test_the_pages_hold_every_operation_once_and_in_order(page_size: int) -> None:
    def body(caller: Caller) -> list[str]:
        state = caller.event.initial_execution_state
        found = [list(state.operations)]
        marker = state.next_marker
        while marker:
            page = caller.state(marker)
            found.append(page.operations)
            marker = page.next_marker
        assert [len(operations) for operations in found[:-1]] == [page_size] * (len(found) - 1)
        return [operation.operation_id for operations in found for operation in operations][1:]

    assert read(body, 6, page_size=page_size) == ["step-2", "step-3", "step-4", "step-5", "wait"]


def test_a_page_holds_no_more_than_was_asked_for() -> None:
    def body(caller: Caller) -> list[int]:
        return [len(caller.state("1", max_items).operations) for max_items in (1, 2, 3, 1_000)]

    assert read(body, 6, page_size=3) == [1, 2, 3, 3]


def test_asking_for_no_items_gives_a_page_of_100() -> None:
    assert read(lambda caller: len(caller.state("1", 0).operations), 150) == 100


@pytest.mark.parametrize("marker", ["x", "", "-1", "6", "999", "1.0", "٣ ", "²"])
def test_a_bad_marker_is_refused(marker: str) -> None:
    def body(caller: Caller) -> None:
        refused(GetExecutionStateError, "Invalid marker", False, lambda: caller.state(marker))

    read(body, 6)


@pytest.mark.parametrize("max_items", [-1, 1_001])
def test_a_bad_page_size_is_refused(max_items: int) -> None:
    message = "MaxItems must be between 0 and 1000."

    def body(caller: Caller) -> None:
        refused(GetExecutionStateError, message, False, lambda: caller.state("1", max_items))

    read(body, 6)
