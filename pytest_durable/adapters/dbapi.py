"""Connections of the Python Database API (PEP 249): what is committed is an effect.

A connection of sqlite3 takes no attributes, so a proxy stands before it, and before its cursors. It notes what is
written and is told of every commit: by `commit`, by leaving a ``with`` block, by a statement, or by the database itself
in autocommit. A statement that wrote no row is not noted, and a commit of nothing is no effect: an INSERT … ON CONFLICT
DO NOTHING that finds its row, or an UPDATE whose WHERE finds none, leaves the world as it was.

A connection that outlives an invocation in the test would have died with it: what a killed invocation had written and
not committed is rolled back before the next one uses the connection.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from pytest_durable.adapters import sql
from pytest_durable.adapters.calls import Calls
from pytest_durable.engine import Process, current_task

COMMIT = "commit"
_SHORTCUTS = ("execute", "executemany", "executescript")
"""Methods of cursors that sqlite3 and psycopg have on connections as well."""


def watch(calls: Calls, connection: Any) -> Any:
    """A connection that records the commits of ``connection``."""
    return Connection(calls, connection)


class _Proxy:
    """Does whatever the real one does."""

    __slots__ = ("_real",)
    _real: Any
    _is_wrapped_effect = True

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name in type(self).__slots__ or name == "_real":
            object.__setattr__(self, name, value)
        else:
            setattr(self._real, name, value)

    def __repr__(self) -> str:
        return f"<watched {self._real!r}>"


class Connection(_Proxy):
    """Stands before a connection.

    Args:
        calls: what is told of the commits.
        real: the connection.
    """

    __slots__ = ("_begun", "_calls", "_writer", "_written")

    def __init__(self, calls: Calls, real: Any) -> None:
        self._real = real
        self._calls = calls
        self._written: list[str] = []
        self._writer: Process | None = None
        self._begun = False

    @property  # type: ignore[misc]  # read only
    def __class__(self) -> Any:
        """The real one's, for code that asks by isinstance."""
        return type(self._real)

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._real, name)
        if name not in _SHORTCUTS:
            return value
        return lambda statement, *args, **options: self._cursor(self.run(value, statement, *args, **options))

    def cursor(self, *args: Any, **options: Any) -> Any:
        """A cursor whose statements are noted."""
        return self._cursor(self._real.cursor(*args, **options))

    def _cursor(self, result: Any) -> Any:
        return Cursor(self, result) if hasattr(result, "fetchone") else result

    def commit(self) -> None:
        """Commit; what was written is an effect.

        Raises:
            Killed: if the invocation is dead; nothing is committed then.
        """
        self._begins()
        self._real.commit()
        self._committed()

    def rollback(self) -> None:
        """Take back what was written."""
        self._real.rollback()
        self._taken_back()

    def close(self) -> None:
        """Close; what was not committed is lost."""
        self._real.close()
        self._taken_back()

    def __enter__(self) -> Any:
        entered = self._real.__enter__()
        return self if entered is self._real else entered

    def __exit__(self, kind: Any, error: Any, trace: Any) -> Any:
        if kind is None:
            self._begins()
        suppressed = self._real.__exit__(kind, error, trace)
        if kind is not None:
            self._taken_back()
        elif getattr(self._real, "autocommit", None) is not True:  # else sqlite3 leaves a transaction as it is
            self._committed()
        return suppressed

    def run(self, execute: Callable[..., Any], statement: Any, *args: Any, **options: Any) -> Any:
        """Execute a statement by ``execute``, a method of the connection or of a cursor, and note what it writes.

        Raises:
            Killed: if it writes, or commits, and the invocation is dead; nothing is executed then.
        """
        text = _text(statement, self._real)
        is_script = getattr(execute, "__name__", "") == "executescript"
        if is_script and self._written and getattr(self._real, "autocommit", None) is not False:
            self.commit()  # as sqlite3 does before a script
        word = sql.keyword(text)
        is_write = is_script or not sql.is_read(text)
        if is_write or word in sql.COMMITS:
            self._begins()
        result = execute(statement, *args, **options)
        if is_script:
            self._written += [one for one in sql.statements(text) if _counts(one)]
        elif is_write and _counts(text) and (_rows(result, execute) != 0 or sql.returns_rows(text)):
            self._written.append(text)
        self._conclude(word)
        return result

    def _begins(self) -> None:
        """Something is about to be written or committed: in a transaction of its own, not in that of one who died."""
        self._calls.begins(COMMIT)
        task = current_task()
        writer, self._writer = self._writer, None if task is None else task.process
        if writer is not None and writer is not self._writer and writer.cause is not None and self._written:
            self.rollback()

    def _conclude(self, word: str) -> None:
        """See what a statement has done to the transaction."""
        if word in sql.BEGINS:
            self._begun = True
        elif word in sql.COMMITS:
            self._committed()
        elif word in sql.ROLLBACKS:
            self._taken_back()
        if not self._is_in_transaction():
            self._committed()

    def _is_in_transaction(self) -> bool:
        known = getattr(self._real, "in_transaction", None)  # of sqlite3
        if known is not None:
            return bool(known)
        if self._begun:
            return True
        asked = getattr(self._real, "get_autocommit", None)  # of MySQL's drivers, where autocommit is a method
        return not (asked() if callable(asked) else getattr(self._real, "autocommit", None) is True)

    def _committed(self) -> None:
        written, self._written, self._begun = self._written, [], False
        if written and self._calls.begins(COMMIT):
            key = "; ".join(written) if all(map(sql.may_repeat, written)) else None
            self._calls.arrived(COMMIT, key, statements=tuple(written))

    def _taken_back(self) -> None:
        self._written, self._begun = [], False


class Cursor(_Proxy):
    """Stands before a cursor.

    Args:
        connection: its connection, watched.
        real: the cursor.
    """

    __slots__ = ("_connection",)

    def __init__(self, connection: Connection, real: Any) -> None:
        self._real = real
        self._connection = connection

    @property
    def connection(self) -> Connection:
        """The connection, watched."""
        return self._connection

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._real, name)
        if name not in _SHORTCUTS:
            return value

        def execute(statement: Any, *args: Any, **options: Any) -> Any:
            result = self._connection.run(value, statement, *args, **options)
            return self if result is self._real else result

        return execute

    def __iter__(self) -> Iterator[Any]:
        return iter(self._real)

    def __next__(self) -> Any:
        return next(self._real)

    def __enter__(self) -> Any:
        entered = self._real.__enter__()
        return self if entered is self._real else entered

    def __exit__(self, kind: Any, error: Any, trace: Any) -> Any:
        return self._real.__exit__(kind, error, trace)


def _counts(statement: str) -> bool:
    return not sql.is_read(statement) and not sql.writes_only_if_needed(statement)


def _rows(result: Any, execute: Any) -> Any:
    """How many rows were written, by the cursor that wrote them; -1 if nobody knows."""
    owner = getattr(execute, "__self__", None)
    return getattr(result, "rowcount", getattr(owner, "rowcount", -1))


def _text(statement: Any, connection: Any) -> str:
    if hasattr(statement, "as_string"):  # composed by psycopg
        return str(statement.as_string(connection))
    return statement.decode() if isinstance(statement, bytes) else str(statement)
