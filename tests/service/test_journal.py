"""What the journal stores, when it changes by itself, and what it shows to whom."""

from __future__ import annotations

import pytest
from aws_durable_execution_sdk_python.lambda_service import ContextOptions, OperationStatus

from pytest_durable.engine import micros_of
from pytest_durable.service.journal import Journal
from tests.service.journals import DELAY, ERROR, NOW, journal_with, later, new_journal, retry, update, wait


def step_of(journal: Journal, operation_id: str = "op") -> tuple[str, int, str | None, object]:
    """Status, attempts, result and error of a step."""
    operation = journal.operations[operation_id]
    details = operation.step_details
    assert details is not None
    return operation.status.value, details.attempt, details.result, details.error


# --- steps ----------------------------------------------------------------------------------------------------------


def test_attempts_count_those_that_are_finished() -> None:
    journal = new_journal()
    seen = []
    for moment, changes in enumerate(
        [[update("STEP", "START")], [retry(error=ERROR)], [], [update("STEP", "START")], [update("STEP", "SUCCEED")]]
    ):
        journal.fire_due(later(moment * DELAY))
        journal.apply(changes, later(moment * DELAY))
        seen.append(step_of(journal)[:2])
    assert seen == [("STARTED", 0), ("PENDING", 1), ("READY", 1), ("STARTED", 1), ("SUCCEEDED", 2)]


def test_a_step_that_fails_for_good_has_finished_an_attempt() -> None:
    assert step_of(journal_with("STEP", "FAILED")) == ("FAILED", 1, None, ERROR)


def test_a_step_that_is_started_and_closed_in_one_request_has_one_attempt() -> None:
    journal = new_journal()
    journal.apply([update("STEP", "START"), update("STEP", "SUCCEED", payload="1")], NOW)
    assert step_of(journal) == ("SUCCEEDED", 1, "1", None)


def test_a_retry_says_when_the_next_attempt_is() -> None:
    journal = journal_with("STEP", "PENDING")
    details = journal.operations["op"].step_details
    assert details is not None and details.next_attempt_timestamp == later(DELAY)


def test_a_step_that_is_ready_has_no_next_attempt_any_more() -> None:
    details = journal_with("STEP", "READY").operations["op"].step_details
    assert details is not None and details.next_attempt_timestamp is None


def test_ready_keeps_the_error() -> None:
    assert step_of(journal_with("STEP", "READY")) == ("READY", 1, None, ERROR)


def test_ready_and_the_next_start_keep_the_state_of_a_condition() -> None:
    journal = new_journal()
    journal.apply([retry(payload='"state"')], NOW)
    journal.fire_due(later(DELAY))
    assert step_of(journal) == ("READY", 1, '"state"', None)
    journal.apply([update("STEP", "START")], later(DELAY))
    assert step_of(journal) == ("STARTED", 1, '"state"', None)


def test_success_replaces_the_error_of_an_earlier_attempt() -> None:
    journal = journal_with("STEP", "READY")
    journal.apply([update("STEP", "SUCCEED", payload="1")], later(DELAY))
    assert step_of(journal) == ("SUCCEEDED", 2, "1", None)


def test_an_operation_keeps_its_start_and_gets_its_end() -> None:
    journal = journal_with("STEP", "READY")
    journal.apply([update("STEP", "SUCCEED")], later(60))
    operation = journal.operations["op"]
    assert (operation.start_timestamp, operation.end_timestamp) == (NOW, later(60))


@pytest.mark.parametrize("status", ["STARTED", "PENDING", "READY"])
def test_an_open_step_has_no_end(status: str) -> None:
    assert journal_with("STEP", status).operations["op"].end_timestamp is None


# --- contexts -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("replay_children", [True, False])
def test_a_context_remembers_whether_its_children_are_to_be_replayed(replay_children: bool) -> None:
    journal = journal_with("CONTEXT", "STARTED")
    options = ContextOptions(replay_children=replay_children)
    journal.apply([update("CONTEXT", "SUCCEED", payload="", context_options=options)], NOW)
    details = journal.operations["op"].context_details
    assert details is not None
    assert (details.replay_children, details.result) == (replay_children, "")


def test_a_failed_context_keeps_its_error() -> None:
    details = journal_with("CONTEXT", "FAILED").operations["op"].context_details
    assert details is not None and details.error == ERROR


