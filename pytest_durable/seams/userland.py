"""The user's own clock, sleep, chance and exit, while a durable context is open.

freezegun shows the virtual clock to ``datetime`` and ``time``; ``time.sleep`` in a simulated thread takes virtual time;
``os._exit`` in a simulated thread kills its process, not the test's. The garbage collector runs less often meanwhile:
at its default it takes a tenth of a run and finds next to nothing.
"""

from __future__ import annotations

import gc
import os
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, NoReturn

import freezegun
from freezegun.api import FrozenDateTimeFactory, freeze_factories

from pytest_durable.engine import Killed, VirtualClock, current_task
from pytest_durable.primitives.sleep import real_sleep, sleep
from pytest_durable.seams import chance, freezer, localtime, loops
from pytest_durable.seams.libraries import Holder, Holders, Look, Modules, StandIn
from pytest_durable.seams.reads import clock_was_read

COLLECT_EVERY = 25_000
"""Container objects that may pile up before the garbage collector looks at the young ones; Python's own is 700."""

real_exit = os._exit


class _ClockFactory(FrozenDateTimeFactory):
    """freezegun's source of the current time, reading a virtual clock instead of a frozen instant.

    In a simulated thread it is the clock of that thread's world; outside, that of the context opened last.
    """

    clock: VirtualClock

    def __call__(self) -> datetime:
        task = current_task()
        clock = self.clock
        if task is not None:
            clock = task.world.clock
            clock_was_read()
        return clock.now().replace(tzinfo=None)


def _exit(status: int) -> NoReturn:
    task = current_task()
    if task is None or task.world.is_real:
        real_exit(status)
    cause = f"os._exit({status})"
    task.process.kill(cause)
    raise Killed(cause)


def _sleep(seconds: float) -> None:
    """What ``time.sleep`` is: of the test itself, outside of the simulation, only for a context that wants it so."""
    if _patches.sleepers and current_task() is None and threading.get_ident() == _patches.thread:
        _patches.sleepers[-1](seconds)
    else:
        sleep(seconds)


class _Patches:
    """What is patched once, for however many contexts are open: none of it knows which context it serves.

    Attributes:
        sleepers: what the test's own sleep is, by the contexts that want it; the one opened last counts.
        thread: that opened the contexts; others sleep for real.
    """

    def __init__(self) -> None:
        self.sleepers: list[Callable[[float], None]] = []
        self.thread = 0
        self._open = 0
        self._imported: list[Holder] = []
        self._thresholds = gc.get_threshold()
        self._sleep: Any = time.sleep
        self._exit: Any = os._exit
        self._take_back: list[Callable[[], None]] = []

    def open(self, look: Look) -> None:
        """Patch, unless another context has."""
        imported = _holders.find(look)
        self._open += 1
        if self._open > 1:
            return
        self.thread = threading.get_ident()
        self._sleep, self._exit = time.sleep, os._exit
        _set_sleep(_sleep)
        os._exit = _exit
        self._take_back = [chance.swap(), loops.swap(), localtime.swap()]
        self._imported = imported
        for module, name, what in self._imported:
            setattr(module, name, what.stand_in)
        self._thresholds = gc.get_threshold()
        if self._thresholds[0]:  # else the user has switched it off
            gc.set_threshold(max(COLLECT_EVERY, self._thresholds[0]), *self._thresholds[1:])

    def close(self) -> None:
        """Take the patches back, if no other context is open."""
        self._open -= 1
        if self._open:
            return
        for module, name, what in self._imported:
            if module.__dict__.get(name) is what.stand_in:
                setattr(module, name, what.original)
        self._imported = []
        _set_sleep(self._sleep)
        os._exit = self._exit
        for take_back in self._take_back:
            take_back()
        gc.set_threshold(*self._thresholds)


def _set_sleep(function: Any) -> None:
    time.sleep = function


_STAND_INS = (
    StandIn("sleep", real_sleep, _sleep),
    StandIn("_exit", real_exit, _exit),
    *chance.BY_NAME,
    *localtime.BY_NAME,
)
"""What users import by name. In a tuple, which no scan of modules looks into."""

_holders = Holders(_STAND_INS, (time, *chance.HOMES))
_modules = Modules((*freezer.CLOCKS, *(one.original for one in _STAND_INS)))

_patches = _Patches()


def frozen_by_the_user() -> datetime | None:
    """The instant in UTC at which freezegun holds time for others than durable contexts; None if it does not."""
    factory = freeze_factories[-1] if freeze_factories else None
    if factory is None or isinstance(factory, _ClockFactory):
        return None
    instant: datetime = factory.time_to_freeze
    return instant.replace(tzinfo=UTC)


class Userland:
    """The user's view of time and of the process, opened once for each durable context and closed with it.

    Args:
        clock: whose time is shown.
        sleep: what the test's own ``time.sleep`` does; None to sleep for real.
    """

    def __init__(self, clock: VirtualClock, sleep: Callable[[float], None] | None = None) -> None:
        self._clock = clock
        self._sleepers = [] if sleep is None else [sleep]
        # Who times the test itself sees real time: pytest its durations, Hypothesis its deadlines.
        ignored = ["_pytest.timing", "hypothesis."]
        self._freezer: Any = freezegun.freeze_time(clock.now(), ignore=ignored)
        self._open = False

    def open(self) -> None:
        """Start showing virtual time; does nothing if it is shown already."""
        if self._open:
            return
        self._open = True
        look = _modules.look()
        factory = freezer.start(self._freezer, look)
        factory.__class__ = _ClockFactory
        factory.clock = self._clock
        _patches.open(look)
        _patches.sleepers += self._sleepers

    def close(self) -> None:
        """Show real time again; does nothing if it is not virtual."""
        if not self._open:
            return
        self._open = False
        for one in self._sleepers:
            _patches.sleepers.remove(one)
        _patches.close()
        self._freezer.stop()
