"""Timeouts in seconds as deadlines in virtual time, and back."""

from __future__ import annotations

from greenlet import getcurrent

from pytest_durable.engine import MICROS, Task, current_task, micros_in


def deadline_after(timeout: float | None, in_vain: bool = False) -> int | None:
    """The virtual time, in microseconds since the epoch, ``timeout`` seconds from now; None for no timeout.

    Who looks for something again, after a look ``in_vain``, waits until the next quiet sleep of its process is over.
    """
    if timeout is None:
        return None
    task = getcurrent()
    if type(task) is not Task:
        return None
    until = task.world.clock.micros + micros_in(timeout)
    if in_vain and task.process.naps:
        return max(until, min(task.process.naps))
    return until


def left_until(deadline: int | None) -> float | None:
    """Seconds of virtual time left until ``deadline``; None for no deadline."""
    if deadline is None:
        return None
    task = current_task()
    return 0.0 if task is None else (deadline - task.world.clock.micros) / MICROS
