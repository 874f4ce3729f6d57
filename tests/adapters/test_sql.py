from __future__ import annotations

import sqlite3
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_durable.adapters.sql import is_read, keyword, may_repeat, returns_rows, statements, writes_only_if_needed

READS = [
    "SELECT 1",
    "  -- a comment\n select 1",
    "/* INSERT */ (SELECT 1)",
    "WITH a AS (SELECT 1) SELECT * FROM a",
    "PRAGMA synchronous = OFF",
    "BEGIN",
    "ROLLBACK TO here",
    "",
]
WRITES = [
    "INSERT INTO t VALUES (1)",
    "insert into t values ('SELECT')",
    "WITH a AS (SELECT 1) INSERT INTO t SELECT * FROM a",
    "CREATE TABLE t (a)",
    "CALL pay(7)",
    "MERGE INTO t USING s ON 1 = 1",
]


@pytest.mark.parametrize("statement", READS)
def test_a_query_or_a_word_to_the_connection_is_a_read(statement: str) -> None:
    assert is_read(statement)


@pytest.mark.parametrize("statement", WRITES)
def test_anything_else_is_a_write(statement: str) -> None:
    assert not is_read(statement)


def test_words() -> None:
    assert keyword("ROLLBACK") == "ROLLBACK"
    assert keyword("rollback to savepoint a") == "SAVEPOINT"
    assert returns_rows("INSERT INTO t VALUES (1) RETURNING a")
    assert not returns_rows("INSERT INTO t VALUES ('RETURNING')")
    assert writes_only_if_needed("CREATE TABLE IF NOT EXISTS t (a)")
    assert not writes_only_if_needed("CREATE TABLE t (a)")
    assert statements("INSERT INTO t VALUES ('a;b'); -- c;d\n SELECT 1;\n") == [
        "INSERT INTO t VALUES ('a;b')",
        "SELECT 1",
    ]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE t SET a = ?, b = 'x, y' WHERE c = 1 + 1",
        "UPDATE t SET a = %s, b = %(b)s, c = $1, d = NULL RETURNING a",
        "DELETE FROM t WHERE a = ?",
        "REPLACE INTO t VALUES (?)",
        "INSERT OR REPLACE INTO t VALUES (?, random())",
        "INSERT INTO t VALUES (?, ?) ON CONFLICT (a) DO UPDATE SET b = excluded.b WHERE 1",
        "INSERT INTO t VALUES (%s) ON DUPLICATE KEY UPDATE b = VALUES(b)",
    ],
)
def test_what_sets_or_replaces_may_be_repeated(statement: str) -> None:
    assert may_repeat(statement)


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO t VALUES (1)",
        "INSERT INTO t SELECT * FROM s ON CONFLICT DO NOTHING",
        "UPDATE t SET a = a + 1",
        "UPDATE t SET a = b, b = 1",
        "UPDATE t SET a = (SELECT max(a) FROM t)",
        "DELETE FROM queue WHERE a = (SELECT min(a) FROM queue)",
        "INSERT INTO t VALUES (1, 1) ON CONFLICT (a) DO UPDATE SET b = b + 1",
        "WITH s AS (SELECT 1) UPDATE t SET a = 1",
        "CALL pay(7)",
    ],
)
def test_what_counts_or_inserts_may_not(statement: str) -> None:
    assert not may_repeat(statement)


VALUES = st.sampled_from(
    ["1", "2", "NULL", "'it''s'", "a", "b", "b + 1", "(SELECT max(b) FROM t)", "coalesce(b, 0) + 1"]
)
COLUMNS = st.sampled_from(["b", "c"])
ASSIGNED = st.lists(st.builds("{} = {}".format, COLUMNS, VALUES), min_size=1, max_size=2).map(", ".join)
GUARDS = st.sampled_from(["", " WHERE a = 1", " WHERE b = 2", " WHERE a = (SELECT min(a) FROM t)", " WHERE c IS NULL"])
ROWS = st.sampled_from(["(1, 2, 3)", "(9, 2, 'x')", "((SELECT max(a) + 1 FROM t), 1, 1)"])
UPSERTS = ASSIGNED.map(" ON CONFLICT (a) DO UPDATE SET {}".format)
WRITTEN = st.one_of(
    st.builds("UPDATE t SET {}{}".format, ASSIGNED, GUARDS),
    st.builds("DELETE FROM t{}".format, GUARDS),
    st.builds("INSERT INTO t VALUES {}{}".format, ROWS, st.just("") | UPSERTS),
)


def rows_after(statement: str, times: int) -> list[Any]:
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE t (a INTEGER PRIMARY KEY, b, c)")
    connection.executemany("INSERT INTO t VALUES (?, ?, ?)", [(1, 2, None), (2, 2, 5), (3, None, "x")])
    with suppress(sqlite3.Error):  # what cannot be done, is not
        for _ in range(times):
            connection.execute(statement)
    rows = connection.execute("SELECT * FROM t ORDER BY a").fetchall()
    connection.close()
    return rows


@given(WRITTEN.filter(may_repeat))
def test_whatever_may_be_repeated_comes_to_an_end_in_a_real_database(statement: str) -> None:
    once = 2 if "CONFLICT" in statement else 1
    assert rows_after(statement, once + 1) == rows_after(statement, once)