# --- timers ---------------------------------------------------------------------------------------------------------


def test_a_wait_succeeds_exactly_when_its_time_is_over() -> None:
    journal = journal_with("WAIT", "STARTED")
    details = journal.operations["op"].wait_details
    assert details is not None and details.scheduled_end_timestamp == later(DELAY)
    assert not journal.fire_due(later(DELAY - 0.000_001))
    assert journal.operations["op"].status.value == "STARTED"
    assert journal.fire_due(later(DELAY))
    assert journal.operations["op"].status.value == "SUCCEEDED"
    assert journal.operations["op"].end_timestamp == later(DELAY)


def test_a_retry_is_ready_exactly_when_its_delay_is_over() -> None:
    journal = journal_with("STEP", "PENDING")
    assert not journal.fire_due(later(DELAY - 0.000_001))
    assert journal.fire_due(later(DELAY))
    assert journal.operations["op"].status is OperationStatus.READY


def test_whoever_watches_is_told_of_every_timer() -> None:
    told: list[int] = []
    journal = new_journal(told.append)
    journal.apply([wait("a", 30), update("STEP", "START", "b"), retry("c", 20), update("CONTEXT", "START", "d")], NOW)
    assert told == [micros_of(later(30)), micros_of(later(20))]


def test_a_timer_goes_off_once() -> None:
    journal = journal_with("WAIT", "SUCCEEDED")
    assert not journal.fire_due(later(3_600))


def test_the_timer_of_a_cancelled_wait_does_not_go_off() -> None:
    assert not journal_with("WAIT", "CANCELLED").fire_due(later(DELAY))


def test_the_service_closes_no_step_and_no_context_by_itself() -> None:
    journal = new_journal()
    journal.apply([update("STEP", "START", "step"), update("CONTEXT", "START", "context")], NOW)
    assert not journal.fire_due(later(10**8))


def test_all_timers_that_are_due_go_off_at_once() -> None:
    journal = new_journal()
    journal.apply([wait("a", 3), wait("b", 1), retry("c", 2), wait("d", 4)], NOW)
    journal.take_delta()
    assert journal.fire_due(later(3))
    assert [operation.operation_id for operation in journal.take_delta()] == ["a", "b", "c"]


# --- what an invocation is told -------------------------------------------------------------------------------------


def test_the_delta_holds_what_the_request_changed_and_what_the_service_changed() -> None:
    journal = journal_with("WAIT", "STARTED")
    journal.take_delta()
    journal.fire_due(later(DELAY))
    journal.apply([update("STEP", "START", "step")], later(DELAY))
    delta = journal.take_delta()
    assert [(operation.operation_id, operation.status.value) for operation in delta] == [
        ("op", "SUCCEEDED"),
        ("step", "STARTED"),
    ]


def test_the_delta_is_in_the_order_in_which_the_operations_were_created() -> None:
    journal = new_journal()
    journal.apply([update("STEP", "START", name) for name in "abc"], NOW)
    journal.take_delta()
    journal.apply([update("STEP", "SUCCEED", name) for name in "cdab"], NOW)
    assert [operation.operation_id for operation in journal.take_delta()] == ["a", "b", "c", "d"]


def test_the_delta_holds_an_operation_once_with_its_latest_state() -> None:
    journal = new_journal()
    journal.apply([update("STEP", "START"), update("STEP", "SUCCEED", payload="1")], NOW)
    (operation,) = journal.take_delta()
    assert operation.status is OperationStatus.SUCCEEDED


def test_the_delta_is_taken_once() -> None:
    journal = journal_with("STEP", "STARTED")
    assert len(journal.take_delta()) == 1
    assert journal.take_delta() == []


def test_a_new_invocation_has_seen_what_its_state_holds() -> None:
    journal = journal_with("STEP", "STARTED")
    journal.take_state()
    assert journal.take_delta() == []


def test_the_state_begins_with_the_execution_and_goes_on_in_the_order_of_creation() -> None:
    journal = new_journal()
    journal.apply([update("STEP", "START", name) for name in "cab"], NOW)
    journal.apply([update("STEP", "SUCCEED", name) for name in "bac"], NOW)
    assert [operation.operation_id for operation in journal.take_state()] == ["execution", "c", "a", "b"]


