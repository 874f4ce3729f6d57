"""The events of a history: their fields, their numbers, and the shape that AWS gives them."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from datetime import timedelta
from typing import Any

import pytest
from aws_durable_execution_sdk_python.lambda_service import OperationSubType
from hypothesis import given
from hypothesis import strategies as st

from tests.service.histories import (
    AT,
    FACTS,
    RESULT,
    SECRET,
    Event,
    Fact,
    aws_event_types,
    aws_shape,
    misfits,
    new_history,
    stored,
)
from tests.service.journals import NOW, update

STARTED = {
    "EventType": "ExecutionStarted",
    "EventId": 1,
    "EventTimestamp": NOW.isoformat(),
    "Id": "e1",
    "Name": "order-7",
    "ExecutionStartedDetails": {"Input": {"Payload": RESULT, "Truncated": False}, "ExecutionTimeout": 60},
}

PAUSES = {"ExecutionPaused", "ExecutionResumed"}
"""An execution is never paused in the simulation."""


def expected(facts: list[Fact]) -> list[Event]:
    """The events of an execution in which ``facts`` happened."""
    made = [fact.event for fact in facts if fact.event is not None]
    rest = [
        {"EventId": number, "EventTimestamp": AT.isoformat(), **event} for number, event in enumerate(made, start=2)
    ]
    return [STARTED, *rest]


def events_of(facts: list[Fact], **options: bool) -> list[Event]:
    history = new_history()
    for fact in facts:
        fact.record(history)
    return history.events(**options)


# --- what each fact makes -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: fact.label)
def test_a_fact_makes_its_event(fact: Fact) -> None:
    assert events_of([fact]) == expected([fact])


def test_every_type_of_event_is_made() -> None:
    made = {event["EventType"] for event in events_of(FACTS)}
    assert made == aws_event_types() - PAUSES


def test_an_execution_without_a_timeout_tells_none() -> None:
    [started] = new_history(execution_timeout=None).events()
    assert started["ExecutionStartedDetails"] == {"Input": {"Payload": RESULT, "Truncated": False}}


def test_an_operation_tells_only_what_it_has() -> None:
    history = new_history()
    start = update("STEP", "START", name="")  # the SDK sends no empty name
    history.updated(AT, start, stored(start))
    assert history.events()[1].keys() == {"EventType", "EventId", "EventTimestamp", "Id", "StepStartedDetails"}


@pytest.mark.parametrize("sub_type", [OperationSubType.WAIT_FOR_CALLBACK, "WaitForCallback"])
def test_a_sub_type_is_text_whichever_way_the_sdk_keeps_it(sub_type: Any) -> None:
    history = new_history()
    start = update("CONTEXT", "START", sub_type=sub_type)
    history.updated(AT, start, stored(start))
    found = history.events()[1]["SubType"]
    assert (found, type(found)) == ("WaitForCallback", str)


def test_times_are_printed_as_the_cli_does() -> None:
    history = new_history()
    history.invocation_completed(NOW, NOW + timedelta(milliseconds=1), "id", None)
    started, completed = history.events()
    assert started["EventTimestamp"] == "2026-01-01T00:00:00+00:00"
    assert completed["EventTimestamp"] == "2026-01-01T00:00:00.001000+00:00"


# --- the list as a whole --------------------------------------------------------------------------------------------


@given(st.lists(st.sampled_from(FACTS)))
def test_events_are_the_facts_in_their_order_numbered_from_1(facts: list[Fact]) -> None:
    assert events_of(facts) == expected(facts)


def test_a_history_can_be_read_while_it_is_written() -> None:
    history = new_history()
    before = []
    for fact in FACTS:
        before.append(history.events())
        fact.record(history)
    after = history.events()
    assert all(after[: len(events)] == events for events in before)


def test_events_are_json() -> None:
    events = events_of(FACTS)
    assert json.loads(json.dumps(events)) == events


# --- without execution data -----------------------------------------------------------------------------------------


def without_data(value: Any) -> Any:
    """``value`` with each payload left out."""
    if isinstance(value, dict):
        if "Truncated" in value:
            return {"Truncated": True}
        return {name: without_data(inner) for name, inner in value.items()}
    return value


def test_execution_data_can_be_left_out() -> None:
    assert SECRET in json.dumps(events_of(FACTS))
    lean = events_of(FACTS, include_execution_data=False)
    assert SECRET not in json.dumps(lean)
    assert lean == [without_data(event) for event in events_of(FACTS)]


# --- AWS's shape ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("include_execution_data", [True, False])
def test_events_have_the_shape_that_aws_gives_them(include_execution_data: bool) -> None:
    events = events_of(FACTS, include_execution_data=include_execution_data)
    assert list(misfits({"Events": events}, aws_shape())) == []


def spoil(change: Callable[[Event], None]) -> list[str]:
    """What the check of the shape says of a step that succeeded, after ``change``."""
    step = next(fact for fact in FACTS if fact.label == "step succeeded")
    event = deepcopy(events_of([step])[1])
    assert list(misfits({"Events": [event]}, aws_shape())) == []
    change(event)
    return list(misfits({"Events": [event]}, aws_shape()))


def test_the_check_of_the_shape_finds_what_is_wrong() -> None:
    details = "StepSucceededDetails"
    assert spoil(lambda event: event.update(Extra=1)) == [".Events[0].Extra is unknown"]
    assert spoil(lambda event: event[details].pop("Result")) == [f".Events[0].{details}.Result is missing"]
    assert spoil(lambda event: event.update(EventId="2")) == [".Events[0].EventId is '2', not of EventId"]
    assert spoil(lambda event: event.update(EventType="Step")) == [".Events[0].EventType is 'Step', not of EventType"]
    assert spoil(lambda event: event.update(SubType="a b")) == [".Events[0].SubType is 'a b', not of OperationSubType"]
    assert spoil(lambda event: event[details]["Result"].update(Truncated=0)) == [
        f".Events[0].{details}.Result.Truncated is 0, not of Truncated"
    ]
    naive = "2026-01-01T00:00:00"
    assert spoil(lambda event: event.update(EventTimestamp=naive)) == [
        f".Events[0].EventTimestamp is '{naive}', not of ExecutionTimestamp"
    ]
