"""Changes while executions are in flight: each is found, with both sides; and those that do no harm are left alone."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from random import Random
from typing import Any

import pytest
from aws_durable_execution_sdk_python import DurableContext

from pytest_durable import DurabilityViolation, ExecutionStuck, FakeDurableContext, ReplayDiverged
from tests.durable import ONCE, returns, seconds
from tests.histories.orders import VERSIONS, Version, before

EACH = pytest.mark.parametrize("version", [pytest.param(one, id=one.handler.__name__) for one in VERSIONS])


@pytest.fixture(autouse=True)
def silence() -> Iterator[None]:
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def differences(explanation: tuple[str, ...]) -> list[str]:
    """The numbered lines."""
    found = (re.fullmatch(r"\d+\. (.*)", line) for line in explanation)
    return [match[1] for match in found if match is not None]


@EACH
def test_every_difference_from_the_recorded_history_is_named(durable_ctx: FakeDurableContext, version: Version) -> None:
    history = durable_ctx.run(before).history
    if not version.replay:
        assert durable_ctx.replay(version.handler, history).ended == "Succeeded"
        return
    with pytest.raises(DurabilityViolation) as raised:
        durable_ctx.replay(version.handler, history)
    failure = raised.value.failure
    assert failure.violation == "ReplayDiverged"
    assert differences(failure.explanation) == list(version.replay)
    assert f"execution-1: {version.replay[0]}" in failure.summary


@EACH
def test_an_upgrade_in_flight_is_judged_the_same(durable_ctx: FakeDurableContext, version: Version) -> None:
    durable_ctx.register("charge", lambda event, context: event)
    if version.upgrade is None:
        done = durable_ctx.upgrade(before, version.handler)
        assert done.killed == done.places
        assert {"price:body", "cool-off:suspend", "shipping/pack:stored", "invocation:return"} <= {*done.killed}
        return
    with pytest.raises(DurabilityViolation) as raised:
        durable_ctx.upgrade(before, version.handler)
    failure = raised.value.failure
    assert re.match(rf"killed at '.+:\w+' under the old code, {re.escape(version.upgrade)}", failure.summary)
    assert failure.plan


def test_both_sides_are_named_with_the_line_of_today(durable_ctx: FakeDurableContext) -> None:
    history = durable_ctx.run(before).history
    renamed = next(version.handler for version in VERSIONS if version.handler.__name__ == "renamed")
    with pytest.raises(DurabilityViolation) as raised:
        durable_ctx.replay(renamed, history)
    lines = raised.value.failure.explanation
    assert lines[1] == "   recorded:  step 'charge'"
    assert re.fullmatch(r"   the code:  step 'book' at orders\.py:\d+", lines[2])


def test_another_duration_is_told_and_no_failure(durable_ctx: FakeDurableContext) -> None:
    history = durable_ctx.run(before).history
    longer = next(version.handler for version in VERSIONS if version.handler.__name__ == "longer_wait")
    replayed = durable_ctx.replay(longer, history)
    assert replayed.changes == ("wait 'cool-off' is asked for with 900 s, and recorded with 300 s",)


def test_an_upgrade_that_never_ends_is_found(durable_ctx: FakeDurableContext) -> None:
    def stuck(event: Any, context: DurableContext) -> Any:
        """A fault that looks like waiting: nothing in flight is told, and nobody answers."""
        context.step(returns(100), name="price")
        return context.create_callback(name="cool-off").result() if event["old"] else "done"

    def old(event: Any, context: DurableContext) -> Any:
        return context.step(returns(100), name="price")

    with pytest.raises(ExecutionStuck, match="nothing will wake it"):
        durable_ctx.upgrade(old, stuck, {"old": True})
    assert durable_ctx.upgrade(old, stuck, {"old": False}).killed


def test_what_depends_on_the_clock_is_found_in_one_history(durable_ctx: FakeDurableContext) -> None:
    def until_two(event: Any, context: DurableContext) -> Any:
        context.step(returns(1), name="extract", config=ONCE)
        clock = durable_ctx.clock.now()  # as of the invocation, not of the step
        left = 7_200 - (clock.hour * 3_600 + clock.minute * 60 + clock.second)
        context.wait(seconds(max(left, 1)), name="until 02:00")
        return context.step(returns(2), name="load", config=ONCE)

    def fixed(event: Any, context: DurableContext) -> Any:
        context.step(returns(1), name="extract", config=ONCE)
        left = context.step(returns(7_200), name="left", config=ONCE)
        context.wait(seconds(left), name="until 02:00")
        return context.step(returns(2), name="load", config=ONCE)

    with pytest.raises(DurabilityViolation):
        durable_ctx.run(until_two)
    assert durable_ctx.latest is not None
    with pytest.raises(ReplayDiverged, match="asked for with 1 s at one moment, with 7200 s at another"):
        durable_ctx.replay(until_two, durable_ctx.latest.history)
    assert durable_ctx.replay(fixed, durable_ctx.run(fixed).history).changes == ()


def test_a_harmless_draw_of_chance_shifts_nothing(durable_ctx: FakeDurableContext) -> None:
    def draws(event: Any, context: DurableContext) -> Any:
        Random(7).random()
        return before(event, context)

    assert durable_ctx.replay(draws, durable_ctx.run(before).history).changes == ()
    assert durable_ctx.upgrade(before, draws).killed


def test_the_outside_world_is_restored_before_each_run(durable_ctx: FakeDurableContext) -> None:
    resets: list[None] = []
    done = durable_ctx.upgrade(before, before, reset=lambda: resets.append(None))
    assert len(resets) == done.runs == len(done.places) + 2


@pytest.mark.durable(kinds=["stored", "timeout"])
def test_the_kinds_of_faults_are_those_of_the_settings(durable_ctx: FakeDurableContext) -> None:
    done = durable_ctx.upgrade(before, before)
    assert {place.rpartition(":")[2] for place in done.killed} == {"stored", "timeout"}


def test_old_code_that_is_wrong_by_itself_is_told(durable_ctx: FakeDurableContext) -> None:
    def wrong(event: Any, context: DurableContext) -> Any:
        return context.create_callback(name="approval").result()

    with pytest.raises(ExecutionStuck, match="suspended on"):
        durable_ctx.upgrade(wrong, before)


def test_an_upgrade_can_be_replayed_by_its_plan(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("""
        def old(event, context):
            context.step(lambda _: 1, name="a")
            context.step(lambda _: 1, name="b")

        def new(event, context):
            context.step(lambda _: 1, name="c")
            context.step(lambda _: 1, name="b")

        def test_it(durable_ctx):
            durable_ctx.upgrade(old, new)
    """)
    result = pytester.runpytest_inprocess()
    result.assert_outcomes(failed=1)
    line = next(line for line in result.outlines if "--durable-replay=" in line)
    plan = line.rpartition("--durable-replay=")[2].strip("'")
    again = pytester.runpytest_inprocess(f"--durable-replay={plan}")
    again.assert_outcomes(failed=1)
    harmless = pytester.runpytest_inprocess("--durable-replay=a:start")
    harmless.assert_outcomes(failed=1 if plan == "a:start" else 0, passed=0 if plan == "a:start" else 1)
