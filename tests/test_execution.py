"""What a test reads of an execution, and how it lets a started one go on."""

from __future__ import annotations

import dataclasses
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aws_durable_execution_sdk_python import DurableContext, StepContext, durable_execution
from aws_durable_execution_sdk_python.types import DurableExecutionArn

from pytest_durable import Execution, ExecutionStatus, FakeDurableContext, FaultNotReached, UnknownOperation, UsageError
from tests.durable import ONCE, attempts, fails, returns, seconds

START = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def ctx() -> Iterator[FakeDurableContext]:
    with FakeDurableContext() as context:
        yield context


def order(event: Any, context: DurableContext) -> Any:
    """A step, a wait and a child context with two unnamed operations."""

    def pack(child: DurableContext) -> Any:
        child.wait(seconds(30))
        return child.step(returns("packed"))

    charged = context.step(returns(100), name="charge")
    context.wait(seconds(300), name="cool off")
    return [charged, context.run_in_child_context(pack, name="pack")]


def failing(event: Any, context: DurableContext) -> None:
    context.step(returns(1), name="a")
    raise LookupError("no such order")


# --- how it ended ---------------------------------------------------------------------------------------------------


def test_a_status_is_equal_to_its_text(ctx: FakeDurableContext) -> None:
    execution = ctx.run(order)
    assert execution.status == "SUCCEEDED"
    assert execution.status is ExecutionStatus.SUCCEEDED
    assert f"{execution.status}" == "SUCCEEDED"


def test_the_statuses_are_named_as_the_lambda_api_names_them() -> None:
    assert [str(status) for status in ExecutionStatus] == ["RUNNING", "SUCCEEDED", "FAILED", "TIMED_OUT", "STOPPED"]


def test_the_result_is_what_json_leaves_of_it(ctx: FakeDurableContext) -> None:
    execution = ctx.run(lambda event, context: {"tuple": (1, 2), 3: None})
    assert execution.result == {"tuple": [1, 2], "3": None}
    assert execution.error is None


@pytest.mark.parametrize("value", [None, 0, "", [], False, {}])
def test_a_result_may_be_nothing(ctx: FakeDurableContext, value: Any) -> None:
    execution = ctx.run(lambda event, context: value)
    assert (execution.status, execution.result) == ("SUCCEEDED", value)


def test_a_result_is_read_afresh_each_time(ctx: FakeDurableContext) -> None:
    execution = ctx.run(lambda event, context: [1])
    execution.result.append(2)
    assert execution.result == [1]


def test_an_error_has_type_message_and_stack(ctx: FakeDurableContext) -> None:
    execution = ctx.run(failing)
    assert (execution.status, execution.result) == ("FAILED", None)
    assert execution.error is not None
    assert (execution.error.type, execution.error.message) == ("LookupError", "no such order")


def test_a_result_that_is_not_json_fails_the_execution(ctx: FakeDurableContext) -> None:
    execution = ctx.run(lambda event, context: {1, 2})
    assert execution.status == "FAILED"
    assert execution.error is not None and execution.error.type == "TypeError"


# --- identity -------------------------------------------------------------------------------------------------------


class Orders:
    def __call__(self, event: Any, context: DurableContext) -> None:
        pass

    def handle(self, event: Any, context: DurableContext) -> None:
        pass


@pytest.mark.parametrize(
    ("handler", "name"),
    [
        (order, "order"),
        (durable_execution(order), "order"),
        (Orders(), "Orders"),
        (Orders().handle, "handle"),
        (lambda event, context: None, None),
    ],
    ids=["a function", "a decorated one", "an object", "a method", "a lambda"],
)
def test_the_sdk_can_read_the_arn(ctx: FakeDurableContext, handler: Any, name: str | None) -> None:
    execution = ctx.run(handler, name="order-7")
    arn = DurableExecutionArn.from_arn(execution.arn)
    assert arn is not None
    assert arn.execution_name == execution.name == "order-7"
    assert name is None or arn.function_name == name
    assert execution.arn.endswith(f"/{arn.invocation_id}")


