"""Stand-in for ``threading.Condition``."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import TypeVar

from pytest_durable.engine import Task, block, wake, wake_all
from pytest_durable.primitives._deadline import deadline_after, left_until
from pytest_durable.primitives.lock import Lock, RLock, not_held

T = TypeVar("T")


class Condition:
    """Stands in for ``threading.Condition``."""

    __slots__ = ("_lock", "_waiters")

    def __init__(self, lock: Lock | RLock | None = None) -> None:
        self._lock: Lock | RLock = RLock() if lock is None else lock
        self._waiters: deque[Task] = deque()

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        """Take the underlying lock."""
        return self._lock.acquire(blocking, timeout)

    def release(self) -> None:
        """Give the underlying lock back."""
        self._lock.release()

    def __enter__(self) -> bool:
        return self._lock.acquire()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lock.release()

    def wait(self, timeout: float | None = None) -> bool:
        """Give the lock back, block until notified or ``timeout`` seconds have passed, take the lock again.

        A lock that was taken several times is given back fully, and taken again as often.

        Raises:
            RuntimeError: if the lock is not held.
        """
        if not self._lock._is_owned():
            not_held("cannot wait on un-acquired lock")
        count = self._lock._release_save()
        try:
            return block("a condition", self._waiters, deadline_after(timeout))
        finally:
            self._lock._acquire_restore(count)

    def wait_for(self, predicate: Callable[[], T], timeout: float | None = None) -> T:
        """`wait` until ``predicate()`` is true or ``timeout`` seconds have passed; return its last value."""
        deadline = deadline_after(timeout)
        result = predicate()
        while not result:
            left = left_until(deadline)
            if left is not None and left <= 0:
                break
            self.wait(left)
            result = predicate()
        return result

    def notify(self, n: int = 1) -> None:
        """Wake ``n`` of those who wait, longest first.

        Raises:
            RuntimeError: if the lock is not held.
        """
        if not self._lock._is_owned():
            not_held("cannot notify on un-acquired lock")
        while n > 0 and wake(self._waiters):
            n -= 1

    def notify_all(self) -> None:
        """Wake everybody who waits.

        Raises:
            RuntimeError: if the lock is not held.
        """
        if not self._lock._is_owned():
            not_held("cannot notify on un-acquired lock")
        wake_all(self._waiters)
