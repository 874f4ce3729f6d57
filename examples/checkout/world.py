"""The outside world of a checkout: a payment provider, and the shop's own database of stock and labels."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path


class CarrierRefused(Exception):
    """The carrier does not deliver to this address, and never will."""


class OutOfStock(Exception):
    """There is less on the shelf than was ordered."""


@dataclass
class Payments:
    """A payment provider as a client sees it: what was paid under a key is not paid again under that key.

    Attributes:
        lost_answers: how many charges are booked, but answered by a broken connection.
        charges: cents of each charge by its key.
        refunds: cents of each refund by its key.
    """

    lost_answers: int = 0
    charges: dict[str, int] = field(default_factory=dict)
    refunds: dict[str, int] = field(default_factory=dict)
    _lost: int = 0

    def charge(self, cents: int, key: str | None) -> None:
        """Charge, once for each key; without a key, each time."""
        self.charges[key or f"unkeyed-{len(self.charges)}"] = cents
        if self._lost < self.lost_answers:
            self._lost += 1
            raise ConnectionError("the connection was closed before the answer came")

    def refund(self, payment: str, key: str | None) -> None:
        """Pay back a payment, once for each key; without a key, each time. What was never paid is not paid back."""
        if payment in self.charges:
            self.refunds[key or f"unkeyed-{len(self.refunds)}"] = self.charges[payment]

    def clear(self) -> None:
        """Forget everything."""
        self.charges.clear()
        self.refunds.clear()
        self._lost = 0


@contextmanager
def connect(path: Path) -> Iterator[sqlite3.Connection]:
    """Open the shop's database, commit at the end of the block unless it raises, and close it."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("PRAGMA journal_mode = MEMORY")
        yield connection


@dataclass(frozen=True)
class Shop:
    """Everything that a checkout touches.

    Attributes:
        database: of stock, reservations and labels.
        payments: the provider.
        delivers: whether the carrier delivers.
    """

    database: Path
    payments: Payments
    delivers: bool = True

    def create(self) -> None:
        """Make the tables, with 10 of sku ``A1`` on the shelf."""
        with connect(self.database) as database:
            database.execute("CREATE TABLE stock (sku TEXT PRIMARY KEY, pieces INTEGER)")
            database.execute("CREATE TABLE reservations (order_id TEXT PRIMARY KEY, sku TEXT, pieces INTEGER)")
            database.execute("CREATE TABLE labels (tracking TEXT PRIMARY KEY, order_id TEXT)")
            database.execute("INSERT INTO stock VALUES ('A1', 10)")

    def reset(self) -> None:
        """Restore the world to what `create` left."""
        self.payments.clear()
        with connect(self.database) as database:
            database.execute("DELETE FROM reservations")
            database.execute("DELETE FROM labels")
