"""Stand-ins for ``threading.Thread``, ``threading.local``, ``current_thread`` and ``get_ident``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from pytest_durable.engine import Task, current_task
from pytest_durable.primitives.event import Event


class Thread:
    """Stands in for ``threading.Thread``: a task in the process of whoever starts it."""

    def __init__(
        self,
        group: None = None,
        target: Callable[..., object] | None = None,
        name: str | None = None,
        args: Iterable[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
        *,
        daemon: bool | None = None,
    ) -> None:
        self.name = name or "Thread"
        self.daemon = bool(daemon)
        self._target = target
        self._args = tuple(args)
        self._kwargs = dict(kwargs or {})
        self._task: Task | None = None
        self._ended = Event()

    def run(self) -> None:
        """What the thread does; a subclass may override it."""
        if self._target is not None:
            self._target(*self._args, **self._kwargs)

    def start(self) -> None:
        """Start the thread.

        Raises:
            RuntimeError: if it was started before, or outside of the simulation.
        """
        starter = current_task()
        if starter is None:
            raise RuntimeError("a simulated thread was started outside of the simulation")
        if self._task is not None:
            raise RuntimeError("threads can only be started once")
        self._task = starter.world.spawn(starter.process, self.name, self._bootstrap)

    def _bootstrap(self) -> None:
        try:
            self.run()
        finally:
            self._ended.set()

    def join(self, timeout: float | None = None) -> None:
        """Block until the thread has ended or ``timeout`` seconds have passed.

        Raises:
            RuntimeError: if it was not started.
        """
        if self._task is None:
            raise RuntimeError("cannot join thread before it is started")
        self._ended.wait(timeout)

    def is_alive(self) -> bool:
        """Whether it was started and has not ended."""
        return self._task is not None and not self._ended.is_set()

    @property
    def ident(self) -> int | None:
        """The number of its task; None before it starts."""
        return None if self._task is None else self._task.number


class local:  # named as what it stands in for
    """Stands in for ``threading.local``: attributes of its own for each task."""

    def _mine(self) -> dict[str, Any]:
        task = current_task()
        if task is None:
            return object.__getattribute__(self, "__dict__")  # type: ignore[no-any-return]  # the outside's own values
        if task.locals is None:
            task.locals = {}
        # Keyed by the object itself, which the value keeps alive, so that a reused address cannot mix two up.
        return task.locals.setdefault(self, {})

    def __getattr__(self, name: str) -> Any:
        try:
            return self._mine()[name]
        except KeyError:
            raise AttributeError(f"'local' object has no attribute {name!r}") from None

    def __setattr__(self, name: str, value: Any) -> None:
        self._mine()[name] = value

    def __delattr__(self, name: str) -> None:
        try:
            del self._mine()[name]
        except KeyError:
            raise AttributeError(f"'local' object has no attribute {name!r}") from None


class _Current:
    """What ``current_thread`` gives: the name and number of the task."""

    def __init__(self, name: str, ident: int) -> None:
        self.name = name
        self.ident = ident


def current_thread() -> _Current:
    """Stands in for ``threading.current_thread``."""
    task = current_task()
    return _Current("MainThread", 0) if task is None else _Current(task.name, task.number)


def get_ident() -> int:
    """Stands in for ``threading.get_ident``: the number of the task, 0 outside of the simulation."""
    task = current_task()
    return 0 if task is None else task.number
