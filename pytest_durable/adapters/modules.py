"""A whole library: whatever the code under test makes of it from now on, as `requests.post` makes a session.

One method of the library's is replaced for as long as it is watched, on the class or module that owns it, where it is
found also by code that has imported the library before.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import ModuleType
from typing import Any

from pytest_durable.adapters.calls import Calls

Unwatch = Callable[[], None]


def watch(calls: Calls, module: ModuleType) -> Unwatch:
    """Record the calls of everything that is made of a library; returned is how to stop."""
    library: Any = module
    if module.__name__ == "boto3":
        return _watch_boto3(calls, library)
    if module.__name__ == "httpx":
        from pytest_durable.adapters import httpx

        undo = [
            _replace(library.Client, "send", functools.partial(httpx.sending, calls)),
            _replace(library.AsyncClient, "send", functools.partial(httpx.sending_async, calls)),
        ]
        return functools.partial(_undo, undo)
    if module.__name__ == "requests":
        from pytest_durable.adapters import requests

        return _replace(library.Session, "send", functools.partial(requests.sending, calls))
    from pytest_durable.adapters import dbapi

    def connecting(connect: Callable[..., Any]) -> Callable[..., Any]:
        return lambda *args, **options: dbapi.watch(calls, connect(*args, **options))

    return _replace(library, "connect", connecting)


def _watch_boto3(calls: Calls, boto3: Any) -> Unwatch:
    """Watch each client that is made, also of the default session and for a resource."""
    from pytest_durable.adapters import botocore

    undo: list[Unwatch] = []

    def making(make: Callable[..., Any]) -> Callable[..., Any]:
        def client(self: Any, *args: Any, **options: Any) -> Any:
            made = make(self, *args, **options)
            undo.append(botocore.watch(calls, made))
            return made

        return client

    undo.append(_replace(boto3.Session, "client", making))
    return functools.partial(_undo, undo)


def _undo(what: list[Unwatch]) -> None:
    while what:
        what.pop()()


def _replace(owner: Any, name: str, stand_in: Callable[[Callable[..., Any]], Callable[..., Any]]) -> Unwatch:
    original = getattr(owner, name)
    ours = functools.wraps(original)(stand_in(original))
    setattr(owner, name, ours)

    def back() -> None:
        if getattr(owner, name) is ours:  # else whoever has put something else there will take it back
            setattr(owner, name, original)

    return back
