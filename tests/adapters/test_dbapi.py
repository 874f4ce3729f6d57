from __future__ import annotations

import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.adapters.conftest import Outside, Seen

INSERT = "INSERT INTO lines (text) VALUES (?)"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    with closing(sqlite3.connect(tmp_path / "shop.db")) as connection, connection:
        connection.execute("CREATE TABLE lines (id INTEGER PRIMARY KEY, text, UNIQUE (text))")
    return tmp_path / "shop.db"


@pytest.fixture
def connection(outside: Outside, path: Path) -> Iterator[sqlite3.Connection]:
    with closing(outside.watch(sqlite3.connect(path))) as connection:
        yield connection


def stored(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as other:
        return [text for (text,) in other.execute("SELECT text FROM lines ORDER BY id")]


def test_a_commit_is_an_effect_with_what_was_written(outside: Outside, connection: sqlite3.Connection) -> None:
    def body() -> None:
        cursor = connection.cursor()
        cursor.execute("SELECT 1")
        cursor.execute(INSERT, ("a",)).execute(INSERT, ("b",))
        connection.executemany(INSERT, [("c",), ("d",)])
        assert outside.seen == []
        connection.commit()

    outside.step(body)
    assert outside.seen == [Seen("commit", None)]
    assert outside.details == [{"statements": (INSERT, INSERT, INSERT)}]


def test_leaving_a_with_block_is_a_commit(outside: Outside, connection: sqlite3.Connection, path: Path) -> None:
    def body() -> None:
        with connection as same:
            same.execute(INSERT, ("a",))
        with pytest.raises(ZeroDivisionError), connection:
            connection.execute(INSERT, ("b",))
            raise ZeroDivisionError

    outside.step(body)
    assert len(outside.seen) == 1
    assert stored(path) == ["a"]


def test_a_commit_of_nothing_is_none(outside: Outside, connection: sqlite3.Connection) -> None:
    def body() -> None:
        connection.commit()
        with connection:
            connection.execute("SELECT * FROM lines").fetchall()
        connection.execute(INSERT, ("a",))
        connection.rollback()
        connection.commit()
        connection.execute("CREATE TABLE IF NOT EXISTS lines (id)")
        connection.execute("DELETE FROM lines WHERE id = 1")
        connection.execute("UPDATE lines SET text = text || '!' WHERE id = 1")
        connection.commit()

    outside.step(body)
    assert outside.seen == []


def test_what_finds_itself_done_is_no_second_effect(outside: Outside, connection: sqlite3.Connection) -> None:
    def body() -> None:
        for _ in range(2):
            with connection:
                connection.execute(f"{INSERT} ON CONFLICT DO NOTHING", ("a",))

    outside.step(body)
    assert len(outside.seen) == 1


def test_what_may_be_repeated_is_keyed_by_its_statements(outside: Outside, connection: sqlite3.Connection) -> None:
    replace, update = "INSERT OR REPLACE INTO lines VALUES (1, ?)", "UPDATE lines SET text = ?"

    def body() -> None:
        with connection:
            connection.execute(replace, ("a",))
            connection.execute(update, ("b",))
        with connection:
            connection.execute(replace, ("a",))
            connection.execute("UPDATE lines SET text = text || '!'")

    outside.step(body)
    assert outside.seen == [Seen("commit", f"{replace}; {update}"), Seen("commit", None)]


def test_each_statement_is_a_commit_in_autocommit(outside: Outside, path: Path) -> None:
    def body() -> None:
        with closing(outside.watch(sqlite3.connect(path, isolation_level=None))) as connection:
            connection.execute(INSERT, ("a",))
            connection.execute("BEGIN")
            connection.execute(INSERT, ("b",))
            connection.execute("SAVEPOINT here")
            connection.execute(INSERT, ("c",))
            connection.execute("ROLLBACK TO here")
            assert len(outside.seen) == 1
            connection.execute("COMMIT")
            connection.execute("BEGIN")
            connection.execute(INSERT, ("d",))
            connection.execute("ROLLBACK")

    outside.step(body)
    assert [len(details["statements"]) for details in outside.details] == [1, 2]
    assert stored(path) == ["a", "b"]


@pytest.mark.skipif(sys.version_info < (3, 12), reason="sqlite3 has the attribute autocommit since 3.12")
def test_the_transactions_of_pep_249(outside: Outside, path: Path) -> None:
    options: Any = {"autocommit": False}

    def body() -> None:
        with closing(outside.watch(sqlite3.connect(path, **options))) as connection:
            connection.execute(INSERT, ("a",))
            connection.commit()
            with connection:
                connection.execute(INSERT, ("b",))
            connection.execute(INSERT, ("lost",))

    outside.step(body)
    assert len(outside.seen) == 2
    assert stored(path) == ["a", "b"]


@pytest.mark.skipif(sys.version_info < (3, 12), reason="sqlite3 has the attribute autocommit since 3.12")
def test_a_with_block_in_autocommit_commits_nothing(outside: Outside, path: Path) -> None:
    options: Any = {"autocommit": True}

    def body() -> None:
        with closing(outside.watch(sqlite3.connect(path, **options))) as connection:
            connection.execute("BEGIN")
            with connection:
                connection.execute(INSERT, ("a",))
            assert outside.seen == []
            connection.commit()

    outside.step(body)
    assert stored(path) == []  # what `commit` does here is nothing


def test_a_script_commits_by_itself(outside: Outside, connection: sqlite3.Connection, path: Path) -> None:
    def body() -> None:
        connection.execute(INSERT, ("a",))
        connection.executescript(
            "INSERT INTO lines (text) VALUES ('b;c'); SELECT 1; CREATE TABLE IF NOT EXISTS lines (a);"
        )

    outside.step(body)
    assert [details["statements"] for details in outside.details] == [
        (INSERT,),
        ("INSERT INTO lines (text) VALUES ('b;c')",),
    ]
    assert stored(path) == ["a", "b;c"]


def test_rows_that_are_returned_count_as_written(outside: Outside, connection: sqlite3.Connection) -> None:
    def body() -> list[Any]:
        rows = connection.execute(f"{INSERT} RETURNING text", ("a",)).fetchall()
        connection.commit()
        return rows

    assert outside.step(body) == [["a"]]
    assert len(outside.seen) == 1


def test_a_dead_invocation_writes_nothing(outside: Outside, connection: sqlite3.Connection, path: Path) -> None:
    def act() -> None:
        with connection:
            connection.execute(INSERT, ("a",))

    outside.dying(act)
    assert stored(path) == ["a"]
    assert len(outside.seen) == 1


def test_a_dead_invocation_commits_nothing_that_was_written_before(
    outside: Outside, connection: sqlite3.Connection, path: Path
) -> None:
    def handler(event: Any, context: Any) -> None:
        connection.execute(INSERT, ("a",))
        try:
            context.step(lambda _: None, name="meanwhile")
            connection.rollback()
        finally:
            connection.commit()

    outside.context.run(handler, faults="meanwhile:stored")
    assert stored(path) == []
    assert outside.seen == []


def test_what_a_dead_invocation_had_not_committed_is_lost(
    outside: Outside, connection: sqlite3.Connection, path: Path
) -> None:
    def handler(event: Any, context: Any) -> None:
        connection.execute(INSERT, (f"{event['by']}{len(stored(path))}",))
        context.step(lambda _: None, name="meanwhile")
        connection.commit()

    outside.context.run(handler, {"by": "a"}, faults="meanwhile:stored")
    assert stored(path) == ["a0"]
    assert [len(details["statements"]) for details in outside.details] == [1]


def test_the_proxy_is_as_good_as_the_connection(outside: Outside, connection: sqlite3.Connection) -> None:
    assert isinstance(connection, sqlite3.Connection)
    connection.row_factory = sqlite3.Row
    with closing(connection.cursor()) as cursor:
        cursor.arraysize = 7
        assert (cursor.arraysize, cursor.connection) == (7, connection)
        cursor.execute("SELECT 1 AS one UNION SELECT 2")
        assert next(cursor)["one"] == 1
        assert [row["one"] for row in cursor] == [2]
    assert "watched <sqlite3.Connection" in repr(connection)
    with pytest.raises(sqlite3.OperationalError, match="no such table"):
        connection.execute("INSERT INTO nowhere VALUES (1)")


class Plain:
    """A connection with what PEP 249 asks for and no more, on sqlite3."""

    def __init__(self, path: Path, autocommit: bool = False) -> None:
        self._real = sqlite3.connect(path, isolation_level=None if autocommit else "DEFERRED")
        self.autocommit = autocommit

    def cursor(self) -> Any:
        return PlainCursor(self._real.cursor())

    def commit(self) -> None:
        self._real.commit()

    def rollback(self) -> None:
        self._real.rollback()

    def close(self) -> None:
        self._real.close()

    def __enter__(self) -> Plain:
        return self

    def __exit__(self, kind: Any, *rest: Any) -> None:
        self._real.__exit__(kind, *rest)


class PlainCursor:
    """Its cursor; what `execute` returns is nothing."""

    def __init__(self, real: sqlite3.Cursor) -> None:
        self._real = real

    @property
    def rowcount(self) -> int:
        return self._real.rowcount

    def execute(self, statement: str, parameters: Any = ()) -> None:
        self._real.execute(statement, parameters)

    def fetchone(self) -> Any:
        return self._real.fetchone()

    def close(self) -> None:
        self._real.close()


class MySQL(Plain):
    """As the drivers of MySQL have it: autocommit is a method, and asked for by another."""

    def get_autocommit(self) -> bool:
        return self._real.isolation_level is None


def test_any_connection_of_the_database_api(outside: Outside, path: Path) -> None:
    def body() -> None:
        with closing(outside.watch(Plain(path))) as connection:
            cursor = connection.cursor()
            assert cursor.execute(INSERT, ("a",)) is None
            cursor.execute("SELECT count(*) FROM lines")
            assert cursor.fetchone() == (1,)
            connection.commit()
            with connection:
                cursor.execute(INSERT, ("b",))
            cursor.execute(INSERT, ("c",))
            cursor.execute("COMMIT")
            cursor.execute("UPDATE lines SET text = 1 WHERE id > 3")
            connection.commit()
            cursor.execute(INSERT, ("d",))
            cursor.execute("ROLLBACK")
            connection.commit()

    outside.step(body)
    assert [effect.name for effect in outside.seen] == ["commit"] * 3
    assert stored(path) == ["a", "b", "c"]


@pytest.mark.parametrize("driver", [Plain, MySQL])
def test_any_connection_in_autocommit(outside: Outside, path: Path, driver: Any) -> None:
    def body() -> None:
        with closing(outside.watch(driver(path, autocommit=True))) as connection:
            cursor = connection.cursor()
            cursor.execute(INSERT, ("a",))
            assert len(outside.seen) == 1
            cursor.execute("BEGIN")
            cursor.execute(INSERT, ("b",))
            cursor.execute(INSERT, ("c",))
            assert len(outside.seen) == 1
            cursor.execute("COMMIT")

    outside.step(body)
    assert [len(details["statements"]) for details in outside.details] == [1, 2]
    assert stored(path) == ["a", "b", "c"]
