"""A kill right after an effect of a real client: the call has arrived, and nothing of the body follows."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

import httpx
import pytest
import requests
from botocore.stub import Stubber  # type: ignore[import-untyped]  # it has no types

from pytest_durable import EffectLedger, FakeDurableContext
from tests.adapters.test_botocore import ADD, NUMBER, made
from tests.adapters.test_httpx import Bank
from tests.adapters.test_requests import Faked

Act = Callable[[], Any]


@contextmanager
def aws(effects: EffectLedger) -> Iterator[Act]:
    client = effects.watch(made("dynamodb"))
    with Stubber(client) as stubber:
        for _ in range(2):
            stubber.add_response("update_item", {})
        yield lambda: client.update_item(**NUMBER, **ADD)
        stubber.assert_no_pending_responses()


@contextmanager
def blocking(effects: EffectLedger) -> Iterator[Act]:
    with effects.watch(httpx.Client(transport=httpx.MockTransport(Bank()))) as client:
        yield lambda: client.post("https://bank.example/charges")


@contextmanager
def in_a_loop(effects: EffectLedger) -> Iterator[Act]:
    client = effects.watch(httpx.AsyncClient(transport=httpx.MockTransport(Bank())))
    yield lambda: asyncio.run(client.post("https://bank.example/charges"))


@contextmanager
def session(effects: EffectLedger) -> Iterator[Act]:
    with effects.watch(requests.Session()) as client:
        client.mount("https://", Faked())
        yield lambda: client.post("https://bank.example/charges")


@contextmanager
def database(effects: EffectLedger) -> Iterator[Act]:
    with closing(effects.watch(sqlite3.connect(":memory:"))) as connection:
        connection.execute("CREATE TABLE lines (id)")

        def act() -> None:
            with connection:
                connection.execute("INSERT INTO lines VALUES (1)")

        yield act


@pytest.mark.parametrize(
    ("client", "place"),
    [
        (aws, r"pay:effect:dynamodb.UpdateItem"),
        (blocking, r"pay:effect:POST https\://bank.example/charges"),
        (in_a_loop, r"pay:effect:POST https\://bank.example/charges"),
        (session, r"pay:effect:POST https\://bank.example/charges"),
        (database, r"pay:effect:commit"),
    ],
)
def test_the_call_has_arrived_and_the_body_ends_there(durable_ctx: FakeDurableContext, client: Any, place: str) -> None:
    after: list[str] = []
    with client(durable_ctx.effects) as act:

        def body(step: Any) -> None:
            act()
            after.append("the call")

        execution = durable_ctx.run(lambda event, context: context.step(body, name="pay"), faults=place)

    assert [invocation.killed for invocation in execution.invocations] == [place, None]
    assert [effect.invocation for effect in durable_ctx.effects] == [1, 2]
    assert after == ["the call"]
