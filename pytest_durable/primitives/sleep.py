"""Stand-ins for the ``time`` module's clocks and ``time.sleep``.

Outside of the simulation they are the real ones: the SDK's modules may be used there as well.
"""

from __future__ import annotations

import time as _real
from collections.abc import Callable

from greenlet import getcurrent

from pytest_durable.engine import MICROS, current_task

# For the outside of the simulation. Taken at import: whoever freezes time later patches the module's attributes,
# and then we would call ourselves.
_time, _monotonic, _perf_counter, _time_ns, _monotonic_ns = (
    _real.time,
    _real.monotonic,
    _real.perf_counter,
    _real.time_ns,
    _real.monotonic_ns,
)
real_sleep: Callable[[float], None] = _real.sleep


def time() -> float:
    """Stands in for ``time.time``: virtual seconds since the Unix epoch."""
    try:
        return getcurrent().world.clock.micros / MICROS  # type: ignore[attr-defined,no-any-return]  # a Task's
    except AttributeError:
        return _time()


def monotonic() -> float:
    """Stands in for ``time.monotonic``."""
    try:
        return getcurrent().world.clock.micros / MICROS  # type: ignore[attr-defined,no-any-return]  # a Task's
    except AttributeError:
        return _monotonic()


def perf_counter() -> float:
    """Stands in for ``time.perf_counter``."""
    try:
        return getcurrent().world.clock.micros / MICROS  # type: ignore[attr-defined,no-any-return]  # a Task's
    except AttributeError:
        return _perf_counter()


def time_ns() -> int:
    """Stands in for ``time.time_ns``."""
    task = current_task()
    return _time_ns() if task is None else task.world.clock.micros * 1_000


def monotonic_ns() -> int:
    """Stands in for ``time.monotonic_ns``."""
    task = current_task()
    return _monotonic_ns() if task is None else task.world.clock.micros * 1_000


def sleep(seconds: float) -> None:
    """Stands in for ``time.sleep``: virtual in a simulated thread, real anywhere else.

    Raises:
        ValueError: if ``seconds`` is negative, as the real one does.
    """
    task = current_task()
    if task is None:
        real_sleep(seconds)
        return
    if seconds < 0:
        raise ValueError("sleep length must be non-negative")
    task.world.sleep(seconds)
