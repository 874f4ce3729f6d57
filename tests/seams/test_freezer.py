# ruff: noqa: TID251  # what is tested is what becomes of the real clock
"""freezegun looks only into modules that may hold a clock, and finds what they hold now."""

from __future__ import annotations

import datetime
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import freezegun
import pytest
from pydantic import BaseModel

from pytest_durable.seams import freezer
from pytest_durable.seams.libraries import Modules

REAL = {"time": time.time}
"""Kept in a dictionary, which freezegun does not look into."""

modules = Modules(freezer.CLOCKS)


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


@contextmanager
def frozen() -> Iterator[None]:
    one = freezegun.freeze_time("2030-01-01")
    freezer.start(one, modules.look())
    try:
        yield
    finally:
        one.stop()


def is_frozen(module: Any) -> bool:
    """Whether the module's clock is frozen while time is; it is the real one again afterwards."""
    with frozen():
        seen = module.clock
    assert module.clock is REAL["time"]
    return seen is not REAL["time"]


def test_a_library_is_new_once_and_again_when_it_has_other_names(library: Any) -> None:
    modules = Modules(freezer.CLOCKS)
    assert {"library_of_somebody", "time"} <= modules.look().libraries.keys()
    assert not modules.look().libraries
    library.another = None
    assert modules.look().libraries == {"library_of_somebody": library}


def test_of_the_users_own_those_count_that_hold_something_now(mine: Any) -> None:
    modules = Modules(freezer.CLOCKS)
    assert "module_of_mine" not in modules.look().own
    mine.clock = REAL["time"]
    assert modules.look().own["module_of_mine"] is mine
    mine.clock = None
    assert "module_of_mine" not in modules.look().own


def test_a_clock_that_a_test_replaced_for_a_while_is_frozen_when_it_is_back(
    mine: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine.clock = REAL["time"]
    with monkeypatch.context() as patch:
        patch.setattr(mine, "clock", len)
        with frozen():
            assert mine.clock is len
    assert is_frozen(mine)


def test_a_clock_that_a_test_replaced_is_left_alone(mine: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    mine.clock = REAL["time"]
    assert is_frozen(mine)
    monkeypatch.setattr(mine, "clock", len)
    with frozen():
        assert mine.clock is len
    assert mine.clock is len


def test_a_clock_under_a_name_that_held_none_is_frozen(mine: Any) -> None:
    mine.clock, mine.other = REAL["time"], None
    assert is_frozen(mine)
    mine.clock, mine.other = None, REAL["time"]
    with frozen():
        assert mine.other is not REAL["time"]
    assert mine.other is REAL["time"]


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
    late: Any = ModuleType("late")
    try:
        with frozen():
            late.clock = time.time
            sys.modules["late"] = late
        assert late.clock is REAL["time"]
    finally:
        del sys.modules["late"]


def test_a_model_of_pydantic_that_is_made_while_time_is_frozen_has_dates_and_is_good_afterwards() -> None:
    with frozen():

        class Made(BaseModel):
            at: datetime.datetime
            day: datetime.date | None = None

        one = Made(at=datetime.datetime.now(datetime.UTC), day=datetime.date.today())
        assert one.model_dump(mode="json") == {"at": "2030-01-01T00:00:00Z", "day": "2030-01-01"}
    again = Made.model_validate_json(one.model_dump_json())
    assert again == one
    assert type(again.at) is datetime.datetime
