"""A body that runs although its result is stored, mostly because the replay numbers its operations differently."""

from __future__ import annotations

from typing import Any

from aws_durable_execution_sdk_python import DurableContext

from pytest_durable import FakeDurableContext, StepRanAgain
from tests.checks.verdicts import Handler, found_in, killed_under, text_of, verified
from tests.durable import returns


def charge(step: Any) -> str:
    return "charged"


def ship(step: Any) -> str:
    return "shipped"


def with_a_note_on_resume(*, marker: list[int], recorded: bool) -> Handler:
    """Two unnamed steps, and in front of them one more in an invocation that takes up what another one left.

    The repaired twin makes that one in every invocation.
    """

    def handler(event: Any, context: DurableContext) -> list[str]:
        if marker or recorded:
            context.step(returns("resumed"))
        charged: str = context.step(charge)
        marker.append(1)
        shipped: str = context.step(ship)
        marker.clear()
        return [charged, shipped]

    return handler


def test_a_step_more_at_the_front_of_the_replay_is_found() -> None:
    marker: list[int] = []
    kind, failure = found_in(with_a_note_on_resume(marker=marker, recorded=False), reset=marker.clear)
    assert kind is StepRanAgain
    assert failure.summary == "step '[1]' ran again after it had completed"
    assert (failure.plan, failure.kills, failure.violation) == ("[2]:start", 1, "StepRanAgain")


def test_a_step_more_in_every_invocation_is_safe() -> None:
    marker: list[int] = []
    verified(with_a_note_on_resume(marker=marker, recorded=True), reset=marker.clear)


def test_the_timeline_points_at_the_line_whose_body_ran_again() -> None:
    marker: list[int] = []
    _, failure = found_in(with_a_note_on_resume(marker=marker, recorded=False), reset=marker.clear)
    (again,) = [line for line in failure.timeline.splitlines() if "RAN AGAIN" in line]
    line = with_a_note_on_resume.__code__.co_firstlineno
    lines = {f"test_ran_again.py:{line + offset}" for offset in range(20)}
    assert again.rsplit("<- ", 1)[1] in lines
    assert "numbers its operations differently" in text_of(failure)


def test_one_run_finds_it_as_well() -> None:
    kind, failure = killed_under(with_a_note_on_resume(marker=[], recorded=False), "[2]:body")
    assert kind is StepRanAgain
    assert "although its result was stored" in text_of(failure)


def test_a_body_that_takes_the_place_of_another_is_found() -> None:
    turn: list[int] = []

    def handler(event: Any, context: DurableContext) -> list[str]:
        turn.append(1)
        bodies = [charge, ship] if len(turn) == 1 else [ship, charge]
        return [context.step(body) for body in bodies]

    kind, failure = killed_under(handler, "[2]:start")
    assert kind is StepRanAgain
    assert failure.summary.startswith("step '[1]' ran again")


def test_the_same_body_in_several_operations_is_no_finding() -> None:
    def handler(event: Any, context: DurableContext) -> list[str]:
        return [context.step(charge) for _ in range(3)]

    verified(handler)


def test_a_body_that_was_not_stored_may_run_again() -> None:
    def handler(event: Any, context: DurableContext) -> str:
        return context.step(charge, name="charge")

    with FakeDurableContext() as context:
        assert context.run(handler, faults="charge:body").body_runs("charge") == 2


def test_bodies_of_contexts_run_in_every_invocation() -> None:
    def child(context: DurableContext) -> str:
        first: str = context.step(charge)
        return first + context.step(ship)

    def handler(event: Any, context: DurableContext) -> Any:
        return [context.run_in_child_context(child), context.run_in_child_context(child)]

    verified(handler, kills=2, examples=20)
