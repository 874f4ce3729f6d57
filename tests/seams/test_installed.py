# ruff: noqa: TID251  # the names are compared, not called
"""Within `installed()` the SDK's modules hold our primitives; after it they hold what they held before."""

from __future__ import annotations

import concurrent.futures
import queue
import random
import sys
import threading
import time
from types import ModuleType
from typing import Any

import pytest
from aws_durable_execution_sdk_python import config, exceptions, execution, state
from aws_durable_execution_sdk_python.concurrency import executor as branches

from pytest_durable.primitives import event, executor, jitter, lock, sleep
from pytest_durable.primitives import queue as queues
from pytest_durable.seams.table import SDK, installed

SWAPPED = {
    "threading.Lock": threading.Lock,
    "threading.Event": threading.Event,
    "threading.Condition": threading.Condition,
    "threading.Thread": threading.Thread,
    "threading.local": threading.local,
    "queue.Queue": queue.Queue,
    "concurrent.futures.Future": concurrent.futures.Future,
    "concurrent.futures.ThreadPoolExecutor": concurrent.futures.ThreadPoolExecutor,
    "concurrent.futures.wait": concurrent.futures.wait,
    "time.time": time.time,
    "time.sleep": time.sleep,
    "random.random": random.random,
    **{module.__name__: module for module in (threading, queue, time, random)},
}


def sdk_modules() -> dict[str, ModuleType]:
    return {name: module for name, module in sys.modules.items() if name == SDK or name.startswith(f"{SDK}.")}


def everything() -> dict[str, Any]:
    """Every attribute of every module of the SDK, and of every class that is defined there, by its full name."""
    found: dict[str, Any] = {}
    for module_name, module in sdk_modules().items():
        for name, value in vars(module).items():
            found[f"{module_name}.{name}"] = value
            if isinstance(value, type) and value.__module__ == module_name:
                found.update({f"{module_name}.{name}.{key}": below for key, below in vars(value).items()})
    return found


def changed(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """The names that were added, removed or given another value."""
    return [name for name in before.keys() | after.keys() if before.get(name) is not after.get(name)]


def test_no_primitive_of_the_standard_library_is_left_in_the_sdk() -> None:
    with installed():
        left = [
            f"{name} is {full_name}"
            for name, value in everything().items()
            for full_name, original in SWAPPED.items()
            if value is original
        ]
    assert left == []


def test_the_names_that_the_sdk_uses_are_our_primitives() -> None:
    with installed():
        names = vars(state)
        assert names["Lock"] is lock.Lock
        assert names["ThreadPoolExecutor"] is executor.ThreadPoolExecutor
        assert names["threading"].Event is event.Event
        assert names["queue"].Queue is queues.Queue
        assert names["time"].time is sleep.time
        assert vars(execution)["wait"] is executor.wait
        assert vars(config)["random"].random is jitter.random
        assert vars(exceptions)["time"].time is sleep.time
        assert vars(branches)["queue"].Empty is queue.Empty


def test_afterwards_everything_is_what_it_was() -> None:
    before = everything()
    with installed():
        assert changed(before, everything()) != []
    assert changed(before, everything()) == []


def test_afterwards_everything_is_what_it_was_even_after_an_error() -> None:
    before = everything()
    with pytest.raises(LookupError), installed():
        raise LookupError("lost")
    assert changed(before, everything()) == []


def test_it_stays_installed_until_the_outermost_context_ends() -> None:
    before = everything()
    with installed():
        within = everything()
        with installed():
            assert changed(within, everything()) == []
        assert changed(within, everything()) == []
    assert changed(before, everything()) == []


def test_an_error_in_an_inner_context_leaves_the_outer_one_installed() -> None:
    before = everything()
    with installed():
        within = everything()
        with pytest.raises(LookupError), installed():
            raise LookupError("lost")
        assert changed(within, everything()) == []
    assert changed(before, everything()) == []


def test_it_can_be_installed_any_number_of_times() -> None:
    before = everything()
    with installed():
        within = everything()
    for _ in range(10):
        with installed():
            assert changed(within, everything()) == []
    assert changed(before, everything()) == []


def test_the_standard_library_itself_is_left_alone() -> None:
    modules = (threading, queue, concurrent.futures, time, random)
    before = {module.__name__: dict(vars(module)) for module in modules}
    with installed():
        assert [module.__name__ for module in modules if vars(module) != before[module.__name__]] == []
