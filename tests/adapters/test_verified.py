"""What `verify` finds of real clients without an assertion, and correct twins that it leaves alone."""

from __future__ import annotations

import json
import sqlite3
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime
from functools import partial
from typing import Any

import httpx
import pytest
from botocore.awsrequest import AWSResponse  # type: ignore[import-untyped]  # it has no types

from pytest_durable import EffectLost, EffectRepeated, FakeDurableContext
from tests.adapters.test_botocore import KEYS, made
from tests.adapters.test_httpx import Bank
from tests.adapters.test_modules import Body

Handler = Callable[[Any, Any], Any]
BANK = "https://bank.example"


def in_steps(*bodies: Callable[..., Any]) -> Handler:
    """A handler of a step for each body, which is given what the one before it returned."""

    def handler(event: Any, context: Any) -> None:
        given: tuple[Any, ...] = ()
        for number, body in enumerate(bodies):
            given = (context.step(lambda _, body=body, given=given: body(*given), name=f"step-{number}"),)

    return handler


def check_safe(context: FakeDurableContext, handler: Handler, reset: Callable[[], object] | None = None) -> None:
    if reset is not None:
        reset()
    execution = context.run(handler)
    assert execution.status == "SUCCEEDED", execution.error
    assert context.verify(handler, reset=reset).killed


def drawn() -> str:
    return str(uuid.uuid4())  # noqa: TID251  # what a handler would draw


def now() -> str:
    return datetime.now().isoformat()  # noqa: TID251  # what a handler would read


# --- HTTP ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def bank(durable_ctx: FakeDurableContext) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=BANK, transport=httpx.MockTransport(Bank())) as client:
        yield durable_ctx.effects.watch(client)


def charge(bank: httpx.Client, key: str = "", **body: Any) -> None:
    bank.post("/charges", headers={"Idempotency-Key": key or drawn()}, json=body)


def put(bank: httpx.Client, number: str = "") -> str:
    bank.put(f"/orders/{number or drawn()}", json={"at": now()})
    return number


def post_and_ship(bank: httpx.Client, shipped: set[str]) -> None:
    if not shipped:
        shipped.add("order")
        charge(bank, "order-7")
        charge(bank, "shipping-7")


HTTP_BUGS: dict[str, Callable[[httpx.Client], Handler]] = {
    "no key": lambda bank: in_steps(lambda: bank.post("/charges") and None),
    "a key of each attempt": lambda bank: in_steps(partial(charge, bank)),
    "a put under an id of each attempt": lambda bank: in_steps(partial(put, bank)),
    "outside of a step": lambda bank: (
        lambda event, context: [
            bank.post("/mails"),
            context.step(lambda _: None, name="step"),
        ][1]
    ),
}
HTTP_TWINS: dict[str, Callable[[httpx.Client], Handler]] = {
    "a fixed key": lambda bank: in_steps(partial(charge, bank, "order-7")),
    "a key of an earlier step": lambda bank: in_steps(drawn, lambda key: charge(bank, key, at=now())),
    "a put of the time": lambda bank: in_steps(partial(put, bank, "7")),
    "a put under an id of an earlier step": lambda bank: in_steps(drawn, lambda number: put(bank, number) and None),
    "a delete": lambda bank: in_steps(lambda: bank.delete("/orders/7") and None),
    "two posts that differ": lambda bank: in_steps(partial(charge, bank, "a"), lambda _: charge(bank, "b")),
    "a read": lambda bank: in_steps(lambda: bank.get(f"/orders/{drawn()}").status_code),
}


@pytest.mark.parametrize("name", HTTP_BUGS)
def test_a_request_that_is_made_twice_is_found(durable_ctx: FakeDurableContext, bank: httpx.Client, name: str) -> None:
    with pytest.raises(EffectRepeated):
        durable_ctx.verify(HTTP_BUGS[name](bank))


@pytest.mark.parametrize("name", HTTP_TWINS)
def test_a_request_that_may_be_made_twice_is_safe(
    durable_ctx: FakeDurableContext, bank: httpx.Client, name: str
) -> None:
    check_safe(durable_ctx, HTTP_TWINS[name](bank))


def test_a_request_that_is_lost_is_found(durable_ctx: FakeDurableContext, bank: httpx.Client) -> None:
    shipped: set[str] = set()
    with pytest.raises(EffectLost):
        durable_ctx.verify(in_steps(partial(post_and_ship, bank, shipped)), reset=shipped.clear)


# --- databases ------------------------------------------------------------------------------------------------------


