"""The transfer, killed at every place by a real ``SIGKILL``; without its safeguards; and what no other kill shows."""

from __future__ import annotations

import sqlite3
from dataclasses import fields
from pathlib import Path

import pytest

from examples.bookkeeping import books as bank
from examples.bookkeeping.bookkeeping import FEES, Safeguards, make_handler
from examples.bookkeeping.books import Books
from pytest_durable import (
    DurabilityViolation,
    EffectLedger,
    EffectLost,
    EffectRepeated,
    FakeDurableContext,
    OutcomeChanged,
    Verification,
)

TRANSFER = {"id": "7", "payer": "ada", "payee": "bob", "cents": 4200}
BOOKED = {"ada": -4242, "bob": 4200, "fees": 42}

FOUND: dict[str, tuple[type[DurabilityViolation], str, str]] = {
    "looks_first": (EffectRepeated, "book:body", "happened twice, without an idempotency key"),
    "one_commit": (EffectLost, "book:effect:commit", "was lost"),
    "lock_of_sqlite": (OutcomeChanged, "book:effect:entry", "books.lock is there"),
    "fee_from_step": (OutcomeChanged, "", "result['fees'] is 0, and 42 in one invocation"),  # any suspension is enough
}
"""By safeguard, what is found without it: the violation, the kill, and what its message says."""

BY_REAL_KILLS_ONLY = {"lock_of_sqlite", "fee_from_step"}


@pytest.fixture
def books(tmp_path: Path, durable_effects: EffectLedger, monkeypatch: pytest.MonkeyPatch) -> Books:
    """Empty books. A transfer is killed after each entry, in the middle of a transaction, and after each commit."""
    add = durable_effects.wrap(bank.add, name="entry", key=lambda _, *entry: entry)
    monkeypatch.setattr(bank, "add", add)
    durable_effects.watch(sqlite3)
    books = Books(tmp_path / "books.db")
    books.reset()
    return books


def verify(ctx: FakeDurableContext, books: Books, safeguards: Safeguards) -> Verification:
    def reset() -> None:
        books.reset()
        FEES.clear()

    return ctx.verify(make_handler(books, safeguards), TRANSFER, reset=reset)


@pytest.mark.durable(isolation="process")
def test_a_transfer_survives_any_kill(durable_ctx: FakeDurableContext, books: Books) -> None:
    verification = verify(durable_ctx, books, Safeguards())

    assert verification.killed == verification.places
    assert {"book:effect:entry", "book@2:effect:entry", "book:effect:commit"} <= set(verification.killed)
    print(verification)


@pytest.mark.durable(isolation="process")
def test_half_a_transfer_is_never_seen(durable_ctx: FakeDurableContext, books: Books) -> None:
    execution = durable_ctx.start(make_handler(books), TRANSFER, faults="book:effect:entry")

    assert books.balances() == {}  # nobody rolled it back: there was nobody left
    assert execution.run().result == BOOKED


def kills_that_show(without: str) -> pytest.MarkDecorator:
    """Real ones where it takes them; else those of threads, which take a tenth of the time."""
    return pytest.mark.durable(isolation="process" if without in BY_REAL_KILLS_ONLY else "thread")


@pytest.mark.parametrize(
    "without", [pytest.param(field.name, marks=kills_that_show(field.name)) for field in fields(Safeguards)]
)
def test_a_transfer_without_one_of_its_safeguards_is_caught(
    durable_ctx: FakeDurableContext, books: Books, without: str
) -> None:
    violation, plan, says = FOUND[without]
    with pytest.raises(violation) as found:
        verify(durable_ctx, books, Safeguards(**{without: False}))

    assert found.value.failure.plan == plan
    assert says in " ".join(str(found.value).split())
    print(found.value)


@pytest.mark.parametrize("without", sorted(BY_REAL_KILLS_ONLY))
def test_what_kills_of_threads_do_not_show(durable_ctx: FakeDurableContext, books: Books, without: str) -> None:
    """Unwound, the thread removes the lock file in ``finally``, and the next invocation finds the fee in memory."""
    assert verify(durable_ctx, books, Safeguards(**{without: False})).killed
