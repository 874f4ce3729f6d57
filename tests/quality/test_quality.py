"""Planted bugs are found, with their smallest plan; repaired twins and other correct handlers are left alone.

``python -m tests.quality`` searches each under more seeds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import pytest

from benchmarks.readme import README, replaced
from pytest_durable.service import lifecycle
from tests.parity.scenario import Scenario
from tests.parity.test_parity import ALL
from tests.quality.__main__ import BEGIN
from tests.quality.correct import CORRECT, Make
from tests.quality.pair import FEW, ONE, Pair, against, on_the_bug, on_the_twin
from tests.quality.parity import UNSAFE, said_against
from tests.quality.tables import FOUND, UNFOUND
from tests.shown_once import virtual_time

__all__ = ["virtual_time"]


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What never ends is not waited for as long as by users."""
    monkeypatch.setattr(lifecycle, "MAX_INVOCATIONS", 60)
    monkeypatch.setattr(lifecycle, "MAX_REPLAYED", 1_500)


def each(pairs: Iterable[Pair]) -> pytest.MarkDecorator:
    """Run a test for each pair."""
    return pytest.mark.parametrize("pair", [pytest.param(pair, id=pair.name) for pair in pairs])


def unless(why: str) -> pytest.MarkDecorator:
    """A test that is known to fail."""
    return pytest.mark.xfail(strict=True, reason=why)


def _seeds(pair: Pair) -> range:
    """One, too, for what every run shows, whatever it draws."""
    return FEW if pair.faults == 1 or (pair.deviations and not pair.faults) else ONE


@each(FOUND)
def test_the_bug_is_found_with_its_smallest_plan(pair: Pair) -> None:
    assert on_the_bug(pair, _seeds(pair)) == {}


@each([*FOUND, *UNFOUND])
def test_the_repaired_twin_is_left_alone(pair: Pair) -> None:
    assert on_the_twin(pair, ONE) == {}


@pytest.mark.parametrize("pair", [pytest.param(pair, marks=unless(pair.missing), id=pair.name) for pair in UNFOUND])
def test_the_bug_is_not_found_yet(pair: Pair) -> None:
    assert on_the_bug(pair, ONE) == {}


@pytest.mark.parametrize("make", CORRECT, ids=lambda make: make.__name__)
def test_a_correct_handler_is_left_alone(make: Make) -> None:
    assert against(make, ONE) == {}


@pytest.mark.parametrize(
    "scenario", [one for one in ALL if one.name not in UNSAFE][::8], ids=lambda scenario: scenario.name
)
def test_a_handler_that_is_held_against_the_local_runner_is_left_alone(scenario: Scenario) -> None:
    """Some of them; ``python -m tests.quality`` takes all."""
    assert said_against(scenario) == ""


def test_what_the_search_is_right_about_is_still_so() -> None:
    for scenario in ALL:
        if scenario.name in UNSAFE:
            assert said_against(scenario) != "", UNSAFE[scenario.name]


def test_there_are_enough_pairs_of_every_kind() -> None:
    assert len(FOUND) >= 40
    assert sum(pair.faults == 2 for pair in FOUND) >= 5
    assert len(Counter(pair.violation for pair in FOUND)) >= 5
    assert max(Counter(pair.name for pair in [*FOUND, *UNFOUND]).values()) == 1
    assert all(bool(pair.missing) == (pair in UNFOUND) for pair in [*FOUND, *UNFOUND])


def test_the_readme_has_a_place_for_the_rates() -> None:
    assert replaced(README.read_text(), "rates", BEGIN).count(BEGIN) == 1
