"""Schedules as values, as text, and as the schedulers that follow them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_durable import InvalidPlan
from pytest_durable.engine import Scheduler, World
from pytest_durable.faults import Deviation, Schedule
from pytest_durable.faults.oracles import Priorities
from pytest_durable.strategies import schedules
from tests.simulated import new_world, settle, start


def order_of(scheduler: Scheduler | None) -> list[int]:
    """In which order five tasks take three turns each."""
    world, log = new_world(scheduler), list[int]()

    def turns(world: World, number: int) -> None:
        for _ in range(3):
            log.append(number)
            world.sleep(0)

    for number in range(5):
        start(world, lambda number=number: turns(world, number))  # type: ignore[misc]  # bound now, not when it runs
    settle(world)
    world.close()
    return log


@given(schedules(deviations=6))
def test_what_is_written_is_read_again(schedule: Schedule) -> None:
    assert Schedule.parse(str(schedule)) == schedule
    assert eval(repr(schedule)) == schedule


@pytest.mark.parametrize("text", ["4", "4>", ">1", "4>x", "4>1 9>2", "4>1,,", "-1>1", "charge:body"])
def test_what_is_no_schedule_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(InvalidPlan, match=r"write CHOICE>LATER, as in '4>1, 9>2'"):
        Schedule.parse(text)


@pytest.mark.parametrize("text", ["0>1", "1>0"])
def test_choices_and_tasks_are_counted_from_1(text: str) -> None:
    with pytest.raises(InvalidPlan, match="counted from 1"):
        Schedule.parse(text)


def test_one_choice_has_one_deviation() -> None:
    with pytest.raises(InvalidPlan, match="names one choice twice"):
        Schedule.parse("4>1, 4>2")


@pytest.mark.parametrize("value", [4, None, ["4>1"]])
def test_what_is_no_text_is_refused(value: Any) -> None:
    with pytest.raises(InvalidPlan, match="a schedule is text such as"):
        Schedule.parse(value)


def test_the_empty_schedule_is_the_plain_order() -> None:
    assert Schedule.parse(" ").oracle() is None
    assert order_of(None) == [0, 1, 2, 3, 4] * 3


def test_a_deviation_passes_over_as_many_tasks_as_it_says() -> None:
    assert order_of(Schedule.parse("1>2").oracle())[:5] == [2, 0, 1, 3, 4]
    assert order_of(Schedule.parse("2>1").oracle())[:5] == [0, 2, 1, 3, 4]


def test_beyond_the_last_task_means_the_last() -> None:
    assert order_of(Schedule.parse("1>99").oracle())[0] == 4


@given(st.integers(0, 1 << 30), st.integers(0, 4))
def test_the_deviations_that_priorities_made_make_the_same_order(seed: int, changes: int) -> None:
    priorities = Priorities(seed, changes, 15)
    drawn = order_of(priorities)
    assert order_of(Schedule(priorities.taken).oracle()) == drawn
    assert order_of(priorities) == drawn
    assert sorted(drawn) == sorted([0, 1, 2, 3, 4] * 3)


def test_deviations_are_values() -> None:
    assert Schedule([Deviation(9, 2), Deviation(4, 1)]) == Schedule.parse("4>1, 9>2")
