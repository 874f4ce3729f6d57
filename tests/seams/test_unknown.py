"""What the table does not know is refused by name: an SDK simulated by half would hang, or depend on the machine."""

from __future__ import annotations

import concurrent.futures
import itertools
import queue
import random
import sys
import threading
import time
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest
from aws_durable_execution_sdk_python import state

from pytest_durable.errors import UnknownPrimitive
from pytest_durable.primitives import event, lock, sleep
from pytest_durable.seams.table import SDK, facade, installed

MakeModule = Callable[..., ModuleType]

NUMBERS = itertools.count()
"""A module that was seen is not looked at again, so each gets a name of its own."""


@pytest.fixture
def make_module() -> Iterator[MakeModule]:
    """Make modules of the SDK that exist for the time of a test; each test's have names of their own."""
    made: list[str] = []

    def make(package: str = SDK, **attributes: Any) -> ModuleType:
        name = f"{package}.made_up_{next(NUMBERS)}"
        module = ModuleType(name)
        vars(module).update(attributes)
        sys.modules[name] = module
        made.append(name)
        return module

    with installed():
        pass  # the SDK's own modules are known from here on
    yield make
    for name in made:
        del sys.modules[name]
    with installed():
        pass  # and the modules that were made are forgotten


UNKNOWN = {
    "threading.Barrier": threading.Barrier,
    "threading.Timer": threading.Timer,
    "threading.Semaphore": threading.Semaphore,
    "queue.PriorityQueue": queue.PriorityQueue,
    "concurrent.futures.as_completed": concurrent.futures.as_completed,
    "time.process_time": time.process_time,
    "random.choice": random.choice,
}


@pytest.mark.parametrize("name", UNKNOWN)
def test_an_unknown_primitive_is_refused_with_its_name_and_the_module_that_imports_it(
    make_module: MakeModule, name: str
) -> None:
    module = make_module(something=UNKNOWN[name])
    with pytest.raises(UnknownPrimitive, match=f"{module.__name__} imports {name}, which pytest-durable does not"):
        installed().__enter__()


def test_an_unknown_primitive_is_refused_every_time(make_module: MakeModule) -> None:
    make_module(Barrier=threading.Barrier)
    for _ in range(3):
        with pytest.raises(UnknownPrimitive):
            installed().__enter__()


def test_a_refusal_leaves_the_sdk_as_it_was(make_module: MakeModule) -> None:
    before = dict(vars(state))
    make_module(Barrier=threading.Barrier)
    with pytest.raises(UnknownPrimitive):
        installed().__enter__()
    assert all(vars(state)[name] is value for name, value in before.items())


def test_runs_work_again_once_the_unknown_primitive_is_gone(make_module: MakeModule) -> None:
    module = make_module(Barrier=threading.Barrier)
    with pytest.raises(UnknownPrimitive):
        installed().__enter__()
    del module.Barrier
    with installed():
        assert vars(state)["Lock"] is lock.Lock


def test_a_module_that_is_not_the_sdks_may_import_what_it_likes(make_module: MakeModule) -> None:
    module = make_module(package=f"{SDK}_testing", Barrier=threading.Barrier, Lock=threading.Lock)
    with installed():
        assert (module.Barrier, module.Lock) == (threading.Barrier, threading.Lock)


def test_a_known_primitive_is_swapped_whatever_it_is_called(make_module: MakeModule) -> None:
    module = make_module(mutex=threading.Lock, clock=time.monotonic)
    with installed():
        assert (vars(module)["mutex"], vars(module)["clock"]) == (lock.Lock, sleep.monotonic)
    assert (vars(module)["mutex"], vars(module)["clock"]) == (threading.Lock, time.monotonic)


def test_a_name_of_the_library_that_is_something_else_is_left_alone(make_module: MakeModule) -> None:
    class Lock:
        """The SDK's own."""

    module = make_module(Lock=Lock)
    with installed():
        assert module.Lock is Lock


def test_a_module_that_is_loaded_later_is_swapped_from_the_next_time_on(make_module: MakeModule) -> None:
    with installed():
        module = make_module(Lock=threading.Lock)
    with installed():
        assert vars(module)["Lock"] is lock.Lock
    assert vars(module)["Lock"] is threading.Lock


def test_a_module_that_is_loaded_within_a_run_keeps_its_names_after_a_nested_one(make_module: MakeModule) -> None:
    with installed():
        module = make_module(Lock=threading.Lock)
        with installed():
            pass
    assert module.Lock is threading.Lock


def test_an_unknown_name_of_a_whole_library_is_refused_where_it_is_used(make_module: MakeModule) -> None:
    module = make_module(threading=threading)
    with installed(), pytest.raises(UnknownPrimitive, match=r"the SDK uses threading\.Barrier, which pytest-durable"):
        module.threading.Barrier(2)
    assert module.threading is threading


def test_a_whole_library_has_the_stand_ins_and_the_harmless_names_of_the_real_one(make_module: MakeModule) -> None:
    module = make_module(threading=threading, queue=queue)
    with installed():
        assert module.threading.Event is event.Event
        assert (module.queue.Empty, module.queue.Full) == (queue.Empty, queue.Full)


def test_a_whole_library_lacks_the_attributes_that_no_module_has() -> None:
    with pytest.raises(AttributeError):
        facade(threading, {}).__wrapped__  # noqa: B018  # what is tested is the access


def test_the_message_says_the_ways_out() -> None:
    message = str(UnknownPrimitive("the SDK uses threading.Barrier"))
    assert "Install a supported aws-durable-execution-sdk-python" in message
    assert "pytest_durable/seams/table.py" in message
