"""A transfer as a durable function on a SQLite file: debit and credit, a day of clearing, the fee."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from aws_durable_execution_sdk_python import DurableContext, StepContext, durable_execution, durable_step
from aws_durable_execution_sdk_python.config import Duration

from examples.bookkeeping import books as bank
from examples.bookkeeping.books import Books

CLEARING = Duration.from_days(1)

FEES: dict[str, int] = {}
"""Cents by transfer, for as long as the process lives."""

Transfer = dict[str, Any]
"""Id, payer, payee, cents."""


@dataclass(frozen=True)
class Safeguards:
    """What makes the transfer safe from kills. Each can be left out, to see it found.

    Attributes:
        looks_first: an attempt that finds the transfer in the books leaves them as they are.
        one_commit: debit and credit are committed together.
        lock_of_sqlite: writers are kept apart by SQLite's lock, not by a lock file.
        fee_from_step: the fee is the result of a step, not remembered in a module global.
    """

    looks_first: bool = True
    one_commit: bool = True
    lock_of_sqlite: bool = True
    fee_from_step: bool = True


@durable_step
def book(step: StepContext, books: Books, transfer: Transfer, safe: Safeguards) -> int:
    """Debit and credit; returns the fee in cents."""
    fee: int = transfer["cents"] // 100
    FEES[transfer["id"]] = fee
    with books.writing() if safe.lock_of_sqlite else books.writing_with_a_lock_file() as connection:
        if safe.looks_first and bank.is_booked(connection, transfer["id"]):
            return fee  # by an attempt before this one
        bank.add(connection, transfer["id"], transfer["payer"], -transfer["cents"])
        if not safe.one_commit:
            connection.commit()
        bank.add(connection, transfer["id"], transfer["payee"], transfer["cents"])
    return fee


@durable_step
def charge(step: StepContext, books: Books, transfer: Transfer, fee: int) -> None:
    """Charge the fee."""
    charged = f"fee of {transfer['id']}"
    with books.writing() as connection:
        if not bank.is_booked(connection, charged):
            bank.add(connection, charged, transfer["payer"], -fee)
            bank.add(connection, charged, "fees", fee)


def make_handler(books: Books, safeguards: Safeguards | None = None) -> Callable[[Any, Any], Any]:
    """Make the durable handler; its event: ``{"id": "7", "payer": "ada", "payee": "bob", "cents": 4200}``."""
    safe = safeguards or Safeguards()

    @durable_execution
    def handler(event: Transfer, context: DurableContext) -> dict[str, int]:
        fee = context.step(book(books, event, safe))
        context.wait(CLEARING, name="clearing")
        context.step(charge(books, event, fee if safe.fee_from_step else FEES.get(event["id"], 0)))
        balances: dict[str, int] = context.step(lambda _: books.balances(), name="balances")
        return balances

    return handler
