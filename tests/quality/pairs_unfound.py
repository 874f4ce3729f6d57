"""Bugs that no search of this kind can find, each with why; the documentation says so as well."""

from __future__ import annotations

import logging
import secrets
import time
from typing import Any

from aws_durable_execution_sdk_python import DurableContext

from pytest_durable import DurabilityViolation, EffectLost, ReplayDiverged
from tests.durable import returns, seconds
from tests.quality.pair import Handler, Table, World

PAIRS = Table()

LOG = "lines in a log are no effect: libraries write them in each invocation as well"
OTHER_MACHINE = "the order of a set is the same in one process, and in those that are forked from it"
CHANCE = "a draw that comes up once in a million does so once in a million runs"
RACE = "an order that interrupts one body in its middle until another is through is drawn once in many searches"
SHARED = "Mutable list or dict shared by parallel branches"
FAILURES = "the search lets a Lambda fail, not what it calls: for that a fake of the test's own has to fail"


@PAIRS.add("Logger that is not replay-aware", DurabilityViolation, "", missing=LOG)
def message_logged_by_every_replay(fixed: bool, world: World) -> Handler:
    def handler(event: Any, context: DurableContext) -> Any:
        logger: Any = context.logger if fixed else logging.getLogger(__name__)
        logger.info("order received")
        context.wait(seconds(60), name="cool off")
        return "done"

    return handler


@PAIRS.add("Exception swallowed inside a step", EffectLost, "", missing=FAILURES)
def failure_stored_as_a_success(fixed: bool, world: World) -> Handler:
    def handler(event: Any, context: DurableContext) -> Any:
        def mail(step: Any) -> str:
            try:
                return world.send("order 7")
            except ConnectionError:
                if fixed:
                    raise
                return "sent"

        return context.step(mail, name="mail")

    return handler


@PAIRS.add("Same name, or no name, on several operations", ReplayDiverged, "", missing=OTHER_MACHINE)
def customers_of_a_set(fixed: bool, world: World) -> Handler:
    """The order of a set of strings is another one in each process."""

    def handler(event: Any, context: DurableContext) -> Any:
        customers: Any = {"ada", "bob", "eve"}
        for customer in sorted(customers) if fixed else customers:
            context.step(returns(customer), name="notify")
        return "done"

    return handler


@PAIRS.add("uuid/random outside a step", ReplayDiverged, "", missing=CHANCE)
def lottery_in_the_body(fixed: bool, world: World) -> Handler:
    """One replay in a million takes the other branch."""

    def handler(event: Any, context: DurableContext) -> Any:
        def wins(step: Any = None) -> bool:
            return secrets.randbelow(1_000_000) == 0

        if context.step(wins, name="draw") if fixed else wins():
            context.step(returns("voucher"), name="send voucher")
        return context.step(returns("shipped"), name="ship")

    return handler


@PAIRS.add(SHARED, AssertionError, "", result=["a", "b"], missing=RACE)
def counter_that_two_branches_write(fixed: bool, world: World) -> Handler:
    """Each writes back the whole row that it has read: what was written in between is lost."""

    def handler(event: Any, context: DurableContext) -> Any:
        def add(name: str) -> Any:
            def body(step: Any) -> None:
                row = {} if fixed else dict(world.table.get("row", {}))
                time.sleep(0)  # noqa: TID251  # where a call to a database would switch
                if fixed:
                    world.table.setdefault("row", {})[name] = 1
                else:
                    world.table["row"] = {**row, name: 1}

            return body

        def later(child: DurableContext) -> None:
            for number in range(3):
                child.step(returns(number), name=f"prepare {number}")
            child.step(add("b"), name="add")

        context.parallel([lambda child: child.step(add("a"), name="add"), later], name="both")
        return context.step(lambda step: sorted(world.table["row"]), name="read")

    return handler