class Database:
    """A table of lines, on a connection that is watched."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        connection.execute("CREATE TABLE lines (id INTEGER PRIMARY KEY, item UNIQUE, at, n DEFAULT 0)")

    def reset(self) -> None:
        with self.connection:
            self.connection.execute("DELETE FROM lines")
            self.connection.execute("INSERT INTO lines VALUES (0, 'first', NULL, 0)")

    def write(self, statement: str) -> None:
        with self.connection:
            self.connection.execute(statement, {"now": now(), "drawn": drawn()})


@pytest.fixture
def database(durable_ctx: FakeDurableContext) -> Iterator[Database]:
    with closing(durable_ctx.effects.watch(sqlite3.connect(":memory:"))) as connection:
        yield Database(connection)


SQL_BUGS = [
    "INSERT INTO lines (at) VALUES (:now)",
    "INSERT INTO lines (item) VALUES (:drawn) ON CONFLICT DO NOTHING",
    "UPDATE lines SET n = n + 1",
]
SQL_TWINS = [
    "INSERT INTO lines (item, at) VALUES ('A1', :now) ON CONFLICT DO NOTHING",
    "INSERT OR REPLACE INTO lines (id, item, at) VALUES (1, 'A1', :now)",
    "INSERT INTO lines (item, at) VALUES ('A1', :now) ON CONFLICT (item) DO UPDATE SET at = excluded.at",
    "UPDATE lines SET at = :now WHERE id = 0",
    "UPDATE lines SET n = n + 1, item = 'counted' WHERE id = 0 AND item <> 'counted'",
    "DELETE FROM lines WHERE id = 0",
    "CREATE TABLE IF NOT EXISTS lines (id)",
]


@pytest.mark.parametrize("statement", SQL_BUGS)
def test_a_write_that_is_committed_twice_is_found(
    durable_ctx: FakeDurableContext, database: Database, statement: str
) -> None:
    with pytest.raises(EffectRepeated):
        durable_ctx.verify(in_steps(partial(database.write, statement)), reset=database.reset)


@pytest.mark.parametrize("statement", SQL_TWINS)
def test_a_write_that_may_be_committed_twice_is_safe(
    durable_ctx: FakeDurableContext, database: Database, statement: str
) -> None:
    check_safe(durable_ctx, in_steps(partial(database.write, statement)), reset=database.reset)


# --- AWS --------------------------------------------------------------------------------------------------------------


@pytest.fixture
def aws(durable_ctx: FakeDurableContext) -> Iterator[Callable[[str], Any]]:
    """Clients that are watched, and answered with what a table of DynamoDB says of itself."""
    answered: list[tuple[Any, str]] = []

    def answer(request: Any, **_: Any) -> Any:
        return AWSResponse(request.url, 200, {}, Body(json.dumps(KEYS).encode()))

    def client(service: str) -> Any:
        event = f"before-send.{service}"
        made(service).meta.events.register(event, answer)
        answered.append((made(service), event))
        return durable_ctx.effects.watch(made(service))

    yield client
    for one, event in answered:
        one.meta.events.unregister(event, answer)


MESSAGE = {"QueueUrl": "https://sqs.example/1/q", "MessageBody": "b"}
MACHINE = "arn:aws:states:eu-west-1:123456789012:stateMachine:pack"


def item(sku: str) -> dict[str, Any]:
    return {"TableName": "stock", "Item": {"sku": {"S": sku}, "at": {"S": now()}}}


AWS_BUGS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "a message": ("sqs", lambda client: client.send_message(**MESSAGE)),
    "a message with an id of each attempt": (
        "sqs",
        lambda client: client.send_message(**MESSAGE, MessageDeduplicationId=drawn()),
    ),
    "an execution without a name": ("stepfunctions", lambda client: client.start_execution(stateMachineArn=MACHINE)),
    "an item under an id of each attempt": ("dynamodb", lambda client: client.put_item(**item(drawn()))),
}
AWS_TWINS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "a message with an id": ("sqs", lambda client: client.send_message(**MESSAGE, MessageDeduplicationId="7")),
    "an execution by its name": (
        "stepfunctions",
        lambda client: client.start_execution(stateMachineArn=MACHINE, name="7", input=f'"{now()}"'),
    ),
    "an item of the time": ("dynamodb", lambda client: client.put_item(**item("A1"))),
    "an encryption": ("kms", lambda client: client.encrypt(KeyId="k", Plaintext=drawn().encode())),
}


@pytest.mark.parametrize("name", AWS_BUGS)
def test_a_call_that_is_made_twice_is_found(
    durable_ctx: FakeDurableContext, aws: Callable[[str], Any], name: str
) -> None:
    service, act = AWS_BUGS[name]
    client = aws(service)
    with pytest.raises(EffectRepeated):
        durable_ctx.verify(in_steps(lambda: act(client) and None))


@pytest.mark.parametrize("name", AWS_TWINS)
def test_a_call_that_may_be_made_twice_is_safe(
    durable_ctx: FakeDurableContext, aws: Callable[[str], Any], name: str
) -> None:
    service, act = AWS_TWINS[name]
    client = aws(service)
    check_safe(durable_ctx, in_steps(lambda: act(client) and None))
