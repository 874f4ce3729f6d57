"""Event loops of asyncio in user code, while a durable context is open: in a simulated thread they run on virtual time.

The SDK is synchronous, but a body may call ``asyncio.run``. A loop waits in one place, ``select``, and reads one clock,
its own method ``time``; both are swapped. What is under way in the machine, a socket or a function in an executor,
takes real time and no virtual one: a loop that has such waits for it up to `PATIENCE`, before virtual time moves on.

Which loop runs is known to asyncio by OS thread, of which all simulated threads are one: it is put aside whenever a
simulated thread is left, and while a world runs inside of a loop of the test's own.
"""

from __future__ import annotations

import asyncio
import selectors
import sys
import time
from asyncio import events
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import Any

from pytest_durable.engine import MICROS, Killed, block, current_task, micros_in

PATIENCE = 1.0
"""Real seconds that are given to sockets and threads, before virtual time moves on."""

GLIMPSE = 0.05
"""Real seconds for which a loop that waits for nothing we know of looks around: a thread of the user's may wake it."""

_CLOCK = (time.monotonic,)
"""The machine's. In a tuple, which freezegun, that swaps what modules hold, does not look into."""

_Loop: Any = asyncio.BaseEventLoop
_Selector: Any = selectors.DefaultSelector
_real_select, _real_forever, _real_until = _Selector.select, _Loop.run_forever, _Loop.run_until_complete
_real_executor, _real_shutdown = _Loop.run_in_executor, _Loop.shutdown_default_executor
_UNDER_WAY = "_durable_under_way"
"""The attribute of a loop that counts what it has threads of the machine do."""


def _time(loop: Any) -> float:
    """Stands in for ``BaseEventLoop.time``: from the beginning of the world, so that floats are exact to the micro."""
    task = current_task()
    return _CLOCK[0]() if task is None else (task.world.clock.micros - task.world.begun) / MICROS


def _select(selector: selectors.BaseSelector, timeout: float | None = None) -> Any:
    """Stands in for ``select`` of the selector of an event loop; any other is the real one."""
    task = current_task()
    if task is None or (timeout is not None and timeout <= 0):
        return _real_select(selector, timeout)
    loop: Any = events._get_running_loop()
    if loop is None or getattr(loop, "_selector", None) is not selector:
        return _real_select(selector, timeout)
    found = _real_select(selector, 0)
    if found:
        return found
    is_real = len(selector.get_map() or ()) > 1 or getattr(loop, _UNDER_WAY, 0) > 0  # one is its own, to be woken by
    if is_real or timeout is None:
        patience = None if is_real else GLIMPSE
        if timeout is not None:
            patience = min(timeout, PATIENCE)
        found = _real_select(selector, patience)
        if found:
            return found
    block("an event loop", None, None if timeout is None else task.world.clock.micros + micros_in(timeout))
    return _real_select(selector, 0)


def _run_forever(loop: Any) -> None:
    task = current_task()
    if task is not None:
        task.world.leave_by(_set_aside)
    _real_forever(loop)


def _run_until_complete(loop: Any, future: Any) -> Any:
    """Stands in for ``run_until_complete``: a loop that outlives its process must not go on with what that began."""
    try:
        return _real_until(loop, future)
    except Killed:
        left = asyncio.all_tasks(loop)
        for one in left:
            one.cancel()
        if left:
            with suppress(Killed):
                _real_until(loop, asyncio.gather(*left, return_exceptions=True))
        raise


def _run_in_executor(loop: Any, *args: Any) -> Any:
    """Stands in for ``run_in_executor``, which has threads of the machine do something."""
    future = _real_executor(loop, *args)
    if current_task() is not None:
        _count(loop, 1)
        future.add_done_callback(lambda _: _count(loop, -1))
    return future


async def _shutdown_default_executor(loop: Any, *args: Any, **kwargs: Any) -> None:
    """Stands in for ``shutdown_default_executor``, which has a thread of the machine wait for those of the executor."""
    _count(loop, 1)
    try:
        await _real_shutdown(loop, *args, **kwargs)
    finally:
        _count(loop, -1)


def _count(loop: Any, more: int) -> None:
    setattr(loop, _UNDER_WAY, getattr(loop, _UNDER_WAY, 0) + more)


@contextmanager
def _set_aside() -> Iterator[None]:
    loop, hooks = events._get_running_loop(), sys.get_asyncgen_hooks()
    events._set_running_loop(None)
    try:
        yield
    finally:
        events._set_running_loop(loop)
        sys.set_asyncgen_hooks(*hooks)


@contextmanager
def _inside(simulated: AbstractContextManager[None]) -> Iterator[None]:
    with _set_aside(), simulated:
        yield


def beside_the_tests(simulated: AbstractContextManager[None]) -> AbstractContextManager[None]:
    """The same context, in which no event loop is known to run: also in a test that is a coroutine."""
    return simulated if events._get_running_loop() is None else _inside(simulated)


_SWAPS: tuple[tuple[Any, str, Any], ...] = (
    (_Loop, "time", _time),
    (_Loop, "run_forever", _run_forever),
    (_Loop, "run_until_complete", _run_until_complete),
    (_Loop, "run_in_executor", _run_in_executor),
    (_Loop, "shutdown_default_executor", _shutdown_default_executor),
    (_Selector, "select", _select),
)


def swap() -> Callable[[], None]:
    """Put the stand-ins in place; returns what takes them back."""
    before = [(owner, name, vars(owner)[name], stand_in) for owner, name, stand_in in _SWAPS]
    for owner, name, _, stand_in in before:
        setattr(owner, name, stand_in)

    def back() -> None:
        for owner, name, original, stand_in in before:
            if vars(owner)[name] is stand_in:
                setattr(owner, name, original)

    return back
