"""The user's own clock, sleep and exit, while a durable context is open.

freezegun shows the virtual clock to ``datetime`` and ``time``; ``time.sleep`` in a simulated thread takes virtual time;
``os._exit`` in a simulated thread kills its process, not the test's. The garbage collector runs less often meanwhile:
at its default it takes a tenth of a run and finds next to nothing.
"""

from __future__ import annotations

import gc
import os
import sys
import time
from datetime import datetime
from typing import Any, NoReturn

import freezegun
from freezegun.api import FrozenDateTimeFactory

from pytest_durable.engine import Killed, VirtualClock, current_task
from pytest_durable.primitives.sleep import real_sleep, sleep

COLLECT_EVERY = 50_000
"""Container objects that may pile up before the garbage collector looks at the young ones; Python's own is 700."""

_real_exit = os._exit


class _ClockFactory(FrozenDateTimeFactory):
    """freezegun's source of the current time, reading the virtual clock instead of a frozen instant."""

    clock: VirtualClock

    def __call__(self) -> datetime:
        return self.clock.now().replace(tzinfo=None)


def _exit(status: int) -> NoReturn:
    task = current_task()
    if task is None:
        _real_exit(status)
    cause = f"os._exit({status})"
    task.process.kill(cause)
    raise Killed(cause)


class Userland:
    """The user's view of time and of the process, opened once for each durable context and closed with it."""

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock
        # pytest's own durations stay real: its timing module is left alone.
        self._freezer: Any = freezegun.freeze_time(clock.now(), ignore=["_pytest.timing"], real_asyncio=True)
        self._sleepers: list[Any] = []
        self._thresholds = gc.get_threshold()
        self._open = False

    def open(self) -> None:
        """Start showing virtual time; does nothing if it is shown already."""
        if self._open:
            return
        self._open = True
        factory = self._freezer.start()
        factory.__class__ = _ClockFactory
        factory.clock = self._clock
        setattr(time, "sleep", sleep)  # noqa: B010  # typeshed types the attribute more narrowly than its use
        os._exit = _exit
        self._thresholds = gc.get_threshold()
        if self._thresholds[0]:  # else the user has switched it off
            gc.set_threshold(max(COLLECT_EVERY, self._thresholds[0]), *self._thresholds[1:])
        for module in list(sys.modules.values()):  # ``from time import sleep``
            if module is not None and getattr(module, "__dict__", {}).get("sleep") is real_sleep:
                module.sleep = sleep  # type: ignore[attr-defined]
                self._sleepers.append(module)

    def close(self) -> None:
        """Show real time again; does nothing if it is not virtual."""
        if not self._open:
            return
        self._open = False
        for module in self._sleepers:
            if module.__dict__.get("sleep") is sleep:
                module.sleep = real_sleep
        self._sleepers.clear()
        setattr(time, "sleep", real_sleep)  # noqa: B010  # as above
        os._exit = _real_exit
        gc.set_threshold(*self._thresholds)
        self._freezer.stop()
