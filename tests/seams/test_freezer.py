# ruff: noqa: TID251  # what is tested is what becomes of the real clock
"""Of the modules that are loaded, freezegun looks only into those that may hold a clock."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import freezegun
import pytest

from pytest_durable.seams import freezer
from pytest_durable.seams.freezer import Sieve

REAL = {"time": time.time}
"""Kept in a dictionary, which freezegun does not look into."""


@pytest.fixture
def library() -> Iterator[Any]:
    yield from _loaded("library_of_somebody", pytest.__file__)


@pytest.fixture
def mine() -> Iterator[Any]:
    yield from _loaded("module_of_mine", "/home/me/module_of_mine.py")


def _loaded(name: str, file: str) -> Iterator[ModuleType]:
    module = sys.modules[name] = ModuleType(name)
    module.__file__ = file
    yield module
    del sys.modules[name]


def is_frozen(module: Any) -> bool:
    """Whether the module's clock is frozen while time is; it is the real one again afterwards."""
    one = freezegun.freeze_time("2030-01-01")
    freezer.start(one)
    try:
        return module.clock is not REAL["time"]
    finally:
        one.stop()
        assert module.clock is REAL["time"]


@pytest.mark.usefixtures("mine")
def test_a_library_that_held_nothing_is_not_looked_at_again(library: Any) -> None:
    sieve = Sieve()
    looked_at = sieve.worth_a_look()
    assert {"library_of_somebody", "module_of_mine", "time"} <= looked_at.keys()
    sieve.held(looked_at, {id(time)})
    assert sieve.worth_a_look().keys() >= {"module_of_mine", "time"}
    assert "library_of_somebody" not in sieve.worth_a_look()
    library.another = None
    assert "library_of_somebody" in sieve.worth_a_look()


def test_a_library_that_got_a_clock_since_shows_frozen_time(library: Any, mine: Any) -> None:
    mine.clock = REAL["time"]
    assert is_frozen(mine)  # the library is seen to have none
    library.clock = REAL["time"]
    assert is_frozen(library)
    assert is_frozen(library)


def test_a_module_that_is_made_anew_with_a_clock_shows_frozen_time(mine: Any) -> None:
    mine.other = None
    other: Any = ModuleType("other")
    other.clock = REAL["time"]
    sys.modules["other"] = other
    try:
        assert is_frozen(other)
    finally:
        del sys.modules["other"]
    again = sys.modules["module_of_mine"] = ModuleType("module_of_mine")
    again.__file__ = mine.__file__
    again.clock = REAL["time"]  # type: ignore[attr-defined]
    assert len(vars(again)) == len(vars(mine))
    assert is_frozen(again)


def test_a_module_imported_while_time_is_frozen_has_its_clock_back_afterwards() -> None:
    one = freezegun.freeze_time("2030-01-01")
    freezer.start(one)
    late: Any = ModuleType("late")
    late.clock = time.time
    sys.modules["late"] = late
    try:
        one.stop()
        assert late.clock is REAL["time"]
    finally:
        del sys.modules["late"]
