# ruff: noqa: TID251  # handlers here read the clock, as those of users do
"""What changes between invocations: the environment, flags, whatever a function does, and the calendar."""

from __future__ import annotations

import os
import sys
import time
import types
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from aws_durable_execution_sdk_python import DurableContext

from pytest_durable import FakeDurableContext, ReplayDiverged, UsageError
from pytest_durable.service.changes import next_shift
from tests.durable import returns, seconds

EXPRESS = True
HERE = "tests.test_between.EXPRESS"


def seen_by(ctx: FakeDurableContext, read: Any, **how: Any) -> list[Any]:
    """What each of three invocations reads."""
    seen: list[Any] = []

    def handler(event: Any, context: DurableContext) -> None:
        seen.append(read())
        context.wait(seconds(60), name="first")
        context.wait(seconds(60), name="second")

    ctx.run(handler, **how)
    return seen


@pytest.fixture
def ctx() -> Any:
    with FakeDurableContext() as context:
        yield context


def test_each_invocation_sees_the_next_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLOUR", "before")
    monkeypatch.delenv("SHAPE", raising=False)
    with FakeDurableContext() as ctx:
        ctx.faults.between_invocations(env={"COLOUR": ["red", None], "SHAPE": ["a", "b", "c"]})
        for _ in range(2):
            assert seen_by(ctx, lambda: (os.environ.get("COLOUR"), os.environ["SHAPE"])) == [
                ("red", "a"),
                (None, "b"),
                ("red", "c"),
            ]
    assert (os.environ["COLOUR"], "SHAPE" in os.environ) == ("before", False)


def test_a_flag_whose_module_is_gone_at_the_end_keeps_nothing_else_from_being_as_it_was(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    module = types.ModuleType("flags_of_the_shop")
    module.EXPRESS = True  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "flags_of_the_shop", module)
    monkeypatch.setenv("COLOUR", "before")
    with FakeDurableContext() as ctx:
        ctx.faults.between_invocations(flags={"flags_of_the_shop.EXPRESS": [1, 2]}, env={"COLOUR": ["red", "blue"]})
        seen_by(ctx, lambda: None)
        del sys.modules["flags_of_the_shop"]  # by the test's own fixture, which ends first
    assert os.environ["COLOUR"] == "before"
    assert abs(time.time() - time.clock_gettime(time.CLOCK_REALTIME)) < 60
    monkeypatch.setitem(sys.modules, "flags_of_the_shop", module)  # which it takes back


def test_flags_and_calls(ctx: FakeDurableContext) -> None:
    turns: list[int] = []
    ctx.faults.between_invocations(flags={HERE: [False, True]}, call=turns.append)
    import tests.test_between as module

    assert seen_by(ctx, lambda: module.EXPRESS) == [False, True, False]
    assert turns == [0, 1, 2]
    ctx.close()
    assert module.EXPRESS is True


def branching(read: Any) -> Any:
    def handler(event: Any, context: DurableContext) -> None:
        context.step(returns(1), name=f"delivery {read()}")
        context.wait(seconds(60), name="pause")

    return handler


@pytest.mark.parametrize("run", ["run", "verify"])
def test_the_variable_is_a_suspect(run: str, ctx: FakeDurableContext) -> None:
    ctx.faults.between_invocations(env={"EXPRESS": ["on", "off"]})
    with pytest.raises(ReplayDiverged) as caught:
        getattr(ctx, run)(branching(lambda: os.environ["EXPRESS"]))
    suspects = [line for line in caught.value.failure.explanation if line.startswith("Suspect: ")]
    assert suspects[0].startswith("Suspect: os.environ['EXPRESS'] was read outside of a step at test_between.py:")


def test_the_flag_is_a_suspect(ctx: FakeDurableContext) -> None:
    import tests.test_between as module

    ctx.faults.between_invocations(flags={HERE: [True, False]})
    with pytest.raises(ReplayDiverged) as caught:
        ctx.verify(branching(lambda: module.EXPRESS))
    assert (
        f"Suspect: {HERE} changes between invocations, as the test asks: True, False."
        in caught.value.failure.explanation
    )


