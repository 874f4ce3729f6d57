"""An execution that ends otherwise when it is killed; and what is random by design, which is not compared."""

from __future__ import annotations

import random
import uuid
from datetime import UTC, datetime
from typing import Any

import pytest
from aws_durable_execution_sdk_python import DurableContext, StepError

from pytest_durable import DurabilityViolation, OutcomeChanged, ReplayDiverged
from tests.checks.verdicts import Handler, found_in, text_of, verified
from tests.durable import ONCE, ONCE_AT_MOST, returns, seconds


class Bank:
    """An outside world in which a charge is a charge, however often."""

    def __init__(self) -> None:
        self.charges: list[int] = []

    def charge(self, cents: int) -> int:
        self.charges.append(cents)
        return sum(self.charges)

    def charge_once(self, cents: int) -> int:
        if cents not in self.charges:
            self.charges.append(cents)
        return sum(self.charges)


# --- planted bugs and repaired twins --------------------------------------------------------------------------------


def state_in_a_closure(repaired: bool) -> Handler:
    """A variable that a step assigns is lost when that step is not run again."""

    def handler(event: Any, context: DurableContext) -> int:
        box: list[int] = []
        found = context.step(lambda step: box.append(100) or 100, name="charge")  # type: ignore[func-returns-value]
        context.step(returns("shipped"), name="ship")
        return found if repaired else sum(box)

    return handler


@pytest.mark.parametrize("repaired", [False, True])
def test_state_kept_in_a_closure(repaired: bool) -> None:
    if repaired:
        verified(state_in_a_closure(True))
        return
    kind, failure = found_in(state_in_a_closure(False))
    assert kind in (OutcomeChanged, ReplayDiverged)
    assert "100" in text_of(failure)


def balance_of(bank: Bank, charge: Any) -> Handler:
    def handler(event: Any, context: DurableContext) -> dict[str, Any]:
        context.step(lambda step: charge(100), name="charge")
        total = context.step(lambda step: sum(bank.charges), name="read balance")
        return {"order": event["order"], "balance": total}

    return handler


def test_an_effect_that_is_repeated_and_shows_in_the_result_is_found() -> None:
    bank = Bank()
    kind, failure = found_in(balance_of(bank, bank.charge), {"order": 7}, reset=bank.charges.clear)
    assert kind is OutcomeChanged
    assert (failure.plan, failure.kills) == ("charge:body", 1)
    assert "200" in text_of(failure) and "100" in text_of(failure)
    assert "'charge'" in text_of(failure)


def test_an_effect_with_an_idempotency_key_is_safe() -> None:
    bank = Bank()
    verified(balance_of(bank, bank.charge_once), {"order": 7}, reset=bank.charges.clear, kills=2, examples=20)


def test_a_success_that_turns_into_a_failure_is_found() -> None:
    seats: list[int] = [2]

    def reserve(step: Any) -> int:
        if not seats:
            raise LookupError("sold out")
        return seats.pop()

    def handler(event: Any, context: DurableContext) -> int:
        return context.step(reserve, name="reserve", config=ONCE)

    kind, failure = found_in(handler, reset=lambda: seats.__setitem__(slice(None), [2]))
    assert kind is OutcomeChanged
    assert failure.plan == "reserve:body"
    assert "FAILED" in failure.summary and "SUCCEEDED" in failure.summary
    assert "sold out" in text_of(failure)


def test_a_failure_that_turns_into_a_success_is_found() -> None:
    locks: list[int] = [1]

    def lock(step: Any) -> str:
        if locks:
            raise PermissionError(f"{locks.pop()} lock")
        return "locked"

    def handler(event: Any, context: DurableContext) -> str:
        return context.step(lock, name="lock", config=ONCE)

    kind, failure = found_in(handler, reset=lambda: locks.__setitem__(slice(None), [1]))
    assert kind is OutcomeChanged
    assert failure.plan == "lock:body"


def test_another_error_is_found() -> None:
    calls: list[int] = []

    def body(step: Any) -> None:
        calls.append(1)
        raise ValueError(f"call {len(calls)}")

    def handler(event: Any, context: DurableContext) -> None:
        context.step(body, name="a", config=ONCE)

    kind, failure = found_in(handler, reset=calls.clear)
    assert kind is OutcomeChanged
    assert "call 1" in text_of(failure) and "call 2" in text_of(failure)


@pytest.mark.parametrize(
    ("first", "later"),
    [
        ({"a": [1, {"b": 2}]}, {"a": [1, {"b": 3}]}),
        ([1, 2], [1, 2, 3]),
        ({"a": 1}, {"a": 1, "b": 2}),
        ({"a": 1}, {"b": 1}),
        (1, 1.5),
        (1, True),
        (0, False),
        ("", None),
        ([], {}),
        ("a" * 1_000, "a" * 999 + "b"),
    ],
)
def test_any_difference_in_the_result_is_found(first: Any, later: Any) -> None:
    calls: list[int] = []

    def handler(event: Any, context: DurableContext) -> Any:
        context.step(lambda step: calls.append(1), name="a")
        return context.step(lambda step: first if len(calls) == 1 else later, name="read")

    kind, failure = found_in(handler, reset=calls.clear)
    assert kind is OutcomeChanged
    assert failure.plan == "a:body"


