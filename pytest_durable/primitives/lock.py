"""Stand-ins for ``threading.Lock`` and ``threading.RLock``."""

from __future__ import annotations

from collections import deque
from types import TracebackType

from pytest_durable.engine import Task, Waiter, current_task
from pytest_durable.primitives._block import block, deadline_after, left_until, wake


class Lock:
    """Stands in for ``threading.Lock``: whoever waits longest gets it next."""

    __slots__ = ("_held", "_waiters")

    def __init__(self) -> None:
        self._held = False
        self._waiters: deque[Waiter] | None = None

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        """Take the lock, as ``threading.Lock.acquire`` does."""
        if not self._held:
            self._held = True
            return True
        if not blocking:
            return False
        if self._waiters is None:
            self._waiters = deque()
        deadline = deadline_after(None if timeout < 0 else timeout)
        while self._held:
            if not block("a lock", self._waiters, left_until(deadline)):
                return False
        self._held = True
        return True

    def release(self) -> None:
        """Give the lock back.

        Raises:
            RuntimeError: if it is not held.
        """
        if not self._held:
            raise RuntimeError("release unlocked lock")
        self._held = False
        if self._waiters:
            wake(self._waiters)

    def locked(self) -> bool:
        """Whether somebody holds it."""
        return self._held

    def __enter__(self) -> bool:
        if not self._held:
            self._held = True
            return True
        return self.acquire()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._waiters:
            self.release()
        else:
            self._held = False


class RLock:
    """Stands in for ``threading.RLock``: its owner may take it again."""

    __slots__ = ("_count", "_lock", "_owner")

    def __init__(self) -> None:
        self._lock = Lock()
        self._owner: Task | None = None
        self._count = 0

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        """Take the lock, once more if it is ours already."""
        task = current_task()
        if self._count and self._owner is task:
            self._count += 1
            return True
        if not self._lock.acquire(blocking, timeout):
            return False
        self._owner, self._count = task, 1
        return True

    def release(self) -> None:
        """Give the lock back, as often as it was taken.

        Raises:
            RuntimeError: if it is somebody else's, or nobody's.
        """
        if not self._count or self._owner is not current_task():
            raise RuntimeError("cannot release un-acquired lock")
        self._count -= 1
        if not self._count:
            self._owner = None
            self._lock.release()

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()
