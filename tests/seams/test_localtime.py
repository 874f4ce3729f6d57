# ruff: noqa: TID251  # what is tested is what these calls give user code
"""Local time is UTC for the code under test, wherever the machine is; afterwards it is the machine's."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime
from time import asctime as as_text
from time import ctime
from typing import Any

import pytest
from aws_durable_execution_sdk_python import DurableContext

from pytest_durable import FakeDurableContext

NEW_YEAR = ["2026-01-01 00:00:00"] * 4 + ["2026-01-01 00:00:00+00:00"] * 3 + ["Thu Jan  1 00:00:00 2026"] * 4


@pytest.fixture(params=["America/New_York", "Asia/Tokyo", "UTC"])
def machine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A machine in another time zone."""
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield request.param
    monkeypatch.undo()
    time.tzset()


def readings() -> list[str]:
    """What user code may take for the local time now, as text."""
    now = time.time()
    naive = [
        datetime.now(),
        datetime.fromtimestamp(now),
        datetime.combine(date.fromtimestamp(now), datetime.min.time()),
        datetime(*time.localtime()[:6]),
    ]
    aware = [datetime.now().astimezone(), datetime.now(UTC).astimezone(), datetime.fromtimestamp(now).astimezone()]
    assert time.mktime(time.localtime()) == int(now)
    return [*map(str, naive), *map(str, aware), time.ctime(), time.asctime(), ctime(), as_text()]


@pytest.mark.parametrize("isolation", ["thread", "process"])
@pytest.mark.usefixtures("machine")
def test_local_time_is_utc(isolation: str) -> None:
    def handler(event: Any, context: DurableContext) -> Any:
        return [readings(), context.step(lambda _: readings(), name="in a body")]

    with FakeDurableContext(isolation=isolation) as ctx:
        assert ctx.run(handler).result == [NEW_YEAR, NEW_YEAR]


def test_a_given_time_is_shown_as_before(machine: str) -> None:
    with FakeDurableContext():
        assert (ctime(0), as_text(time.gmtime(1))) == ("Thu Jan  1 00:00:00 1970", "Thu Jan  1 00:00:01 1970")


def test_afterwards_it_is_what_it_was(machine: str) -> None:
    def seen() -> tuple[Any, ...]:
        return os.environ.get("TZ"), time.tzname, time.timezone, ctime(0), time.localtime(0).tm_hour, time.ctime, ctime

    before = seen()
    with FakeDurableContext(), FakeDurableContext():
        assert time.timezone == 0
    assert seen() == before


def test_a_variable_that_was_not_set_is_not_set_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TZ", raising=False)
    monkeypatch.setattr(time, "tzname", ("CET", "CEST"))
    with FakeDurableContext():
        assert os.environ["TZ"] == "UTC"
    assert "TZ" not in os.environ


def test_a_zone_that_the_test_has_chosen_meanwhile_stays(machine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with FakeDurableContext():
        monkeypatch.setenv("TZ", "Europe/Berlin")
    assert os.environ["TZ"] == "Europe/Berlin"
