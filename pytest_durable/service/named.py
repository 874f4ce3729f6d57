"""The names of executions: a second start by one name, of the same function, is the first one."""

from __future__ import annotations

from typing import Generic, TypeVar

from pytest_durable.service.errors import already_started
from pytest_durable.service.handlers import Handler

T = TypeVar("T")


class Named(Generic[T]):
    """What was started by a name."""

    def __init__(self) -> None:
        self._started: dict[str, list[tuple[Handler, str, T]]] = {}

    def find(self, name: str, handler: Handler, payload: str) -> T | None:
        """What this function was started as by this name; None if it was not.

        Raises:
            ServiceError: if that was with another payload.
        """
        __tracebackhide__ = True
        for other, started_with, started in self._started.get(name, ()):
            if other.function is handler.function:
                if started_with != payload:
                    raise already_started(name)
                return started
        return None

    def add(self, name: str, handler: Handler, payload: str, started: T) -> None:
        """Remember a start."""
        self._started.setdefault(name, []).append((handler, payload, started))

    def clear(self) -> None:
        """Forget every one."""
        self._started.clear()
