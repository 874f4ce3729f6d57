"""What is taken for a history, and what is refused with the way out."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from aws_durable_execution_sdk_python import DurableContext
from aws_durable_execution_sdk_python.exceptions import DurableOperationError

from pytest_durable import FakeDurableContext, InvalidHistory, ReplayDiverged
from pytest_durable.histories.reading import read
from tests.durable import ONCE, fails, returns, timeouts
from tests.histories.orders import before, renamed

Events = list[dict[str, Any]]


@pytest.fixture
def events(durable_ctx: FakeDurableContext) -> Events:
    return durable_ctx.run(before).history


def with_times(events: Events, convert: Callable[[datetime], Any]) -> Events:
    """The events with each time in another form, as boto3 or the CLI give it."""

    def converted(value: Any) -> Any:
        if isinstance(value, dict):
            return {
                key: convert(datetime.fromisoformat(one)) if key.endswith("Timestamp") else converted(one)
                for key, one in value.items()
            }
        return value

    return [converted(event) for event in events]


FORMS: dict[str, Callable[[Events], Any]] = {
    "the answer": lambda events: {"Events": events, "ResponseMetadata": {"HTTPStatusCode": 200}},
    "its events": lambda events: events,
    "the newest first": lambda events: {"Events": events[::-1]},
    "pages": lambda events: [{"Events": events[:5], "NextMarker": "x"}, {"Events": events[5:], "NextMarker": None}],
    "boto3": lambda events: {"Events": with_times(events, lambda time: time)},
    "local time": lambda events: {"Events": with_times(events, lambda time: time.astimezone())},
    "naive": lambda events: {"Events": with_times(events, lambda time: time.replace(tzinfo=None))},
    "seconds": lambda events: {"Events": with_times(events, lambda time: time.timestamp())},
    "milliseconds": lambda events: {"Events": with_times(events, lambda time: round(time.timestamp() * 1_000))},
    "the form of Z": lambda events: json.loads(json.dumps({"Events": events}).replace("+00:00", "Z")),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_history_is_taken_as_it_comes(durable_ctx: FakeDurableContext, events: Events, form: str) -> None:
    history = FORMS[form](events)
    assert durable_ctx.replay(before, history).moments > 10
    with pytest.raises(ReplayDiverged, match="has become step 'book'"):
        durable_ctx.replay(renamed, history)


@pytest.mark.parametrize("form", FORMS)
def test_its_times_are_the_same_in_every_form(events: Events, form: str) -> None:
    found = [event["EventTimestamp"] for event in read(FORMS[form](events)).events]
    plain = [event["EventTimestamp"] for event in read(events).events]
    tolerance = 0.001 if form == "milliseconds" else 0.0
    assert all(abs((one - other).total_seconds()) <= tolerance for one, other in zip(found, plain, strict=True))


def test_a_history_in_flight_is_replayed_up_to_where_it_ends(durable_ctx: FakeDurableContext, events: Events) -> None:
    for end in range(1, len(events), 4):
        replayed = durable_ctx.replay(before, events[:end])
        assert replayed.ended is None
        assert 1 <= replayed.moments <= end
    behind = next(end for end in range(1, len(events)) if events[end].get("Name") == "charge")
    assert durable_ctx.replay(renamed, events[:behind]).ended is None  # what is renamed was not come to yet
    with pytest.raises(ReplayDiverged):
        durable_ctx.replay(renamed, events[: behind + 1])


def invoked(event: Any, context: DurableContext) -> Any:
    return context.invoke("nobody", event, name="pay")


def answered(event: Any, context: DurableContext) -> Any:
    return context.create_callback("pay", timeouts(9)).result()


def failing(event: Any, context: DurableContext) -> Any:
    return context.step(fails(ValueError("no stock")), name="pay", config=ONCE)


@pytest.mark.parametrize("handler", [invoked, answered, failing])
def test_what_fails_last_in_flight_may_fail_the_code(durable_ctx: FakeDurableContext, handler: Any) -> None:
    def caught(event: Any, context: DurableContext) -> Any:
        with contextlib.suppress(DurableOperationError):
            return handler(event, context)
        return context.step(returns(1), name="give up")

    for recorded in (handler, caught):
        events = durable_ctx.run(recorded).history
        for end in range(1, len(events)):
            assert durable_ctx.replay(recorded, events[:end]).changes == ()
    with pytest.raises(ReplayDiverged, match="the code fails on what is recorded"):
        durable_ctx.replay(handler, events)
    with pytest.raises(ReplayDiverged, match="the code fails on what is recorded"):
        durable_ctx.replay(handler, events[:-2])


def test_no_body_runs_and_time_stands_still(durable_ctx: FakeDurableContext) -> None:
    ran: list[str] = []

    def handler(event: Any, context: Any) -> Any:
        context.step(lambda _: ran.append("a"), name="a")
        return context.run_in_child_context(lambda child: child.step(lambda _: ran.append("b"), name="b"), name="c")

    history = durable_ctx.run(handler).history
    now = durable_ctx.clock.now()
    durable_ctx.replay(handler, history)
    assert ran == ["a", "b"]
    assert durable_ctx.clock.now() == now


def truncated(events: Events) -> Any:
    return json.loads(json.dumps(events).replace('"Truncated": false', '"Truncated": true').replace('"Payload"', '"_"'))


REFUSED: dict[str, tuple[Callable[[Events], Any], str]] = {
    "nothing": (lambda events: None, "a history is what GetDurableExecutionHistory answers, .*, not NoneType"),
    "a number": (lambda events: 7, "not int '7'"),
    "no events": (lambda events: {"Events": []}, "the history has no events"),
    "other events": (lambda events: {"Events": [{"event": "x"}]}, "an event has EventType, EventId and EventTimestamp"),
    "a page is missing": (lambda events: events[3:], "the history has no event 1 before event 4: a page of it is"),
    "a gap": (lambda events: events[:3] + events[4:], "no event 4 before event 5"),
    "a page twice": (lambda events: events[:3] + events[:3], "no event 2 before event 1"),
    "more pages": (lambda events: {"Events": events, "NextMarker": "m"}, "has a NextMarker: fetch the next page"),
    "no payloads": (truncated, "event 1, ExecutionStarted, has no payload: .*--include-execution-data"),
    "no time": (lambda events: [{**events[0], "EventTimestamp": "noon"}], "event 1 has no time"),
    "no beginning": (lambda events: [{**events[0], "EventType": "StepStarted"}], "begins with ExecutionStarted"),
    "another type": (
        lambda events: [events[0], {**events[1], "EventType": "LoopStarted"}],
        "event 2 is of the type 'LoopStarted'",
    ),
    "another parent": (
        lambda events: [events[0], {**events[1], "ParentId": "nobody"}],
        "event 2, StepStarted, is in a context that the history does not have",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_whole_history_is_refused(durable_ctx: FakeDurableContext, events: Events, name: str) -> None:
    make, message = REFUSED[name]
    with pytest.raises(InvalidHistory, match=message):
        durable_ctx.replay(before, make(events))


@pytest.mark.parametrize("indent", [None, 4])
def test_the_json_itself_is_no_path(durable_ctx: FakeDurableContext, events: Events, indent: int | None) -> None:
    for history in (events, {"Events": events}):
        with pytest.raises(InvalidHistory, match=r"^a text is the path of a file; .* json\.loads"):
            durable_ctx.replay(before, json.dumps(history, indent=indent))


def test_a_directory_is_replayed_file_by_file(durable_ctx: FakeDurableContext, events: Events, tmp_path: Path) -> None:
    for name, history in {"b": events[:4], "a": events}.items():
        (tmp_path / f"{name}.json").write_text(json.dumps({"Events": history}))
    (tmp_path / "notes.txt").write_text("no history")
    replayed = durable_ctx.replay_all(before, tmp_path)
    assert [(one.name, one.ended) for one in replayed] == [("a.json", "Succeeded"), ("b.json", None)]
    (tmp_path / "c.json").write_text(json.dumps(events))
    with pytest.raises(ReplayDiverged, match=r"no longer replays a\.json, and 1 more: step 'charge'") as raised:
        durable_ctx.replay_all(renamed, tmp_path)
    assert [line for line in raised.value.failure.explanation if line.endswith(":")] == ["a.json:", "c.json:"]


def test_a_directory_without_histories_is_refused(durable_ctx: FakeDurableContext, tmp_path: Path) -> None:
    with pytest.raises(InvalidHistory, match=r"there is no history, .*--durable-record=DIR"):
        durable_ctx.replay_all(before, tmp_path)
    (tmp_path / "a.json").write_text("{")
    with pytest.raises(InvalidHistory, match=r"a\.json is no history in JSON"):
        durable_ctx.replay_all(before, str(tmp_path))
