"""Worlds for the tests of the rooms below the service: start a process, run it to its end, read the clock."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from pytest_durable.engine import Process, Scheduler, Stop, Task, VirtualClock, World, micros_in
from pytest_durable.engine import block as block_at

START = datetime(2026, 1, 1, tzinfo=UTC)


def new_world(scheduler: Scheduler | None = None, seed: int = 0) -> World:
    """A world whose clock shows `START`."""
    return World(VirtualClock(START), scheduler, seed)


def nobody(process: Process) -> None:
    """An owner that does not care how its process ends."""


def start(
    world: World, target: Callable[[], Any], name: str = "p", on_exit: Callable[[Process], None] = nobody
) -> Process:
    """Start a process that nobody owns."""
    return world.process(name, target, None, on_exit)


def finish(world: World, process: Process) -> Any:
    """Run until ``process`` has ended; return what its main task returned, or raise what it raised."""
    assert world.run(lambda: process.ended) is Stop.DONE, world.blocked()
    assert process.main is not None
    if process.main.raised is not None:
        raise process.main.raised
    return process.main.result


def simulate(world: World, target: Callable[[], Any]) -> Any:
    """Run ``target`` as the main task of a process of its own, to its end."""
    return finish(world, start(world, target))


def settle(world: World) -> None:
    """Run until nothing will ever happen again."""
    assert world.run(lambda: False) is Stop.IDLE


def elapsed(world: World) -> float:
    """Seconds of virtual time since `START`, exact: two of them are equal to the microsecond or not at all."""
    return (world.clock.now() - START) / timedelta(seconds=1)


def block(world: World, waiters: deque[Task], timeout: float | None = None) -> bool:
    """Block the current task of ``world`` at ``waiters``, as a primitive does."""
    return block_at("a light", waiters, None if timeout is None else world.clock.micros + micros_in(timeout))


def together(world: World, *bodies: Callable[[], Any]) -> None:
    """Run each of ``bodies`` in a process of its own, beside each other, until nothing will ever happen again."""
    for number, body in enumerate(bodies):
        start(world, body, f"p{number}")
    settle(world)
