"""coverage.py sees what children run, of killed ones too, without any setting of its own."""

from __future__ import annotations

import os
from typing import Any

import coverage
import pytest
from aws_durable_execution_sdk_python import DurableContext

from pytest_durable import FakeDurableContext


def handler(event: Any, context: DurableContext) -> str:
    context.step(charge, name="charge")
    return "done"


def charge(step: Any) -> None:
    return None


def dies(step: Any) -> None:
    os._exit(1)


def lines_seen(ctx: FakeDurableContext, function: Any, branch: bool = False, **how: Any) -> set[int]:
    """Lines of this file that a measurement has seen, from that of ``handler`` on."""
    measurement = coverage.Coverage(data_file=None, config_file=False, include=[__file__], branch=branch)
    measurement.start()
    try:
        ctx.start(function, **how)
    finally:
        measurement.stop()
    first = handler.__code__.co_firstlineno
    return {line - first for line in measurement.get_data().lines(__file__) or () if first <= line <= first + 11}


@pytest.mark.parametrize("branch", [False, True])
@pytest.mark.parametrize("isolation", ["thread", "process"])
def test_the_lines_of_a_run_are_seen(isolation: str, branch: bool) -> None:
    with FakeDurableContext(isolation=isolation) as ctx:
        assert lines_seen(ctx, handler, branch) == {1, 2, 6}


def test_so_are_those_of_a_child_that_is_killed(ctx: FakeDurableContext) -> None:
    assert lines_seen(ctx, handler, faults="charge:body") == {1, 6}


def test_those_of_a_child_that_dies_by_itself_are_lost(ctx: FakeDurableContext) -> None:
    def handler(event: Any, context: DurableContext) -> None:
        context.step(dies, name="dies")

    with pytest.warns(coverage.exceptions.CoverageWarning, match="No data was collected"):
        assert lines_seen(ctx, handler) == set()
