"""Bugs that show when something changes between invocations: a flag is flipped, a day goes by."""

from __future__ import annotations

import os
from typing import Any

from aws_durable_execution_sdk_python import DurableContext

from pytest_durable import ReplayDiverged
from tests.durable import returns, seconds
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
