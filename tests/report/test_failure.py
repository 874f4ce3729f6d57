"""A failure is a frozen value, and one screen of text that says what happened, where, and how to see it again."""

from __future__ import annotations

import dataclasses
import pickle
import shlex
from typing import Any

import pytest
from aws_durable_execution_sdk_python import DurableContext

from pytest_durable import DurabilityViolation, Failure, FakeDurableContext, OutcomeChanged, StepRanAgain
from tests.checks.twins import TWINS, Twins, id_in_a_name
from tests.durable import returns, seconds

SCREEN = 30
"""Lines, which leaves room on a screen of 40 for the test's own."""

TEST = "tests/test_orders.py::test_order_once"


def text(**fields: Any) -> list[str]:
    """The lines of a failure with these fields."""
    return Failure(**{"violation": "StepRanAgain", "summary": "step 'a' ran again", **fields}).render().splitlines()


# --- the value ------------------------------------------------------------------------------------------------------


def test_the_first_line_says_what_happened_and_under_how_many_kills() -> None:
    assert text() == ["step 'a' ran again      (without any kill; 0 plans passed before)"]
    assert text(kills=1, passed=1) == ["step 'a' ran again      (1 kill; 1 plan passed before)"]
    assert text(kills=3, passed=31) == ["step 'a' ran again      (3 kills; 31 plans passed before)"]


def test_the_timeline_is_indented_and_the_explanation_follows_it() -> None:
    lines = text(timeline="invocation 1   a\ninvocation 2   a", explanation=("It happened.", "Do this."))
    assert lines[1:] == ["  invocation 1   a", "  invocation 2   a", "It happened.", "Do this."]


def test_the_last_line_is_the_command_that_replays_it() -> None:
    assert text(test=TEST, plan="a:body")[-1] == f"replay: pytest '{TEST}' --durable-replay='a:body'"


def test_outside_of_pytest_there_is_no_command() -> None:
    failure = Failure("StepRanAgain", "step 'a' ran again", plan="a:body")
    assert failure.replay_command() is None
    assert "replay" not in failure.render()


def test_without_a_plan_the_command_is_the_test_alone() -> None:
    assert text(test=TEST)[-1] == f"replay: pytest '{TEST}'"


@pytest.mark.parametrize("plan", ["a:body", "it's:body", "a 'b':body, c\"d:stored", "a\\,b:body", "$HOME `x`:body"])
@pytest.mark.parametrize("test", [TEST, "tests/test_a.py::test[it's - $x]"])
def test_a_shell_reads_the_command_as_it_was_meant(plan: str, test: str) -> None:
    command = Failure("StepRanAgain", "again", plan=plan, test=test).replay_command()
    assert command is not None
    assert shlex.split(command) == ["pytest", test, f"--durable-replay={plan}"]


def test_a_failure_that_did_not_happen_again_says_so_first() -> None:
    lines = text(reproduced=False, timeline="invocation 1", explanation=("It happened.",))
    assert lines[0] == "NOT REPRODUCED: the same plan, run again, did not fail like this."
    assert "reset=" in lines[1]
    assert lines[3:] == [
        "step 'a' ran again      (without any kill; 0 plans passed before)",
        "  invocation 1",
        "It happened.",
    ]


def test_a_failure_is_frozen() -> None:
    failure = Failure("StepRanAgain", "again")
    for field in dataclasses.fields(failure):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(failure, field.name, None)


def test_a_failure_is_a_value() -> None:
    one, other = (Failure("StepRanAgain", "again", explanation=("a",), kills=1) for _ in range(2))
    assert one == other and hash(one) == hash(other)
    assert pickle.loads(pickle.dumps(one)) == one


def test_a_violation_reads_as_its_failure() -> None:
    failure = Failure("StepRanAgain", "again", kills=1)
    assert str(StepRanAgain(failure)) == failure.render()
    assert StepRanAgain(failure).failure is failure


# --- found by a search ----------------------------------------------------------------------------------------------


def resuming(marker: list[int]) -> Any:
    """Numbers its operations differently in an invocation that takes up what another one left."""

    def handler(event: Any, context: DurableContext) -> list[str]:
        if marker:
            context.step(returns("resumed"))
        charged: str = context.step(lambda step: "charged")
        marker.append(1)
        shipped: str = context.step(lambda step: "shipped")
        marker.clear()
        return [charged, shipped]

    return handler


def found(handler: Any, **options: Any) -> DurabilityViolation:
    """The violation that a search in a test finds."""
    with FakeDurableContext() as context, pytest.raises(DurabilityViolation) as caught:
        context.test = TEST
        context.verify(handler, **options)
    return caught.value


