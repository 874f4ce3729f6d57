"""What changes between invocations changes for the processes too, and those alone see it."""

from __future__ import annotations

import os
from datetime import datetime
from typing import Any

import pytest
from aws_durable_execution_sdk_python import DurableContext

from pytest_durable import FakeDurableContext, ReplayDiverged
from tests.durable import returns, seconds

FLAG = "as it was"


def test_each_process_finds_the_next_values(ctx: FakeDurableContext, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLOUR", "before")
    turns: list[int] = []
    ctx.faults.between_invocations(
        env={"COLOUR": ["red", None]},
        flags={f"{__name__}.FLAG": [1, 2, 3]},
        call=turns.append,
        clock="daylight saving",
        tz="Europe/Berlin",
    )

    def handler(event: Any, context: DurableContext) -> Any:
        seen = [os.environ.get("COLOUR"), FLAG, datetime.now().isoformat(timespec="minutes")]  # noqa: TID251  # as users do
        first = context.step(returns(seen), name="first")
        context.wait(seconds(60), name="one")
        second = context.step(returns(seen), name="second")
        context.wait(seconds(60), name="two")
        return [first, second, seen]

    execution = ctx.run(handler)
    assert execution.result == [
        ["red", 1, "2026-01-01T00:00"],
        [None, 2, "2026-03-29T01:00"],
        ["red", 3, "2026-10-25T01:00"],
    ]
    assert turns == [0, 1, 2]
    ctx.close()
    assert (os.environ["COLOUR"], FLAG) == ("before", "as it was")


def test_a_variable_that_handler_code_reads_is_found(ctx: FakeDurableContext) -> None:
    def handler(event: Any, context: DurableContext) -> None:
        context.step(returns(1), name=f"deliver {os.environ['EXPRESS']}")
        context.wait(seconds(60), name="pause")

    ctx.faults.between_invocations(env={"EXPRESS": ["on", "off"]})
    with pytest.raises(ReplayDiverged, match=r"Suspect: os\.environ\['EXPRESS'\] was read outside of a step"):
        ctx.verify(handler)