def test_a_replay_of_the_finished_execution_is_one_more_invocation(ctx: FakeDurableContext) -> None:
    ctx.faults.between_invocations(env={"EXPRESS": ["on", "off"]})
    with pytest.raises(ReplayDiverged):
        ctx.verify(lambda event, context: context.step(returns(1), name=os.environ["EXPRESS"]), kills=0)


def test_a_step_may_read_what_it_likes(ctx: FakeDurableContext) -> None:
    ctx.faults.between_invocations(env={"EXPRESS": ["on", "off", None]})
    verified = ctx.verify(lambda event, context: context.step(lambda _: os.environ.get("EXPRESS"), name="read"))
    assert len(verified.killed) == 4


@pytest.mark.parametrize(
    ("clock", "tz", "expected"),
    [
        ("midnight", "UTC", ["2026-01-01T00:00+00:00", "2026-01-02T00:00+00:00", "2026-01-03T00:00+00:00"]),
        ("midnight", "Asia/Tokyo", ["2026-01-01T00:00+00:00", "2026-01-01T15:00+00:00", "2026-01-02T15:00+00:00"]),
        ("year end", "UTC", ["2026-01-01T00:00+00:00", "2027-01-01T00:00+00:00", "2028-01-01T00:00+00:00"]),
        (
            "daylight saving",
            "Europe/Berlin",
            ["2026-01-01T00:00+00:00", "2026-03-29T01:00+00:00", "2026-10-25T01:00+00:00"],
        ),
    ],
)
def test_the_clock_crosses_an_edge(clock: str, tz: str, expected: list[str], ctx: FakeDurableContext) -> None:
    ctx.faults.between_invocations(clock=clock, tz=tz)
    seen = seen_by(ctx, lambda: ctx.clock.now().isoformat(timespec="minutes"))
    assert seen == expected


BERLIN = ZoneInfo("Europe/Berlin")

BY_THE_CALENDAR: list[tuple[str, str, Callable[[], str], bool]] = [
    ("midnight", "UTC", lambda: f"report of {date.today()}", False),
    ("midnight", "Europe/Berlin", lambda: f"report of {datetime.now(BERLIN).date()}", False),
    ("year end", "UTC", lambda: f"invoice {datetime.now(UTC).year}-7", True),
    ("daylight saving", "Europe/Berlin", lambda: f"at {'5:30' if datetime.now(BERLIN).dst() else '4:30'}", True),
]
"""What is crossed, where; what a step is called by code that looks at the calendar; whether midnights do no harm."""


def by_the_calendar(name: Callable[[], str], how: str) -> Callable[[Any, DurableContext], Any]:
    """A handler that asks for the name again in each invocation, or has a step ask once."""

    def handler(event: Any, context: DurableContext) -> Any:
        if how == "in a step":
            stored: str = context.step(lambda _: name(), name="today")
            return context.step(returns(1), name=stored)
        context.step(returns(1), name="today")
        return context.step(returns(1), name=name())

    return handler


@pytest.mark.parametrize(("clock", "tz", "name", "bears_midnights"), BY_THE_CALENDAR)
def test_what_the_calendar_breaks_is_found_by_that_jump_only(
    clock: str, tz: str, name: Any, bears_midnights: bool
) -> None:
    with FakeDurableContext(start=datetime(2026, 1, 1, 12, tzinfo=UTC)) as ctx:
        assert ctx.verify(by_the_calendar(name, "in the handler")).killed
        if bears_midnights:
            ctx.faults.between_invocations(clock="midnight", tz=tz)
            assert ctx.verify(by_the_calendar(name, "in the handler")).killed
    with FakeDurableContext(start=datetime(2026, 1, 1, 12, tzinfo=UTC)) as ctx:
        ctx.faults.between_invocations(clock=clock, tz=tz)
        with pytest.raises(ReplayDiverged, match=r"Suspect: date\S+\(\) was read outside of a step at test_between"):
            ctx.verify(by_the_calendar(name, "in the handler"))


