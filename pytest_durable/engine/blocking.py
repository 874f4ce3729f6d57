"""How a task blocks, and how it is woken: what every primitive is made of.

Each stay at a blocking point has a number of its own, so that a deadline that fires later knows whether the task still
waits for it.
"""

from __future__ import annotations

from collections import deque
from heapq import heappush
from typing import TYPE_CHECKING

from greenlet import getcurrent

from pytest_durable.engine.task import Task

if TYPE_CHECKING:
    from pytest_durable.engine.world import World


def block(why: str, waiters: deque[Task] | None = None, until: int | None = None) -> bool:
    """Block the current task until somebody wakes it, or the clock shows ``until``.

    Args:
        why: what it waits for, for the deadlock report.
        waiters: where the task is put, for `wake`; None to sleep.
        until: virtual time in microseconds since the epoch, not past; None for ever.

    Returns:
        Whether it was woken; False after a timeout.

    Raises:
        Killed: if the task's process is dead, now or when it would go on.
        RuntimeError: outside of a simulated thread, where blocking would never end.
    """
    task = getcurrent()
    if type(task) is not Task:
        raise RuntimeError(f"{why}: a simulated primitive blocked outside of the simulation")
    process = task.process
    if process.cause is not None:
        process.refuse(task)
    world = task.world
    if until is not None and world.skip_to(until, task):
        return False
    world.sequence = task.stay = world.sequence + 1
    task.woken = False
    task.waiting_for = why
    if waiters is not None:
        waiters.append(task)
    if until is not None:
        heappush(world.timers, (until, task.stay, task))
    try:
        world.leave()
    finally:  # a kill may have been thrown in: nobody must wake, or wait for, a task that is gone
        task.waiting_for = None
        if not task.woken:
            task.stay = 0
            if waiters is not None:
                waiters.remove(task)
    if process.cause is not None:
        process.refuse(task)
    return task.woken


def undisturbed(world: World) -> int:
    """Until before which instant, in microseconds, nothing can happen in ``world`` beside the current task."""
    earliest, now = world._next_deadline(), world.clock.micros
    if world.ready or world.dying or world._ended or world._done() or earliest is None:
        return now
    return earliest if world._limit is None else min(earliest, world._limit)


def wake(waiters: deque[Task]) -> bool:
    """Wake the task that waits longest in ``waiters``; False if none does."""
    while waiters:
        task = waiters.popleft()
        if task.stay:  # else its time is up, but it did not run since
            task.stay = 0
            task.woken = True
            task.world.ready.append(task)
            return True
    return False


def wake_all(waiters: deque[Task]) -> None:
    """Wake every task that waits in ``waiters``, longest first."""
    while wake(waiters):
        pass
