"""The axis: in order, with long waits beside milliseconds."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_durable.report.axis import MOST_OF_IT, Axis, span

SECOND = 1_000_000


@given(st.lists(st.integers(0, 10**13), min_size=1, max_size=60).map(sorted))
def test_what_is_later_is_further_to_the_right_and_all_of_it_is_on_the_axis(micros: list[int]) -> None:
    axis = Axis(micros)
    places = [axis.at(number) for number in range(len(micros))]
    assert all(before < after for before, after in pairwise(places))
    assert places[0] > 0 and places[-1] < 100


@given(st.lists(st.integers(0, 10**13), min_size=2, max_size=60).map(sorted))
def test_gaps_leave_room_for_what_happens(micros: list[int]) -> None:
    assert sum(gap.right - gap.left for gap in Axis(micros).gaps) <= 100 * MOST_OF_IT + 1e-9


def test_a_wait_of_minutes_does_not_hide_the_milliseconds_before_it() -> None:
    axis = Axis([0, 1_000, 2_000, 300 * SECOND])
    short, _, long = axis.gaps
    assert long.right - long.left < 12 * (short.right - short.left)
    assert short.right - short.left > 3


def test_an_instant_within_a_gap_lies_within_it() -> None:
    axis = Axis([0, 10 * SECOND])
    (gap,) = axis.gaps
    assert gap.left < axis.at_time(5 * SECOND) < gap.right
    assert (axis.at_time(0), axis.at_time(10 * SECOND), axis.at_time(11 * SECOND)) == (axis.at(0), axis.at(1), 100.0)


@pytest.mark.parametrize(
    ("micros", "text"),
    [
        (0, "0 µs"),
        (7, "7 µs"),
        (1_000, "1 ms"),
        (1_250, "1 ms 250 µs"),
        (999_999, "1 s"),
        (SECOND, "1 s"),
        (300 * SECOND, "5 min"),
        (300 * SECOND - 1_000, "5 min"),
        (90 * 60 * SECOND, "1 h 30 min"),
        (86_400 * SECOND - 1, "1 d"),
        (2 * 86_400 * SECOND + 3_600 * SECOND, "2 d 1 h"),
    ],
)
def test_a_span_is_said_in_its_two_greatest_units(micros: int, text: str) -> None:
    assert span(micros) == text
