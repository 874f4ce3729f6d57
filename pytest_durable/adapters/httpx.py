"""httpx, by the event hooks of a client, called for each request that it sends, also one that follows a redirect."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pytest_durable.adapters.calls import Calls
from pytest_durable.adapters.http import KEY, Request, has_arrived, request_of

if TYPE_CHECKING:
    import httpx


def watch(calls: Calls, client: httpx.Client | httpx.AsyncClient) -> Callable[[], None]:
    """Record the requests of ``client``; returned is how to stop."""
    hooks = _async_hooks(calls) if hasattr(client, "aclose") else _hooks(calls)
    events = client.event_hooks
    client.event_hooks = {event: [*events.get(event, ()), hook] for event, hook in hooks.items()}

    def unwatch() -> None:
        events = client.event_hooks
        client.event_hooks = {event: [one for one in events[event] if one is not hook] for event, hook in hooks.items()}

    return unwatch


def _hooks(calls: Calls) -> dict[str, Callable[..., Any]]:
    def before(request: httpx.Request) -> None:
        _before(calls, request)

    def after(response: httpx.Response) -> None:
        _after(calls, response)

    return {"request": before, "response": after}


def _async_hooks(calls: Calls) -> dict[str, Callable[..., Any]]:
    async def before(request: httpx.Request) -> None:
        _before(calls, request)

    async def after(response: httpx.Response) -> None:
        _after(calls, response)

    return {"request": before, "response": after}


def sending(calls: Calls, original: Callable[..., Any]) -> Callable[..., Any]:
    """``original``, the method ``send`` of clients, which records what it sends, and where that was redirected to."""

    def send(self: httpx.Client, request: httpx.Request, **options: Any) -> httpx.Response:
        _before(calls, request)
        response: httpx.Response = original(self, request, **options)
        for one in (*response.history, response):
            _after(calls, one)
        return response

    return send


def sending_async(calls: Calls, original: Callable[..., Any]) -> Callable[..., Any]:
    """The same of asynchronous clients."""

    async def send(self: httpx.AsyncClient, request: httpx.Request, **options: Any) -> httpx.Response:
        _before(calls, request)
        response: httpx.Response = await original(self, request, **options)
        for one in (*response.history, response):
            _after(calls, one)
        return response

    return send


def _of(request: httpx.Request) -> Request | None:
    return request_of(request.method, str(request.url), request.headers.get(KEY))


def _before(calls: Calls, request: httpx.Request) -> None:
    effect = _of(request)
    if effect is not None:
        calls.begins(effect.name)


def _after(calls: Calls, response: httpx.Response) -> None:
    effect = _of(response.request)
    if effect is not None and has_arrived(response.status_code) and calls.begins(effect.name):
        calls.arrived(effect.name, effect.key, url=str(response.request.url))
