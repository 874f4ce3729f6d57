"""Executions leave nothing behind in the process that ran them: no memory, no greenlets, no threads, no worlds."""

from __future__ import annotations

import gc
import logging
import weakref
from collections.abc import Iterator
from typing import Any

import pytest
from aws_durable_execution_sdk_python import DurableContext
from aws_durable_execution_sdk_python.config import Duration

from benchmarks.handlers import mixed, mixed_world
from benchmarks.memory import Census, grow
from pytest_durable import DurabilityViolation, FakeDurableContext
from pytest_durable.engine import World

EXECUTIONS = 80
"""As many as show one object that each of them leaves behind; ``make bench`` runs 10,000."""

WARM_UP = 55
"""Somewhat more than there are places to be killed at."""

MEGABYTES = 3
"""A world that was kept would show as far more: each holds a journal, a trace and the SDK's state."""

OBJECTS = 30
"""Objects that come and go with caches of the interpreter and of the SDK."""


@pytest.fixture(autouse=True)
def no_log_records() -> Iterator[None]:
    """pytest keeps the records of a test, and a record keeps the frames of the error that it is about."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture(scope="module")
def grown() -> tuple[Census, Census]:
    """What was alive after the warm-up, and after executions that were killed once each."""
    return grow(WARM_UP, EXECUTIONS)


def test_killed_executions_leave_no_greenlets(grown: tuple[Census, Census]) -> None:
    before, after = grown
    assert after.greenlets == before.greenlets


def test_killed_executions_leave_no_threads(grown: tuple[Census, Census]) -> None:
    before, after = grown
    assert after.threads == before.threads


def test_killed_executions_leave_no_objects(grown: tuple[Census, Census]) -> None:
    before, after = grown
    assert after.objects < before.objects + OBJECTS


def test_resident_memory_stays_where_the_warm_up_left_it(grown: tuple[Census, Census]) -> None:
    before, after = grown
    assert after.megabytes < before.megabytes + MEGABYTES


@pytest.fixture
def worlds(monkeypatch: pytest.MonkeyPatch) -> weakref.WeakSet[World]:
    """Every world that is made from now on, for as long as anything holds it."""
    made: weakref.WeakSet[World] = weakref.WeakSet()
    original = World.__init__

    def remember(self: World, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        made.add(self)

    monkeypatch.setattr(World, "__init__", remember)
    return made


def alive(worlds: weakref.WeakSet[World]) -> int:
    gc.collect()
    return len(worlds)


def runs_again(event: Any, context: DurableContext) -> None:
    """Keep state where a replay does not find it, and so ask for another step after a kill."""
    CALLS.append(1)
    context.step(lambda _: None, name=f"step-{len(CALLS)}")
    context.wait(Duration.from_seconds(1), name="pause")


CALLS: list[int] = []


def test_a_context_that_is_closed_leaves_no_world(worlds: weakref.WeakSet[World]) -> None:
    with mixed_world(FakeDurableContext()) as context:
        context.run(mixed)
        context.start(mixed)
        context.step(lambda _: "direct", name="direct")
        assert len(worlds) > 0
    del context
    assert alive(worlds) == 0


def test_a_context_keeps_one_world_however_many_runs_it_makes(worlds: weakref.WeakSet[World]) -> None:
    with mixed_world(FakeDurableContext()) as context:
        for _ in range(5):
            context.run(mixed, faults="night:suspend")
        assert alive(worlds) == 1


def test_a_search_leaves_no_world(worlds: weakref.WeakSet[World]) -> None:
    with mixed_world(FakeDurableContext()) as context:
        context.verify(mixed)
        assert alive(worlds) <= 1


def test_a_violation_that_was_handled_leaves_no_world(worlds: weakref.WeakSet[World]) -> None:
    with FakeDurableContext() as context:
        for _ in range(5):
            with pytest.raises(DurabilityViolation):
                context.run(runs_again)
            with pytest.raises(DurabilityViolation):
                context.verify(runs_again)
    del context
    assert alive(worlds) == 0


def test_a_violation_keeps_its_failure_but_not_its_world(worlds: weakref.WeakSet[World]) -> None:
    with FakeDurableContext() as context, pytest.raises(DurabilityViolation) as caught:
        context.verify(runs_again)
    failure = caught.value.failure
    del context, caught
    assert failure.timeline
    assert alive(worlds) == 0


def test_a_violation_leaves_no_greenlet_and_no_thread() -> None:
    with FakeDurableContext() as context:

        def break_once() -> None:
            with pytest.raises(DurabilityViolation):
                context.verify(runs_again)

        break_once()
        before = Census.now()
        for _ in range(8):
            break_once()
        after = Census.now()
    assert (after.greenlets, after.threads) == (before.greenlets, before.threads)


def test_an_error_of_the_handler_does_not_keep_its_world_alive(worlds: weakref.WeakSet[World]) -> None:
    def fails(event: Any, context: DurableContext) -> None:
        raise ValueError("no such order")

    with FakeDurableContext() as context:
        for _ in range(5):
            assert context.run(fails).status == "FAILED"
        assert alive(worlds) == 1
