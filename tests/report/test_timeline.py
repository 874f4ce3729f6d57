"""An execution as text: a block for each invocation, a line for each operation it came to."""

from __future__ import annotations

import os
import sys
import time
from textwrap import dedent
from typing import Any

import pytest
from aws_durable_execution_sdk_python import DurableContext, StepContext

from pytest_durable import FakeDurableContext
from tests.durable import ONCE, ONCE_AT_MOST, attempts, fails, returns, seconds


def reads(text: str, expected: str) -> None:
    """Assert that ``text`` is ``expected``, whose indentation does not count."""
    assert [line.rstrip() for line in text.splitlines()] == dedent(expected).strip("\n").splitlines()


def test_an_execution_in_one_invocation(ctx: FakeDurableContext) -> None:
    def handler(event: Any, context: DurableContext) -> None:
        context.step(returns(1), name="validate")
        context.step(returns(2), name="charge")

    reads(
        ctx.run(handler).timeline(),
        """
        invocation 1   00:00:00   validate   ran        stored
                                  charge     ran        stored
                                  succeeded
        """,
    )


def test_a_wait_and_its_replay(ctx: FakeDurableContext) -> None:
    def handler(event: Any, context: DurableContext) -> None:
        context.step(returns(1), name="a")
        context.wait(seconds(3_661), name="pause")

    reads(
        ctx.run(handler).timeline(),
        """
        invocation 1   00:00:00   a       ran        stored
                                  pause   waits 3661 s
        invocation 2   01:01:01   a       replayed
                                  pause   replayed
                                  succeeded
        """,
    )


def test_a_kill_and_what_came_after_it(ctx: FakeDurableContext) -> None:
    reads(
        ctx.run(lambda event, context: context.step(returns(1), name="a"), faults="a:body").timeline(),
        """
        invocation 1   00:00:00   a   ran
                                  ✗ killed: a:body
        invocation 2   00:00:01   a   ran        stored
                                  succeeded
        """,
    )


def test_a_retry(ctx: FakeDurableContext) -> None:
    def body(step: StepContext) -> int:
        if step.attempt < 2:
            raise ConnectionError("down")
        return 1

    reads(
        ctx.run(lambda event, context: context.step(body, name="a", config=attempts(2, delay=60))).timeline(),
        """
        invocation 1   00:00:00   a   ran        again in 60 s
        invocation 2   00:01:00   a   ran        stored
                                  succeeded
        """,
    )


def test_a_step_and_an_execution_that_fail(ctx: FakeDurableContext) -> None:
    execution = ctx.run(lambda event, context: context.step(fails(LookupError("no")), name="a", config=ONCE))
    reads(
        execution.timeline(),
        """
        invocation 1   00:00:00   a   ran        failed
                                  failed
        """,
    )


def test_an_execution_that_comes_to_no_operation(ctx: FakeDurableContext) -> None:
    reads(ctx.run(lambda event, context: None).timeline(), "invocation 1   00:00:00   succeeded")


def test_an_execution_that_is_suspended(ctx: FakeDurableContext) -> None:
    execution = ctx.start(lambda event, context: context.wait(seconds(60), name="pause"))
    reads(execution.timeline(), "invocation 1   00:00:00   pause   waits 60 s")


def test_days_are_shown_in_front(ctx: FakeDurableContext) -> None:
    timeline = ctx.run(lambda event, context: context.wait(seconds(2 * 86_400 + 5), name="pause")).timeline()
    assert "invocation 2   2d 00:00:05   pause   replayed" in timeline


def test_children_are_shown_by_their_paths(ctx: FakeDurableContext) -> None:
    def child(context: DurableContext) -> None:
        context.step(returns(1))

    reads(
        ctx.run(lambda event, context: context.run_in_child_context(child, name="pack")).timeline(),
        """
        invocation 1   00:00:00   pack       ran        stored
                                  pack/[1]   ran        stored
                                  succeeded
        """,
    )


def exiting(event: Any, context: DurableContext) -> None:
    sys.exit(3)


def exiting_hard(event: Any, context: DurableContext) -> None:
    os._exit(3)


def sleeping(event: Any, context: DurableContext) -> None:
    context.step(lambda step: time.sleep(9), name="slow", config=ONCE_AT_MOST)  # noqa: TID251  # virtual: this is a step


@pytest.mark.parametrize(
    ("handler", "words"),
    [(exiting, "✗ Runtime.ExitError: "), (exiting_hard, "✗ Runtime.ExitError: "), (sleeping, "✗ Sandbox.Timedout: ")],
)
def test_how_an_invocation_died_is_shown(ctx: FakeDurableContext, handler: Any, words: str) -> None:
    assert words in ctx.run(handler, invocation_timeout=5).timeline()


def test_a_body_that_is_running_is_shown_while_it_runs(ctx: FakeDurableContext) -> None:
    seen: list[str] = []

    def handler(event: Any, context: DurableContext) -> None:
        context.step(lambda step: seen.append(running[0].timeline()) if running else None, name="a")
        context.wait(seconds(60), name="pause")
        context.step(lambda step: seen.append(running[0].timeline()), name="b")

    running: list[Any] = []
    running.append(ctx.start(handler))
    running[0].run()
    assert seen[-1].splitlines()[-1].strip() == "… still running"
    assert "invocation 2" in seen[-1]


def test_a_long_invocation_is_shortened_in_the_middle(ctx: FakeDurableContext) -> None:
    def handler(event: Any, context: DurableContext) -> None:
        for number in range(50):
            context.step(returns(number), name=f"step {number}")

    lines = ctx.run(handler).timeline().splitlines()
    assert len(lines) < 20
    assert "step 0 " in lines[0]
    assert "step 49 " in lines[-2]
    assert any(line.strip().startswith("… ") for line in lines)


def test_many_replayed_operations_are_counted(ctx: FakeDurableContext) -> None:
    def handler(event: Any, context: DurableContext) -> None:
        for number in range(8):
            context.step(returns(number), name=f"step {number}")
        context.wait(seconds(60), name="pause")
        context.step(returns(1), name="last")

    timeline = ctx.run(handler).timeline()
    assert "9 operations replayed" in timeline
    assert timeline.splitlines()[-2].split() == ["last", "ran", "stored"]


def test_the_timeline_is_the_same_each_time(ctx: FakeDurableContext) -> None:
    def handler(event: Any, context: DurableContext) -> None:
        context.parallel([lambda child: child.wait(seconds(5)), lambda child: child.step(returns(1))], name="p")

    first = ctx.run(handler, faults="p:start").timeline()
    assert ctx.run(handler, faults="p:start").timeline() == first
