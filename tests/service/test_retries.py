"""Steps that are retried, and steps that were interrupted: how often their bodies run, and when."""

from __future__ import annotations

from typing import Any

import pytest
from aws_durable_execution_sdk_python import DurableContext, StepContext, StepError
from aws_durable_execution_sdk_python.config import StepConfig
from aws_durable_execution_sdk_python.retries import RetryPresets, RetryStrategyConfig, create_retry_strategy
from aws_durable_execution_sdk_python.waits import WaitForConditionConfig, WaitForConditionDecision

from pytest_durable import FakeDurableContext
from tests.durable import AT_MOST_ONCE, ONCE, ONCE_AT_MOST, Flaky, attempts, fails, gaps, seconds

JITTERY = StepConfig(
    retry_strategy=create_retry_strategy(RetryStrategyConfig(max_attempts=6, initial_delay=seconds(60)))
)


def retried(body: Any, config: StepConfig | None = None) -> Any:
    """A handler with one step."""
    return lambda event, context: context.step(body, name="a", config=config)


# --- retries --------------------------------------------------------------------------------------------------------


def test_each_attempt_is_an_invocation_after_the_delay(ctx: FakeDurableContext) -> None:
    execution = ctx.run(retried(Flaky(2), attempts(3, delay=60)))
    assert (execution.result, execution.body_runs("a")) == ("done", 3)
    assert gaps(execution) == [pytest.approx(60, abs=0.2)] * 2
    assert execution.operation("a").attempts == 3


def test_backoff_grows_in_virtual_time(ctx: FakeDurableContext) -> None:
    execution = ctx.run(retried(Flaky(9), StepConfig(retry_strategy=RetryPresets.critical())))
    assert (execution.result, execution.operation("a").attempts) == ("done", 10)
    assert [round(gap) for gap in gaps(execution)] == [1, 2, 3, 4, 6, 8, 12, 18, 26]


def test_the_body_is_told_its_attempt(ctx: FakeDurableContext) -> None:
    seen: list[int] = []

    def body(step: StepContext) -> str:
        seen.append(step.attempt)
        if step.attempt < 4:
            raise ConnectionError("down")
        return "up"

    assert ctx.run(retried(body, attempts(4))).result == "up"
    assert seen == [1, 2, 3, 4]


def test_a_step_that_fails_for_good_raises_in_the_handler(ctx: FakeDurableContext) -> None:
    def handler(event: Any, context: DurableContext) -> list[str]:
        try:
            context.step(fails(LookupError("no stock")), name="a", config=attempts(3))
        except StepError as error:
            return [str(error.error_type), str(error)]
        return []

    execution = ctx.run(handler)
    assert execution.result == ["LookupError", "no stock"]
    operation = execution.operation("a")
    assert (operation.status, operation.attempts, execution.body_runs("a")) == ("FAILED", 3, 3)


def test_a_step_error_that_nobody_catches_fails_the_execution(ctx: FakeDurableContext) -> None:
    execution = ctx.run(retried(fails(LookupError("no stock")), ONCE))
    assert execution.status == "FAILED"
    assert execution.error is not None and execution.error.message == "no stock"


def test_while_a_retry_is_pending_its_error_can_be_seen(ctx: FakeDurableContext) -> None:
    execution = ctx.start(retried(Flaky(1), attempts(2, delay=60)))
    operation = execution.operation("a")
    assert (operation.status, operation.attempts) == ("PENDING", 1)
    assert operation.error is not None and operation.error.message == "call 1"
    assert execution.run().operation("a").error is None


def test_a_retry_in_a_branch_leaves_the_other_branch_running(ctx: FakeDurableContext) -> None:
    flaky = Flaky(1)

    def handler(event: Any, context: DurableContext) -> Any:
        branches = [
            lambda child: child.step(flaky, name="flaky", config=attempts(2, delay=60)),
            lambda child: child.step(lambda step: "steady", name="steady"),
        ]
        return context.parallel(branches, name="p").get_results()

    execution = ctx.run(handler)
    assert execution.result == ["done", "steady"]
    assert execution.body_runs("p/parallel-branch-1/steady") == 1
    assert int(execution.elapsed) == 60


# --- jitter ---------------------------------------------------------------------------------------------------------


def elapsed_with(seed: int) -> float:
    with FakeDurableContext(seed=seed) as context:
        return context.run(retried(Flaky(5), JITTERY)).elapsed


def test_the_same_seed_gives_the_same_jitter() -> None:
    assert elapsed_with(7) == elapsed_with(7)


def test_another_seed_gives_another_jitter() -> None:
    assert len({round(elapsed_with(seed)) for seed in range(5)}) > 1


def test_jitter_does_not_touch_the_users_random_numbers(ctx: FakeDurableContext) -> None:
    import random

    random.seed(1)
    expected = [random.random() for _ in range(3)]  # noqa: TID251  # the user's own
    random.seed(1)
    ctx.run(retried(Flaky(5), JITTERY))
    assert [random.random() for _ in range(3)] == expected  # noqa: TID251  # the user's own