def test_the_arn_has_the_shape_that_aws_gives_it(ctx: FakeDurableContext) -> None:
    prefix = r"arn:aws:lambda:us-east-1:123456789012:function:order:\$LATEST/durable-execution/order-7/"
    execution = ctx.run(order, name="order-7")
    assert re.fullmatch(prefix + r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", execution.arn)


def test_the_handler_is_given_the_same_arn_in_every_invocation(ctx: FakeDurableContext) -> None:
    seen: set[str] = set()

    def handler(event: Any, context: DurableContext) -> None:
        seen.add(context.execution_context.durable_execution_arn)
        context.wait(seconds(5))

    execution = ctx.run(handler)
    assert seen == {execution.arn}


def test_executions_without_a_name_are_numbered(ctx: FakeDurableContext) -> None:
    executions = [ctx.run(order) for _ in range(3)]
    assert [execution.name for execution in executions] == ["execution-1", "execution-2", "execution-3"]
    assert len({execution.arn for execution in executions}) == 3


def test_an_execution_has_the_same_arn_in_every_test() -> None:
    def arn() -> str:
        with FakeDurableContext() as context:
            return context.run(order).arn

    assert arn() == arn()


def test_another_seed_gives_other_ids() -> None:
    def arn(seed: int) -> str:
        with FakeDurableContext(seed=seed) as context:
            return context.run(order).arn

    assert arn(1) != arn(2)


def test_the_repr_says_name_status_and_invocations(ctx: FakeDurableContext) -> None:
    assert repr(ctx.run(order, name="order-7")) == "<Execution order-7 SUCCEEDED, 3 invocations>"
    assert repr(ctx.start(order)) == "<Execution execution-2 RUNNING, 1 invocation>"


def test_the_repr_of_one_that_failed_says_why(ctx: FakeDurableContext) -> None:
    failed = ctx.run(lambda event, context: event["amount"])
    assert repr(failed) == "<Execution execution-1 FAILED, 1 invocation: KeyError: 'amount'>"


# --- invocations and time -------------------------------------------------------------------------------------------


def test_each_invocation_is_there_with_its_times(ctx: FakeDurableContext) -> None:
    execution = ctx.run(order)
    assert [invocation.number for invocation in execution.invocations] == [1, 2, 3]
    assert [invocation.status for invocation in execution.invocations] == ["PENDING", "PENDING", "SUCCEEDED"]
    assert execution.invocations[0].started == START
    for invocation in execution.invocations:
        assert invocation.ended is not None and invocation.started <= invocation.ended
        assert (invocation.killed, invocation.error) == (None, None)


def test_elapsed_holds_the_waits_and_billed_does_not(ctx: FakeDurableContext) -> None:
    execution = ctx.run(order)
    assert 330 <= execution.elapsed < 332
    assert 0 <= execution.billed < 2


def test_elapsed_and_billed_count_the_sleep_of_a_step(ctx: FakeDurableContext) -> None:
    execution = ctx.run(lambda event, context: context.step(lambda step: time.sleep(100), name="a"))  # noqa: TID251
    assert 100 <= execution.elapsed < 101
    assert 100 <= execution.billed < 101


def test_elapsed_stands_still_when_it_is_over(ctx: FakeDurableContext) -> None:
    execution = ctx.run(order)
    before = execution.elapsed
    ctx.clock.advance(3_600)
    assert execution.elapsed == before


def test_views_are_frozen(ctx: FakeDurableContext) -> None:
    execution = ctx.run(order)
    for view in (execution.invocations[0], execution.operations[0]):
        with pytest.raises(dataclasses.FrozenInstanceError):
            view.status = "LOST"  # type: ignore[misc]


# --- operations -----------------------------------------------------------------------------------------------------


def test_the_operations_are_a_tree(ctx: FakeDurableContext) -> None:
    execution = ctx.run(order)
    assert [operation.path for operation in execution.operations] == ["charge", "cool off", "pack"]
    assert [operation.path for operation in execution.operations[2].children] == ["pack/[1]", "pack/[2]"]
    assert execution.operations[0].children == ()


def test_what_a_step_shows(ctx: FakeDurableContext) -> None:
    step = ctx.run(order).operation("charge")
    assert (step.name, step.type, step.sub_type, step.status) == ("charge", "STEP", "Step", "SUCCEEDED")
    assert (step.result, step.error, step.attempts) == ("100", None, 1)
    assert step.started is not None and step.ended is not None and START <= step.started <= step.ended


def test_what_a_wait_shows(ctx: FakeDurableContext) -> None:
    wait = ctx.run(order).operation("cool off")
    assert (wait.type, wait.sub_type, wait.status, wait.result, wait.attempts) == ("WAIT", "Wait", "SUCCEEDED", None, 0)
    assert wait.started is not None and wait.ended is not None
    assert wait.ended - wait.started == timedelta(seconds=300)


def test_what_a_context_shows(ctx: FakeDurableContext) -> None:
    pack = ctx.run(order).operation("pack")
    assert (pack.type, pack.sub_type, pack.status) == ("CONTEXT", "RunInChildContext", "SUCCEEDED")
    assert pack.result == '"packed"'


def test_what_a_failed_step_shows(ctx: FakeDurableContext) -> None:
    step = ctx.run(lambda event, context: context.step(fails(LookupError("no stock")), name="a", config=ONCE))
    operation = step.operation("a")
    assert (operation.status, operation.result) == ("FAILED", None)
    assert operation.error is not None and operation.error.message == "no stock"


def test_an_unnamed_operation_has_no_name_and_a_path(ctx: FakeDurableContext) -> None:
    operation = ctx.run(order).operation("pack/[2]")
    assert (operation.name, operation.path) == (None, "pack/[2]")


def test_of_several_operations_with_one_path_the_last_is_given(ctx: FakeDurableContext) -> None:
    execution = ctx.run(lambda event, context: [context.step(returns(number), name="a") for number in range(3)])
    assert execution.operation("a").result == "2"
    assert len(execution.operations) == 3
    assert len({operation.id for operation in execution.operations}) == 3


@pytest.mark.parametrize("look", [Execution.operation, Execution.body_runs])
def test_a_path_that_does_not_exist_is_refused_with_those_that_do(ctx: FakeDurableContext, look: Any) -> None:
    with pytest.raises(UnknownOperation) as caught:
        look(ctx.run(order), "chrage")
    for path in ("'chrage'", "'charge'", "'cool off'", "'pack'", "'pack/[1]'", "'pack/[2]'"):
        assert path in str(caught.value)


def test_without_any_operation_the_refusal_says_so(ctx: FakeDurableContext) -> None:
    with pytest.raises(UnknownOperation, match="the execution has: none"):
        ctx.run(lambda event, context: None).operation("charge")


def test_an_unknown_operation_is_a_key_error() -> None:
    assert issubclass(UnknownOperation, KeyError)


# --- body runs ------------------------------------------------------------------------------------------------------


def test_body_runs_counts_over_invocations_and_attempts(ctx: FakeDurableContext) -> None:
    def flaky(step: StepContext) -> int:
        if step.attempt < 3:
            raise ConnectionError("down")
        return 1

    execution = ctx.run(
        lambda event, context: context.step(flaky, name="a", config=attempts(3)), faults="a:body, a@4:body"
    )
    assert execution.body_runs("a") == 5


def test_body_runs_of_a_context_counts_every_invocation_that_ran_it(ctx: FakeDurableContext) -> None:
    execution = ctx.run(order)
    assert (execution.body_runs("pack"), execution.body_runs("pack/[2]")) == (2, 1)


def test_a_wait_has_no_body(ctx: FakeDurableContext) -> None:
    assert ctx.run(order).body_runs("cool off") == 0


def test_body_runs_counts_all_operations_of_one_path(ctx: FakeDurableContext) -> None:
    execution = ctx.run(lambda event, context: [context.step(returns(number), name="a") for number in range(3)])
    assert execution.body_runs("a") == 3


# --- one that was started -------------------------------------------------------------------------------------------


def test_a_started_execution_runs_until_it_is_suspended(ctx: FakeDurableContext) -> None:
    execution = ctx.start(order)
    assert (execution.status, execution.result, execution.error) == ("RUNNING", None, None)
    assert [operation.status for operation in execution.operations] == ["SUCCEEDED", "STARTED"]
    assert [invocation.status for invocation in execution.invocations] == ["PENDING"]
    assert ctx.clock.now() < START + timedelta(seconds=2)


def test_a_started_execution_that_needs_no_time_is_over(ctx: FakeDurableContext) -> None:
    assert ctx.start(lambda event, context: context.step(returns(1), name="a")).status == "SUCCEEDED"


def test_time_that_passes_lets_it_go_on(ctx: FakeDurableContext) -> None:
    execution = ctx.start(order)
    execution.advance(299)
    assert execution.operation("cool off").status == "STARTED"
    execution.advance(1)
    assert execution.operation("cool off").status == "SUCCEEDED"
    assert execution.operation("pack/[1]").status == "STARTED"
    assert execution.advance(31).status == "SUCCEEDED"


def test_when_a_wait_is_over_the_steps_behind_it_are_done(ctx: FakeDurableContext) -> None:
    def handler(event: Any, context: DurableContext) -> Any:
        context.wait(seconds(5), name="pause")
        context.step(returns(1), name="a")
        return context.step(returns("done"), name="b")

    assert ctx.start(handler).advance(5).result == "done"


def test_code_that_sleeps_on_is_left_in_its_middle(ctx: FakeDurableContext) -> None:
    def handler(event: Any, context: DurableContext) -> None:
        context.wait(seconds(5), name="pause")
        context.step(lambda _: time.sleep(10), name="slow")  # noqa: TID251  # virtual, in a body

    execution = ctx.start(handler)
    before = ctx.clock.now()
    assert execution.advance(6).operation("slow").status == "STARTED"
    assert ctx.clock.now() - before == timedelta(seconds=6)


def test_advancing_takes_exactly_as_long_as_it_says(ctx: FakeDurableContext) -> None:
    execution = ctx.start(order)
    before = ctx.clock.now()
    execution.advance(12.345678)
    assert ctx.clock.now() - before == timedelta(seconds=12.345678)
    execution.advance(0)
    assert ctx.clock.now() - before == timedelta(seconds=12.345678)


def test_advancing_beyond_the_end_takes_as_long_as_it_says(ctx: FakeDurableContext) -> None:
    execution = ctx.start(order)
    before = ctx.clock.now()
    execution.advance(86_400)
    assert execution.status == "SUCCEEDED"
    assert ctx.clock.now() - before == timedelta(days=1)
    assert execution.elapsed < 332


def test_the_clock_lets_it_go_on_as_well(ctx: FakeDurableContext) -> None:
    execution = ctx.start(order)
    ctx.clock.advance(300)
    assert execution.operation("cool off").status == "SUCCEEDED"
    ctx.clock.set(START + timedelta(days=1))
    assert execution.status == "SUCCEEDED"


def test_time_does_not_run_backwards(ctx: FakeDurableContext) -> None:
    with pytest.raises(ValueError, match="time does not run backwards"):
        ctx.start(order).advance(-1)


@pytest.mark.parametrize("span", ["300", timedelta(minutes=5), float("nan")])
def test_it_is_advanced_by_a_number_of_seconds(ctx: FakeDurableContext, span: Any) -> None:
    with pytest.raises(UsageError, match="the execution is advanced by a number of seconds, not by "):
        ctx.start(order).advance(span)


def test_a_started_execution_can_be_run_to_its_end(ctx: FakeDurableContext) -> None:
    execution = ctx.start(order)
    assert execution.run() is execution
    assert execution.result == [100, "packed"]
    assert execution.run().status == "SUCCEEDED"


def test_a_started_execution_warns_of_a_kill_that_did_not_happen_when_it_is_over(ctx: FakeDurableContext) -> None:
    execution = ctx.start(order, faults="charge@2:body")
    with pytest.warns(FaultNotReached):
        execution.run()


def test_executions_that_were_started_go_on_side_by_side(ctx: FakeDurableContext) -> None:
    def pause(duration: int) -> Any:
        return lambda event, context: context.wait(seconds(duration), name="pause")

    slow, quick = ctx.start(pause(100)), ctx.start(pause(10))
    quick.run()
    assert (slow.status, quick.status) == ("RUNNING", "SUCCEEDED")
    slow.advance(100)
    assert slow.status == "SUCCEEDED"


def test_a_run_beside_a_started_execution_lets_both_go_on(ctx: FakeDurableContext) -> None:
    background = ctx.start(lambda event, context: context.wait(seconds(60), name="pause"))
    ctx.run(order)
    assert background.status == "SUCCEEDED"


def test_equal_runs_have_equal_traces(ctx: FakeDurableContext) -> None:
    def trace(seed: int, faults: str) -> str:
        with FakeDurableContext(seed=seed) as context:
            return context.run(order, faults=faults).trace_hash

    assert trace(0, "charge:body") == trace(0, "charge:body")
    assert trace(0, "charge:body") != trace(0, "charge:stored")
