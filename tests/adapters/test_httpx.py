from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.adapters.conftest import Outside, Seen

CHARGES = "https://bank.example/charges"


class Bank:
    """A server that answers as it is told, and remembers what reached it."""

    def __init__(self, status: int = 201) -> None:
        self.status = status
        self.reached: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.reached.append(f"{request.method} {request.url.path}")
        if request.url.path == "/moved":
            return httpx.Response(307, headers={"Location": "/charges"})
        if request.url.path == "/form":
            return httpx.Response(303, headers={"Location": "/receipt"})
        return httpx.Response(self.status)


Act = Callable[..., Any]


def blocking(outside: Outside, bank: Bank, **options: Any) -> Act:
    client = outside.watch(httpx.Client(transport=httpx.MockTransport(bank), **options))
    return client.request


def in_a_loop(outside: Outside, bank: Bank, **options: Any) -> Act:
    client = outside.watch(httpx.AsyncClient(transport=httpx.MockTransport(bank), **options))
    return lambda *args, **kwargs: asyncio.run(client.request(*args, **kwargs))


BOTH = pytest.mark.parametrize("client", [blocking, in_a_loop])


@BOTH
def test_an_unsafe_request_is_an_effect(outside: Outside, client: Callable[..., Act]) -> None:
    request = client(outside, Bank())

    def body() -> None:
        request("GET", CHARGES)
        request("POST", CHARGES, headers={"idempotency-key": "order-7"})
        request("POST", CHARGES)
        request("PUT", "https://bank.example/limits/7", json={"cents": 1})
        request("DELETE", "https://bank.example/cards/visa")

    outside.step(body)
    assert outside.seen == [
        Seen(f"POST {CHARGES}", "order-7"),
        Seen(f"POST {CHARGES}", None),
        Seen("PUT https://bank.example/limits/{id}", "https://bank.example/limits/7"),
        Seen("DELETE https://bank.example/cards/visa", "https://bank.example/cards/visa"),
    ]
    assert outside.details[2] == {"url": "https://bank.example/limits/7"}


@BOTH
@pytest.mark.parametrize("status", [400, 409, 500, 503])
def test_a_request_that_is_refused_is_none(outside: Outside, client: Callable[..., Act], status: int) -> None:
    request = client(outside, Bank(status))
    assert outside.step(lambda: request("POST", CHARGES).status_code) == status
    assert outside.seen == []


@BOTH
def test_a_request_that_never_arrives_is_none(outside: Outside, client: Callable[..., Act]) -> None:
    def broken(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("no route to the bank")

    request = client(outside, broken)

    def body() -> None:
        with pytest.raises(httpx.ConnectError):
            request("POST", CHARGES)

    outside.step(body)
    assert outside.seen == []


@BOTH
def test_a_redirected_request_counts_where_it_is_done(outside: Outside, client: Callable[..., Act]) -> None:
    bank = Bank()
    request = client(outside, bank, follow_redirects=True)

    def body() -> None:
        request("POST", "https://bank.example/moved")
        request("POST", "https://bank.example/form")

    outside.step(body)
    assert bank.reached == ["POST /moved", "POST /charges", "POST /form", "GET /receipt"]
    assert [effect.name for effect in outside.seen] == [f"POST {CHARGES}", "POST https://bank.example/form"]


@BOTH
def test_a_dead_invocation_sends_nothing(outside: Outside, client: Callable[..., Act]) -> None:
    bank = Bank()
    request = client(outside, bank)
    outside.dying(lambda: request("POST", CHARGES))
    assert bank.reached == ["POST /charges"]
    assert outside.seen == [Seen(f"POST {CHARGES}", None)]


def test_hooks_of_the_user_stay(outside: Outside) -> None:
    called: list[str] = []
    hooks: dict[str, list[Callable[..., Any]]] = {"request": [lambda _: called.append("mine")]}
    client = outside.watch(httpx.Client(transport=httpx.MockTransport(Bank()), event_hooks=hooks))
    outside.step(lambda: client.post(CHARGES).status_code)
    outside.context.effects.unwatch()
    client.post(CHARGES)
    assert called == ["mine", "mine"]
    assert len(outside.seen) == 1
