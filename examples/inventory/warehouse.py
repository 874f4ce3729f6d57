"""The outside world of an order: a table of DynamoDB, with the stock, the orders and the shipments in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

TABLE = "warehouse"
FULL = {"id": {"S": "stock#A1"}, "pieces": {"N": "10"}, "sold": {"N": "0"}}


@dataclass(frozen=True)
class Warehouse:
    """A warehouse with 10 of sku ``A1`` on the shelf.

    Attributes:
        dynamodb: a boto3 client.
    """

    dynamodb: Any

    def create(self) -> None:
        """Make the table."""
        self.dynamodb.create_table(
            TableName=TABLE,
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        self.reset()

    def items(self) -> dict[str, dict[str, Any]]:
        """What is in the table, by id: attributes by name, numbers as text."""
        found = ({name: next(iter(value.values())) for name, value in item.items()} for item in self._scan())
        return {item.pop("id"): item for item in found}

    def reset(self) -> None:
        """Restore the world to what `create` left."""
        gone = [{"DeleteRequest": {"Key": {"id": item["id"]}}} for item in self._scan() if item["id"] != FULL["id"]]
        self.dynamodb.batch_write_item(RequestItems={TABLE: [*gone, {"PutRequest": {"Item": FULL}}]})

    def _scan(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.dynamodb.scan(TableName=TABLE)["Items"]
        return found
