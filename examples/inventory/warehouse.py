"""The outside world of an order: three tables of DynamoDB."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

TABLES = {"orders": "id", "stock": "sku", "shipments": "id"}
"""By table, the attribute that is its primary key."""


@dataclass(frozen=True)
class Warehouse:
    """A warehouse with 10 of sku ``A1`` on the shelf.

    Attributes:
        dynamodb: a boto3 client.
    """

    dynamodb: Any

    def create(self) -> None:
        """Make the tables."""
        for table, key in TABLES.items():
            self.dynamodb.create_table(
                TableName=table,
                KeySchema=[{"AttributeName": key, "KeyType": "HASH"}],
                AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"}],
                BillingMode="PAY_PER_REQUEST",
            )
        self.reset()

    def items(self, table: str) -> Iterator[dict[str, Any]]:
        """What is in a table: by attribute its value, numbers as text."""
        for item in self.dynamodb.scan(TableName=table)["Items"]:
            yield {name: next(iter(value.values())) for name, value in item.items()}

    def reset(self) -> None:
        """Restore the world to what `create` left."""
        for table, key in TABLES.items():
            for item in self.items(table):
                self.dynamodb.delete_item(TableName=table, Key={key: {"S": item[key]}})
        self.dynamodb.put_item(TableName="stock", Item={"sku": {"S": "A1"}, "pieces": {"N": "10"}, "sold": {"N": "0"}})