def nested(**endings: ContextOptions | None) -> Journal:
    """Contexts ``outer`` and ``outer/inner``, each with a step; those named in ``endings`` are finished."""
    journal = new_journal()
    journal.apply(
        [
            update("CONTEXT", "START", "outer"),
            update("STEP", "SUCCEED", "outer-step", parent_id="outer"),
            update("CONTEXT", "START", "inner", parent_id="outer"),
            update("STEP", "SUCCEED", "inner-step", parent_id="inner"),
        ],
        NOW,
    )
    for context, options in endings.items():
        parent = "outer" if context == "inner" else None
        journal.apply([update("CONTEXT", "SUCCEED", context, parent_id=parent, context_options=options)], NOW)
    return journal


PLAIN = None
REPLAYS = ContextOptions(replay_children=True)
EVERYTHING = {"outer", "outer-step", "inner", "inner-step"}


@pytest.mark.parametrize(
    ("endings", "shown"),
    [
        ({}, EVERYTHING),
        ({"inner": PLAIN}, EVERYTHING - {"inner-step"}),
        ({"inner": REPLAYS}, EVERYTHING),
        ({"inner": PLAIN, "outer": PLAIN}, {"outer"}),
        ({"inner": REPLAYS, "outer": PLAIN}, {"outer"}),
        ({"inner": PLAIN, "outer": REPLAYS}, EVERYTHING - {"inner-step"}),
        ({"inner": REPLAYS, "outer": REPLAYS}, EVERYTHING),
    ],
)
def test_what_is_below_a_finished_context_is_left_out_unless_it_is_to_be_replayed(
    endings: dict[str, ContextOptions | None], shown: set[str]
) -> None:
    state = nested(**endings).take_state()
    assert {operation.operation_id for operation in state} == {"execution", *shown}


def test_what_is_below_a_failed_context_is_left_out() -> None:
    journal = nested()
    journal.apply([update("CONTEXT", "FAIL", "outer", error=ERROR)], NOW)
    assert [operation.operation_id for operation in journal.take_state()] == ["execution", "outer"]


def test_an_open_wait_below_a_finished_context_still_goes_off() -> None:
    journal = new_journal()
    journal.apply([update("CONTEXT", "START", "context"), wait(parent_id="context")], NOW)
    journal.apply([update("CONTEXT", "SUCCEED", "context")], NOW)
    assert journal.fire_due(later(DELAY))
    assert journal.operations["op"].status is OperationStatus.SUCCEEDED


def test_updated_ids_are_those_of_operations_that_the_service_changed() -> None:
    journal = new_journal()
    journal.apply([update("STEP", "START", "step"), wait("second", 2), wait("first", 1), retry("third", 3)], NOW)
    journal.fire_due(later(3))
    assert journal.take_updated_ids() == ["second", "first", "third"]
    assert journal.take_updated_ids() == []


def test_an_operation_that_the_invocation_in_flight_was_shown_is_not_updated() -> None:
    journal = journal_with("WAIT", "STARTED")
    journal.fire_due(later(DELAY))
    journal.take_delta()
    assert journal.take_updated_ids() == []


# --- what the execution is suspended on -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "status", "pending"),
    [
        ("STEP", None, False),
        ("STEP", "STARTED", False),
        ("STEP", "PENDING", True),
        ("STEP", "READY", False),
        ("STEP", "SUCCEEDED", False),
        ("WAIT", "STARTED", True),
        ("WAIT", "SUCCEEDED", False),
        ("WAIT", "CANCELLED", False),
        ("CONTEXT", "STARTED", False),
        ("CONTEXT", "FAILED", False),
    ],
)
def test_an_execution_can_be_suspended_on_a_wait_and_on_a_retry(kind: str, status: str | None, pending: bool) -> None:
    assert journal_with(kind, status).has_pending is pending


def test_a_change_by_the_service_is_unseen_until_an_invocation_is_told() -> None:
    journal = journal_with("WAIT", "SUCCEEDED")
    assert journal.has_unseen
    journal.take_delta()
    assert not journal.has_unseen


def test_the_open_operations_are_those_that_are_not_finished_without_contexts() -> None:
    journal = new_journal()
    journal.apply(
        [
            update("CONTEXT", "START", "context"),
            update("STEP", "START", "started"),
            update("STEP", "SUCCEED", "done"),
            wait("waiting"),
            retry("retried"),
        ],
        NOW,
    )
    assert [operation.operation_id for operation in journal.open_operations()] == ["started", "waiting", "retried"]
