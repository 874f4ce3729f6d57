from __future__ import annotations

import sqlite3
import sys
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import botocore  # type: ignore[import-untyped]  # it has no types
import httpx
import pytest
import requests

from pytest_durable import FakeDurableContext, UsageError
from tests.adapters.conftest import Outside


def posted(request: httpx.Request) -> httpx.Response:
    return httpx.Response(201)


@pytest.mark.parametrize(
    "what",
    [
        None,
        7,
        "client",
        Mock(),
        sys,
        botocore,
        SimpleNamespace(commit=print),
        lambda: None,
        httpx.Request("GET", "http://a"),
    ],
)
def test_what_is_no_client_is_refused_with_what_can_be_watched(outside: Outside, what: Any) -> None:
    with pytest.raises(UsageError, match=r"cannot be watched: a boto3 client .* durable_effects\.wrap\(func\)"):
        outside.watch(what)


@pytest.mark.parametrize("what", [httpx.Client, sqlite3.Connection])
def test_a_class_is_refused(outside: Outside, what: Any) -> None:
    with pytest.raises(UsageError, match="only what is made by it"):
        outside.watch(what)


def test_to_watch_twice_is_refused(outside: Outside) -> None:
    for client in (httpx.Client(transport=httpx.MockTransport(posted)), requests.Session()):
        outside.watch(client)
        with pytest.raises(UsageError, match="is watched already"):
            outside.watch(client)


@pytest.mark.parametrize("of", ["client", "module"])
def test_what_another_context_watches_is_refused_until_that_is_closed(of: str) -> None:
    what: Any = httpx if of == "module" else httpx.Client(transport=httpx.MockTransport(posted))
    client = httpx.Client(transport=httpx.MockTransport(posted)) if of == "module" else what
    with FakeDurableContext() as inner:
        with FakeDurableContext() as outer:
            outer.effects.watch(what)
            named = "the module httpx" if of == "module" else "<httpx.Client object at .*>"
            with pytest.raises(
                UsageError, match=f"{named} is watched already, by another durable context that is open"
            ):
                inner.effects.watch(what)
            with pytest.raises(UsageError, match="watched already, by another"):
                inner.effects.watch(client)
        inner.effects.watch(what)
        inner.run(lambda event, ctx: ctx.step(lambda _: client.post("https://a.example/b") and None, name="post"))
        assert inner.effects.count("POST https://a.example/b") == 1


def test_to_wrap_what_is_watched_is_refused(outside: Outside) -> None:
    client = outside.watch(httpx.Client(transport=httpx.MockTransport(posted)))
    connection = outside.watch(sqlite3.connect(":memory:"))
    for target in (client, client.post):
        with pytest.raises(UsageError, match="is watched already: wrapped as well, each effect would count twice"):
            outside.context.effects.wrap(target)
    with pytest.raises(UsageError, match="Connection is wrapped already"):
        outside.context.effects.wrap(connection)
    connection.close()


def test_to_watch_the_proxy_of_a_connection_is_refused(outside: Outside) -> None:
    connection = outside.watch(sqlite3.connect(":memory:"))
    with pytest.raises(UsageError, match="is watched already"):
        outside.watch(connection)
    connection.close()


def test_calls_of_the_test_itself_are_no_effects(outside: Outside) -> None:
    client = outside.watch(httpx.Client(transport=httpx.MockTransport(posted)))
    assert client.post("https://bank.example/charges").status_code == 201
    assert outside.seen == []


def test_calls_after_the_context_are_as_before_it(outside: Outside) -> None:
    client = outside.watch(httpx.Client(transport=httpx.MockTransport(posted)))
    session = outside.watch(requests.Session())
    outside.context.effects.unwatch()

    outside.step(lambda: client.post("https://bank.example/charges").status_code)
    assert outside.seen == []
    assert client.event_hooks == {"request": [], "response": []}
    assert "send" not in vars(session)
    outside.watch(client)  # it is new to it


def test_names_can_be_ignored(outside: Outside) -> None:
    client = outside.watch(httpx.Client(transport=httpx.MockTransport(posted)), ignore="POST https://search.example/*")

    def body() -> None:
        client.post("https://search.example/query")
        client.post("https://bank.example/charges")

    outside.step(body)
    assert [effect.name for effect in outside.seen] == ["POST https://bank.example/charges"]


def test_no_library_is_imported_that_is_not_watched(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        program="""
        import sqlite3, sys
        from pytest_durable import FakeDurableContext

        with FakeDurableContext() as context:
            context.run(lambda event, context: 1)
            assert "pytest_durable.adapters" not in sys.modules
            context.effects.watch(sqlite3.connect(":memory:")).close()
        loaded = {name.rpartition(".")[2] for name in sys.modules if name.startswith("pytest_durable.adapters.")}
        assert loaded == {"calls", "dbapi", "sql"}, loaded
        assert not {"httpx", "requests", "moto"} & set(sys.modules)
        """
    )
    assert pytester.run(sys.executable, "program.py").ret == 0


def test_a_client_is_watched_until_its_context_is_closed() -> None:
    client = httpx.Client(transport=httpx.MockTransport(posted))
    for _ in range(2):
        with FakeDurableContext() as context:
            context.effects.watch(client)
            context.run(lambda event, ctx: ctx.step(lambda _: client.post("https://a.example/b") and None, name="post"))
            assert context.effects.count("POST https://a.example/b") == 1
    assert client.event_hooks == {"request": [], "response": []}


def test_a_test_that_is_run_again_and_again_may_watch_in_its_body(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import httpx, pytest

        def client():
            return httpx.Client(transport=httpx.MockTransport(lambda request: httpx.Response(201)))

        OF_THE_MODULE = client()

        @pytest.fixture
        def of_the_fixture(durable_effects):
            return durable_effects.watch(client())

        @pytest.mark.durable_faults
        def test_it(durable_ctx, of_the_fixture):
            durable_ctx.effects.watch(OF_THE_MODULE)

            def body(step):
                for one in (of_the_fixture, OF_THE_MODULE):
                    one.put("https://a.example/b")

            durable_ctx.run(lambda event, context: context.step(body, name="put"))
            assert [effect.name for effect in durable_ctx.effects][:2] == ["PUT https://a.example/b"] * 2
        """
    )
    pytester.runpytest().assert_outcomes(passed=1)
