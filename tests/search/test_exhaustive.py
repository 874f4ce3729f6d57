"""The search visits every place once, starts each run afresh, and says what it did."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from aws_durable_execution_sdk_python import DurableContext

from pytest_durable import EffectRepeated, FakeDurableContext, FaultPlan, InvalidHandler, UsageError, Verification
from pytest_durable.engine import current_task
from pytest_durable.search.quiet import silence
from tests.durable import ONCE_AT_MOST, Flaky, attempts, returns, seconds


def order(event: Any, context: DurableContext) -> Any:
    """A step, a retry, a wait, a child context with a step, and a map of two."""

    def flaky(step: Any) -> str:
        if step.attempt < 2:
            raise ConnectionError("down")
        return "charged"

    def child(inner: DurableContext) -> Any:
        return inner.step(returns("packed"))

    def item(inner: DurableContext, number: int, index: int, items: Any) -> Any:
        return inner.step(returns(number), name="scan")

    context.step(returns("valid"), name="validate")
    context.step(flaky, name="charge", config=attempts(2))
    context.wait(seconds(300), name="cool off")
    packed = context.run_in_child_context(child, name="pack")
    return [packed, context.map([1, 2], item, name="ship", config=None).get_results()]


PLACES = """
validate:start validate:body validate:stored
charge:start charge:body charge:suspend
invocation:return
charge@2:start charge@2:body charge:stored
cool off:suspend
invocation@2:return
pack:start
pack/[1]:start pack/[1]:body pack/[1]:stored
pack:body pack:stored
ship:start
ship/map-item-0:start ship/map-item-0/scan:start ship/map-item-0/scan:body ship/map-item-0/scan:stored
ship/map-item-0:body ship/map-item-0:stored
ship/map-item-1:start ship/map-item-1/scan:start ship/map-item-1/scan:body ship/map-item-1/scan:stored
ship/map-item-1:body ship/map-item-1:stored
ship:body ship:stored
invocation@3:return
"""


def short(event: Any, context: DurableContext) -> Any:
    """A step, a wait, and a step after it."""
    context.step(returns("valid"), name="validate")
    context.wait(seconds(300), name="cool off")
    return context.step(returns("charged"), name="charge")


def places(text: str) -> list[str]:
    """Places written in lines, between blanks; a name may hold blanks itself."""
    joined = text.replace("cool off", "cool_off").split()
    return [place.replace("_", " ") for place in joined]


def test_the_places_of_a_known_handler_are_these(ctx: FakeDurableContext) -> None:
    assert sorted(ctx.verify(order, kills=0).places) == sorted(places(PLACES))


def test_the_places_of_what_happens_one_by_one_are_in_its_order(ctx: FakeDurableContext) -> None:
    found = list(ctx.verify(order, kills=0).places)
    assert found[:19] == places(PLACES)[:19]
    assert found[-3:] == places(PLACES)[-3:]


def test_every_place_is_killed_once(ctx: FakeDurableContext) -> None:
    found = ctx.verify(order)
    assert len(set(found.places)) == len(found.places)
    assert found.killed == found.places
    assert found.runs == 1 + len(found.places) + 1 + found.schedules  # one of them to count the choices
    assert found.drawn == 0


def test_every_place_is_a_plan_that_kills_there(ctx: FakeDurableContext) -> None:
    for place in ctx.verify(order, kills=0).places:
        execution = ctx.run(order, faults=place)
        assert [invocation.killed for invocation in execution.invocations if invocation.killed] == [place]
        assert FaultPlan.parse(place)


def test_without_kills_the_handler_runs_once(ctx: FakeDurableContext) -> None:
    calls: list[int] = []

    def handler(event: Any, context: DurableContext) -> None:
        context.step(lambda step: calls.append(1), name="a")

    found = ctx.verify(handler, kills=0)
    assert (found.runs, found.killed, found.drawn, len(calls)) == (1, (), 0, 1)
    assert found.places == ("a:start", "a:body", "a:stored", "invocation:return")


def test_a_handler_that_does_nothing_has_one_place(ctx: FakeDurableContext) -> None:
    found = ctx.verify(lambda event, context: None)
    assert found.places == found.killed == ("invocation:return",)


def test_a_verification_reads_as_a_sentence(ctx: FakeDurableContext) -> None:
    said = "killed at 34 of 34 places, and under 10 thread schedules: every replay was safe"
    assert str(ctx.verify(order)) == said
    drawn = str(ctx.verify(short, kills=3, examples=5))
    assert drawn == "killed at 9 of 9 places, and under 5 drawn plans of several kills: every replay was safe"


def test_a_verification_is_a_frozen_value(ctx: FakeDurableContext) -> None:
    found = ctx.verify(lambda event, context: None)
    assert found == Verification(2, ("invocation:return",), ("invocation:return",), 0)
    with pytest.raises(AttributeError):
        found.runs = 3  # type: ignore[misc]


def test_reset_is_called_before_every_run(ctx: FakeDurableContext) -> None:
    log: list[str] = []

    def handler(event: Any, context: DurableContext) -> None:
        context.step(lambda step: log.append("body"), name="a")

    found = ctx.verify(handler, reset=lambda: log.append("reset"))
    assert log.count("reset") == found.runs == 5
    assert log[0] == "reset"
    assert " ".join(log).split("reset")[1:] == [" body ", " body ", " body body ", " body ", " body"]


def test_reset_is_called_in_the_virtual_time_of_the_test(ctx: FakeDurableContext) -> None:
    seen: list[datetime] = []
    start = ctx.clock.now()
    ctx.verify(
        lambda event, context: context.wait(seconds(60)),
        reset=lambda: seen.append(datetime.now(UTC)),  # noqa: TID251  # as a user would
    )
    assert seen[0] == start


def test_what_reset_raises_reaches_the_test(ctx: FakeDurableContext) -> None:
    def reset() -> None:
        raise OSError("no database")

    with pytest.raises(OSError, match="no database"):
        ctx.verify(order, reset=reset)
    assert ctx.run(order).status == "SUCCEEDED"


def test_every_run_starts_at_the_same_instant(ctx: FakeDurableContext) -> None:
    seen: set[datetime] = set()

    def handler(event: Any, context: DurableContext) -> None:
        context.step(lambda step: seen.add(datetime.now(UTC)), name="a", config=ONCE_AT_MOST)  # noqa: TID251  # a user
        context.wait(seconds(3_600))

    ctx.clock.advance(86_400)
    ctx.verify(handler)
    assert len(seen) == 1


def test_the_clock_is_put_back(ctx: FakeDurableContext) -> None:
    ctx.clock.advance(5)
    before = ctx.clock.now()
    ctx.verify(short)
    assert ctx.clock.now() == before


def test_the_clock_is_put_back_after_a_failure(ctx: FakeDurableContext) -> None:
    before = ctx.clock.now()
    with pytest.raises(AssertionError):
        ctx.verify(lambda event, context: str(datetime.now(UTC)) + context.step(returns("")))  # noqa: TID251  # a user
    assert ctx.clock.now() == before


def test_a_search_says_the_same_again(ctx: FakeDurableContext) -> None:
    assert ctx.verify(order) == ctx.verify(order)


def test_the_event_is_given_afresh_to_every_run(ctx: FakeDurableContext) -> None:
    def handler(event: Any, context: DurableContext) -> Any:
        event["seen"] = event.get("seen", 0) + 1
        return context.step(returns(event["seen"]), name="a")

    event = {"order": 7}
    ctx.verify(handler, event)
    assert event == {"order": 7}


def test_a_started_execution_is_left_alone_by_a_search(ctx: FakeDurableContext) -> None:
    execution = ctx.start(lambda event, context: context.wait(seconds(60)))
    before = ctx.clock.now()
    ctx.verify(short)
    assert (execution.status, ctx.clock.now()) == ("RUNNING", before)
    execution.advance(60)
    assert execution.status == "SUCCEEDED"


def test_a_search_is_silent(ctx: FakeDurableContext, caplog: pytest.LogCaptureFixture) -> None:
    def handler(event: Any, context: DurableContext) -> None:
        context.logger.warning("in the handler")
        context.step(lambda step: step.logger.warning("in the step"), name="a")

    with caplog.at_level(logging.DEBUG):
        ctx.verify(handler)
    assert [record.message for record in caplog.records if record.message.startswith("in the")] == []


def test_a_run_is_silent_although_an_earlier_one_has_asked_for_logs(
    ctx: FakeDurableContext, caplog: pytest.LogCaptureFixture
) -> None:
    def handler(event: Any, context: DurableContext) -> None:
        context.step(lambda step: step.logger.warning("in the step"), name="a")
        logging.disable(logging.NOTSET)

    with caplog.at_level(logging.DEBUG):
        ctx.verify(handler)
        logging.getLogger(__name__).warning("after it")
    assert [record.message for record in caplog.records if record.message[:2] in ("in", "af")] == ["after it"]


def test_a_search_in_silent_surroundings_is_silent_to_its_report(
    ctx: FakeDurableContext, caplog: pytest.LogCaptureFixture
) -> None:
    def handler(event: Any, context: DurableContext) -> Any:
        context.logger.warning("in the handler")
        return context.step(lambda step: ctx.effects.record("paid"), name="a")

    with caplog.at_level(logging.DEBUG):
        with silence(), pytest.raises(EffectRepeated):
            ctx.verify(handler)
        assert caplog.records == []
        with pytest.raises(EffectRepeated):
            ctx.verify(handler)
        assert [record.message for record in caplog.records].count("in the handler") == 2  # of the run that is reported


def test_logging_is_switched_off_once_for_all_runs_under_faults(
    ctx: FakeDurableContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    changes: list[int] = []
    switch = logging.disable

    def disable(level: int) -> None:
        changes.append(level)
        switch(level)

    monkeypatch.setattr(logging, "disable", disable)
    assert ctx.verify(short).runs > 3
    assert changes == [logging.CRITICAL, logging.NOTSET] * 3  # the fault-free run, that in one piece, and all others


def test_logging_is_as_before_after_a_search(ctx: FakeDurableContext) -> None:
    logging.disable(logging.DEBUG)
    try:
        ctx.verify(short)
        assert logging.root.manager.disable == logging.DEBUG
    finally:
        logging.disable(logging.NOTSET)


@pytest.mark.parametrize("kills", [-1, 1.5, "1", True])
def test_a_bad_number_of_kills_is_refused(ctx: FakeDurableContext, kills: Any) -> None:
    with pytest.raises(UsageError, match="kills must be a whole number from 0"):
        ctx.verify(order, kills=kills)


@pytest.mark.parametrize("examples", [-1, 0.5, "1", False])
def test_a_bad_number_of_examples_is_refused(ctx: FakeDurableContext, examples: Any) -> None:
    with pytest.raises(UsageError, match="examples must be a whole number from 0"):
        ctx.verify(order, examples=examples)


@pytest.mark.parametrize("reset", [[], "clear", 3, {}])
def test_a_reset_that_cannot_be_called_is_refused(ctx: FakeDurableContext, reset: Any) -> None:
    with pytest.raises(UsageError, match="reset must be a function without arguments"):
        ctx.verify(order, reset=reset)


@pytest.mark.parametrize("handler", [None, 3, lambda: None])
def test_a_bad_handler_is_refused(ctx: FakeDurableContext, handler: Any) -> None:
    with pytest.raises(InvalidHandler):
        ctx.verify(handler)


def test_a_handler_with_state_of_its_own_is_found_unless_it_is_reset(ctx: FakeDurableContext) -> None:
    flaky = Flaky(1)
    handler: Callable[..., Any] = lambda event, context: context.step(flaky, name="a", config=attempts(2))  # noqa: E731
    assert ctx.verify(handler, reset=flaky.reset).killed


@pytest.mark.parametrize("branches", [1, 2])
def test_a_wait_of_a_year_costs_a_search_no_more_than_one_of_a_second(ctx: FakeDurableContext, branches: int) -> None:
    noted: list[int] = []

    def wait(inner: DurableContext, item: int, index: int, items: Any) -> None:
        inner.wait(seconds(365 * 86_400 + index), name="a year")

    def handler(event: Any, context: DurableContext) -> None:
        context.step(returns("sent"), name="send")
        if branches == 1:
            wait(context, 0, 0, None)
        else:
            context.map(list(range(branches)), wait, name="subscribers")
        task = current_task()
        assert task is not None
        noted.append(len(task.world.trace.entries))

    ctx.verify(handler)
    assert len(noted) > 5
    assert max(noted) < 500, "the threads of the SDK look ten times a second, all year long"
