"""SQL statements, as far as it takes to say whether one writes, and whether writing it twice is writing it once.

Not a parser: strings and comments are taken out, and what is then not understood counts as a write that may not be
repeated.
"""

from __future__ import annotations

import re

_FIRST = re.compile(r"[(\s]*(\w+)")
_TO = re.compile(r"\bTO\b", re.IGNORECASE)
_IGNORED = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)
_STRING = re.compile(r"'(?:[^']|'')*'")
_READING = re.compile("SELECT|VALUES|EXPLAIN|SHOW|DESCRIBE|DESC|PRAGMA|SET|USE|ANALYZE|VACUUM|ATTACH|DETACH|TABLE")
BEGINS = ("BEGIN", "START")
COMMITS = ("COMMIT", "END")
ROLLBACKS = ("ROLLBACK", "ABORT")
_TRANSACTION = (*BEGINS, *COMMITS, *ROLLBACKS, "SAVEPOINT", "RELEASE")
_STATEMENT = re.compile(r"(?:[^;']|'(?:[^']|'')*')+")
_WRITING_CTE = re.compile(r"\b(INSERT|UPDATE|DELETE|MERGE|REPLACE)\b", re.IGNORECASE)
_GUARDED = re.compile(r"(CREATE|DROP|ALTER)\b.*\bIF\s+(NOT\s+)?EXISTS\b", re.IGNORECASE | re.DOTALL)
_QUERY = re.compile(r"\bSELECT\b", re.IGNORECASE)
_REPLACE = re.compile(r"REPLACE\b|INSERT\s+OR\s+REPLACE\b", re.IGNORECASE)
_UPSERT = re.compile(
    r"INSERT\b.*\b(?:ON\s+CONFLICT\b.*\bDO\s+UPDATE\s+SET|ON\s+DUPLICATE\s+KEY\s+UPDATE)\b(?P<set>.*)",
    re.IGNORECASE | re.DOTALL,
)
_UPDATE = re.compile(r"UPDATE\b.*?\bSET\b(?P<set>.*)", re.IGNORECASE | re.DOTALL)
_DELETE = re.compile(r"DELETE\s+FROM\b(?!.*\b(?:SELECT|LIMIT)\b)", re.IGNORECASE | re.DOTALL)
_REST = re.compile(r"\b(?:WHERE|RETURNING)\b.*", re.IGNORECASE | re.DOTALL)
_CONSTANT = (
    r"\?\d*|:\w+|@\w+|\$\w+|%s|%\(\w+\)s|[-+]?\d+(?:\.\d+)?|''|NULL|TRUE|FALSE|CURRENT_(?:TIMESTAMP|DATE|TIME)"
    r"|excluded\.[\w\"`]+|VALUES\s*\([\w\"`]+\)"
)
_ASSIGNMENT = re.compile(rf"[\w\"`.\[\]]+\s*=\s*(?:{_CONSTANT})", re.IGNORECASE)
_COMMA = re.compile(r",(?![^(]*\))")


def _bare(statement: str) -> str:
    return _STRING.sub("''", _IGNORED.sub(" ", statement)).strip().rstrip(";").rstrip()


def keyword(statement: str) -> str:
    """The first word of a statement, in capitals; empty if there is none."""
    found = _FIRST.match(_IGNORED.sub(" ", statement))
    if found is None:
        return ""
    word = found[1].upper()
    return "SAVEPOINT" if word in ROLLBACKS and _TO.search(statement) else word


def statements(script: str) -> list[str]:
    """The statements of a script."""
    return [one.strip() for one in _STATEMENT.findall(_IGNORED.sub(" ", script)) if one.strip()]


def is_read(statement: str) -> bool:
    """Whether a statement writes nothing: a query, or one that steers the connection."""
    word = keyword(statement)
    if word == "WITH":
        return _WRITING_CTE.search(_bare(statement)) is None
    return not word or _READING.fullmatch(word) is not None or word in _TRANSACTION


def writes_only_if_needed(statement: str) -> bool:
    """Whether a statement looks whether it has been done: CREATE … IF NOT EXISTS, DROP … IF EXISTS."""
    return _GUARDED.match(_bare(statement)) is not None


def returns_rows(statement: str) -> bool:
    """Whether a write returns rows, and counts what it has written only when they are fetched."""
    return re.search(r"\bRETURNING\b", _bare(statement), re.IGNORECASE) is not None


def may_repeat(statement: str) -> bool:
    """Whether a write, done again and again, comes to an end: it replaces, deletes, or sets columns to what is given.

    An upsert may set other values than it inserted: so the second time may differ from the first, but no third.
    """
    text = _bare(statement)
    if _DELETE.match(text):
        return True
    is_insert = _REPLACE.match(text) or _UPSERT.match(text)
    if is_insert and _QUERY.search(text):
        return False
    if _REPLACE.match(text):
        return True
    found = _UPSERT.match(text) or _UPDATE.match(text)
    if found is None:
        return False
    assignments = _COMMA.split(_REST.sub("", found["set"]))
    return all(_ASSIGNMENT.fullmatch(one.strip()) for one in assignments)
