"""The approval: each way it can go, killed at every place; and with each of its safeguards removed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields

import pytest

from examples.approval.approval import Office, Safeguards, make_handler
from pytest_durable import (
    DurabilityViolation,
    ExecutionStuck,
    FakeDurableContext,
    OutcomeChanged,
    ReplayDiverged,
    ServiceError,
    SuspensionSwallowed,
)

HOUR = 3600
DAY = 24 * HOUR
MORNING = 9 * HOUR
"""Seconds from the first instant of virtual time, which is midnight."""

EXPENSE = {"id": "e-1", "by": "sam", "cents": 9900}
YES = {"approved": True}
NO = {"approved": False}

Answers = Callable[[FakeDurableContext], object]


def approved(durable_ctx: FakeDurableContext) -> None:
    durable_ctx.callbacks.succeed("ask", YES, after=HOUR)


def approved_when_reminded(durable_ctx: FakeDurableContext) -> None:
    durable_ctx.callbacks.succeed("remind", YES, after=HOUR)


def refused_by_the_director(durable_ctx: FakeDurableContext) -> None:
    durable_ctx.callbacks.succeed("escalate", NO, after=DAY)


def bounced(durable_ctx: FakeDurableContext) -> None:
    durable_ctx.callbacks.fail("ask", "no such mailbox", after=60)
    durable_ctx.callbacks.succeed("escalate", YES, after=HOUR)


def unanswered(durable_ctx: FakeDurableContext) -> None:
    """Nobody ever looks at their mail."""


ENDS: dict[Answers, tuple[dict[str, object], float]] = {
    approved: ({"approved": True, "by": "manager", "mails": ["manager", "sam"], "booked": 9900}, HOUR),
    approved_when_reminded: (
        {"approved": True, "by": "manager", "mails": ["manager", "manager", "sam"], "booked": 9900},
        DAY + HOUR,
    ),
    refused_by_the_director: (
        {"approved": False, "by": "director", "mails": ["director", "manager", "manager", "sam"], "booked": 0},
        3 * DAY,
    ),
    bounced: ({"approved": True, "by": "director", "mails": ["director", "manager", "sam"], "booked": 9900}, 60 + HOUR),
    unanswered: (
        {"approved": False, "by": "nobody", "mails": ["director", "manager", "manager", "sam"], "booked": 0},
        4 * DAY,
    ),
}
"""By what people do: the result, and how long it takes from the opening of the office."""

FOUND: dict[str, tuple[Answers, type[DurabilityViolation], str, str]] = {
    "clock_in_step": (approved, ReplayDiverged, "", "'ask' where the first pass asked for wait 'until-morning'"),
    "keyed_mail": (approved, OutcomeChanged, "ask/ask submitter:body", 'is ["manager", "manager", "sam"], and ["man'),
    "timeout": (unanswered, ExecutionStuck, "", "suspended on 'ask', and nothing will wake it"),
    "narrow_except": (approved, SuspensionSwallowed, "", "the handler swallows its own suspension"),
    "keyed_booking": (approved, OutcomeChanged, "book:body", "result['booked'] is 19800, and 9900 without faults"),
}
"""By safeguard, what people do, and what is found without it: the violation, the kills, and what its message says."""


@pytest.mark.parametrize("people", ENDS, ids=lambda people: people.__name__)
def test_it_ends_as_it_should_and_no_kill_changes_that(durable_ctx: FakeDurableContext, people: Answers) -> None:
    office, (result, seconds) = Office(), ENDS[people]
    people(durable_ctx)
    verification = durable_ctx.verify(make_handler(office), EXPENSE, reset=office.clear)
    assert verification.killed == verification.places
    assert {"until-morning:suspend", "ask/ask submitter:body"} <= set(verification.killed)
    print(verification)

    office.clear()
    execution = durable_ctx.run(make_handler(office), EXPENSE)  # after verify, which sets the clock back to midnight
    assert execution.result == result
    assert MORNING + seconds <= execution.elapsed < MORNING + seconds + 10
    assert execution.billed < 10


def test_two_kills_change_nothing(durable_ctx: FakeDurableContext) -> None:
    office = Office()
    approved_when_reminded(durable_ctx)
    verification = durable_ctx.verify(make_handler(office), EXPENSE, kills=2, reset=office.clear)

    assert verification.drawn == 100
    print(verification)


def test_by_hand_the_first_link_is_dead_once_the_reminder_is_out(durable_ctx: FakeDurableContext) -> None:
    execution = durable_ctx.start(make_handler(Office()), EXPENSE)
    assert execution.callbacks == ()  # it is midnight
    execution.advance(MORNING + DAY + 10)
    with pytest.raises(ServiceError, match="CallbackTimeoutException"):
        execution.callback("ask").succeed(YES)

    execution.callback("remind").succeed(NO)
    assert execution.result == {"approved": False, "by": "manager", "mails": ["manager", "manager", "sam"], "booked": 0}


@pytest.mark.parametrize("without", [field.name for field in fields(Safeguards)])
def test_an_approval_without_one_of_its_safeguards_is_caught(durable_ctx: FakeDurableContext, without: str) -> None:
    people, violation, plan, says = FOUND[without]
    office = Office()
    people(durable_ctx)
    with pytest.raises(violation) as found:
        durable_ctx.verify(make_handler(office, Safeguards(**{without: False})), EXPENSE, reset=office.clear)

    assert found.value.failure.plan == plan
    assert says in str(found.value)
    print(found.value)
