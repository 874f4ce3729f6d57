"""How every primitive blocks and wakes."""

from __future__ import annotations

from collections import deque
from typing import NoReturn

from pytest_durable.engine import MICROS, Waiter, World, current_task, micros_in


def block(why: str, waiters: deque[Waiter] | None, timeout: float | None = None) -> bool:
    """Block the current simulated thread; see `World.block`.

    Raises:
        RuntimeError: outside of a simulated thread, where blocking would never end.
    """
    task = current_task()
    if task is None:
        raise RuntimeError(f"{why}: a simulated primitive blocked outside of the simulation")
    return task.world.block(task, why, waiters, timeout)


def wake(waiters: deque[Waiter], count: int | None = 1) -> None:
    """Wake the first ``count`` live waiters, or all of them for None."""
    while waiters and (count is None or count > 0):
        world: World = waiters[0].task.world
        if not world.wake_one(waiters):
            return
        if count is not None:
            count -= 1


def deadline_after(timeout: float | None) -> int | None:
    """The virtual time, in microseconds since the epoch, ``timeout`` seconds from now; None for no timeout."""
    if timeout is None:
        return None
    task = current_task()
    return None if task is None else task.world.clock.micros + micros_in(timeout)


def left_until(deadline: int | None) -> float | None:
    """Seconds of virtual time left until ``deadline``; None for no deadline."""
    if deadline is None:
        return None
    task = current_task()
    return 0.0 if task is None else (deadline - task.world.clock.micros) / MICROS


def not_held(message: str) -> NoReturn:
    """Refuse what only the holder of a lock may do.

    Raises:
        Killed: if the caller's process is dead. Who is killed in `Condition.wait` may not get the lock back, and the
            error of giving it back nevertheless must not hide the kill.
        RuntimeError: with ``message`` otherwise.
    """
    task = current_task()
    if task is not None and task.process.cause is not None:
        task.process.refuse(task)
    raise RuntimeError(message)