def test_a_leaf_that_changed_is_named() -> None:
    calls: list[int] = []

    def handler(event: Any, context: DurableContext) -> Any:
        context.step(lambda step: calls.append(1), name="a")
        body = lambda step: {"order": 7, "items": [{"sku": "A1", "count": len(calls)}]}  # noqa: E731
        return context.step(body, name="read")

    _, failure = found_in(handler, reset=calls.clear)
    assert "result['items'][0]['count'] is 2, and 1 without faults" in text_of(failure)


# --- what is random by design ---------------------------------------------------------------------------------------


def test_a_difference_beside_a_random_value_is_still_found() -> None:
    bank = Bank()

    def handler(event: Any, context: DurableContext) -> dict[str, Any]:
        request = context.step(lambda step: str(uuid.uuid4()), name="id")  # noqa: TID251  # as a user would
        context.step(lambda step: bank.charge(100), name="charge")
        return {"id": request, "total": context.step(lambda step: sum(bank.charges), name="total")}

    kind, failure = found_in(handler, reset=bank.charges.clear)
    assert kind is OutcomeChanged
    assert failure.plan == "charge:body"


def recorded_id(event: Any, context: DurableContext) -> Any:
    return context.step(lambda step: str(uuid.uuid4()), name="id")  # noqa: TID251  # as a user would


def id_outside_of_a_step(event: Any, context: DurableContext) -> Any:
    context.step(returns(1), name="a")
    return {"ok": True, "trace": str(uuid.uuid4())}  # noqa: TID251  # as a user would


def random_length(event: Any, context: DurableContext) -> Any:
    return context.step(lambda step: ["x"] * random.randrange(1_000), name="a")


def random_type(event: Any, context: DurableContext) -> Any:
    choices: list[Any] = [1, "1", None, [1], {"1": 1}, 2, 3, 4, 5]
    return context.step(lambda step: random.choice(choices), name="a")


def random_keys(event: Any, context: DurableContext) -> Any:
    return context.step(lambda step: {str(random.randrange(10**9)): 1}, name="a")


def measured(event: Any, context: DurableContext) -> Any:
    """The time between two steps: another one if a kill comes between them."""
    started = context.step(lambda step: datetime.now(UTC).timestamp(), name="started")  # noqa: TID251  # as a user
    context.wait(seconds(60), name="pause")
    ended = context.step(lambda step: datetime.now(UTC).timestamp(), name="ended")  # noqa: TID251  # as a user would
    return {"order": 7, "took": ended - started}


def when_it_was_done(event: Any, context: DurableContext) -> Any:
    return context.step(lambda step: datetime.now(UTC).isoformat(), name="stamp")  # noqa: TID251  # as a user would


def random_error(event: Any, context: DurableContext) -> Any:
    def body(step: Any) -> None:
        raise ValueError(f"request {uuid.uuid4()} failed")  # noqa: TID251  # as a user would

    context.step(body, name="a", config=ONCE)


@pytest.mark.parametrize(
    "handler",
    [
        recorded_id,
        id_outside_of_a_step,
        random_length,
        random_type,
        random_keys,
        measured,
        when_it_was_done,
        random_error,
    ],
    ids=lambda handler: handler.__name__,
)
def test_what_two_runs_without_faults_do_not_agree_on_is_not_compared(handler: Handler) -> None:
    verified(handler, kills=2, examples=20)


def test_an_at_most_once_step_may_fail_when_it_is_killed() -> None:
    verified(lambda event, context: context.step(returns("charged"), name="charge", config=ONCE_AT_MOST))


def test_an_at_most_once_step_may_be_compensated_when_it_is_killed() -> None:
    def handler(event: Any, context: DurableContext) -> Any:
        try:
            return context.step(returns("charged"), name="charge", config=ONCE_AT_MOST)
        except StepError:
            return context.step(returns("to be looked into"), name="flag")

    verified(handler)


def test_an_at_most_once_step_that_was_not_interrupted_is_no_excuse() -> None:
    bank = Bank()

    def handler(event: Any, context: DurableContext) -> Any:
        context.step(returns("noted"), name="note", config=ONCE_AT_MOST)
        context.step(lambda step: bank.charge(100), name="charge")
        return context.step(lambda step: sum(bank.charges), name="total")

    kind, failure = found_in(handler, reset=bank.charges.clear)
    assert kind is OutcomeChanged
    assert failure.plan == "charge:body"


def test_every_violation_is_an_assertion_error() -> None:
    assert issubclass(OutcomeChanged, DurabilityViolation)
    assert issubclass(DurabilityViolation, AssertionError)
