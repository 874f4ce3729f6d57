from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from pytest_durable.adapters.dynamodb import Tables, may_repeat

SAFE = [
    "SET a = :a",
    "set #a = :a, d.c = :b",
    "SET a = if_not_exists(a, :zero)",
    "SET a = :a REMOVE b, c",
    "DELETE tags :old",
    "REMOVE a SET b=:b",
]
UNSAFE = [
    "ADD pieces :one",
    "SET a = :a ADD pieces :one",
    "SET pieces = pieces - :one",
    "SET pieces = if_not_exists(pieces, :zero) + :one",
    "SET packs = list_append(packs, :line)",
    "SET a = b, b = :b",
    "SET packs[9] = :line",
    "REMOVE packs[0]",
    "SET a = if_not_exists(c, b), b = :b",
]


KEY = {"id": {"S": "7"}}
ITEM_BEFORE: dict[str, Any] = {
    **KEY,
    "a": {"N": "1"},
    "b": {"N": "2"},
    "pieces": {"N": "5"},
    "tags": {"SS": ["old", "new"]},
    "packs": {"L": [{"S": "x"}, {"S": "y"}]},
    "d": {"M": {}},
}
VALUES = {
    ":a": {"N": "8"},
    ":b": {"N": "9"},
    ":zero": {"N": "0"},
    ":one": {"N": "1"},
    ":old": {"SS": ["old"]},
    ":line": {"L": [{"S": "z"}]},
}


@pytest.fixture(scope="module")
def table() -> Iterator[Any]:
    import boto3  # type: ignore[import-untyped]  # it has no types
    from moto import mock_aws

    with mock_aws():
        client = boto3.client("dynamodb", region_name="eu-west-1")
        client.create_table(
            TableName="t",
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        yield client


def after(table: Any, expression: str, times: int) -> Any:
    """The item after an update, or several."""
    table.put_item(TableName="t", Item=ITEM_BEFORE)
    names = {"ExpressionAttributeNames": {"#a": "a"}} if "#a" in expression else {}
    values = {name: value for name, value in VALUES.items() if re.search(rf"{name}\b", expression)}
    options = {**names, **({"ExpressionAttributeValues": values} if values else {})}
    for _ in range(times):
        table.update_item(TableName="t", Key=KEY, UpdateExpression=expression, **options)
    return table.get_item(TableName="t", Key=KEY)["Item"]


@pytest.mark.parametrize("expression", SAFE)
def test_what_sets_and_removes_may_be_repeated(table: Any, expression: str) -> None:
    assert may_repeat(expression)
    assert after(table, expression, 2) == after(table, expression, 1)


@pytest.mark.parametrize("expression", UNSAFE)
def test_what_counts_or_appends_may_not(table: Any, expression: str) -> None:
    assert not may_repeat(expression)
    assert after(table, expression, 2) != after(table, expression, 1)


class Asked:
    """Says what the primary keys of its tables are."""

    def __init__(self, **keys: list[str]) -> None:
        self.keys = keys
        self.asked: list[str] = []

    def describe_table(self, TableName: str) -> dict[str, Any]:
        self.asked.append(TableName)
        return {"Table": {"KeySchema": [{"AttributeName": name} for name in self.keys[TableName]]}}


ITEM = {"sku": {"S": "A1"}, "at": {"S": "00:00"}}
ON_SKU = "stock sku=A1"


@pytest.mark.parametrize(
    ("operation", "params", "key"),
    [
        ("PutItem", {"TableName": "stock", "Item": ITEM}, ON_SKU),
        ("DeleteItem", {"TableName": "stock", "Key": {"sku": {"S": "A1"}}}, ON_SKU),
        ("UpdateItem", {"TableName": "stock", "Key": {"sku": {"S": "A1"}}, "UpdateExpression": "SET a = :a"}, ON_SKU),
        ("UpdateItem", {"TableName": "stock", "Key": {"sku": {"S": "A1"}}, "UpdateExpression": "ADD a :a"}, None),
        ("UpdateItem", {"TableName": "stock", "Key": {"sku": {"S": "A1"}}}, ON_SKU),
        ("UpdateItem", {"TableName": "stock", "Key": {"sku": 1}, "AttributeUpdates": {"a": {"Action": "ADD"}}}, None),
        (
            "BatchWriteItem",
            {
                "RequestItems": {
                    "stock": [
                        {"PutRequest": {"Item": ITEM}},
                        {"DeleteRequest": {"Key": {"sku": {"S": "A1"}}}},
                    ]
                }
            },
            f"{ON_SKU}; {ON_SKU}",
        ),
    ],
)
def test_a_write_is_keyed_by_its_item(operation: str, params: Mapping[str, Any], key: str | None) -> None:
    assert Tables(Asked(stock=["sku"])).key_of(operation, params) == key


def test_a_table_is_asked_for_its_key_once() -> None:
    asked = Asked(stock=["sku"])
    tables = Tables(asked)
    for _ in range(3):
        tables.key_of("PutItem", {"TableName": "stock", "Item": ITEM})
    assert asked.asked == ["stock"]


def test_a_table_that_nobody_knows_is_keyed_by_the_whole_item() -> None:
    assert Tables(Asked()).key_of("PutItem", {"TableName": "stock", "Item": {"sku": "A1", "at": 1}}) == (
        "stock at=1, sku=A1"
    )
