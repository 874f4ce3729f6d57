# ruff: noqa: TID251  # what is compared with the stand-in is the real clock
"""The stand-in for ``datetime.datetime``: its ``now`` is virtual in a task; everything else is the real class's."""

from __future__ import annotations

import datetime as real
import json
import pickle

import pytest

from pytest_durable.engine import World
from pytest_durable.primitives import date
from tests.simulated import START, simulate

KATHMANDU = real.timezone(real.timedelta(hours=5, minutes=45))


@pytest.mark.parametrize("zone", [real.UTC, KATHMANDU])
def test_now_in_a_zone_is_the_virtual_instant_in_that_zone(world: World, zone: real.timezone) -> None:
    now = simulate(world, lambda: date.datetime.now(zone))
    assert (now, now.tzinfo) == (START, zone)


def test_now_by_the_name_of_its_parameter(world: World) -> None:
    assert simulate(world, lambda: date.datetime.now(tz=real.UTC)) == START


def test_now_without_a_zone_is_naive_and_in_utc(world: World) -> None:
    assert simulate(world, lambda: date.datetime.now()) == START.replace(tzinfo=None)


def test_now_moves_with_the_virtual_clock(world: World) -> None:
    def main() -> real.timedelta:
        before = date.datetime.now(real.UTC)
        world.sleep(0.000_001)
        return date.datetime.now(real.UTC) - before

    assert simulate(world, main) == real.timedelta(microseconds=1)


def test_now_outside_of_the_simulation_is_the_real_one() -> None:
    before = real.datetime.now(real.UTC)
    assert before <= date.datetime.now(real.UTC) <= real.datetime.now(real.UTC)


def test_now_is_a_value_of_the_real_class(world: World) -> None:
    now = simulate(world, lambda: date.datetime.now(real.UTC))
    assert type(now) is real.datetime
    assert pickle.loads(pickle.dumps(now)) == START


def test_a_value_of_the_real_class_is_an_instance_of_the_stand_in() -> None:
    assert isinstance(START, date.datetime)
    assert not isinstance(START.date(), date.datetime)


def test_what_the_stand_in_makes_is_a_real_instant() -> None:
    made = date.datetime(2026, 1, 1, tzinfo=real.UTC)
    assert isinstance(made, real.datetime)
    assert made == START
    assert made - START == real.timedelta(0)
    assert json.dumps(made.isoformat()) == json.dumps(START.isoformat())


def test_the_other_constructors_are_the_real_ones() -> None:
    assert date.datetime.fromtimestamp(START.timestamp(), tz=real.UTC) == START
    assert date.datetime.fromisoformat(START.isoformat()) == START
    assert date.datetime.strptime("2026-01-01 +0000", "%Y-%m-%d %z") == START
