"""Stand-in for ``threading.Event``."""

from __future__ import annotations

from collections import deque

from pytest_durable.engine import Task, block, wake_all
from pytest_durable.primitives._deadline import deadline_after


class Event:
    """Stands in for ``threading.Event``."""

    __slots__ = ("_flag", "_waiters")

    def __init__(self) -> None:
        self._flag = False
        self._waiters: deque[Task] | None = None

    def is_set(self) -> bool:
        """Whether it was set and not cleared since."""
        return self._flag

    def set(self) -> None:
        """Set the flag and wake everybody who waits for it, in the order of waiting."""
        self._flag = True
        if self._waiters:
            wake_all(self._waiters)

    def clear(self) -> None:
        """Reset the flag."""
        self._flag = False

    def wait(self, timeout: float | None = None) -> bool:
        """Block until the flag is set or ``timeout`` seconds have passed; whether it was set."""
        if not self._flag:
            if self._waiters is None:
                self._waiters = deque()
            if block("an event", self._waiters, None if timeout is None else deadline_after(timeout)):
                return True  # even if it was cleared since
        return self._flag
