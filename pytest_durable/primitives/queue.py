"""Stand-ins for ``queue.Queue`` and ``queue.SimpleQueue``."""

from __future__ import annotations

from collections import deque
from queue import Empty, Full
from typing import Generic, TypeVar

from pytest_durable.engine import Task, wake, wake_all
from pytest_durable.engine import block as wait_in
from pytest_durable.primitives._deadline import deadline_after

T = TypeVar("T")

FOR_AN_ITEM = "an item in a queue"
"""What waits for it may look again and again, without an end."""

_NEGATIVE = "'timeout' must be a non-negative number"


class Queue(Generic[T]):
    """Stands in for ``queue.Queue``; raises the standard library's own ``Empty`` and ``Full``."""

    __slots__ = ("_getters", "_in_vain", "_items", "_joiners", "_putters", "_unfinished", "maxsize")

    def __init__(self, maxsize: int = 0) -> None:
        self.maxsize = maxsize
        self._items: deque[T] = deque()
        self._getters: deque[Task] = deque()
        self._putters: deque[Task] = deque()
        self._joiners: deque[Task] = deque()
        self._unfinished = 0
        self._in_vain = False  # whether the latest look for an item, with a timeout, found none

    def qsize(self) -> int:
        """How many items are in the queue."""
        return len(self._items)

    def empty(self) -> bool:
        """Whether there is none."""
        return not self._items

    def full(self) -> bool:
        """Whether there is no room for another."""
        return 0 < self.maxsize <= len(self._items)

    def put(self, item: T, block: bool = True, timeout: float | None = None) -> None:
        """Add an item, blocking while the queue is full.

        Raises:
            queue.Full: if there was no room in time.
            ValueError: if the timeout is negative.
        """
        if self.maxsize > 0:
            if timeout is not None and timeout < 0 and block:
                raise ValueError(_NEGATIVE)
            until = deadline_after(timeout)
            while self.full():
                if not block or not wait_in("room in a queue", self._putters, until):
                    raise Full
        self._items.append(item)
        self._unfinished += 1
        if self._getters:
            wake(self._getters)

    def put_nowait(self, item: T) -> None:
        """Add an item if there is room.

        Raises:
            queue.Full: if there is none.
        """
        self.put(item, False)

    def get(self, block: bool = True, timeout: float | None = None) -> T:
        """Take the oldest item, blocking while there is none.

        Raises:
            queue.Empty: if there was none in time.
            ValueError: if the timeout is negative.
        """
        if timeout is not None and timeout < 0 and block:
            raise ValueError(_NEGATIVE)
        if not self._items:
            if not block or timeout == 0:
                raise Empty
            until = None if timeout is None else deadline_after(timeout, self._in_vain)
            while not self._items:  # who was woken may find that somebody else was quicker
                if not wait_in(FOR_AN_ITEM, self._getters, until):
                    self._in_vain = True
                    raise Empty
        self._in_vain = False
        item = self._items.popleft()
        if self._putters:
            wake(self._putters)
        return item

    def get_nowait(self) -> T:
        """Take the oldest item if there is one.

        Raises:
            queue.Empty: if there is none.
        """
        if not self._items:
            raise Empty
        return self.get()

    def task_done(self) -> None:
        """Say that the work on one item that was taken is done.

        Raises:
            ValueError: if it is said more often than items were put.
        """
        if not self._unfinished:
            raise ValueError("task_done() called too many times")
        self._unfinished -= 1
        if not self._unfinished and self._joiners:
            wake_all(self._joiners)

    def join(self) -> None:
        """Block until the work on every item is done."""
        while self._unfinished:
            wait_in("the end of all work in a queue", self._joiners)


class SimpleQueue(Queue[T]):
    """Stands in for ``queue.SimpleQueue``: a queue without a limit."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__()
