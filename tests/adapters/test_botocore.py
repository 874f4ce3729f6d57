from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import boto3  # type: ignore[import-untyped]  # it has no types
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError  # type: ignore[import-untyped]  # it has no types
from botocore.stub import Stubber  # type: ignore[import-untyped]  # it has no types

from tests.adapters.conftest import Outside, Seen


@cache
def made(service: str) -> Any:
    return boto3.client(service, region_name="eu-west-1", aws_access_key_id="id", aws_secret_access_key="secret")


@pytest.fixture
def stubbed() -> Iterator[Callable[[str], tuple[Any, Stubber]]]:
    """A client that answers as its stubber is told."""
    open_ones: list[Stubber] = []

    def make(service: str) -> tuple[Any, Stubber]:
        stubber = Stubber(made(service))
        stubber.activate()
        open_ones.append(stubber)
        return made(service), stubber

    yield make
    for stubber in open_ones:
        stubber.deactivate()


Stubbed = Callable[[str], tuple[Any, Stubber]]

NUMBER = {"TableName": "stock", "Key": {"sku": {"S": "A1"}}}
ADD = {"UpdateExpression": "ADD pieces :one", "ExpressionAttributeValues": {":one": {"N": "1"}}}


def test_a_mutating_call_is_an_effect_and_a_read_is_none(outside: Outside, stubbed: Stubbed) -> None:
    client, stubber = stubbed("dynamodb")
    outside.watch(client)
    stubber.add_response("get_item", {})
    stubber.add_response("update_item", {})

    def body() -> None:
        client.get_item(**NUMBER)
        client.update_item(**NUMBER, **ADD)

    outside.step(body)
    assert outside.seen == [Seen("dynamodb.UpdateItem", None)]
    assert outside.details == [{**NUMBER, **ADD}]


def test_a_token_of_the_users_is_the_key_and_one_that_botocore_makes_up_is_none(
    outside: Outside, stubbed: Stubbed
) -> None:
    client, stubber = stubbed("dynamodb")
    outside.watch(client)
    stubber.add_response("transact_write_items", {})
    stubber.add_response("transact_write_items", {})
    items: Any = [{"Update": {**NUMBER, **ADD}}]

    def body() -> None:
        client.transact_write_items(TransactItems=items, ClientRequestToken="order-7")
        client.transact_write_items(TransactItems=items)

    outside.step(body)
    assert outside.seen == [Seen("dynamodb.TransactWriteItems", "order-7"), Seen("dynamodb.TransactWriteItems", None)]


def test_a_call_that_is_refused_is_none(outside: Outside, stubbed: Stubbed) -> None:
    client, stubber = stubbed("dynamodb")
    outside.watch(client)
    stubber.add_client_error("update_item", "ConditionalCheckFailedException")
    stubber.add_client_error("update_item", "InternalServerError", http_status_code=500)

    def body() -> None:
        for _ in range(2):
            with pytest.raises(ClientError):
                client.update_item(**NUMBER, **ADD)

    outside.step(body)
    assert outside.seen == []


def test_a_call_that_never_arrives_is_none_however_often_botocore_tries(outside: Outside) -> None:
    client = made("sqs")
    outside.watch(client)
    tried: list[str] = []

    def no_route(request: Any, **_: Any) -> None:
        tried.append(request.url)
        raise EndpointConnectionError(endpoint_url=request.url)

    client.meta.events.register("before-send.sqs", no_route)

    def body() -> None:
        with pytest.raises(EndpointConnectionError):
            client.send_message(QueueUrl="https://sqs.example/1/q", MessageBody="b")

    try:
        outside.step(body)
    finally:
        client.meta.events.unregister("before-send.sqs", no_route)
    assert len(tried) > 1  # with a pause between them, in virtual time
    assert outside.seen == []


def test_a_dead_invocation_calls_nobody(outside: Outside, stubbed: Stubbed) -> None:
    client, stubber = stubbed("dynamodb")
    outside.watch(client)
    stubber.add_response("update_item", {})
    outside.dying(lambda: client.update_item(**NUMBER, **ADD))
    stubber.assert_no_pending_responses()
    assert outside.seen == [Seen("dynamodb.UpdateItem", None)]


KEYS = {"Table": {"KeySchema": [{"AttributeName": "sku", "KeyType": "HASH"}]}}


def test_a_resource_is_watched_by_its_client(outside: Outside) -> None:
    resource = boto3.resource("dynamodb", region_name="eu-west-1", aws_access_key_id="i", aws_secret_access_key="s")
    table = resource.Table("stock")
    assert outside.watch(table) is table
    stubber = Stubber(table.meta.client)
    for method, answer in [("describe_table", KEYS), ("put_item", {}), ("put_item", {}), ("update_item", {})]:
        stubber.add_response(method, answer)

    def body() -> None:
        table.put_item(Item={"sku": "A1", "at": "00:00"})
        table.put_item(Item={"sku": "A1", "at": "00:01"})
        table.update_item(Key={"sku": "A1"}, UpdateExpression="SET a = :a", ExpressionAttributeValues={":a": {1, 2}})

    with stubber:
        outside.step(body)
    stubber.assert_no_pending_responses()
    assert outside.seen == [Seen(f"dynamodb.{name}", "stock sku=A1") for name in ("PutItem", "PutItem", "UpdateItem")]


def test_a_stub_that_knows_of_the_put_only_is_not_disturbed(outside: Outside, stubbed: Stubbed) -> None:
    client, stubber = stubbed("dynamodb")
    outside.watch(client)
    stubber.add_response("put_item", {})
    outside.step(lambda: client.put_item(TableName="stock", Item={"sku": {"S": "A1"}, "at": {"S": "00:00"}}) and None)
    stubber.assert_no_pending_responses()
    assert outside.seen == [Seen("dynamodb.PutItem", "stock at=00:00, sku=A1")]


def test_after_the_context_nothing_is_left(outside: Outside, stubbed: Stubbed) -> None:
    client, stubber = stubbed("dynamodb")
    outside.watch(client)
    outside.context.effects.unwatch()
    stubber.add_response("update_item", {})
    outside.step(lambda: client.update_item(**NUMBER, **ADD) and None)
    assert outside.seen == []
