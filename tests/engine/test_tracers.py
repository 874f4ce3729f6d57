"""Tracers follow tasks: what coverage and debuggers see is what they would see of real threads."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

import pytest

from pytest_durable.engine import World
from tests.simulated import settle, simulate, start


class Tracer:
    """Records the lines of functions whose names begin with ``traced``, relative to the function's first."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, int]] = []

    def __call__(self, frame: FrameType, event: str, arg: Any) -> Tracer | None:
        name = frame.f_code.co_name
        if not name.startswith("traced"):
            return None
        if event == "line":
            self.lines.append((name, frame.f_lineno - frame.f_code.co_firstlineno))
        return self

    def of(self, name: str) -> list[int]:
        return [line for function, line in self.lines if function == name]


@pytest.fixture
def tracing() -> Iterator[Callable[..., None]]:
    """Install tracers as coverage does, and put back whoever traced before."""
    main, threads = sys.gettrace(), threading.gettrace()

    def install(*, main: Tracer | None, threads: Tracer | None) -> None:
        threading.settrace(threads)
        sys.settrace(main)

    yield install
    threading.settrace(threads)
    sys.settrace(main)


def test_the_lines_of_a_task_are_seen_before_and_after_it_blocked(world: World, tracing: Callable[..., None]) -> None:
    tracer = Tracer()

    def traced() -> None:
        world.sleep(1)
        world.sleep(1)
        ""

    start(world, traced)
    tracing(main=tracer, threads=tracer)
    settle(world)
    assert tracer.of("traced") == [1, 2, 3]


def test_the_lines_of_tasks_are_seen_in_the_order_in_which_they_ran(world: World, tracing: Callable[..., None]) -> None:
    tracer = Tracer()

    def traced_one() -> None:
        world.sleep(1)
        world.sleep(2)
        ""

    def traced_two() -> None:
        world.sleep(2)
        ""

    start(world, traced_one)
    start(world, traced_two)
    tracing(main=tracer, threads=tracer)
    settle(world)
    assert tracer.lines == [
        ("traced_one", 1),
        ("traced_two", 1),
        ("traced_one", 2),
        ("traced_two", 2),
        ("traced_one", 3),
    ]


def test_the_lines_of_a_task_that_is_killed_are_seen(world: World, tracing: Callable[..., None]) -> None:
    tracer = Tracer()

    def traced() -> None:
        try:
            world.sleep(60)
        finally:
            ""

    process = start(world, traced)
    start(world, lambda: process.kill("test"))
    tracing(main=tracer, threads=tracer)
    settle(world)
    assert tracer.of("traced") == [1, 2, 4]


def test_the_lines_around_a_run_are_seen(world: World, tracing: Callable[..., None]) -> None:
    tracer = Tracer()

    def traced_main() -> None:
        simulate(world, lambda: world.sleep(1))
        ""

    tracing(main=tracer, threads=tracer)
    traced_main()
    assert tracer.of("traced_main") == [1, 2]


def test_a_run_leaves_the_tracer_of_the_main_code_alone(world: World, tracing: Callable[..., None]) -> None:
    main, threads = Tracer(), Tracer()
    tracing(main=main, threads=threads)
    simulate(world, lambda: world.sleep(1))
    assert (sys.gettrace(), threading.gettrace()) == (main, threads)


def test_a_run_without_a_tracer_leaves_none_behind(world: World, tracing: Callable[..., None]) -> None:
    tracing(main=None, threads=Tracer())
    simulate(world, lambda: world.sleep(1))
    assert sys.gettrace() is None


def test_a_task_starts_with_the_tracer_of_threads(world: World, tracing: Callable[..., None]) -> None:
    main, threads = Tracer(), Tracer()
    tracing(main=main, threads=threads)
    assert simulate(world, sys.gettrace) is threads


def test_a_task_has_the_main_codes_tracer_if_threads_have_none(world: World, tracing: Callable[..., None]) -> None:
    tracer = Tracer()

    def traced() -> None:
        world.sleep(1)
        ""

    tracing(main=tracer, threads=None)  # which is all that pdb sets
    simulate(world, traced)
    assert tracer.of("traced") == [1, 2]


def test_a_tracer_that_a_task_installs_stays_with_that_task(world: World, tracing: Callable[..., None]) -> None:
    tracer = Tracer()
    seen: list[object] = []

    def tracing_itself() -> None:
        sys.settrace(tracer)
        world.sleep(2)
        seen.append(sys.gettrace())

    def beside() -> None:
        world.sleep(1)
        seen.append(sys.gettrace())

    tracing(main=None, threads=None)
    start(world, tracing_itself)
    start(world, beside)
    settle(world)
    seen.append(sys.gettrace())
    assert seen == [None, tracer, None]