@pytest.mark.parametrize(("clock", "tz", "name", "bears_midnights"), BY_THE_CALENDAR)
def test_a_step_may_look_at_the_calendar(
    clock: str, tz: str, name: Any, bears_midnights: bool, ctx: FakeDurableContext
) -> None:
    ctx.faults.between_invocations(clock=clock, tz=tz)
    assert ctx.verify(by_the_calendar(name, "in a step")).killed


def test_an_execution_is_not_put_off_beyond_its_timeout(ctx: FakeDurableContext) -> None:
    ctx.faults.between_invocations(clock="year end")
    execution = ctx.run(lambda event, context: context.wait(seconds(60)), execution_timeout=3_600)
    assert (execution.status, execution.elapsed < 120) == ("SUCCEEDED", True)


def test_a_time_zone_without_daylight_saving_has_no_such_edge() -> None:
    assert next_shift(datetime(2026, 1, 1, tzinfo=UTC)) is None


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "say what changes"),
        ({"env": "EXPRESS"}, "env must map names to lists of values"),
        ({"env": {"EXPRESS": "on"}}, r"env\['EXPRESS'\] must be a list of two values or more, not 'on'"),
        ({"env": {"EXPRESS": ["on"]}}, "two values or more"),
        ({"env": {"EXPRESS": ["on", 1]}}, "must hold texts, or None"),
        ({"flags": {"tests.nowhere.FLAG": [1, 2]}}, "there is no 'tests.nowhere.FLAG'"),
        ({"call": 3}, "call must be a function that takes a number, not 3"),
        ({"clock": "noon"}, "clock must be one of 'midnight', 'year end', 'daylight saving', not 'noon'"),
        ({"clock": "midnight", "tz": "Mars/Olympus"}, "tz must be the name of a time zone"),
        ({"clock": "daylight saving"}, "needs a time zone that has it"),
        ({"env": {"A": ["1", "2"]}, "tz": "Europe/Berlin"}, "there is none"),
    ],
)
def test_what_makes_no_sense_is_refused(given: dict[str, Any], message: str, ctx: FakeDurableContext) -> None:
    with pytest.raises(UsageError, match=message):
        ctx.faults.between_invocations(**given)
    assert not ctx._bench.outside.changes


def test_a_second_list_for_the_same_variable_is_refused(ctx: FakeDurableContext) -> None:
    ctx.faults.between_invocations(env={"EXPRESS": ["on", "off"]}, clock="midnight")
    with pytest.raises(UsageError, match="is given its values already"):
        ctx.faults.between_invocations(env={"EXPRESS": ["on", "off"]})
    with pytest.raises(UsageError, match="clock is given already"):
        ctx.faults.between_invocations(clock="midnight")


def test_inside_of_a_run_it_is_refused(ctx: FakeDurableContext) -> None:
    def handler(event: Any, context: DurableContext) -> None:
        with pytest.raises(UsageError, match="from inside of a run"):
            ctx.faults.between_invocations(env={"EXPRESS": ["on", "off"]})

    assert ctx.run(handler).status == "SUCCEEDED"


@pytest.mark.durable_faults
def test_it_is_in_force_under_the_marker_and_declared_anew_by_each_run(durable_ctx: Any, durable_faults: Any) -> None:
    durable_faults.between_invocations(env={"EXPRESS": ["on", "off"]})
    seen: list[str] = []

    def handler(event: Any, context: DurableContext) -> None:
        seen.append(os.environ["EXPRESS"])
        context.step(returns(1), name="one")

    durable_ctx.run(handler)
    assert seen == ["on", "off"][: len(seen)]
