"""The invoicing, killed at every place, its worker's included; and with each of its safeguards removed."""

from __future__ import annotations

from dataclasses import fields

import pytest

from examples.fan_out.invoicing import WORKER, Company, Safeguards, make_handler, make_worker
from pytest_durable import DurabilityViolation, FakeDurableContext, OutcomeChanged, ReplayDiverged

SENT = {"sent": ["ann", "bob", "cid"], "failed": {}, "numbers": 3, "mails": 3}
SENT_BUT_ONE = {"sent": ["ann", "cid"], "failed": {"bob": "no mailbox for bob"}, "numbers": 3, "mails": 2}

FOUND: dict[str, tuple[type[DurabilityViolation], str, str]] = {
    "list_in_step": (ReplayDiverged, "", """map 'invoices' is asked for with items ["cid"] on replay"""),
    "keyed_number": (
        OutcomeChanged,
        "invoices/ann/draw-up/assign_number:body",
        "result['numbers'] is 4, and 3 without faults",
    ),
    "keyed_mail": (OutcomeChanged, "invoices/ann/send:body", "result['mails'] is 4, and 3 without faults"),
    "results_from_batch": (ReplayDiverged, "", "gives another result"),
}
"""By safeguard, what is found without it: the violation, the plan of kills, and what its message says."""


def make_company(
    durable_ctx: FakeDurableContext,
    safeguards: Safeguards | None = None,
    *,
    unknown: frozenset[str] = frozenset(),
    busy: dict[str, int] | None = None,
) -> Company:
    company = Company(("ann", "bob", "cid"), unknown, busy or {})
    durable_ctx.register(WORKER, make_worker(company, safeguards))
    return company


def test_everybody_gets_one_invoice_by_a_worker_of_its_own(durable_ctx: FakeDurableContext) -> None:
    company = make_company(durable_ctx)
    execution = durable_ctx.run(make_handler(company))

    assert execution.result == SENT
    assert execution.invoked("invoices/cid/draw-up").result == {"number": 3}
    assert 120 <= execution.elapsed < 130  # two at a time, a minute each
    assert execution.billed < 10


def test_a_busy_mail_server_is_tried_again(durable_ctx: FakeDurableContext) -> None:
    execution = durable_ctx.run(make_handler(make_company(durable_ctx, busy={"cid": 2})))

    assert execution.result == SENT
    assert execution.body_runs("invoices/cid/send") == 3


def test_more_failures_than_are_tolerated_stop_the_job(durable_ctx: FakeDurableContext) -> None:
    company = make_company(durable_ctx, unknown=frozenset({"ann", "bob"}))
    execution = durable_ctx.run(make_handler(company))

    assert execution.status == "FAILED"
    assert execution.error is not None
    assert execution.error.message == "more than 1 of 3 customers stay without an invoice"
    assert company.mails == {}  # cid was not begun


def test_every_invoice_survives_any_kill(durable_ctx: FakeDurableContext) -> None:
    company = make_company(durable_ctx, busy={"cid": 1})
    verification = durable_ctx.verify(make_handler(company), reset=company.clear)

    assert verification.outcome is None
    assert verification.killed == verification.places
    assert {"invoices/ann/draw-up/assign_number:body", "invoices/cid/send:suspend"} <= set(verification.killed)
    print(verification)


def test_a_tolerated_failure_survives_two_kills(durable_ctx: FakeDurableContext) -> None:
    company = make_company(durable_ctx, unknown=frozenset({"bob"}))
    verification = durable_ctx.verify(make_handler(company), kills=2, examples=12, reset=company.clear)

    assert verification.killed == verification.places
    company.clear()
    assert durable_ctx.run(make_handler(company)).result == SENT_BUT_ONE
    print(verification)


def test_a_job_that_fails_fails_under_every_kill(durable_ctx: FakeDurableContext) -> None:
    company = make_company(durable_ctx, unknown=frozenset({"ann", "bob"}))
    verification = durable_ctx.verify(make_handler(company), reset=company.clear)

    assert verification.outcome is not None
    assert "TooManyFailures" in verification.outcome
    assert verification.killed == verification.places
    print(verification)


@pytest.mark.parametrize("without", [field.name for field in fields(Safeguards)])
def test_an_invoicing_without_one_of_its_safeguards_is_caught(durable_ctx: FakeDurableContext, without: str) -> None:
    violation, plan, says = FOUND[without]
    safeguards = Safeguards(**{without: False})
    company = make_company(durable_ctx, safeguards)
    with pytest.raises(violation) as found:
        durable_ctx.verify(make_handler(company, safeguards), reset=company.clear)

    assert found.value.failure.plan == plan
    assert says in str(found.value)
    print(found.value)
