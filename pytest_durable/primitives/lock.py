"""Stand-ins for ``threading.Lock`` and ``threading.RLock``."""

from __future__ import annotations

from collections import deque
from types import TracebackType
from typing import NoReturn

from pytest_durable.engine import Task, block, current_task, wake
from pytest_durable.primitives._deadline import deadline_after


def _check(blocking: bool, timeout: float) -> None:
    """Refuse arguments of ``acquire`` that contradict each other, as the standard library does."""
    if not blocking:
        raise ValueError("can't specify a timeout for a non-blocking call")
    if timeout < 0:
        raise ValueError("timeout value must be a non-negative number")


def not_held(message: str) -> NoReturn:
    """Refuse what only the holder of a lock may do.

    Raises:
        Killed: if the caller's process is dead. Who is killed in `Condition.wait` may not get the lock back, and the
            error of giving it back nevertheless must not hide the kill.
        RuntimeError: with ``message`` otherwise.
    """
    task = current_task()
    if task is not None and task.process.cause is not None:
        task.process.refuse(task)
    raise RuntimeError(message)


class Lock:
    """Stands in for ``threading.Lock``.

    Whoever waits longest is woken first, but another task may be quicker and take the lock before the woken one runs.
    """

    __slots__ = ("_held", "_waiters")

    def __init__(self) -> None:
        self._held = False
        self._waiters: deque[Task] | None = None

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        """Take the lock, as ``threading.Lock.acquire`` does.

        Raises:
            ValueError: for a timeout without blocking, or a negative one other than -1.
        """
        if timeout != -1:
            _check(blocking, timeout)
        if not self._held:
            self._held = True
            return True
        if not blocking:
            return False
        if self._waiters is None:
            self._waiters = deque()
        until = None if timeout < 0 else deadline_after(timeout)
        while self._held:
            if not block("a lock", self._waiters, until):
                return False
        self._held = True
        return True

    def release(self) -> None:
        """Give the lock back.

        Raises:
            RuntimeError: if it is not held.
            Killed: instead, if the process of the caller is dead.
        """
        if not self._held:
            not_held("release unlocked lock")
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

    # What a condition needs of its lock; the names are those that the standard library gives them.

    def _is_owned(self) -> bool:
        return self._held

    def _release_save(self) -> int:
        self.release()
        return 1

    def _acquire_restore(self, count: int) -> None:
        self.acquire()


class RLock:
    """Stands in for ``threading.RLock``: its owner may take it again."""

    __slots__ = ("_count", "_lock", "_owner")

    def __init__(self) -> None:
        self._lock = Lock()
        self._owner: Task | None = None
        self._count = 0

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        """Take the lock, once more if it is ours already.

        Raises:
            ValueError: for a timeout without blocking, or a negative one other than -1.
        """
        if timeout != -1:
            _check(blocking, timeout)
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
            Killed: instead, if the process of the caller is dead.
        """
        if not self._count or self._owner is not current_task():
            not_held("cannot release un-acquired lock")
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

    def _is_owned(self) -> bool:
        return self._count > 0 and self._owner is current_task()

    def _release_save(self) -> int:
        count = self._count
        self._owner, self._count = None, 0
        self._lock.release()
        return count

    def _acquire_restore(self, count: int) -> None:
        self.acquire()
        self._count = count