def test_a_step_that_ran_again_is_told_as_a_story() -> None:
    marker: list[int] = []
    lines = str(found(resuming(marker), reset=marker.clear)).splitlines()
    line = resuming.__code__.co_firstlineno + 6
    assert lines[0] == "step '[1]' ran again after it had completed      (1 kill; 4 plans passed before)"
    assert lines[1:11] == [
        "        without faults           with 1 kill",
        "        invocation 1  00:00:00   invocation 1  00:00:00",
        "  [1]   ran, stored              ran, stored",
        "  [2]   ran, stored              reached",
        "                                 ✗ killed: [2]:start",
        "                                 invocation 2  00:00:01",
        "  [1]                            replayed",
        f"  [2]                            RAN AGAIN, stored  <- test_failure.py:{line}",
        "  [3]                            ran, stored",
        "        succeeded                succeeded",
    ]
    assert lines[-1] == f"replay: pytest '{TEST}' --durable-replay='[2]:start'"


def charging(bank: list[int]) -> Any:
    def handler(event: Any, context: DurableContext) -> int:
        context.step(lambda step: bank.append(100), name="charge")
        context.wait(seconds(300), name="cool off")
        return context.step(lambda step: sum(bank), name="total")

    return handler


def test_every_field_of_a_failure_is_filled() -> None:
    bank: list[int] = []
    failure = found(charging(bank), reset=bank.clear).failure
    assert failure.violation == OutcomeChanged.__name__
    assert "charge" in failure.summary
    assert (failure.plan, failure.schedule, failure.kills, failure.passed) == ("charge:body", "", 1, 2)
    assert "✗ killed: charge:body" in failure.timeline
    assert any("200" in line and "100" in line for line in failure.explanation)
    assert (failure.test, failure.reproduced) == (TEST, True)


def test_an_outcome_that_changed_names_the_users_line() -> None:
    bank: list[int] = []
    place = f"test_failure.py:{charging.__code__.co_firstlineno + 2}"
    assert place in str(found(charging(bank), reset=bank.clear))


def test_a_failing_run_is_told_as_well(ctx: FakeDurableContext) -> None:
    ctx.test = TEST
    with pytest.raises(StepRanAgain) as caught:
        ctx.run(resuming([]), faults="[2]:body")
    assert str(caught.value).endswith(f"replay: pytest '{TEST}' --durable-replay='[2]:body'")


def test_a_replay_of_the_finished_journal_is_not_taken_for_an_invocation_of_the_run() -> None:
    # The run has one invocation, which is the first pass; the replay that differs is none of its invocations.
    failure = found(id_in_a_name(False)).failure
    assert failure.timeline.count("invocation ") == 1
    assert "Invocation 1" not in "\n".join(failure.explanation)


@pytest.mark.parametrize("twins", TWINS.values(), ids=list(TWINS))
def test_a_failure_fits_on_a_terminal_and_names_a_line_of_the_user_or_both_results(twins: Twins) -> None:
    message = str(found(twins.make(False)))
    lines = message.splitlines()
    assert len(lines) <= SCREEN
    assert [line for line in lines if len(line) > 120 and not line.startswith("replay: ")] == []
    assert "twins.py:" in message or "First pass:" in message


@pytest.mark.durable(kinds=["body"])
def test_an_execution_of_many_operations_fits_on_one_screen(durable_ctx: FakeDurableContext) -> None:
    bank: list[int] = []

    def handler(event: Any, context: DurableContext) -> int:
        for number in range(24):
            context.step(returns(number), name=f"step {number}")
            if number % 6 == 0:
                context.wait(seconds(60), name=f"pause {number}")
        context.step(lambda step: bank.append(1), name="charge")
        return context.step(lambda step: len(bank), name="count")

    with pytest.raises(OutcomeChanged) as caught:
        durable_ctx.verify(handler, reset=bank.clear)
    lines = str(caught.value).splitlines()
    assert len(lines) <= SCREEN
    assert any("✗ killed: charge:body" in line for line in lines)


def test_a_long_result_does_not_fill_the_screen() -> None:
    bank: list[str] = []

    def handler(event: Any, context: DurableContext) -> str:
        context.step(lambda step: bank.append("x" * 5_000), name="charge")
        return context.step(lambda step: "".join(bank), name="all")

    lines = str(found(handler, reset=bank.clear)).splitlines()
    assert max(map(len, lines)) <= 250
    assert len(lines) <= SCREEN


def test_a_result_with_line_breaks_stays_on_its_line() -> None:
    bank: list[str] = []

    def handler(event: Any, context: DurableContext) -> str:
        context.step(lambda step: bank.append("a\nb\n"), name="charge")
        return context.step(lambda step: "".join(bank), name="all")

    assert len(str(found(handler, reset=bank.clear)).splitlines()) <= 18
