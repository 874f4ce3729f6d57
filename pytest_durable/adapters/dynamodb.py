"""DynamoDB's writes of items: which may be repeated, and on which item.

A put replaces the item of its primary key, and a delete removes it: repeated, they change nothing. Whether an update
may be repeated is told by its expression. What is done to an item is keyed by table and primary key, not by what is
written: a time stamp in an item that is written again is no second item.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from pytest_durable.adapters.operations import text_of

WRITES = ("PutItem", "DeleteItem", "UpdateItem", "BatchWriteItem")

_CLAUSE = re.compile(r"\b(SET|REMOVE|ADD|DELETE)\b", re.IGNORECASE)
_VALUE = r":\w+"
_ASSIGNMENT = re.compile(rf"[\w#.]+\s*=\s*(?:{_VALUE}|if_not_exists\s*\(\s*[\w#.]+\s*,\s*{_VALUE}\s*\))", re.IGNORECASE)
_COMMA = re.compile(r",(?![^(]*\))")
_INDEXED = re.compile(r"\[")


def may_repeat(expression: str) -> bool:
    """Whether an update expression, applied twice, does what it does once.

    ADD, arithmetic, ``list_append``, one attribute copied to another, and elements of lists, which move, do not.
    """
    _, *rest = _CLAUSE.split(expression)
    for clause, body in zip(rest[::2], rest[1::2], strict=True):
        if clause.upper() == "ADD" or _INDEXED.search(body):
            return False
        if clause.upper() == "SET" and not all(_ASSIGNMENT.fullmatch(one.strip()) for one in _COMMA.split(body)):
            return False
    return True


class Tables:
    """The primary keys of tables, asked for when one is first needed.

    Args:
        client: of DynamoDB, to ask.
    """

    def __init__(self, client: Any) -> None:
        self._client = client
        self._keys: dict[str, frozenset[str]] = {}

    def key_of(self, operation: str, params: Mapping[str, Any]) -> str | None:
        """What makes a second write the same as the first; None if nothing does."""
        table = params.get("TableName")
        if operation == "PutItem":
            return self._item(table, params.get("Item", {}))
        if operation == "BatchWriteItem":
            return "; ".join(self._requests(params))
        if operation == "UpdateItem":
            expression = params.get("UpdateExpression")
            updates = params.get("AttributeUpdates", {}).values()
            if (expression and not may_repeat(expression)) or any(one.get("Action") == "ADD" for one in updates):
                return None
        return _key(table, params.get("Key", {}))

    def _requests(self, params: Mapping[str, Any]) -> Iterator[str]:
        for table, requests in params.get("RequestItems", {}).items():
            for request in requests:
                if "PutRequest" in request:
                    yield self._item(table, request["PutRequest"]["Item"])
                else:
                    yield _key(table, request["DeleteRequest"]["Key"])

    def _item(self, table: Any, item: Mapping[str, Any]) -> str:
        names = self._keys.get(table)
        if names is None:
            names = self._keys[table] = self._ask(table) or frozenset(item)
        return _key(table, {name: item[name] for name in item if name in names})

    def _ask(self, table: str) -> frozenset[str]:
        """The names of a table's primary key; none if nobody answers, as a stub that knows only of the put."""
        try:
            schema = self._client.describe_table(TableName=table)["Table"]["KeySchema"]
        except Exception:
            return frozenset()
        return frozenset(str(element["AttributeName"]) for element in schema)


def _key(table: Any, key: Mapping[str, Any]) -> str:
    return f"{table} {text_of({name: _value(one) for name, one in key.items()})}"


def _value(value: Any) -> Any:
    """What a client writes as ``{"S": "A1"}``, and a resource as ``"A1"``."""
    return next(iter(value.values())) if isinstance(value, Mapping) and len(value) == 1 else value
