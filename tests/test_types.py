"""What a user's typed tests see: mypy, strict, knows what everything is, and refuses what cannot be."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from mypy import api

ROOT = Path(__file__).parents[1]

HEAD = """\
from typing import Any
from aws_durable_execution_sdk_python import DurableContext, StepContext, durable_execution
from hypothesis import given
from pytest_durable import DurabilityViolation, FakeDurableContext, FaultPlan, VirtualClock
from pytest_durable.strategies import fault_plans, schedules


@durable_execution
def handler(event: dict[str, int], context: DurableContext) -> int:
    return context.step(lambda _: event["n"], name="one")


def body(step: StepContext) -> str:
    return "x"


def branch(context: DurableContext) -> int:
    return 1


def test_it(durable_ctx: FakeDurableContext, durable_clock: VirtualClock, found: DurabilityViolation) -> None:
"""

REVEALED = {
    "durable_ctx.run(handler, {'n': 1})": "pytest_durable.execution.Execution",
    "durable_ctx.run(handler, faults='one:body').result": "Any",
    "durable_ctx.run(handler, faults=FaultPlan()).status": "pytest_durable.service.output.ExecutionStatus",
    "durable_ctx.run(handler).error": "aws_durable_execution_sdk_python.lambda_service.ErrorObject | None",
    "durable_ctx.run(handler).invocations": "tuple[pytest_durable.views.Invocation, ...]",
    "durable_ctx.run(handler).operation('one').children": "tuple[pytest_durable.views.Operation, ...]",
    "durable_ctx.run(handler).history": "list[dict[str, Any]]",
    "durable_ctx.run(handler).elapsed": "float",
    "durable_ctx.start(handler).advance(3.5)": "pytest_durable.execution.Execution",
    "durable_ctx.start(handler).callback('a')": "pytest_durable.callbacks.Callback",
    "durable_ctx.verify(handler, reset=list[int]().clear).killed": "tuple[str, ...]",
    "durable_clock.now()": "datetime.datetime",
    "durable_ctx.step(body)": "str",
    "durable_ctx.run_in_child_context(branch)": "int",
    "durable_ctx.parallel([branch, branch]).get_results()": "list[int]",
    "found.failure.plan": "str",
    "given(plan=fault_plans(), schedule=schedules())": "def (",
}
"""Expressions, and what mypy must say they are; at least the beginning of it."""

REFUSED = {
    "durable_ctx.run(handler, kills=2)": "call-arg",
    "durable_ctx.verify()": "call-arg",
    "durable_ctx.callbacks.succeed(7)": "arg-type",
    "durable_ctx.run(handler).nothing": "attr-defined",
    "durable_ctx.step(7)": "arg-type",
}
"""Statements, and the code of the error that mypy must find in them."""


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What mypy says of each line of a user's file."""
    file = tmp_path_factory.mktemp("typed") / "test_typed.py"
    lines = [*(f"reveal_type({one})" for one in REVEALED), *REFUSED]
    file.write_text(HEAD + "".join(f"    {line}\n" for line in lines), encoding="utf-8")
    printed, errors, _ = api.run(["--strict", f"--cache-dir={ROOT / '.mypy_cache'}", "--config-file=", str(file)])
    assert errors == ""
    first = HEAD.count("\n") + 1
    found: dict[str, str] = {}
    for number, text in re.findall(r"^.*?:(\d+): (.*)$", printed, re.MULTILINE):
        where = lines[int(number) - first] if int(number) >= first else f"line {number} of the head"
        found.setdefault(where, text)
    return found


@pytest.mark.parametrize("expression", REVEALED)
def test_the_type_of_everything_is_known(said: dict[str, str], expression: str) -> None:
    assert said[f"reveal_type({expression})"].startswith(f'note: Revealed type is "{REVEALED[expression]}')


@pytest.mark.parametrize("statement", REFUSED)
def test_what_cannot_be_is_refused(said: dict[str, str], statement: str) -> None:
    assert said[statement].startswith("error: ") and said[statement].endswith(f"[{REFUSED[statement]}]")


def test_nothing_else_is_found(said: dict[str, str]) -> None:
    assert said.keys() == {*(f"reveal_type({one})" for one in REVEALED), *REFUSED}