def test_each_run_of_a_context_draws_the_same_jitter(ctx: FakeDurableContext) -> None:
    flaky = Flaky(5)
    first = ctx.run(retried(flaky, JITTERY)).elapsed
    flaky.reset()
    assert ctx.run(retried(flaky, JITTERY)).elapsed == first


# --- interrupted steps ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("where", ["start", "body"])
def test_an_at_least_once_step_that_was_interrupted_runs_again_in_the_same_attempt(
    ctx: FakeDurableContext, where: str
) -> None:
    seen: list[int] = []

    def body(step: StepContext) -> str:
        seen.append(step.attempt)
        return "done"

    execution = ctx.run(retried(body, ONCE), faults=f"a:{where}")
    assert (execution.result, execution.operation("a").attempts) == ("done", 1)
    assert seen == ([1] if where == "start" else [1, 1])


@pytest.mark.parametrize("where", ["start", "body"])
def test_an_at_most_once_step_that_was_interrupted_is_not_run_again(ctx: FakeDurableContext, where: str) -> None:
    ran: list[str] = []
    execution = ctx.run(retried(lambda step: ran.append("body"), ONCE_AT_MOST), faults=f"a:{where}")
    assert execution.status == "FAILED"
    assert execution.error is not None
    assert (execution.error.type or "").endswith("StepError")
    assert "previously interrupted" in (execution.error.message or "")
    assert len(ran) == (0 if where == "start" else 1)
    assert execution.operation("a").status == "FAILED"


@pytest.mark.parametrize("where", ["start", "body"])
def test_an_interrupted_at_most_once_step_with_a_retry_strategy_has_another_attempt(
    ctx: FakeDurableContext, where: str
) -> None:
    seen: list[int] = []

    def body(step: StepContext) -> str:
        seen.append(step.attempt)
        return "done"

    execution = ctx.run(retried(body, attempts(2, semantics=AT_MOST_ONCE)), faults=f"a:{where}")
    assert (execution.result, execution.operation("a").attempts) == ("done", 2)
    assert seen == ([2] if where == "start" else [1, 2])


def test_an_at_most_once_step_whose_result_was_stored_keeps_it(ctx: FakeDurableContext) -> None:
    ran: list[str] = []

    def body(step: Any) -> str:
        ran.append("body")
        return "done"

    execution = ctx.run(retried(body, ONCE_AT_MOST), faults="a:stored")
    assert (execution.result, ran) == ("done", ["body"])


def test_an_at_most_once_step_can_be_caught_and_compensated(ctx: FakeDurableContext) -> None:
    def handler(event: Any, context: DurableContext) -> str:
        try:
            return context.step(lambda step: "charged", name="charge", config=ONCE_AT_MOST)
        except StepError:
            return context.step(lambda step: "asked the bank", name="ask")

    assert ctx.run(handler).result == "charged"
    assert ctx.run(handler, faults="charge:body").result == "asked the bank"


@pytest.mark.parametrize("place", ["a@1:body", "a@2:body", "a@3:body", "a@2:start", "a@1:suspend", "a@2:suspend"])
def test_a_kill_during_any_attempt_costs_no_attempt(ctx: FakeDurableContext, place: str) -> None:
    seen: list[int] = []

    def body(step: StepContext) -> str:
        seen.append(step.attempt)
        if step.attempt < 3:
            raise ConnectionError("down")
        return "up"

    execution = ctx.run(retried(body, attempts(3)), faults=place)
    assert (execution.result, execution.operation("a").attempts) == ("up", 3)
    assert sorted(set(seen)) == [1, 2, 3]


# --- conditions -----------------------------------------------------------------------------------------------------


def polling(limit: int, delay: int = 30) -> WaitForConditionConfig[int]:
    """Poll every ``delay`` seconds until the state is ``limit``."""

    def strategy(state: int, attempt: int) -> WaitForConditionDecision:
        if state >= limit:
            return WaitForConditionDecision.stop_polling()
        return WaitForConditionDecision.continue_waiting(seconds(delay))

    return WaitForConditionConfig(wait_strategy=strategy, initial_state=0)


def counting(event: Any, context: DurableContext) -> Any:
    return context.wait_for_condition(lambda state, check: state + 1, polling(4), name="poll")


def test_a_condition_is_polled_until_it_holds(ctx: FakeDurableContext) -> None:
    execution = ctx.run(counting)
    assert (execution.result, execution.operation("poll").attempts) == (4, 4)
    assert execution.operation("poll").sub_type == "WaitForCondition"
    assert int(execution.elapsed) == 90


@pytest.mark.parametrize("place", ["poll@2:start", "poll@3:body", "poll@1:suspend", "poll@3:suspend", "poll:stored"])
def test_a_condition_goes_on_from_its_stored_state_after_a_kill(ctx: FakeDurableContext, place: str) -> None:
    assert ctx.run(counting, faults=place).result == 4
