"""Executions that do not end, and code that goes on although it was stopped."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from typing import Any

import pytest
from aws_durable_execution_sdk_python import DurableContext
from aws_durable_execution_sdk_python.config import CompletionConfig, ParallelConfig

from pytest_durable import ExecutionStuck, FakeDurableContext, SuspensionSwallowed
from pytest_durable.service import lifecycle
from tests.checks.verdicts import found_in, text_of, verified
from tests.durable import attempts, fails, returns, seconds

LOOP = """
from aws_durable_execution_sdk_python.config import Duration
from pytest_durable import DurabilityViolation, FakeDurableContext
from pytest_durable.service import lifecycle

def handler(event, context):
    while True:
        {body}

lifecycle.MAX_REPLAYED = 1_000
with FakeDurableContext() as ctx:
    try:
        ctx.verify(handler)
    except DurabilityViolation as found:
        print(found.failure.violation, found.failure.summary)
"""


def verdict_within_seconds(body: str) -> str:
    """What the search says about a loop of ``body``; in a process of its own, which can be stopped."""
    command = [sys.executable, "-c", LOOP.format(body=body)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout


def test_a_retry_without_end_is_stuck(ctx: FakeDurableContext, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lifecycle, "MAX_INVOCATIONS", 50)
    with pytest.raises(ExecutionStuck, match=r"did not end within \d+ invocations") as caught:
        ctx.run(lambda event, context: context.step(fails(ConnectionError("down")), config=attempts(10**9, delay=1)))
    assert "invoked again and again" in text_of(caught.value.failure)
    assert re.fullmatch(r"'\[1\]' was made at test_progress\.py:\d+\.", caught.value.failure.explanation[-1])


def test_a_loop_without_end_is_found_within_seconds() -> None:
    verdict = verdict_within_seconds("context.wait(Duration.from_seconds(1))")
    assert verdict.startswith("ExecutionStuck the execution did not end within")


def test_a_loop_that_ends_after_many_waits_is_not_stuck(ctx: FakeDurableContext) -> None:
    def handler(event: Any, context: DurableContext) -> int:
        for _ in range(60):
            context.wait(seconds(3_600))
        return 60

    execution = ctx.run(handler)
    assert (execution.result, len(execution.invocations)) == (60, 61)


def test_a_step_that_is_too_long_for_an_invocation_is_found_by_the_search() -> None:
    def handler(event: Any, context: DurableContext) -> None:
        context.step(returns(1), name="quick")
        context.step(lambda step: time.sleep(1_000), name="slow")  # noqa: TID251  # virtual: this is a step

    kind, failure = found_in(handler)
    assert kind is ExecutionStuck
    assert "'slow' never ends within the invocation timeout of 900 s" in failure.summary
    assert failure.kills == 0


def test_an_execution_that_fails_is_not_stuck() -> None:
    def handler(event: Any, context: DurableContext) -> None:
        raise LookupError("no such order")

    verified(handler)


# --- swallowing -----------------------------------------------------------------------------------------------------


def bare_wait(event: Any, context: DurableContext) -> str:
    try:
        context.wait(seconds(60), name="pause")
    except:  # noqa: E722  # what is found
        return "did not wait"
    return "waited"


def base_exception_around_a_wait(event: Any, context: DurableContext) -> str:
    try:
        context.wait(seconds(60), name="pause")
    except BaseException:
        context.step(returns(1), name="go on")
    return "done"


def return_in_finally(event: Any, context: DurableContext) -> str:
    try:
        context.wait(seconds(60), name="pause")
    finally:
        return "done"  # noqa: B012  # what is found


def bare_retry(event: Any, context: DurableContext) -> Any:
    try:
        return context.step(fails(ConnectionError("down")), name="a", config=attempts(2))
    except:  # noqa: E722  # what is found
        return "gave up"


def bare_in_a_child(event: Any, context: DurableContext) -> Any:
    return context.run_in_child_context(lambda child: bare_wait(None, child), name="child")


@pytest.mark.parametrize(
    "handler",
    [bare_wait, base_exception_around_a_wait, return_in_finally, bare_retry, bare_in_a_child],
    ids=lambda handler: handler.__name__,
)
def test_a_suspension_that_is_swallowed_is_found(handler: Any) -> None:
    kind, failure = found_in(handler)
    assert kind is SuspensionSwallowed
    assert "test_progress.py" in text_of(failure)


SWALLOWING_WAIT = """
        try:
            context.wait(Duration.from_seconds(1))
        except BaseException:
            pass
