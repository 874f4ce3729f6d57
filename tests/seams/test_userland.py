# ruff: noqa: TID251  # what is tested is what these calls give user code
"""While a durable context is open, user code sees virtual time; afterwards everything is what it was."""

from __future__ import annotations

import datetime
import gc
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from time import sleep as pause
from types import ModuleType
from typing import Any

import _pytest.timing
import pytest

from pytest_durable.engine import Killed, VirtualClock, World
from pytest_durable.primitives.sleep import sleep as virtual_sleep
from pytest_durable.seams.userland import Userland
from tests.simulated import START, elapsed, finish, simulate, start

sleep = pause

REAL: dict[str, Any] = {
    "time.time": time.time,
    "time.time_ns": time.time_ns,
    "time.monotonic": time.monotonic,
    "time.perf_counter": time.perf_counter,
    "time.sleep": time.sleep,
    "os._exit": os._exit,
    "datetime.datetime": datetime.datetime,
    "datetime.date": datetime.date,
    "test_userland.sleep": sleep,
}
"""Kept in a dictionary, which nobody who patches modules looks into."""


def current() -> dict[str, Any]:
    """What stands under the names of `REAL` now."""
    return {
        "time.time": time.time,
        "time.time_ns": time.time_ns,
        "time.monotonic": time.monotonic,
        "time.perf_counter": time.perf_counter,
        "time.sleep": time.sleep,
        "os._exit": os._exit,
        "datetime.datetime": datetime.datetime,
        "datetime.date": datetime.date,
        "test_userland.sleep": sleep,
    }


def not_restored() -> list[str]:
    return [name for name, value in current().items() if value is not REAL[name]]


@pytest.fixture
def userland(world: World) -> Iterator[Userland]:
    """The user's world on the clock of ``world``, open."""
    userland = Userland(world.clock)
    userland.open()
    yield userland
    userland.close()


@pytest.mark.usefixtures("userland")
def test_the_time_is_virtual() -> None:
    assert time.time() == START.timestamp()
    assert time.time_ns() == int(START.timestamp()) * 10**9


@pytest.mark.usefixtures("userland")
def test_the_date_is_virtual_and_a_naive_one_is_in_utc() -> None:
    assert datetime.datetime.now(datetime.UTC) == START
    assert datetime.datetime.now() == START.replace(tzinfo=None)
    assert datetime.date.today() == START.date()


@pytest.mark.usefixtures("userland")
@pytest.mark.parametrize("name", ["time", "monotonic", "perf_counter"])
def test_every_clock_moves_with_the_virtual_one_alone(world: World, name: str) -> None:
    clock = getattr(time, name)
    before = clock()
    assert clock() == before
    world.clock.advance(90)
    assert clock() == pytest.approx(before + 90, abs=1e-6)


@pytest.mark.usefixtures("userland")
def test_the_date_moves_with_the_virtual_clock(world: World) -> None:
    world.clock.advance(86_400.000_001)
    expected = START + datetime.timedelta(days=1, microseconds=1)
    assert datetime.datetime.now(datetime.UTC) == expected


@pytest.mark.usefixtures("userland")
def test_a_task_sees_the_virtual_time_at_which_it_runs(world: World) -> None:
    def main() -> float:
        before = time.time()
        world.sleep(5)
        return time.time() - before

    assert simulate(world, main) == 5


@pytest.mark.usefixtures("userland")
def test_a_sleep_in_a_task_takes_virtual_time(world: World) -> None:
    simulate(world, lambda: time.sleep(86_400))
    assert elapsed(world) == 86_400


@pytest.mark.usefixtures("userland")
def test_a_sleep_that_was_imported_by_name_takes_virtual_time(world: World) -> None:
    simulate(world, lambda: sleep(86_400))
    assert elapsed(world) == 86_400


@pytest.mark.usefixtures("userland")
def test_a_sleep_that_is_imported_by_name_in_a_task_takes_virtual_time(world: World) -> None:
    def main() -> None:
        from time import sleep as nap

        nap(86_400)

    simulate(world, main)
    assert elapsed(world) == 86_400


@pytest.mark.usefixtures("userland")
def test_a_sleep_that_was_imported_under_another_name_takes_virtual_time(world: World) -> None:
    simulate(world, lambda: pause(0.01))
    assert elapsed(world) == 0.01


@pytest.mark.usefixtures("userland")
def test_a_sleep_outside_of_a_task_takes_real_time() -> None:
    begun = REAL["time.perf_counter"]()
    time.sleep(0.01)
    assert REAL["time.perf_counter"]() - begun >= 0.009


