"""A nightly ETL job as a durable function: extract, wait, transform in batches, wait for the night, load, verify."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from aws_durable_execution_sdk_python import BatchResult, DurableContext, StepContext, durable_execution, durable_step
from aws_durable_execution_sdk_python.config import Duration

RATE_LIMIT = Duration.from_minutes(5)
LOAD_HOUR = 2
"""Of the day, in UTC: when the destination has the fewest readers."""

UPSERT = """
    INSERT INTO orders (id, customer, cents) VALUES (?, ?, ?)
    ON CONFLICT (id) DO UPDATE SET customer = excluded.customer, cents = excluded.cents
"""
INSERT = "INSERT INTO orders (id, customer, cents) VALUES (?, ?, ?)"

Order = list[Any]
"""Id, customer, amount. A list, not a tuple: so it comes back the same from the checkpoint."""


@dataclass(frozen=True)
class Databases:
    """Where the job reads and where it writes."""

    source: Path
    destination: Path


@contextmanager
def connect(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a database, commit at the end of the block unless it raises, and close it.

    No connection outlives an invocation, so each step opens its own.
    """
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("PRAGMA journal_mode = MEMORY")
        yield connection


def create_tables(databases: Databases, *, keyed: bool = True) -> None:
    """Make the tables of both databases; without ``keyed`` nothing keeps an order from being stored twice."""
    with connect(databases.source) as source:
        source.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, customer TEXT, amount TEXT)")
    with connect(databases.destination) as destination:
        destination.execute(f"CREATE TABLE orders (id INTEGER{' PRIMARY KEY' * keyed}, customer TEXT, cents INTEGER)")
        destination.execute("CREATE TABLE jobs (day TEXT PRIMARY KEY, orders INTEGER)")


@durable_step
def extract(step: StepContext, databases: Databases) -> list[Order]:
    """Read every order of the source."""
    with connect(databases.source) as source:
        return [list(row) for row in source.execute("SELECT id, customer, amount FROM orders ORDER BY id")]


@durable_step
def clean(step: StepContext, orders: Sequence[Order]) -> list[Order]:
    """Normalise the names of a batch, and turn its amounts into cents."""
    return [[number, customer.strip().title(), int(Decimal(amount) * 100)] for number, customer, amount in orders]


def clean_batch(
    context: DurableContext, batch: Sequence[Order], index: int, batches: Sequence[Sequence[Order]]
) -> list[Order]:
    """Transform one batch: what ``context.map`` runs for each of them, side by side."""
    return context.step(clean(batch))


def seconds_until_load() -> int:
    """Whole seconds from now until the next 02:00, rounded down."""
    now = datetime.now(UTC)
    target = now.replace(hour=LOAD_HOUR, minute=0, second=0, microsecond=0)
    if target < now:
        target += timedelta(days=1)
    return int((target - now).total_seconds())


@durable_step
def plan_load(step: StepContext) -> int:
    """Decide how long to wait, once: a replay is given the stored answer.

    One second more than the seconds rounded down: never before 02:00, and never 0, which ``wait`` refuses.
    """
    return seconds_until_load() + 1


@durable_step
def load(step: StepContext, databases: Databases, orders: Sequence[Order], statement: str) -> int:
    """Write the orders in one transaction.

    Killed after the commit, but before its result is stored, the step runs again: the statement must bear it.
    """
    with connect(databases.destination) as destination:
        return destination.executemany(statement, orders).rowcount


@durable_step
def verify(step: StepContext, databases: Databases) -> dict[str, int]:
    """Count what the destination holds now."""
    with connect(databases.destination) as destination:
        return dict(destination.execute("SELECT count(*) AS orders, sum(cents) AS cents FROM orders").fetchone())


@durable_step
def mark_complete(step: StepContext, databases: Databases, day: str, orders: int) -> str:
    """Record that the day is done; to record it twice is to record it once."""
    with connect(databases.destination) as destination:
        destination.execute("INSERT OR REPLACE INTO jobs (day, orders) VALUES (?, ?)", (day, orders))
    return day


def make_handler(
    databases: Databases, *, keyed_load: bool = True, clock_in_step: bool = True
) -> Callable[[Any, Any], Any]:
    """Make the durable handler; its event is ``{"day": "2026-01-01", "batch_size": 100}``.

    Args:
        databases: where it reads and writes.
        keyed_load: load by primary key, so that to load twice is to load once. Without it, rows are just inserted.
        clock_in_step: read the clock inside a step. Without it, the handler reads it again in every replay.
    """

    @durable_execution
    def handler(event: dict[str, Any], context: DurableContext) -> dict[str, int]:
        orders = context.step(extract(databases))
        context.wait(RATE_LIMIT, name="rate-limit")

        size = event["batch_size"]
        batches = [orders[start : start + size] for start in range(0, len(orders), size)]
        transformed: BatchResult[list[Order]] = context.map(batches, clean_batch, name="transform")
        transformed.throw_if_error()
        rows = [order for batch in transformed.get_results() for order in batch]

        seconds = context.step(plan_load()) if clock_in_step else seconds_until_load()
        context.wait(Duration.from_seconds(seconds), name="until-night")

        loaded = context.step(load(databases, rows, UPSERT if keyed_load else INSERT))
        present = context.step(verify(databases))
        context.step(mark_complete(databases, event["day"], present["orders"]))
        return {"extracted": len(orders), "loaded": loaded, "present": present["orders"], "cents": present["cents"]}

    return handler
