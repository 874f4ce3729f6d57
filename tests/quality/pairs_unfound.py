"""Bugs that the search does not find yet, each with what it lacks.

What a bug must be found as is what its kind suggests: ``DurabilityViolation`` where no kind fits.
"""

from __future__ import annotations

import logging
import secrets
import time
from typing import Any

from aws_durable_execution_sdk_python import DurableContext, StepContext, StepError, durable_step

from pytest_durable import DurabilityViolation, EffectLost, EffectRepeated, OutcomeChanged, ReplayDiverged
from tests.durable import ONCE, attempts, fails, returns, seconds
from tests.quality.pair import Handler, Table, World, now

PAIRS = Table()

SCHEDULES = "drawn thread schedules"
COLD = "cold starts: a process without the memory of the one before"
OTHER_MACHINE = "a replay in another process, with another order of sets"
CHANCE = "randomness that is drawn to be nasty"
REFERENCE = "a verdict on a fault-free run that ends FAILED: it is taken for what is wanted"
TIMEOUTS = "a search that tries timeouts and faults of the service as well as kills"
ADVICE = "advice: nothing goes wrong in a run, but the code cannot be what was meant"
FAILURES = "faults of the outside world: effects that fail"


@PAIRS.add("Logger that is not replay-aware", DurabilityViolation, "", missing=ADVICE)
def message_logged_by_every_replay(fixed: bool, world: World) -> Handler:
    def handler(event: Any, context: DurableContext) -> Any:
        logger: Any = context.logger if fixed else logging.getLogger(__name__)
        logger.info("order received")
        context.wait(seconds(60), name="cool off")
        return "done"

    return handler


@PAIRS.add("@durable_step called but never passed to context.step", DurabilityViolation, "", missing=ADVICE)
def step_that_is_made_and_not_run(fixed: bool, world: World) -> Handler:
    @durable_step
    def charge(step: StepContext) -> int:
        return world.bank.charge(100, "order 7")

    def handler(event: Any, context: DurableContext) -> Any:
        made = charge()
        if fixed:
            context.step(made)
        return context.step(returns("shipped"), name="ship")

    return handler


@PAIRS.add("except <OriginalError> around a step or callback", DurabilityViolation, "", missing=ADVICE)
def original_error_expected(fixed: bool, world: World) -> Handler:
    """What a step raises arrives as a StepError: the fallback is never come to."""
    caught: type[Exception] = StepError if fixed else ConnectionError

    def handler(event: Any, context: DurableContext) -> Any:
        try:
            return context.step(fails(ConnectionError("down")), name="fetch", config=attempts(2))
        except caught:
            return context.step(returns("cached"), name="fall back")

    return handler


@PAIRS.add("Callback result is a string", DurabilityViolation, "", missing=REFERENCE)
def answer_taken_for_an_object(fixed: bool, world: World) -> Handler:
    world.ctx.callbacks.succeed("approve", {"approved": True}, after=60)

    def handler(event: Any, context: DurableContext) -> Any:
        answer: Any = context.wait_for_callback(lambda callback_id, _: None, name="approve")
        return "true" in answer if fixed else answer["approved"]

    return handler


@PAIRS.add("Unsupported type noticed after the body ran", EffectRepeated, "", missing=REFERENCE)
def result_that_is_no_json(fixed: bool, world: World) -> Handler:
    def handler(event: Any, context: DurableContext) -> Any:
        def charge(step: Any) -> Any:
            world.bank.charge(100, "order 7")
            return {"receipt": "7"} if fixed else object()

        return context.step(charge, name="charge")

    return handler


@PAIRS.add("Believing an exception in the handler body is retried", DurabilityViolation, "", missing=REFERENCE)
def not_ready_yet(fixed: bool, world: World) -> Handler:
    def handler(event: Any, context: DurableContext) -> Any:
        def check(step: Any) -> bool:
            ready = world.count("checked") >= 3
            if fixed and not ready:
                raise BlockingIOError("not ready")
            return ready

        if not context.step(check, name="ready?", config=attempts(3)):
            raise BlockingIOError("not ready")
        return "shipped"

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


@PAIRS.add("Mutable list or dict shared by parallel branches", OutcomeChanged, "", missing=SCHEDULES)
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


@PAIRS.add("Module-global state", OutcomeChanged, "report:start", missing=COLD)
def connection_opened_by_a_step(fixed: bool, world: World) -> Handler:
    """A new process replays the step, and has no connection."""
    connections: dict[str, str] = {}

    def handler(event: Any, context: DurableContext) -> Any:
        def connect(step: Any = None) -> None:
            connections.setdefault("orders", "open")

        connect() if fixed else context.step(connect, name="connect")
        return context.step(lambda step: connections["orders"], name="report", config=ONCE)

    return handler


@PAIRS.add("Module-global state", OutcomeChanged, "read:start", missing=COLD)
def file_left_by_the_step_before(fixed: bool, world: World) -> Handler:
    """What is in /tmp is on one machine; the twin hands the contents on as a result."""
    tmp: dict[str, str] = {}

    def handler(event: Any, context: DurableContext) -> Any:
        def write(step: Any) -> str:
            tmp["rows.csv"] = "1,2,3"
            return tmp["rows.csv"]

        written = context.step(write, name="write")
        return context.step(lambda step: written if fixed else tmp["rows.csv"], name="read", config=ONCE)

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


@PAIRS.add("Step longer than invocation timeout", OutcomeChanged, "pack:timeout", missing=TIMEOUTS)
def token_that_outlives_no_timeout(fixed: bool, world: World) -> Handler:
    """A step that hangs for 900 s makes what was fetched before it too old."""

    def handler(event: Any, context: DurableContext) -> Any:
        issued = context.step(now, name="log in")
        context.step(returns("packed"), name="pack")

        def upload(step: Any) -> str:
            if not fixed and (now() - issued).total_seconds() > 600:
                raise PermissionError("the token has expired")
            return "uploaded"

        return context.step(upload, name="upload", config=ONCE)

    return handler
