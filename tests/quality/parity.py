"""The handlers that are held against AWS's local runner, and generated ones: nothing is to be said against them.

What fails without any fault is to fail the same way under every fault: the search is green then, and its `Verification`
says how it ended. So a test sees it that a wrong order is refused, and not only without a crash.
"""

from __future__ import annotations

from collections.abc import Iterator

from hypothesis import HealthCheck, Phase, given, settings

from pytest_durable import DurabilityViolation, FakeDurableContext
from pytest_durable.search.quiet import silence
from pytest_durable.stage import run_around
from tests.parity.scenario import Scenario
from tests.parity.sides import outside_world
from tests.programs.language import Program, handler_of
from tests.programs.strategy import programs

UNSAFE = {"replay_status": "it returns whether it is a replay, which a replay answers otherwise"}
"""What the search is right about, and why."""


def said_against(scenario: Scenario) -> str:
    """What the search has to say against a handler, with the default budget; empty for nothing."""
    scenario.seen.clear()
    with silence(), FakeDurableContext() as ctx:
        outside_world(ctx, scenario)
        try:
            if scenario.execution_timeout is None:
                ctx.verify(scenario.decorated(), scenario.event, reset=scenario.seen.clear)
            else:  # which is for a run: the whole test is searched
                run_around(ctx, lambda: _in_time(ctx, scenario))
        except DurabilityViolation as violation:
            return violation.failure.render()
    return ""


def _in_time(ctx: FakeDurableContext, scenario: Scenario) -> None:
    scenario.seen.clear()
    timeout = scenario.execution_timeout
    execution = ctx.run(scenario.decorated(), scenario.event, execution_timeout=timeout)
    assert execution.elapsed == timeout, f"{scenario.name} ended {execution.status} after {execution.elapsed} s"


def against_generated(count: int) -> Iterator[str]:
    """What it has to say against ``count`` generated handlers, the same ones each time."""
    drawn: list[Program] = []

    @settings(
        max_examples=count,
        derandomize=True,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(programs())
    def draw(program: Program) -> None:
        drawn.append(program)

    draw()
    for program in drawn:
        said = said_against(Scenario(handler_of(program)))
        if said:
            yield f"{program}\n{said}"
