"""Whatever can be passed to the standard library's primitive, by position or by name, can be passed to its stand-in."""

from __future__ import annotations

import concurrent.futures
import datetime
import inspect
import queue
import random
import threading
import time
from collections.abc import Callable, Iterator
from inspect import Parameter
from typing import Any

import pytest

from pytest_durable.primitives import condition, date, event, executor, jitter, lock, sleep, thread
from pytest_durable.primitives import queue as queues

CLASSES: list[tuple[type, type]] = [
    (threading.Event, event.Event),
    (threading.Condition, condition.Condition),
    (threading.Thread, thread.Thread),
    (queue.Queue, queues.Queue),
    (queue.SimpleQueue, queues.SimpleQueue),
    (concurrent.futures.Future, executor.Future),
    (concurrent.futures.ThreadPoolExecutor, executor.ThreadPoolExecutor),
]
FUNCTIONS: list[tuple[Callable[..., Any], Callable[..., Any]]] = [
    (concurrent.futures.wait, executor.wait),
    (threading.current_thread, thread.current_thread),
    (threading.get_ident, thread.get_ident),
    (datetime.datetime.now, date.datetime.now),  # noqa: TID251  # its signature only
    (random.random, jitter.random),  # noqa: TID251  # its signature only
    *((getattr(time, name), getattr(sleep, name)) for name in ("time", "time_ns", "monotonic", "monotonic_ns")),
]


def has_signature(function: Callable[..., Any]) -> bool:
    try:
        inspect.signature(function)
    except ValueError:
        return False
    return True


def pairs() -> Iterator[Any]:
    """Every public function and method of the library that has a signature, with its stand-in."""
    for real, simulated in FUNCTIONS:
        if has_signature(real):
            yield pytest.param(real, simulated, id=real.__name__)
    for kind, stand_in in CLASSES:
        for name, real in inspect.getmembers(kind, inspect.isroutine):
            is_public = name == "__init__" or not name.startswith("_")
            if is_public and hasattr(stand_in, name) and has_signature(real):
                yield pytest.param(real, getattr(stand_in, name), id=f"{kind.__name__}.{name}")


PAIRS = list(pairs())


def parameters(function: Callable[..., Any]) -> list[Parameter]:
    return [one for one in inspect.signature(function).parameters.values() if one.name != "self"]


@pytest.mark.parametrize(("real", "simulated"), PAIRS)
def test_every_parameter_that_can_be_named_has_its_name(
    real: Callable[..., Any], simulated: Callable[..., Any]
) -> None:
    by_name = {one.name for one in parameters(simulated) if one.kind is not Parameter.POSITIONAL_ONLY}
    kinds = (Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY)
    named = [one.name for one in parameters(real) if one.kind in kinds]
    assert [name for name in named if name not in by_name] == []


@pytest.mark.parametrize(("real", "simulated"), PAIRS)
def test_every_parameter_that_can_be_positional_has_its_place(
    real: Callable[..., Any], simulated: Callable[..., Any]
) -> None:
    kinds = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)
    expected = [one.name for one in parameters(real) if one.kind in kinds]
    offered = [one.name for one in parameters(simulated) if one.kind in kinds]
    assert offered[: len(expected)] == expected


@pytest.mark.parametrize(("real", "simulated"), PAIRS)
def test_every_parameter_with_a_default_has_the_same(real: Callable[..., Any], simulated: Callable[..., Any]) -> None:
    offered = {one.name: one.default for one in parameters(simulated)}
    for one in parameters(real):
        if one.default is not Parameter.empty and one.name in offered:
            assert offered[one.name] == one.default or {offered[one.name], one.default} <= {None, ()}


@pytest.mark.parametrize("kind", [threading.Lock, threading.RLock, lock.Lock, lock.RLock])
def test_a_lock_is_taken_by_position_and_by_name(kind: Callable[[], Any]) -> None:
    assert kind().acquire(True, -1)
    assert kind().acquire(blocking=True, timeout=-1)
    assert kind().acquire(False)


def test_a_simple_queue_has_every_method_of_a_simple_queue() -> None:
    methods = {name for name, _ in inspect.getmembers(queue.SimpleQueue, inspect.isroutine) if not name.startswith("_")}
    assert methods <= set(dir(queues.SimpleQueue))
