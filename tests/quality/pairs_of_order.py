"""Bugs of parallel branches that take a kill and another order of their threads: neither alone does any harm."""

from __future__ import annotations

import time
from typing import Any

from aws_durable_execution_sdk_python import DurableContext

from pytest_durable import OutcomeChanged, ReplayDiverged
from tests.durable import ONCE, returns
from tests.quality.pair import Handler, Table, World

PAIRS = Table()

SHARED = "Mutable list or dict shared by parallel branches"
AT_LEAST_ONCE = "Effect done, success checkpoint lost (at-least-once default)"


@PAIRS.add(SHARED, ReplayDiverged, "quotes/parallel-branch-0/accept:start", deviations=1)
def discount_asked_for_if_the_other_has_answered(fixed: bool, world: World) -> Handler:
    """The dict knows the first supplier as soon as its step is replayed, though it did not when the second looked."""

    def handler(event: Any, context: DurableContext) -> Any:
        answered: dict[str, int] = {}

        def accept(step: Any) -> int:
            time.sleep(5)  # noqa: TID251  # virtual: a slow supplier
            return 100

        def first(child: DurableContext) -> int:
            answered["first"] = child.step(returns(90), name="ask")
            return child.step(accept, name="accept")

        def second(child: DurableContext) -> Any:
            child.step(returns(100), name="ask")
            known = child.step(lambda step: dict(answered), name="compare") if fixed else answered
            if "first" in known:
                return child.step(returns(90), name="ask for a discount")
            return child.step(accept, name="accept")

        context.parallel([first, second], name="quotes")
        return "ordered"

    return handler


@PAIRS.add(AT_LEAST_ONCE, OutcomeChanged, "export/parallel-branch-0/head:body", deviations=1)
def report_begun_anew(fixed: bool, world: World) -> Handler:
    """A head that finds itself in the report has been interrupted, and begins it anew: with rows that are stored."""

    def handler(event: Any, context: DurableContext) -> Any:
        def head(step: Any) -> None:
            lines = world.table.get("report", [])
            if "head" in lines and not fixed:
                lines = []
            world.table["report"] = ["head", *(line for line in lines if line != "head")]

        def rows(step: Any) -> None:
            lines = world.table.setdefault("report", [])
            if "rows" not in lines:
                lines.append("rows")

        def send(step: Any) -> str:
            if "rows" not in world.table["report"]:
                raise LookupError("the report is empty")
            return "sent"

        branches: list[Any] = [
            lambda child: child.step(head, name="head"),
            lambda child: child.step(rows, name="rows"),
        ]
        context.parallel(branches, name="export")
        return context.step(send, name="send", config=ONCE)

    return handler
