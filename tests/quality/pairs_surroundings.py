"""Bugs that show when something changes between invocations: a flag is flipped, a day goes by."""

from __future__ import annotations

import os
from typing import Any

from aws_durable_execution_sdk_python import DurableContext

from pytest_durable import OutcomeChanged, ReplayDiverged
from pytest_durable.service.points import KILLS
from tests.durable import ONCE, returns, seconds
from tests.quality import cold
from tests.quality.pair import Handler, Table, World, now

PAIRS = Table()


@PAIRS.add("Branch on flag, env var or config read outside a step", ReplayDiverged, "")
def flag_of_the_environment(fixed: bool, world: World) -> Handler:
    """The flag is flipped by a deployment while the execution waits."""
    world.ctx.faults.between_invocations(env={"EXPRESS": ["on", "off"]})

    def handler(event: Any, context: DurableContext) -> Any:
        def flag(step: Any = None) -> str:
            return os.environ.get("EXPRESS", "off")

        express = context.step(flag, name="flag") if fixed else flag()
        context.wait(seconds(60 if express == "on" else 600), name="delivery")
        return f"delivered, express {express}" if fixed else "delivered"

    return handler


@PAIRS.add("Time or random value in an operation name", ReplayDiverged, "")
def report_named_after_the_day(fixed: bool, world: World) -> Handler:
    """It is another one if the execution waits over midnight, and only then."""
    world.ctx.faults.between_invocations(clock="midnight", tz="Europe/Berlin")

    def handler(event: Any, context: DurableContext) -> Any:
        day = context.step(lambda step: now().date().isoformat(), name="day") if fixed else now().date().isoformat()
        context.step(returns("begun"), name=f"begin the report of {day}")
        context.wait(seconds(60), name="collect")
        return context.step(returns("sent"), name=f"send the report of {day}")

    return handler


@PAIRS.add("Step longer than invocation timeout", OutcomeChanged, "pack:timeout", kinds=(*KILLS, "timeout"))
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


@PAIRS.add("Module-global state", OutcomeChanged, "connect:stored", cold=True)
def connection_opened_by_a_step(fixed: bool, world: World) -> Handler:
    """A new process replays the step, and has no connection."""
    return cold.connects_in_each_invocation if fixed else cold.connects_in_a_step


@PAIRS.add("Module-global state", OutcomeChanged, "write:stored", cold=True)
def file_left_by_the_step_before(fixed: bool, world: World) -> Handler:
    """What is in /tmp is on one machine; the twin hands the contents on as a result."""
    return cold.hands_on_what_was_written if fixed else cold.reads_what_was_written