"""


def test_a_loop_that_swallows_every_suspension_is_found_within_seconds() -> None:
    assert verdict_within_seconds(SWALLOWING_WAIT.strip()).startswith("SuspensionSwallowed")


def test_a_kill_that_is_swallowed_once_is_found() -> None:
    def handler(event: Any, context: DurableContext) -> Any:
        try:
            return context.step(returns(1), name="a")
        except BaseException:
            return "failed"

    kind, failure = found_in(handler)
    assert kind is SuspensionSwallowed
    assert failure.kills == 1


def test_a_kill_that_is_swallowed_in_a_loop_is_found() -> None:
    def handler(event: Any, context: DurableContext) -> Any:
        while True:
            try:
                return context.step(returns(1), name="a")
            except BaseException:
                continue

    kind, failure = found_in(handler)
    assert kind is SuspensionSwallowed
    assert failure.kills == 1
    assert "test_progress.py" in text_of(failure)


@pytest.mark.parametrize("kept", [(ValueError, LookupError), Exception], ids=["some errors", "Exception"])
def test_catching_errors_swallows_no_suspension(kept: Any) -> None:
    def handler(event: Any, context: DurableContext) -> str:
        while True:
            try:
                context.wait(seconds(60), name="pause")
                context.step(returns(1), name="a")
            except kept:
                continue
            return "waited"

    assert verified(handler).places


def test_a_base_exception_that_is_raised_again_is_not_swallowed() -> None:
    def handler(event: Any, context: DurableContext) -> str:
        try:
            context.wait(seconds(60), name="pause")
        except BaseException:
            raise
        return "waited"

    verified(handler)


def swallows_in_the_handler(event: Any, context: DurableContext) -> Any:
    try:
        return context.create_callback(name="approve").result()
    except BaseException:
        return "never mind"


def swallows_in_a_branch(event: Any, context: DurableContext) -> Any:
    return context.parallel([swallows_in_a_context], name="branches").get_results()


def swallows_in_a_context(child: DurableContext) -> Any:
    return swallows_in_the_handler(None, child)


def one_branch_is_left_waiting(event: Any, context: DurableContext) -> Any:
    """Correct: the callback that suspends one branch is that of the handler, which goes on."""
    callback = context.create_callback(name="approve")
    branches = [lambda branch: callback.result(), lambda branch: branch.step(lambda _: 1, name="quick")]
    config = ParallelConfig(completion_config=CompletionConfig(min_successful=1))
    return context.parallel(branches, name="branches", config=config).get_results()


def lets_it_pass(event: Any, context: DurableContext) -> Any:
    try:
        return context.create_callback(name="approve").result()
    except Exception:
        return "refused"
    finally:
        context.logger.info("asked")


@pytest.mark.parametrize("handler", [swallows_in_the_handler, swallows_in_a_branch])
def test_a_handler_that_swallows_the_suspension_of_a_callback_is_found(handler: Any) -> None:
    with FakeDurableContext() as context:
        context.callbacks.succeed("approve", "yes", after=60)
        with pytest.raises(SuspensionSwallowed, match=r"swallows its own suspension, at test_progress.py:\d+"):
            context.run(handler)


@pytest.mark.parametrize("handler", [lets_it_pass, one_branch_is_left_waiting])
def test_a_handler_that_lets_the_suspension_of_a_callback_pass_is_left_alone(handler: Any) -> None:
    with FakeDurableContext() as context:
        context.callbacks.succeed("approve", "yes", after=60)
        context.verify(handler)
