from __future__ import annotations

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import pytest
import requests
from requests.adapters import BaseAdapter

from tests.adapters.conftest import Outside, Seen


class Server(HTTPServer):
    """A real server, in a thread, that remembers what reached it."""

    reached: list[str]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Answer(BaseHTTPRequestHandler):
    server: Server

    def answer(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        self.rfile.read(length)
        self.server.reached.append(f"{self.command} {self.path}")
        status, _, to = {"/moved": "307 /charges", "/form": "303 /receipt", "/full": "409"}.get(
            self.path, "200"
        ).partition(" ")
        self.send_response(int(status))
        if to:
            self.send_header("Location", to)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = answer

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def running() -> Iterator[Server]:
    with Server(("127.0.0.1", 0), Answer) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def server(running: Server) -> Server:
    running.reached = []
    return running


@pytest.fixture
def session(outside: Outside) -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False
        yield outside.watch(session)


def test_an_unsafe_request_is_an_effect(outside: Outside, session: requests.Session, server: Server) -> None:
    def body() -> None:
        session.get(f"{server.url}/charges")
        session.post(f"{server.url}/charges", headers={"idempotency-key": "order-7"})
        session.post(f"{server.url}/charges")
        session.put(f"{server.url}/limits/7", json={"cents": 1})
        session.patch(f"{server.url}/limits/7")
        session.delete(f"{server.url}/cards/visa")

    outside.step(body)
    assert outside.seen == [
        Seen("POST http://127.0.0.1/charges", "order-7"),
        Seen("POST http://127.0.0.1/charges", None),
        Seen("PUT http://127.0.0.1/limits/{id}", f"{server.url}/limits/7"),
        Seen("PATCH http://127.0.0.1/limits/{id}", None),
        Seen("DELETE http://127.0.0.1/cards/visa", f"{server.url}/cards/visa"),
    ]
    assert outside.details[0] == {"url": f"{server.url}/charges"}


def test_a_request_that_is_refused_or_never_arrives_is_none(
    outside: Outside, session: requests.Session, server: Server
) -> None:
    def body() -> int:
        with pytest.raises(requests.ConnectionError):
            session.post("http://127.0.0.1:1/charges")
        return session.post(f"{server.url}/full").status_code

    assert outside.step(body) == 409
    assert outside.seen == []


def test_a_redirected_request_counts_where_it_is_done(
    outside: Outside, session: requests.Session, server: Server
) -> None:
    def body() -> None:
        session.post(f"{server.url}/moved")
        session.post(f"{server.url}/form")

    outside.step(body)
    assert server.reached == ["POST /moved", "POST /charges", "POST /form", "GET /receipt"]
    assert [effect.name for effect in outside.seen] == ["POST http://127.0.0.1/charges", "POST http://127.0.0.1/form"]


def test_a_dead_invocation_sends_nothing(outside: Outside, session: requests.Session, server: Server) -> None:
    outside.dying(lambda: session.post(f"{server.url}/charges"))
    assert server.reached == ["POST /charges"]
    assert len(outside.seen) == 1


class Faked(BaseAdapter):
    """A transport adapter, as fakes of servers are."""

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
        response = requests.Response()
        response.status_code, response.request, response.url = 200, request, request.url or ""
        response._content = b""
        return response

    def close(self) -> None:
        """Nothing to close."""


def test_hooks_of_a_request_and_adapters_mounted_later_change_nothing(
    outside: Outside, session: requests.Session
) -> None:
    called: list[int] = []
    session.mount("https://", Faked())

    def body() -> None:
        session.post(
            "https://bank.example/charges", hooks={"response": lambda one, **_: called.append(one.status_code)}
        )

    outside.step(body)
    assert called == [200]
    assert outside.seen == [Seen("POST https://bank.example/charges", None)]


class Signed(requests.Session):
    """A session of the user's, with a ``send`` of its own."""

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        request.headers["Idempotency-Key"] = "signed"
        return super().send(request, **options)


def test_a_subclass_and_a_send_that_was_set_before_are_called(outside: Outside) -> None:
    session = Signed()
    session.mount("https://", Faked())
    called: list[str] = []

    def send(request: requests.PreparedRequest, **options: Any) -> requests.Response:
        called.append("mine")
        return Signed.send(session, request, **options)

    session.send = send  # type: ignore[method-assign]  # as a fake does
    outside.watch(session)
    outside.step(lambda: session.post("https://bank.example/charges").status_code)
    outside.context.effects.unwatch()

    assert called == ["mine"]
    assert outside.seen == [Seen("POST https://bank.example/charges", None)]
    assert session.send is send
