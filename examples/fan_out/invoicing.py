"""Monthly invoicing as a durable function: one branch for each customer, a worker function to draw up the invoice.

Some customers cannot be reached. A few of those are tolerated and reported; more of them stop the job.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from aws_durable_execution_sdk_python import (
    BatchResult,
    DurableContext,
    StepContext,
    durable_execution,
    durable_step,
)
from aws_durable_execution_sdk_python.concurrency.models import CompletionReason
from aws_durable_execution_sdk_python.config import CompletionConfig, Duration, MapConfig, StepConfig
from aws_durable_execution_sdk_python.retries import RetryStrategyConfig, create_retry_strategy

WORKER = "draw-up-invoice:live"
"""Name and alias of the worker: AWS lets a durable function be invoked by a qualified name only."""

TOLERATED = 1
"""So many customers may stay without an invoice."""

TRANSIENT = StepConfig(
    retry_strategy=create_retry_strategy(
        RetryStrategyConfig(
            max_attempts=4, initial_delay=Duration.from_seconds(5), retryable_error_types=[ConnectionError]
        )
    )
)


class UnknownMailbox(Exception):
    """Nobody gets mail at this address, and nobody will."""


class TooManyFailures(Exception):
    """More customers than are tolerated stay without an invoice."""


@dataclass
class Company:
    """The outside world: customers, invoice numbers, a mail server that sends a message id once.

    Attributes:
        customers: all of them.
        unknown: those whose address is wrong.
        busy: how often the mail server hangs up on the mail to a customer.
        numbers: customer by invoice number, without gaps if the tax office is to be content.
        mails: customer by message id.
    """

    customers: tuple[str, ...]
    unknown: frozenset[str] = frozenset()
    busy: dict[str, int] = field(default_factory=dict)
    numbers: dict[int, str] = field(default_factory=dict)
    mails: dict[str, str] = field(default_factory=dict)
    _hung_up: dict[str, int] = field(default_factory=dict)

    def due(self) -> list[str]:
        """The customers who have no invoice yet."""
        return [customer for customer in self.customers if customer not in self.mails.values()]

    def number(self, customer: str, keyed: bool) -> int:
        """The customer's invoice number, which is the next free one; with ``keyed`` it stays the one given first."""
        if keyed:
            for number, owner in self.numbers.items():
                if owner == customer:
                    return number
        number = len(self.numbers) + 1
        self.numbers[number] = customer
        return number

    def mail(self, customer: str, message_id: str) -> None:
        """Mail an invoice."""
        if customer in self.unknown:
            raise UnknownMailbox(f"no mailbox for {customer}")
        if self._hung_up.get(customer, 0) < self.busy.get(customer, 0):
            self._hung_up[customer] = self._hung_up.get(customer, 0) + 1
            raise ConnectionError("the mail server hung up")
        self.mails[message_id] = customer

    def clear(self) -> None:
        """Forget this month."""
        self.numbers.clear()
        self.mails.clear()
        self._hung_up.clear()


@dataclass(frozen=True)
class Safeguards:
    """What makes the job safe to replay. Each can be left out, to see it found.

    Attributes:
        list_in_step: who is due is read in a step, once: it changes while the job runs.
        keyed_number: a customer's second invoice number is the first.
        keyed_mail: the message id is made from the invoice number, so the mail server sends it once.
        results_from_batch: what was sent is taken from the result of the map, not from what its branches noted.
    """

    list_in_step: bool = True
    keyed_number: bool = True
    keyed_mail: bool = True
    results_from_batch: bool = True


@durable_step
def assign_number(step: StepContext, company: Company, customer: str, keyed: bool) -> int:
    """Take the next invoice number."""
    return company.number(customer, keyed)


@durable_step
def list_due(step: StepContext, company: Company) -> list[str]:
    """Read who is due."""
    return company.due()


@durable_step
def send(step: StepContext, company: Company, customer: str, message_id: str | None) -> None:
    """Mail the invoice."""
    company.mail(customer, message_id or str(uuid.uuid4()))


@durable_step
def audit(step: StepContext, company: Company) -> dict[str, int]:
    """Count what the month has come to: what the world says, not what the steps believe."""
    return {"numbers": len(company.numbers), "mails": len(company.mails)}


def make_worker(company: Company, safeguards: Safeguards | None = None) -> Callable[[Any, Any], Any]:
    """Make the worker, a durable function of its own; its event is ``{"customer": "ann"}``."""
    safe = safeguards or Safeguards()

    @durable_execution
    def worker(event: dict[str, str], context: DurableContext) -> dict[str, int]:
        number = context.step(assign_number(company, event["customer"], safe.keyed_number))
        context.wait(Duration.from_minutes(1), name="signature")
        return {"number": number}

    return worker


def make_handler(company: Company, safeguards: Safeguards | None = None) -> Callable[[Any, Any], Any]:
    """Make the durable handler; it takes no event."""
    safe = safeguards or Safeguards()

    @durable_execution
    def handler(event: Any, context: DurableContext) -> dict[str, Any]:
        noted: list[str] = []

        def invoice(branch: DurableContext, customer: str, index: int, customers: Sequence[str]) -> str:
            drawn_up: dict[str, int] = branch.invoke(WORKER, {"customer": customer}, name="draw-up")
            message_id = f"invoice-{drawn_up['number']}" if safe.keyed_mail else None
            branch.step(send(company, customer, message_id), config=TRANSIENT)
            noted.append(customer)
            return customer

        customers = context.step(list_due(company)) if safe.list_in_step else company.due()
        batch: BatchResult[str] = context.map(
            customers,
            invoice,
            name="invoices",
            config=MapConfig(
                max_concurrency=2,
                completion_config=CompletionConfig(tolerated_failure_count=TOLERATED),
                item_namer=lambda customer, index: customer,
            ),
        )
        if batch.completion_reason is CompletionReason.FAILURE_TOLERANCE_EXCEEDED:
            raise TooManyFailures(f"more than {TOLERATED} of {len(customers)} customers stay without an invoice")
        return {
            "sent": batch.get_results() if safe.results_from_batch else noted,
            "failed": {customers[item.index]: item.error.message for item in batch.failed() if item.error},
            **context.step(audit(company)),
        }

    return handler
