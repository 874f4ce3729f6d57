"""Timeouts in seconds as deadlines in virtual time, and back."""

from __future__ import annotations

from greenlet import getcurrent

from pytest_durable.engine import MICROS, Task, current_task, micros_in


def deadline_after(timeout: float | None) -> int | None:
    """The virtual time, in microseconds since the epoch, ``timeout`` seconds from now; None for no timeout."""
    if timeout is None:
        return None
    task = getcurrent()
    return task.world.clock.micros + micros_in(timeout) if type(task) is Task else None


def left_until(deadline: int | None) -> float | None:
    """Seconds of virtual time left until ``deadline``; None for no deadline."""
    if deadline is None:
        return None
    task = current_task()
    return 0.0 if task is None else (deadline - task.world.clock.micros) / MICROS
