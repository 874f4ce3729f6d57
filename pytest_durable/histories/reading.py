"""A recorded history as it comes: from boto3, from the AWS CLI, from a file, in one page or several."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pytest_durable.errors import InvalidHistory

Event = dict[str, Any]

_MILLISECONDS = 100_000_000_000
"""A number of this size is in milliseconds since the epoch: in seconds it would be in the year 5138."""

_DATA = ("Input", "Result", "Error")
_WAY_OUT = (
    "Ask for it with IncludeExecutionData=True, as in "
    "aws lambda get-durable-execution-history --durable-execution-arn ARN --include-execution-data"
)


@dataclass(frozen=True)
class Recorded:
    """The history of one execution.

    Attributes:
        name: by which messages call it: that of its file, else that of the execution.
        events: the oldest first, with their times as aware ``datetime``.
    """

    name: str
    events: tuple[Event, ...]


def read(history: Any) -> Recorded:
    """A history from what ``GetDurableExecutionHistory`` answers.

    Args:
        history: the answer, its list of events, a list of answers if it has several pages, or the path of a JSON file
            with any of these. Times are ``datetime`` as boto3 gives them, ISO 8601 text, or numbers since the epoch.

    Raises:
        InvalidHistory: for anything else, for a history without payloads, and for one of which a part is missing.
    """
    __tracebackhide__ = True
    name = None
    if isinstance(history, str | os.PathLike):
        if isinstance(history, str) and re.match(r'\s*[\[{]\s*["{]', history):
            raise InvalidHistory("a text is the path of a file; of the JSON itself give what json.loads makes of it")
        path = Path(history)
        name = path.name
        try:
            history = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise InvalidHistory(f"{path} is no history in JSON: {error}") from None
    events = sorted(_events_of(history), key=lambda event: int(event["EventId"]))
    _check_whole(events)
    return Recorded(name or str(events[0].get("Name") or "the recorded execution"), tuple(map(_checked, events)))


def _events_of(history: Any) -> list[Event]:
    """The events of all pages, in whatever order they come.

    Raises:
        InvalidHistory: for what is no history.
    """
    if isinstance(history, Mapping) and "Events" in history:
        pages: list[Any] = [history]
    elif isinstance(history, Sequence) and not isinstance(history, str | bytes):
        pages = list(history)
        if pages and all(isinstance(event, Mapping) and "EventType" in event for event in pages):
            pages = [{"Events": pages}]
    else:
        pages = []
    if not pages or not all(isinstance(page, Mapping) and isinstance(page.get("Events"), Sequence) for page in pages):
        raise InvalidHistory(
            "a history is what GetDurableExecutionHistory answers, {'Events': [...]}, or the list of its events, or a "
            f"list of such pages, not {type(history).__name__} {str(history)[:80]!r}"
        )
    if pages[-1].get("NextMarker"):
        raise InvalidHistory(
            "the history goes on after its last page, which has a NextMarker: fetch the next page with "
            "Marker=..., and give all of them as a list"
        )
    events = [event for page in pages for event in page["Events"]]
    for event in events:
        if not isinstance(event, Mapping) or not {"EventType", "EventId", "EventTimestamp"} <= event.keys():
            raise InvalidHistory(f"an event has EventType, EventId and EventTimestamp; this one is {str(event)[:120]}")
    return [dict(event) for event in events]


def _check_whole(events: list[Event]) -> None:
    """Refuse a history that does not begin at its beginning, or has a gap.

    Raises:
        InvalidHistory: saying what is missing.
    """
    if not events:
        raise InvalidHistory("the history has no events: an execution has at least that it was started")
    for number, event in enumerate(events, 1):
        if event["EventId"] != number:
            raise InvalidHistory(
                f"the history has no event {number} before event {event['EventId']}: a page of it is missing, or twice"
            )
    if events[0]["EventType"] != "ExecutionStarted":
        raise InvalidHistory(f"a history begins with ExecutionStarted, not {events[0]['EventType']}")


def _checked(event: Event) -> Event:
    """The event with its times as ``datetime``.

    Raises:
        InvalidHistory: for a time that is none, and for a payload that was left out.
    """
    number, kind = event["EventId"], event["EventType"]
    details = event.get(f"{kind}Details") or {}
    if kind != "InvocationCompleted":  # what an invocation died of is not replayed
        for field in _DATA:
            data = details.get(field) or {}
            if data.get("Truncated") and "Payload" not in data:
                raise InvalidHistory(f"event {number}, {kind}, has no payload: it was left out. {_WAY_OUT}")
    found = {**event, "EventTimestamp": _time(event["EventTimestamp"], number), f"{kind}Details": dict(details)}
    if "ScheduledEndTimestamp" in details:
        found[f"{kind}Details"]["ScheduledEndTimestamp"] = _time(details["ScheduledEndTimestamp"], number)
    return found


def _time(value: Any, number: int) -> datetime:
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            value = None
    elif isinstance(value, int | float) and not isinstance(value, bool):
        value = datetime.fromtimestamp(value / 1_000 if value >= _MILLISECONDS else value, UTC)
    if not isinstance(value, datetime):
        raise InvalidHistory(f"event {number} has no time: a datetime, ISO 8601 text, or a number since the epoch")
    return value if value.tzinfo is not None else value.replace(tzinfo=UTC)
