"""Calls of real client libraries, as effects: which library an object belongs to, and what is told of its calls.

No library is imported to find out: an object of one has been made, so its module is there. Each has a file of its own,
imported when the first of its objects is watched.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from types import ModuleType
from typing import Any, TypeVar

from pytest_durable.adapters.calls import Calls, Ledger
from pytest_durable.errors import UsageError

Watched = TypeVar("Watched")

_CLIENTS = {
    "botocore": ("BaseClient",),
    "boto3": ("ServiceResource",),
    "httpx": ("Client", "AsyncClient"),
    "requests": ("Session",),
}
"""By library, the classes of what can be watched."""

_CONNECTION = ("cursor", "commit", "rollback", "close")
"""What PEP 249 asks of a connection."""

_WATCHABLE = (
    "a boto3 client or resource, an httpx.Client or AsyncClient, a requests.Session, a DB-API connection, or the whole "
    "module boto3, httpx, requests or of a database. For anything else wrap its functions: durable_effects.wrap(func)"
)


_Open = tuple[Any, str, Callable[[], None]]
"""What is watched, its library, and how to stop."""

_watching: list[tuple[Watch, _Open]] = []
"""What is watched in this process, by whom. A client is one for all contexts, so that each would record its calls."""


class Watch:
    """The clients that a ledger watches, until it is closed.

    Args:
        ledger: where their calls are recorded.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._open: list[_Open] = []

    def add(self, target: Watched, ignore: Iterable[str]) -> Watched:
        """Watch ``target``; what is to be used in its place is returned.

        Raises:
            UsageError: if it cannot be watched, or is already.
        """
        __tracebackhide__ = True
        library = _library_of(target)
        client = _client_of(target)
        if library == "pytest_durable":
            raise UsageError(f"{_called(target)} is watched already: all its calls are recorded, once")
        self._refuse_twice(target, client, library)
        calls = Calls(self._ledger, (ignore,) if isinstance(ignore, str) else tuple(ignore))
        if isinstance(target, ModuleType):
            from pytest_durable.adapters import modules

            self._note((target, library, partial(_stop, calls, library, modules.watch(calls, target))))
            return target
        result = _adapter(library)(calls, client)
        if library == "dbapi":
            return result  # type: ignore[no-any-return]  # a proxy, as good as the real one
        self._note((client, library, partial(_stop, calls, library, result)))
        return target

    def _note(self, watched: _Open) -> None:
        self._open.append(watched)
        _watching.append((self, watched))

    def _refuse_twice(self, target: Any, client: Any, library: str) -> None:
        __tracebackhide__ = True
        for watch, one in _watching:
            if _is_in(client, library, one):
                others = ", by another durable context that is open" if watch is not self else ""
                raise UsageError(f"{_called(target)} is watched already{others}: all its calls are recorded, once")

    def refuse_to_wrap(self, target: Any) -> None:
        """Raise if the calls of ``target``, a client or a method of one, are recorded already.

        Raises:
            UsageError: if so.
        """
        __tracebackhide__ = True
        for _, (client, _, _) in _watching:
            if client is target or client is getattr(target, "__self__", None):
                raise UsageError(
                    f"{_called(client)} is watched already: wrapped as well, each effect would count twice"
                )

    def __len__(self) -> int:
        return len(self._open)

    def close(self, keep: int = 0) -> None:
        """Leave every client as it was, but for the first ``keep``."""
        while len(self._open) > keep:
            watched = self._open.pop()
            _watching.remove((self, watched))
            watched[-1]()


def _stop(calls: Calls, library: str, undo: Callable[[], None]) -> None:
    if library != "dbapi":  # a connection that was made meanwhile may be used on, and is watched by itself
        calls.are_over = True  # a mock that is taken back later may put back what has recorded them
    undo()


def _is_in(client: Any, library: str, watched: _Open) -> bool:
    """Whether a client is watched already, or its whole library is; or, of a whole library, one of its clients."""
    is_whole = isinstance(client, ModuleType) or isinstance(watched[0], ModuleType)
    return client is watched[0] or (is_whole and library != "dbapi" and library == watched[1])


def _called(target: Any) -> str:
    return f"the module {target.__name__}" if isinstance(target, ModuleType) else repr(target)


def _library_of(target: Any) -> str:
    """The library of an object that can be watched.

    Raises:
        UsageError: if it cannot.
    """
    __tracebackhide__ = True
    if isinstance(target, ModuleType):
        if target.__name__ in _CLIENTS and target.__name__ != "botocore":
            return "botocore" if target.__name__ == "boto3" else target.__name__
        if hasattr(target, "apilevel") and hasattr(target, "connect"):
            return "dbapi"
    if isinstance(target, type):
        raise UsageError(f"{target!r} cannot be watched, only what is made by it: {_WATCHABLE}")
    # Asked of the type, not of the object: a mock answers to any name.
    kinds = type(target).__mro__
    names = [(kind.__module__.partition(".")[0], kind.__name__) for kind in kinds]
    for library, name in names:
        if name in _CLIENTS.get(library, ()):
            return "botocore" if library == "boto3" else library
    if all(callable(getattr(type(target), name, None)) for name in _CONNECTION):
        return "pytest_durable" if names[0][0] == "pytest_durable" else "dbapi"
    raise UsageError(f"{target!r} cannot be watched: {_WATCHABLE}")


def _client_of(target: Any) -> Any:
    """The client behind a boto3 resource; anything else itself."""
    return getattr(getattr(target, "meta", None), "client", target)


def _adapter(library: str) -> Callable[[Calls, Any], Any]:
    if library == "botocore":
        from pytest_durable.adapters import botocore

        return botocore.watch
    if library == "httpx":
        from pytest_durable.adapters import httpx

        return httpx.watch
    if library == "requests":
        from pytest_durable.adapters import requests

        return requests.watch
    from pytest_durable.adapters import dbapi

    return dbapi.watch
