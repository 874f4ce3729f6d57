"""Approval of an expense as a durable function: ask, remind, escalate; book what is approved, tell who asked."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from aws_durable_execution_sdk_python import (
    CallbackExternalError,
    CallbackTimeoutError,
    DurableContext,
    StepContext,
    durable_execution,
    durable_step,
    durable_wait_for_callback,
)
from aws_durable_execution_sdk_python.config import Duration, WaitForCallbackConfig
from aws_durable_execution_sdk_python.types import WaitForCallbackContext

OPENS, CLOSES = 9, 17
"""Hours of the day, in UTC, between which people are asked."""

Expense = dict[str, Any]
"""Id, who asks, and cents."""


@dataclass(frozen=True)
class Round:
    """One mail with a link to answer by, and how long the link is good for.

    Attributes:
        name: of the operation.
        to: who is asked.
        patience: how long is waited for the answer.
    """

    name: str
    to: str
    patience: Duration


ROUNDS = (
    Round("ask", "manager", Duration.from_days(1)),
    Round("remind", "manager", Duration.from_days(1)),
    Round("escalate", "director", Duration.from_days(2)),
)


@dataclass
class Office:
    """The outside world: a mail server that sends a message id once, and the ledger.

    Attributes:
        mails: recipient by message id.
        ledger: cents by booking number.
    """

    mails: dict[str, str] = field(default_factory=dict)
    ledger: dict[str, int] = field(default_factory=dict)

    def clear(self) -> None:
        """Forget everything."""
        self.mails.clear()
        self.ledger.clear()


@dataclass(frozen=True)
class Safeguards:
    """What makes the approval safe to replay. Each can be left out, to see it found.

    Attributes:
        clock_in_step: whether the office is open is decided in a step, once.
        keyed_mail: a mail's id is that of its callback, so the mail server sends it once.
        timeout: a link is not good forever.
        narrow_except: only the answers that do not come are caught, not the SDK's own suspension.
        keyed_booking: an expense is booked under its own number.
    """

    clock_in_step: bool = True
    keyed_mail: bool = True
    timeout: bool = True
    narrow_except: bool = True
    keyed_booking: bool = True


def seconds_until_open() -> int:
    """Seconds until somebody can be asked, rounded up; 0 if the office is open."""
    now = datetime.now(UTC)
    if OPENS <= now.hour < CLOSES:
        return 0
    opens = now.replace(hour=OPENS, minute=0, second=0, microsecond=0)
    if now.hour >= CLOSES:
        opens += timedelta(days=1)
    return int((opens - now).total_seconds()) + 1


@durable_step
def look_at_clock(step: StepContext) -> int:
    """Decide how long to wait: a replay is given the stored answer."""
    return seconds_until_open()


@durable_wait_for_callback
def send_link(callback_id: str, submitter: WaitForCallbackContext, office: Office, to: str, keyed: bool) -> None:
    """Mail a link that answers the callback.

    Killed after the mail is out, but before that is stored, it runs again, for the same callback.
    """
    office.mails[callback_id if keyed else str(uuid.uuid4())] = to


@durable_step
def book(step: StepContext, office: Office, expense: Expense, keyed: bool) -> None:
    """Enter the expense into the ledger."""
    office.ledger[expense["id"] if keyed else str(uuid.uuid4())] = expense["cents"]


@durable_step
def tell(step: StepContext, office: Office, expense: Expense) -> None:
    """Mail the outcome to whoever asked."""
    office.mails[f"outcome-{expense['id']}"] = expense["by"]


@durable_step
def close(step: StepContext, office: Office) -> dict[str, Any]:
    """Read what was mailed and booked: what the world says, not what the steps believe."""
    return {"mails": sorted(office.mails.values()), "booked": sum(office.ledger.values())}


def make_handler(office: Office, safeguards: Safeguards | None = None) -> Callable[[Any, Any], Any]:
    """Make the durable handler; its event is ``{"id": "e-1", "by": "sam", "cents": 9900}``.

    An answer is the JSON ``{"approved": true}`` or ``{"approved": false}``; a mail that bounces fails the callback.
    """
    safe = safeguards or Safeguards()
    no_answer = (CallbackTimeoutError, CallbackExternalError) if safe.narrow_except else (BaseException,)

    def ask(context: DurableContext) -> dict[str, Any]:
        unreachable = set()
        for one in ROUNDS:
            if one.to in unreachable:
                continue
            config = WaitForCallbackConfig(timeout=one.patience if safe.timeout else Duration())
            try:
                link = send_link(office, one.to, safe.keyed_mail)
                answer = json.loads(context.wait_for_callback(link, name=one.name, config=config))
            except no_answer as error:
                context.logger.info("no answer by %s: %s", one.to, error)
                if isinstance(error, CallbackExternalError):
                    unreachable.add(one.to)
            else:
                return {"approved": answer["approved"], "by": one.to}
        return {"approved": False, "by": "nobody"}

    @durable_execution
    def handler(event: Expense, context: DurableContext) -> dict[str, Any]:
        seconds = context.step(look_at_clock()) if safe.clock_in_step else seconds_until_open()
        if seconds:
            context.wait(Duration.from_seconds(seconds), name="until-morning")
        decision = ask(context)
        if decision["approved"]:
            context.step(book(office, event, safe.keyed_booking))
        context.step(tell(office, event))
        return {**decision, **context.step(close(office))}

    return handler