def test_a_function_of_the_users_that_is_called_sleep_is_left_alone(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def counting_sheep() -> None: ...

    module = ModuleType("bedroom")
    vars(module)["sleep"] = counting_sheep
    monkeypatch.setitem(sys.modules, "bedroom", module)
    userland = Userland(world.clock)
    userland.open()
    try:
        assert vars(module)["sleep"] is counting_sheep
    finally:
        userland.close()
    assert vars(module)["sleep"] is counting_sheep


@pytest.mark.usefixtures("userland")
def test_an_exit_in_a_task_kills_its_process_and_no_other(world: World) -> None:
    log: list[str] = []

    def exiting() -> None:
        try:
            os._exit(3)
        finally:
            log.append("unwound")

    process = start(world, exiting)
    other = start(world, lambda: world.sleep(1) or "alive")  # type: ignore[func-returns-value]
    assert finish(world, other) == "alive"
    assert process.main is not None
    assert isinstance(process.main.raised, Killed)
    assert (process.cause, process.completed, log) == ("os._exit(3)", False, ["unwound"])


@pytest.mark.usefixtures("userland")
def test_an_exit_in_a_task_that_swallows_it_kills_its_process_all_the_same(world: World) -> None:
    def exiting() -> str:
        try:
            os._exit(3)
        except BaseException:
            return "still here"

    process = start(world, exiting)
    world.run(lambda: process.ended)
    assert (process.cause, process.completed) == ("os._exit(3)", False)


def test_an_exit_outside_of_a_task_is_a_real_one() -> None:
    source = (
        "import os\n"
        "from pytest_durable.engine import VirtualClock\n"
        "from pytest_durable.seams.userland import Userland\n"
        "Userland(VirtualClock()).open()\n"
        "os._exit(7)\n"
    )
    assert subprocess.run([sys.executable, "-c", source], check=False, timeout=60).returncode == 7


def test_afterwards_everything_is_what_it_was(world: World) -> None:
    userland = Userland(world.clock)
    userland.open()
    assert {"time.time", "time.sleep", "os._exit", "datetime.datetime", "test_userland.sleep"} <= set(not_restored())
    userland.close()
    assert not_restored() == []


def test_afterwards_what_another_tool_had_put_there_is_there_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def patched(*args: Any) -> None: ...

    monkeypatch.setattr(time, "sleep", patched)
    monkeypatch.setattr(os, "_exit", patched)
    userland = Userland(world.clock)
    userland.open()
    userland.close()
    assert (time.sleep, os._exit) == (patched, patched)


def test_opening_twice_does_no_more_than_opening_once(world: World) -> None:
    userland = Userland(world.clock)
    userland.open()
    userland.open()
    assert time.time() == START.timestamp()
    userland.close()
    assert not_restored() == []


def test_closing_twice_does_no_more_than_closing_once(world: World) -> None:
    userland = Userland(world.clock)
    userland.open()
    userland.close()
    userland.close()
    assert not_restored() == []


def test_closing_what_was_never_opened_does_nothing(world: World) -> None:
    Userland(world.clock).close()
    assert not_restored() == []


def test_it_can_be_opened_again(world: World) -> None:
    userland = Userland(world.clock)
    for _ in range(2):
        userland.open()
        assert time.time() == START.timestamp()
        userland.close()
    assert not_restored() == []


def other_clock() -> VirtualClock:
    return VirtualClock(START + datetime.timedelta(days=100))


def test_one_within_another_shows_its_own_time_and_then_the_outer_one_again(userland: Userland, world: World) -> None:
    inner = Userland(other_clock())
    inner.open()
    shown = time.time()
    inner.close()
    assert shown == other_clock().time()
    assert time.time() == START.timestamp()


def test_one_that_ends_within_another_leaves_its_sleep_and_its_exit_virtual(userland: Userland, world: World) -> None:
    outer = current()
    inner = Userland(other_clock())
    inner.open()
    inner.close()
    assert [name for name, value in current().items() if value is not outer[name]] == []


def test_a_task_sees_the_time_of_its_own_world_whichever_was_opened_last(userland: Userland, world: World) -> None:
    inner = Userland(other_clock())
    inner.open()
    try:
        assert simulate(world, lambda: time.time()) == START.timestamp()
    finally:
        inner.close()


@pytest.mark.usefixtures("userland")
def test_pytests_own_durations_stay_real() -> None:
    assert _pytest.timing.time is REAL["time.time"]
    assert _pytest.timing.perf_counter is REAL["time.perf_counter"]


@pytest.mark.usefixtures("userland")
def test_ids_made_from_the_time_are_made_from_virtual_time() -> None:
    since_1582 = (START - datetime.datetime(1582, 10, 15, tzinfo=datetime.UTC)) // datetime.timedelta(microseconds=1)
    assert uuid.uuid1(node=1, clock_seq=1).time == since_1582 * 10


def test_the_garbage_collector_is_set_as_it_was(world: World) -> None:
    before = gc.get_threshold()
    userland = Userland(world.clock)
    userland.open()
    userland.close()
    assert gc.get_threshold() == before


def test_a_garbage_collector_that_was_switched_off_stays_off(world: World) -> None:
    before = gc.get_threshold()
    gc.set_threshold(0)
    try:
        userland = Userland(world.clock)
        userland.open()
        assert gc.get_threshold()[0] == 0
        userland.close()
        assert gc.get_threshold()[0] == 0
    finally:
        gc.set_threshold(*before)


def test_the_stand_in_for_sleep_sleeps_for_real_once_nothing_is_open() -> None:
    begun = time.perf_counter()
    virtual_sleep(0.01)
    assert time.perf_counter() - begun >= 0.009
