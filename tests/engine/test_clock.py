"""The virtual clock, sentence by sentence."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta, timezone
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pytest_durable import UsageError
from pytest_durable.engine import MICROS, VirtualClock, World, at, micros_in, micros_of
from tests.simulated import START, elapsed, simulate, start

NEW_YORK = timezone(timedelta(hours=-5))
whole_micros = st.integers(0, 400 * 24 * 3600 * MICROS)


def test_time_starts_at_the_same_instant_on_every_machine() -> None:
    assert VirtualClock().now() == datetime(2026, 1, 1, tzinfo=UTC)


def test_now_is_aware_and_in_utc() -> None:
    assert VirtualClock(datetime(2026, 3, 1, 7, tzinfo=NEW_YORK)).now().tzinfo is UTC


def test_a_start_in_another_zone_is_the_same_instant() -> None:
    assert VirtualClock(datetime(2026, 3, 1, 7, tzinfo=NEW_YORK)).now() == datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_a_naive_start_means_utc() -> None:
    assert VirtualClock(datetime(2026, 3, 1, 7)).now() == datetime(2026, 3, 1, 7, tzinfo=UTC)


def test_time_is_now_in_seconds_since_the_unix_epoch() -> None:
    clock = VirtualClock(datetime(2026, 3, 1, 7, 0, 0, 250_000, tzinfo=UTC))
    assert clock.time() == clock.now().timestamp()


def test_it_shows_the_same_time_until_somebody_moves_it() -> None:
    clock = VirtualClock()
    assert clock.now() == clock.now()


def test_advance_moves_it_by_exactly_that_much() -> None:
    clock = VirtualClock(START)
    clock.advance(90.5)
    assert clock.now() == START + timedelta(seconds=90.5)


def test_advance_by_nothing_moves_nothing() -> None:
    clock = VirtualClock(START)
    clock.advance(0)
    assert clock.now() == START


def test_ten_tenths_of_a_second_are_a_second() -> None:
    clock = VirtualClock(START)
    for _ in range(10):
        clock.advance(0.1)
    assert clock.now() == START + timedelta(seconds=1)


def test_a_negative_advance_is_refused_with_the_number_and_moves_nothing() -> None:
    clock = VirtualClock(START)
    with pytest.raises(ValueError, match=r"cannot advance the clock by -0\.5 s: time does not run backwards"):
        clock.advance(-0.5)
    assert clock.now() == START


@pytest.mark.parametrize("span", ["5", None, True, timedelta(hours=1), float("nan"), float("inf")])
def test_what_is_no_number_of_seconds_is_refused_and_moves_nothing(span: Any) -> None:
    clock = VirtualClock(START)
    with pytest.raises(UsageError, match="the clock is advanced by a number of seconds, not by "):
        clock.advance(span)
    assert clock.now() == START


@pytest.mark.parametrize("moment", ["2028-01-01", None, START.date(), 1_800_000_000])
def test_what_is_no_moment_is_refused(moment: Any) -> None:
    clock = VirtualClock(START)
    with pytest.raises(UsageError, match="the clock is set to a datetime, not to "):
        clock.set(moment)
    assert clock.now() == START


def test_set_puts_it_at_a_later_moment() -> None:
    clock = VirtualClock(START)
    clock.set(START + timedelta(days=3))
    assert clock.now() == START + timedelta(days=3)


def test_set_puts_it_at_an_earlier_moment() -> None:
    clock = VirtualClock(START)
    clock.set(START - timedelta(days=3))
    assert clock.now() == START - timedelta(days=3)


def test_set_takes_a_naive_moment_as_utc() -> None:
    clock = VirtualClock(START)
    clock.set(datetime(2027, 1, 1))
    assert clock.now() == datetime(2027, 1, 1, tzinfo=UTC)


def test_its_repr_shows_the_time() -> None:
    assert repr(VirtualClock(START)) == "VirtualClock(2026-01-01T00:00:00+00:00)"


@given(whole_micros)
@example(123)
def test_whole_microseconds_are_exact(micros: int) -> None:
    assert micros_in(micros / MICROS) == micros


@given(st.floats(0, 1e9))
def test_a_delay_is_never_shortened_by_a_nanosecond_nor_lengthened_by_a_microsecond(seconds: float) -> None:
    noise = max(Fraction(1, 1_000), 2 * Fraction(math.ulp(seconds * MICROS)))
    exact = Fraction(seconds) * MICROS
    assert exact - noise <= micros_in(seconds) < exact + 1 + noise


@given(st.datetimes(timezones=st.just(UTC)))
def test_an_instant_survives_the_way_into_microseconds_and_back(moment: datetime) -> None:
    assert at(micros_of(moment)) == moment


def test_advancing_the_clock_of_a_world_fires_what_falls_due_on_the_way(world: World) -> None:
    fired: list[float] = []
    for micros in (3 * MICROS, 1 * MICROS, 5 * MICROS):
        world.call_at(micros_of(START) + micros, lambda: fired.append(elapsed(world)))
    world.clock.advance(4)
    assert (fired, elapsed(world)) == ([1, 3], 4)


def test_advancing_fires_what_falls_due_at_the_very_end(world: World) -> None:
    fired: list[float] = []
    world.call_at(micros_of(START) + 4 * MICROS, lambda: fired.append(elapsed(world)))
    world.clock.advance(4)
    assert fired == [4]


def test_setting_the_clock_of_a_world_later_fires_what_falls_due_on_the_way(world: World) -> None:
    fired: list[float] = []
    world.call_at(micros_of(START) + MICROS, lambda: fired.append(elapsed(world)))
    world.clock.set(START + timedelta(minutes=1))
    assert (fired, elapsed(world)) == ([1], 60)


def test_setting_the_clock_of_a_world_earlier_fires_nothing(world: World) -> None:
    fired: list[float] = []
    world.call_at(micros_of(START) + MICROS, lambda: fired.append(elapsed(world)))
    world.clock.set(START - timedelta(minutes=1))
    assert (fired, elapsed(world)) == ([], -60)


def test_advancing_from_within_a_task_is_a_sleep_of_that_task(world: World) -> None:
    seen: list[tuple[str, float]] = []

    def other() -> None:
        world.sleep(2)
        seen.append(("other", elapsed(world)))

    def main() -> None:
        world.clock.advance(5)
        seen.append(("main", elapsed(world)))

    start(world, other)
    simulate(world, main)
    assert seen == [("other", 2), ("main", 5)]


@given(st.integers(1, 10_000_000))
def test_advancing_from_within_a_task_is_exact(micros: int) -> None:
    world = World(VirtualClock(START))
    simulate(world, lambda: world.clock.advance(micros / MICROS))
    assert elapsed(world) == micros / MICROS
