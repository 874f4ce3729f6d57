"""The ETL job, run once, then killed at every place one kill can land; and with each of its safeguards removed."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from examples.etl.pipeline import Databases, connect, create_tables, make_handler
from pytest_durable import FakeDurableContext, OutcomeChanged, ReplayDiverged

EVENT = {"day": "2026-01-01", "batch_size": 3}
SOURCE = [(number, f"  customer {number} ", f"{number}.50") for number in range(1, 7)]
DESTINATION = [(number, f"Customer {number}", number * 100 + 50) for number in range(1, 7)]
RESULT = {"extracted": 6, "loaded": 6, "present": 6, "cents": 2400}


@pytest.fixture
def databases(tmp_path: Path) -> Databases:
    return Databases(tmp_path / "source.db", tmp_path / "destination.db")


def prepare(databases: Databases, *, keyed: bool = True) -> Callable[[], None]:
    """Fill the source; return what empties the destination again, which ``verify`` does before each of its runs."""
    create_tables(databases, keyed=keyed)
    with connect(databases.source) as source:
        source.executemany("INSERT INTO orders (id, customer, amount) VALUES (?, ?, ?)", SOURCE)

    def reset() -> None:
        with connect(databases.destination) as destination:
            destination.execute("DELETE FROM orders")
            destination.execute("DELETE FROM jobs")

    return reset


def stored_in(databases: Databases, table: str) -> list[tuple[object, ...]]:
    with connect(databases.destination) as destination:
        return [tuple(row) for row in destination.execute(f"SELECT * FROM {table} ORDER BY 1")]


def test_one_run_loads_every_order_at_night_and_is_billed_for_a_second(
    durable_ctx: FakeDurableContext, databases: Databases
) -> None:
    prepare(databases)
    began = time.process_time()  # the clocks of time.time() and datetime are virtual here
    execution = durable_ctx.run(make_handler(databases), EVENT)
    took = time.process_time() - began

    assert execution.status == "SUCCEEDED"
    assert execution.result == RESULT
    assert stored_in(databases, "orders") == DESTINATION
    assert stored_in(databases, "jobs") == [("2026-01-01", 6)]
    assert execution.body_runs("load") == 1

    loaded = execution.operation("load").started
    assert loaded is not None
    assert datetime(2026, 1, 1, 2, tzinfo=UTC) <= loaded < datetime(2026, 1, 1, 2, 0, 2, tzinfo=UTC)
    assert execution.elapsed >= 2 * 3600
    assert execution.billed < 1
    assert took < 1
    print(f"{execution.elapsed:.0f} s of virtual time, {execution.billed:.2f} s of them billed")
    print(execution.timeline())


def test_it_survives_a_kill_at_every_place(durable_ctx: FakeDurableContext, databases: Databases) -> None:
    reset = prepare(databases)
    verification = durable_ctx.verify(make_handler(databases), EVENT, reset=reset)

    assert verification.killed == verification.places
    assert {"load:start", "load:body", "load:stored"} <= set(verification.killed)
    assert stored_in(databases, "orders") == DESTINATION
    print(verification)


def test_a_load_without_a_key_is_caught_by_the_kill_between_commit_and_checkpoint(
    durable_ctx: FakeDurableContext, databases: Databases
) -> None:
    reset = prepare(databases, keyed=False)
    with pytest.raises(OutcomeChanged) as caught:
        durable_ctx.verify(make_handler(databases, keyed_load=False), EVENT, reset=reset)

    assert caught.value.failure.plan == "load:body"  # load:start was tried before: nothing is committed yet there
    assert "result['present'] is 12, and 6 without faults" in str(caught.value)
    print(caught.value)


def test_a_clock_read_outside_of_a_step_is_caught_by_the_first_replay(
    durable_ctx: FakeDurableContext, databases: Databases
) -> None:
    reset = prepare(databases)
    with pytest.raises(ReplayDiverged, match="wait 'until-night'") as caught:
        durable_ctx.verify(make_handler(databases, clock_in_step=False), EVENT, reset=reset)

    # It takes no kill: the wait ends within the second before 02:00, the replay counts 0 seconds until then.
    assert caught.value.failure.plan == ""
    said = " ".join(str(caught.value).split())
    assert re.search(r"wait 'until-night' of (6899|6900) s .* wait 'until-night' of 0 s", said)
    assert "duration must be at least 1 second" in said
    print(caught.value)
