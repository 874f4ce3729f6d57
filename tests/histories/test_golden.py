"""What one release of the SDK has recorded is replayed by the other: its upgrade breaks no execution in flight."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pytest_durable import FakeDurableContext, ReplayDiverged
from tests.histories.everything import GOLDEN, everything, prepared

RECORDED = sorted(GOLDEN.glob("*.json"))
EACH = pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)


def test_each_supported_release_has_recorded_one() -> None:
    assert [path.stem for path in RECORDED] == ["sdk-2.1.0", "sdk-3.0.0"]


@EACH
def test_the_installed_release_replays_it(durable_ctx: FakeDurableContext, path: Path) -> None:
    replayed = durable_ctx.replay(everything, path)
    assert (replayed.ended, replayed.changes) == ("Succeeded", ())
    assert replayed.moments > 40


@EACH
def test_types_and_ids_are_those_that_the_installed_release_records(
    durable_ctx: FakeDurableContext, path: Path
) -> None:
    def identities(events: list[dict[str, Any]]) -> set[tuple[Any, ...]]:
        return {
            (event["Id"], event.get("ParentId"), event.get("Name"), event.get("SubType"), event["EventType"])
            for event in events
            if "ParentId" in event or "SubType" in event
        }

    recorded = json.loads(path.read_text(encoding="utf-8"))["Events"]
    assert identities(recorded) == identities(prepared(durable_ctx).run(everything).history)


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ('"SubType": "WaitForCondition"', '"SubType": "Step"', "step 'poll' has become wait_for_condition 'poll'"),
        ('"Name": "load"', '"Name": "Load"', "step 'Load' has become step 'load'"),
    ],
)
def test_a_release_that_records_otherwise_would_be_found(
    durable_ctx: FakeDurableContext, before: str, after: str, message: str
) -> None:
    text = RECORDED[-1].read_text(encoding="utf-8")
    assert before in text
    with pytest.raises(ReplayDiverged, match=message):
        durable_ctx.replay(everything, json.loads(text.replace(before, after)))


def test_ids_of_another_scheme_would_be_found(durable_ctx: FakeDurableContext) -> None:
    events = json.loads(RECORDED[-1].read_text(encoding="utf-8"))["Events"]
    known = {event["Id"] for event in events if event["EventType"].startswith(("Step", "Wait", "Context", "C"))}
    for event in events:
        for field in ("Id", "ParentId"):
            if event.get(field) in known:
                event[field] = event[field][::-1]
    with pytest.raises(ReplayDiverged, match="nothing is asked for under the ids that are recorded"):
        durable_ctx.replay(everything, events)
