"""Bugs that take two faults: each survives any one of them, often because somebody had a first crash in mind."""

from __future__ import annotations

from typing import Any

from aws_durable_execution_sdk_python import DurableContext

from pytest_durable import OutcomeChanged
from tests.durable import ONCE, returns
from tests.quality.pair import Handler, Table, World

PAIRS = Table()

AT_LEAST_ONCE = "Effect done, success checkpoint lost (at-least-once default)"
DEFAULT = "Wrong idea of the default semantics"


@PAIRS.add(DEFAULT, OutcomeChanged, "process:body, process:body")
def runs_counted_as_failures(fixed: bool, world: World) -> Handler:
    """A guard against poisoned messages that takes two crashes of the Lambda for two failures of the message."""

    def handler(event: Any, context: DurableContext) -> Any:
        def process(step: Any) -> str:
            if not fixed and world.count("deliveries") > 2:
                return "put aside"
            return "processed"

        return context.step(process, name="process")

    return handler


@PAIRS.add(AT_LEAST_ONCE, OutcomeChanged, "charge:body, charge:body")
def reconciliation_that_refunds_once(fixed: bool, world: World) -> Handler:
    """It was written for the duplicate that somebody saw."""

    def handler(event: Any, context: DurableContext) -> Any:
        def reconcile(step: Any) -> int:
            surplus = world.bank.balance - 100
            if surplus > 0:
                world.bank.charge(-surplus if fixed else -100, "surplus 7")
            return world.bank.balance

        context.step(lambda step: world.bank.charge(100), name="charge")
        return context.step(reconcile, name="reconcile")

    return handler


@PAIRS.add(AT_LEAST_ONCE, OutcomeChanged, "debit:body, credit:body")
def ledger_that_only_checks_the_difference(fixed: bool, world: World) -> Handler:
    """A debit too many is put right by the balance; with a credit too many as well, the balance is right already."""

    def handler(event: Any, context: DurableContext) -> Any:
        def book(side: str) -> Any:
            def body(step: Any) -> None:
                if fixed:
                    world.table[side] = 100
                else:
                    world.count(side, 100)

            return body

        def settle(step: Any) -> None:
            if world.table["debit"] != world.table["credit"]:
                world.table["debit"] = world.table["credit"] = 100

        context.step(book("debit"), name="debit")
        context.step(book("credit"), name="credit")
        context.step(settle, name="settle")
        return context.step(lambda step: dict(world.table), name="statement")

    return handler


@PAIRS.add(DEFAULT, OutcomeChanged, "transfer:body, transfer:body")
def recovery_that_is_not_recovered(fixed: bool, world: World) -> Handler:
    """The mark that a run leaves tells the second one what to do, and the third one a lie."""

    def handler(event: Any, context: DurableContext) -> Any:
        def transfer(step: Any) -> None:
            mark = world.table.get("transfer")
            if mark == "begun":
                world.table["transfer"] = "begun" if fixed else "recovered"
                if world.bank.balance == 100:
                    return
            else:
                world.table["transfer"] = "begun"
            world.bank.charge(100)

        context.step(transfer, name="transfer")
        return context.step(lambda step: world.bank.balance, name="statement")

    return handler


@PAIRS.add(AT_LEAST_ONCE, OutcomeChanged, "replica 1:body, replica 2:body")
def majority_of_three_replicas(fixed: bool, world: World) -> Handler:
    """One replica that counts twice is outvoted."""

    def handler(event: Any, context: DurableContext) -> Any:
        def write(name: str) -> Any:
            def body(step: Any) -> None:
                if fixed:
                    world.table[name] = 1
                else:
                    world.count(name)

            return body

        names = [f"replica {number}" for number in (1, 2, 3)]
        for name in names:
            context.step(write(name), name=name)
        return context.step(lambda step: sorted(world.table[name] for name in names)[1], name="read")

    return handler


@PAIRS.add(AT_LEAST_ONCE, OutcomeChanged, "fetch:body, fetch:body")
def quota_with_one_call_to_spare(fixed: bool, world: World) -> Handler:
    """The twin keeps what it fetched where its next run finds it."""

    def handler(event: Any, context: DurableContext) -> Any:
        def fetch(step: Any) -> str:
            if fixed and "report" in world.table:
                return str(world.table["report"])
            if world.count("calls") > 2:
                raise PermissionError("quota exceeded")
            world.table["report"] = "report"
            return "report"

        return context.step(fetch, name="fetch", config=ONCE)

    return handler


@PAIRS.add(AT_LEAST_ONCE, OutcomeChanged, "book flight:body, book hotel:body", event={"limit": 300})
def credit_limit_with_room_for_one_duplicate(fixed: bool, world: World) -> Handler:
    """Twice the flight is noticed by the airline; once too many of each is noticed by nobody."""

    def handler(event: Any, context: DurableContext) -> Any:
        def book(name: str) -> Any:
            def body(step: Any) -> None:
                world.table[name] = min(2, int(world.table.get(name, 0)) + 1) if not fixed else 1

            return body

        context.step(book("flight"), name="book flight")
        context.step(book("hotel"), name="book hotel")
        return context.step(
            lambda step: "paid" if 100 * sum(world.table.values()) <= event["limit"] else "refused", name="pay"
        )

    return handler


@PAIRS.add(DEFAULT, OutcomeChanged, "sync:body, sync:body")
def lock_taken_over_once(fixed: bool, world: World) -> Handler:
    """A lock that a crash left is taken over by the second run; the third finds a lock that was taken over."""

    def handler(event: Any, context: DurableContext) -> Any:
        def sync(step: Any) -> str:
            holder = world.table.get("lock")
            if holder == "second run":
                raise BlockingIOError("locked")
            world.table["lock"] = "second run" if holder and not fixed else "first run"
            return "synced"

        def unlock(step: Any) -> None:
            world.table.pop("lock", None)

        done = context.step(sync, name="sync", config=ONCE)
        context.step(unlock, name="unlock")
        return context.step(returns(done), name="report")

    return handler
