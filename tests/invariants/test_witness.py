"""The witness sees what a journal must not do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from aws_durable_execution_sdk_python.lambda_service import OperationStatus

from pytest_durable.service.journal import Journal
from tests.invariants.witness import watching
from tests.service.journals import NOW, later, new_journal, retry, update, wait

Sabotage = Callable[[Journal], None]


def changes_what_is_settled(journal: Journal) -> None:
    done = journal.operations["done"]
    assert done.step_details is not None
    journal.operations["done"] = replace(done, step_details=replace(done.step_details, result="2"))


def opens_what_is_settled(journal: Journal) -> None:
    journal.operations["done"] = replace(journal.operations["done"], status=OperationStatus.STARTED)


def forgets(journal: Journal) -> None:
    del journal.operations["done"]


def reorders(journal: Journal) -> None:
    journal.operations["done"] = journal.operations.pop("done")


def renames(journal: Journal) -> None:
    journal.operations["open"] = replace(journal.operations["open"], name="other")


def skips_a_state(journal: Journal) -> None:
    journal.operations["retried"] = replace(
        journal.operations["retried"], status=OperationStatus.SUCCEEDED, end_timestamp=NOW
    )


def ends_what_is_open(journal: Journal) -> None:
    journal.operations["open"] = replace(journal.operations["open"], end_timestamp=NOW)


def counts_backwards(journal: Journal) -> None:
    retried = journal.operations["retried"]
    assert retried.step_details is not None
    journal.operations["retried"] = replace(retried, step_details=replace(retried.step_details, attempt=0))


SABOTAGES = [
    changes_what_is_settled,
    opens_what_is_settled,
    forgets,
    reorders,
    renames,
    skips_a_state,
    ends_what_is_open,
    counts_backwards,
]


def nothing(journal: Journal) -> None:
    """Leave it as it is."""


def wrongs(sabotage: Sabotage) -> list[str]:
    with watching() as witness:
        journal = new_journal()
        journal.apply([update("STEP", "SUCCEED", "done", payload="1"), update("STEP", "START", "open")], NOW)
        journal.apply([retry("retried"), wait("pause")], later(1))
        sabotage(journal)
        journal.apply([update("STEP", "START", "last")], later(2))
        journal.fire_due(later(60))
        journal.apply([update("STEP", "SUCCEED", "open", payload="1")], later(61))
    assert witness.changes == 5
    return witness.wrong


@pytest.mark.parametrize("sabotage", SABOTAGES, ids=lambda sabotage: sabotage.__name__)
def test_a_journal_that_breaks_its_promise_is_seen(sabotage: Sabotage) -> None:
    assert len(wrongs(sabotage)) >= 1


def test_a_journal_that_keeps_its_promises_is_left_alone() -> None:
    assert wrongs(nothing) == []


def test_time_that_runs_backwards_is_seen() -> None:
    with watching() as witness:
        journal = new_journal()
        journal.apply([update("STEP", "START", "a")], later(1))
        journal.apply([update("STEP", "START", "b")], NOW)
    assert len(witness.wrong) == 1
