"""A whole library is watched: what the code under test makes of it by itself."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from types import ModuleType
from typing import Any

import boto3  # type: ignore[import-untyped]  # it has no types
import httpx
import pytest
import requests
from botocore.awsrequest import AWSResponse  # type: ignore[import-untyped]  # it has no types

from pytest_durable import FakeDurableContext, UsageError
from tests.adapters.conftest import Outside, Seen
from tests.adapters.test_httpx import Bank
from tests.adapters.test_requests import Faked


@pytest.fixture(autouse=True)
def whole() -> Iterator[None]:
    """What is replaced in a library is put back."""
    owners = [
        (boto3.Session, "client"),
        (httpx.Client, "send"),
        (httpx.AsyncClient, "send"),
        (requests.Session, "send"),
    ]
    before = [getattr(owner, name) for owner, name in [*owners, (sqlite3, "connect")]]
    yield
    assert [getattr(owner, name) for owner, name in [*owners, (sqlite3, "connect")]] == before


class Body:
    """The body of a response of AWS."""

    def __init__(self, content: bytes) -> None:
        self.content = content

    def stream(self, *args: Any, **options: Any) -> Iterator[bytes]:
        yield self.content


def message(bank: Bank) -> Any:
    session = boto3.Session(aws_access_key_id="id", aws_secret_access_key="secret", region_name="eu-west-1")
    client = session.client("sqs")

    def answer(request: Any, **_: Any) -> Any:
        bank.reached.append("SendMessage")
        return AWSResponse(request.url, 200, {}, Body(b"{}"))

    client.meta.events.register("before-send.sqs", answer)
    client.send_message(QueueUrl="https://sqs.example/1/q.fifo", MessageBody="b", MessageDeduplicationId="d")


def posted(bank: Bank) -> Any:
    with httpx.Client(transport=httpx.MockTransport(bank), follow_redirects=True) as client:
        client.post("https://bank.example/moved", headers={"Idempotency-Key": "k"})


def posted_in_a_loop(bank: Bank) -> Any:
    async def post() -> None:
        async with httpx.AsyncClient(transport=httpx.MockTransport(bank), follow_redirects=True) as client:
            await client.post("https://bank.example/moved", headers={"Idempotency-Key": "k"})

    asyncio.run(post())


def sent(bank: Bank) -> Any:
    with requests.Session() as session:
        session.mount("https://", Faked())
        session.post("https://bank.example/charges", headers={"Idempotency-Key": "k"})
    bank.reached.append("POST /charges")


LIBRARIES: list[tuple[ModuleType, Callable[[Bank], Any], Seen]] = [
    (boto3, message, Seen("sqs.SendMessage", "d")),
    (httpx, posted, Seen("POST https://bank.example/charges", "k")),
    (httpx, posted_in_a_loop, Seen("POST https://bank.example/charges", "k")),
    (requests, sent, Seen("POST https://bank.example/charges", "k")),
]


@pytest.mark.parametrize(("library", "act", "seen"), LIBRARIES)
def test_what_is_made_of_a_library_is_watched(
    outside: Outside, library: ModuleType, act: Callable[[Bank], Any], seen: Seen
) -> None:
    assert outside.watch(library) is library
    outside.step(lambda: act(Bank()))
    assert outside.seen == [seen]
    outside.context.effects.unwatch()
    outside.step(lambda: act(Bank()))
    assert outside.seen == [seen]


@pytest.mark.parametrize(("library", "act", "seen"), LIBRARIES)
def test_a_dead_invocation_reaches_nobody(
    outside: Outside, library: ModuleType, act: Callable[[Bank], Any], seen: Seen
) -> None:
    bank = Bank()
    outside.watch(library)
    outside.dying(lambda: act(bank))
    assert outside.seen == [seen]
    assert len(bank.reached) == 1 + (library is httpx)  # the redirected request arrives where it is redirected to


def test_connections_that_are_made_are_watched(outside: Outside, tmp_path: Path) -> None:
    outside.watch(sqlite3)

    def body() -> None:
        connection = sqlite3.connect(tmp_path / "shop.db")
        with connection:
            connection.execute("CREATE TABLE lines (id)")
        connection.close()

    outside.step(body)
    assert outside.seen == [Seen("commit", None)]


def test_a_library_and_what_is_made_of_it_are_not_watched_both(outside: Outside) -> None:
    outside.watch(requests.Session())
    with pytest.raises(UsageError, match="is watched already"):
        outside.watch(requests)
    outside.watch(httpx)
    with pytest.raises(UsageError, match="is watched already"):
        outside.watch(httpx.Client())
    outside.watch(sqlite3)
    with closing(sqlite3.connect(":memory:")) as connection, pytest.raises(UsageError, match="is watched already"):
        outside.watch(connection)


def test_what_a_mock_puts_back_after_the_end_records_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A mock that was made while the library was watched takes the watched method for the real one."""
    real = requests.Session.send
    monkeypatch.setattr("requests.adapters.HTTPAdapter.send", lambda *args, **options: _created())
    with FakeDurableContext() as context:
        context.effects.watch(requests)
        watched = requests.Session.send
        requests.Session.send = real  # type: ignore[method-assign]  # as a mock does
    requests.Session.send = watched  # type: ignore[method-assign]  # and takes itself back, too late
    try:
        with FakeDurableContext() as context:
            context.effects.watch(requests)
            context.run(lambda event, ctx: ctx.step(lambda _: requests.post("https://a.example").status_code))
            assert context.effects.count("POST https://a.example/") == 1
    finally:
        requests.Session.send = real  # type: ignore[method-assign]


def _created() -> requests.Response:
    response = requests.Response()
    response.status_code, response.raw = 201, None
    return response
