"""The outside world of a transfer: a SQLite file with an entry for each side of it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path


class BooksAreLocked(Exception):
    """Somebody else writes, or has died while writing."""


@dataclass(frozen=True)
class Books:
    """The books of a bank.

    Attributes:
        path: of the file.
    """

    path: Path

    def reset(self) -> None:
        """Make the file if there is none, and empty it."""
        self._lock.unlink(missing_ok=True)
        with self.writing() as connection:
            connection.execute("CREATE TABLE IF NOT EXISTS entries (transfer, account, cents)")
            connection.execute("DELETE FROM entries")

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction under SQLite's own lock, which ends with the process: committed at the end, or rolled back."""
        with closing(sqlite3.connect(self.path)) as connection, connection:
            connection.execute("BEGIN IMMEDIATE")
            yield connection

    @contextmanager
    def writing_with_a_lock_file(self) -> Iterator[sqlite3.Connection]:
        """The same under a lock file, which is removed at the end, or in ``finally``.

        Raises:
            BooksAreLocked: if the lock file is there.
        """
        try:
            self._lock.touch(exist_ok=False)
        except FileExistsError:
            raise BooksAreLocked(f"{self._lock.name} is there") from None
        try:
            with self.writing() as connection:
                yield connection
        finally:
            self._lock.unlink()

    @property
    def _lock(self) -> Path:
        return self.path.with_suffix(".lock")

    def balances(self) -> dict[str, int]:
        """What each account has, in cents; in sum always nothing."""
        with closing(sqlite3.connect(self.path)) as connection:
            return dict(connection.execute("SELECT account, SUM(cents) FROM entries GROUP BY account ORDER BY account"))


def is_booked(connection: sqlite3.Connection, transfer: str) -> bool:
    """Whether there is an entry of a transfer."""
    found = connection.execute("SELECT 1 FROM entries WHERE transfer = ?", (transfer,))
    return found.fetchone() is not None


def add(connection: sqlite3.Connection, transfer: str, account: str, cents: int) -> None:
    """Add an entry, to be committed."""
    connection.execute("INSERT INTO entries VALUES (?, ?, ?)", (transfer, account, cents))
