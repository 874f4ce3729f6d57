"""Stand-ins for ``threading.Thread``, ``threading.local``, ``current_thread`` and ``get_ident``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Self

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
            RuntimeError: if it was not started, or is the one that asks.
        """
        if self._task is None:
            raise RuntimeError("cannot join thread before it is started")
        if self._task is current_task():
            raise RuntimeError("cannot join current thread")
        self._ended.wait(timeout)

    def is_alive(self) -> bool:
        """Whether it was started and has not ended."""
        return self._task is not None and not self._ended.is_set()

    @property
    def ident(self) -> int | None:
        """The number of its task; None before it starts."""
        return None if self._task is None else self._task.number


class _Values:
    """The values of a `local`, of every task and of the outside.

    A task keeps its own, by this object: it is alive as long as they are, so that a reused address cannot mix two up.
    """

    __slots__ = ("arguments", "outside")

    def __init__(self, arguments: tuple[tuple[Any, ...], dict[str, Any]]) -> None:
        self.arguments = arguments
        self.outside: dict[str, Any] | None = None

    def mine(self) -> dict[str, Any] | None:
        """The values of whoever asks, or None if it has none yet."""
        task = current_task()
        if task is None:
            return self.outside
        return None if task.locals is None else task.locals.get(self)

    def begin(self) -> dict[str, Any]:
        """Make values, none as yet, for whoever asks."""
        task = current_task()
        if task is None:
            self.outside = {}
            return self.outside
        if task.locals is None:
            task.locals = {}
        return task.locals.setdefault(self, {})

    def forget(self) -> None:
        """Take the values away from whoever asks."""
        task = current_task()
        if task is None:
            self.outside = None
        elif task.locals is not None:
            task.locals.pop(self, None)


class local:  # named as what it stands in for
    """Stands in for ``threading.local``: attributes of its own for each task, and for the outside of the simulation.

    As with the real one, the ``__init__`` of a subclass runs again for every task that comes to use it.
    """

    __slots__ = ("__dict__", "__values")  # mangled: any plain name may be an attribute of the user's

    def __new__(cls, /, *args: Any, **kwargs: Any) -> Self:
        """Make one; its maker has values already, as ``__init__`` is about to be called for it."""
        if (args or kwargs) and cls.__init__ is object.__init__:
            raise TypeError("Initialization arguments are not supported")
        self = object.__new__(cls)
        values = _Values((args, kwargs))
        values.begin()
        object.__setattr__(self, "_local__values", values)
        return self

    def __getattribute__(self, name: str) -> Any:
        _show_own_values(self)
        return object.__getattribute__(self, name)

    def __setattr__(self, name: str, value: Any) -> None:
        _refuse_dict(self, name)
        _show_own_values(self)
        object.__setattr__(self, name, value)

    def __delattr__(self, name: str) -> None:
        _refuse_dict(self, name)
        _show_own_values(self)
        object.__delattr__(self, name)


def _refuse_dict(one: local, name: str) -> None:
    if name == "__dict__":
        raise AttributeError(f"{type(one).__name__!r} object attribute '__dict__' is read-only")


def _show_own_values(one: local) -> None:
    """Make the values of whoever asks the ``__dict__`` of ``one``.

    So Python's own rules find what is looked up next, among properties and defaults of a subclass too.
    """
    values: _Values = object.__getattribute__(one, "_local__values")
    mine = values.mine()
    if mine is None:
        mine = values.begin()
        args, kwargs = values.arguments
        try:
            type(one).__init__(one, *args, **kwargs)
        except BaseException:
            values.forget()  # the next attempt shall initialize it again
            raise
    object.__setattr__(one, "__dict__", mine)


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
