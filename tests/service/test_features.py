"""What the SDK offers, run in the simulation: each feature does what the SDK says, and survives every single kill."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable
from typing import Any

import aws_durable_execution_sdk_python as sdk
import pytest
from aws_durable_execution_sdk_python import (
    BatchResult,
    CallbackExternalError,
    CallbackSubmitterError,
    CallbackTimeoutError,
    ChildContextError,
    CompletionStatus,
    DurableContext,
    ParallelBranch,
    StepContext,
    StepError,
    ValidationError,
    WaitForConditionError,
    WithRetryConfig,
    complete_batch,
    continue_batch,
    durable_execution,
    durable_parallel_branch,
    durable_step,
    durable_wait_for_callback,
    durable_with_child_context,
    with_retry,
)
from aws_durable_execution_sdk_python.config import (
    CallbackConfig,
    ChildConfig,
    CompletionConfig,
    CompletionOutcome,
    MapConfig,
    NestingType,
    ParallelConfig,
    StepConfig,
    WaitForCallbackConfig,
)
from aws_durable_execution_sdk_python.retries import RetryPresets
from aws_durable_execution_sdk_python.serdes import PassThroughSerDes, SerDes, SerDesContext
from aws_durable_execution_sdk_python.waits import (
    WaitForConditionConfig,
    WaitForConditionDecision,
    WaitStrategyConfig,
    create_wait_strategy,
)

from pytest_durable import Execution, FakeDurableContext, Operation
from tests.durable import ONCE, attempts, fails, gaps, returns, seconds

Handler = Callable[[Any, DurableContext], Any]
LARGE = "x" * 150_000
"""Two of them are more than the SDK stores of a context."""


def safe(ctx: FakeDurableContext, handler: Callable[..., Any], **options: Any) -> Execution:
    """Kill ``handler`` at every place, in three orders of its threads at most; then a run of it to look at."""
    found = ctx.verify(handler, examples=3, **options)
    assert found.killed == found.places != ()
    assert found.outcome is None
    if "reset" in options:
        options["reset"]()
    return ctx.run(handler)


def shape(operations: tuple[Operation, ...]) -> list[Any]:
    """Names, subtypes and statuses of operations, with those below."""
    return [
        (one.name, one.sub_type, one.status, *([shape(one.children)] if one.children else [])) for one in operations
    ]


# --- wait_for_condition ---------------------------------------------------------------------------------------------


def until(enough: int, delay: int = 30) -> WaitForConditionConfig[int]:
    def strategy(state: int, attempt: int) -> WaitForConditionDecision:
        if state >= enough:
            return WaitForConditionDecision.stop_polling()
        return WaitForConditionDecision.continue_waiting(seconds(delay))

    return WaitForConditionConfig(wait_strategy=strategy, initial_state=0)


def test_a_condition_is_polled_until_it_holds(ctx: FakeDurableContext) -> None:
    seen: list[int] = []

    def check(state: int, info: Any) -> int:
        seen.append(state)
        return state + 1

    handler: Handler = lambda event, context: context.wait_for_condition(check, until(4), name="poll")  # noqa: E731
    execution = safe(ctx, handler, reset=seen.clear)
    assert (execution.result, seen) == (4, [0, 1, 2, 3])
    assert [round(gap) for gap in gaps(execution)] == [30, 30, 30]
    assert shape(execution.operations) == [("poll", "WaitForCondition", "SUCCEEDED")]
    assert execution.operation("poll").attempts == 4


@pytest.mark.parametrize("fault", ["poll@3:start", "poll@3:body", "poll@3:timeout", "poll@3:throttle", "poll@3:outage"])
def test_a_condition_keeps_its_state_over_a_crash_in_mid_poll(ctx: FakeDurableContext, fault: str) -> None:
    seen: list[int] = []

    def check(state: int, info: Any) -> int:
        seen.append(state)
        return state + 1

    execution = ctx.run(lambda event, context: context.wait_for_condition(check, until(4), name="poll"), faults=fault)
    assert execution.result == 4
    assert seen == ([0, 1, 2, 3] if "start" in fault else [0, 1, 2, 2, 3])


def test_a_condition_that_is_never_met_exhausts_its_strategy(ctx: FakeDurableContext) -> None:
    config = WaitStrategyConfig[int](lambda state: True, max_attempts=3, initial_delay=seconds(10))

    def handler(event: Any, context: DurableContext) -> str:
        strategy = WaitForConditionConfig(create_wait_strategy(config), initial_state=0)
        try:
            context.wait_for_condition(lambda state, info: state + 1, strategy, name="poll")
        except WaitForConditionError as error:
            return str(error)
        return "met"

    execution = safe(ctx, handler)
    assert "exhausted 3 attempts" in execution.result
    assert (execution.operation("poll").status, execution.operation("poll").attempts) == ("FAILED", 3)


def test_a_check_that_raises_fails_the_condition(ctx: FakeDurableContext) -> None:
    def handler(event: Any, context: DurableContext) -> Any:
        def check(state: int, info: Any) -> int:
            if state:
                raise LookupError("gone")
            return 1

        try:
            return context.wait_for_condition(check, until(2), name="poll")
        except WaitForConditionError as error:
            return [error.error_type, str(error)]

    assert safe(ctx, handler).result == ["LookupError", "gone"]


# --- retries --------------------------------------------------------------------------------------------------------


def test_with_retry_runs_its_block_from_the_beginning(ctx: FakeDurableContext) -> None:
    def block(context: Any, attempt: int) -> Any:
        first = context.step(returns(attempt), name="a")
        if attempt < 3:
            raise ConnectionError("down")
        return [first, context.step(returns("done"), name="b")]

    config: WithRetryConfig[Any] = WithRetryConfig(attempts(3, delay=60).retry_strategy)
    execution = safe(ctx, lambda event, context: with_retry(context, block, config, name="block"))
    assert (execution.result, [round(gap) for gap in gaps(execution)]) == ([3, "done"], [60, 60])
    assert shape(execution.operations) == [
        (
            "block",
            "RunInChildContext",
            "SUCCEEDED",
            [
                ("a", "Step", "SUCCEEDED"),
                ("block-backoff-1", "Wait", "SUCCEEDED"),
                ("a", "Step", "SUCCEEDED"),
                ("block-backoff-2", "Wait", "SUCCEEDED"),
                ("a", "Step", "SUCCEEDED"),
                ("b", "Step", "SUCCEEDED"),
            ],
        )
    ]


def test_with_retry_gives_up_with_the_error_of_the_last_attempt(ctx: FakeDurableContext) -> None:
    def block(context: Any, attempt: int) -> Any:
        raise ConnectionError(f"attempt {attempt}")

    def handler(event: Any, context: DurableContext) -> Any:
        config: WithRetryConfig[Any] = WithRetryConfig(attempts(2).retry_strategy)
        try:
            with_retry(context, block, config, name="block")
        except ChildContextError as error:
            return [error.error_type, str(error)]

    assert safe(ctx, handler).result == ["ConnectionError", "attempt 2"]


def test_a_step_is_told_its_attempt_over_kills_too(ctx: FakeDurableContext) -> None:
    seen: list[int] = []

    def body(step: StepContext) -> int:
        seen.append(step.attempt)
        if step.attempt < 3:
            raise ConnectionError("down")
        return step.attempt

    execution = ctx.run(
        lambda event, context: context.step(body, name="a", config=attempts(5)), faults="a:body, a@3:body, a@3:throttle"
    )
    assert (execution.result, seen) == (3, [1, 1, 2, 2, 3, 3])


def test_the_preset_of_fixed_delays(ctx: FakeDurableContext) -> None:
    def body(step: StepContext) -> int:
        if step.attempt < 4:
            raise ConnectionError("down")
        return step.attempt

    config = StepConfig(retry_strategy=RetryPresets.fixed(seconds(7)))
    execution = safe(ctx, lambda event, context: context.step(body, name="a", config=config))
    assert (execution.result, [round(gap) for gap in gaps(execution)]) == (4, [7, 7, 7])


# --- map and parallel: when they are complete -----------------------------------------------------------------------


def numbered(numbers: list[int], completion: CompletionConfig | None, **options: Any) -> Handler:
    """A map whose odd items fail; what it gives, and why it ended."""

    def item(context: DurableContext, number: int, index: int, items: Any) -> Any:
        return context.step(fails(ValueError("odd")) if number % 2 else returns(number), name="pick", config=ONCE)

    def handler(event: Any, context: DurableContext) -> Any:
        config = MapConfig[Any](max_concurrency=1, completion_config=completion or CompletionConfig(), **options)
        batch: BatchResult[Any] = context.map(numbers, item, name="m", config=config)
        counts = [batch.success_count, batch.failure_count, batch.started_count]
        return [batch.get_results(), counts, batch.completion_reason.value, batch.status.value]

    return handler


def two_of(status: CompletionStatus) -> Any:
    return complete_batch() if status.success_count >= 2 else continue_batch()


def one_failure(status: CompletionStatus) -> Any:
    return complete_batch(CompletionOutcome.FAILED) if status.failure_count else continue_batch()


@pytest.mark.parametrize(
    ("completion", "expected"),
    [
        (None, [[2], [1, 1, 0], "FAILURE_TOLERANCE_EXCEEDED", "FAILED"]),
        (CompletionConfig(tolerated_failure_percentage=100), [[2, 4, 6], [3, 2, 0], "ALL_COMPLETED", "FAILED"]),
        (CompletionConfig(tolerated_failure_count=0), [[2], [1, 1, 0], "FAILURE_TOLERANCE_EXCEEDED", "FAILED"]),
        (CompletionConfig(min_successful=1), [[2], [1, 0, 0], "MIN_SUCCESSFUL_REACHED", "SUCCEEDED"]),
        (CompletionConfig(min_successful=2), [[2, 4], [2, 1, 0], "MIN_SUCCESSFUL_REACHED", "FAILED"]),
        (CompletionConfig(tolerated_failure_count=1), [[2, 4], [2, 2, 0], "FAILURE_TOLERANCE_EXCEEDED", "FAILED"]),
        (CompletionConfig(tolerated_failure_percentage=40), [[2, 4, 6], [3, 2, 0], "ALL_COMPLETED", "FAILED"]),
        (CompletionConfig(should_complete=two_of), [[2, 4], [2, 1, 0], "CUSTOM_COMPLETION_SUCCEEDED", "SUCCEEDED"]),
        (CompletionConfig(should_complete=one_failure), [[2], [1, 1, 0], "CUSTOM_COMPLETION_FAILED", "FAILED"]),
    ],
)
def test_when_a_map_is_complete(ctx: FakeDurableContext, completion: CompletionConfig | None, expected: Any) -> None:
    execution = safe(ctx, numbered([2, 3, 4, 5, 6], completion))
    assert execution.result == expected
    assert execution.operation("m").status == "SUCCEEDED"


@pytest.mark.parametrize(
    "completion", [{"min_successful": 0}, {"min_successful": 6}, {"tolerated_failure_percentage": 101}]
)
def test_a_completion_that_cannot_be_is_an_error_of_the_handler(ctx: FakeDurableContext, completion: Any) -> None:
    def handler(event: Any, context: DurableContext) -> Any:
        try:
            return numbered([2, 3, 4, 5, 6], CompletionConfig(**completion))(event, context)
        except ValidationError:
            return "refused"

    execution = ctx.run(handler)
    assert (execution.result, execution.operations) == ("refused", ())


def test_a_predicate_sees_each_item(ctx: FakeDurableContext) -> None:
    seen: list[list[Any]] = []

    def predicate(status: CompletionStatus) -> Any:
        seen.append([(item.index, item.name, item.status and item.status.value) for item in status.items])
        return continue_batch()

    named = numbered([2, 3], CompletionConfig(should_complete=predicate), item_namer=lambda number, index: f"n{number}")
    ctx.run(named)
    assert seen[-1] == [(0, "n2", "SUCCEEDED"), (1, "n3", "FAILED")]


def test_branches_that_are_left_running_are_orphans(ctx: FakeDurableContext) -> None:
    """The batch is over and stored: at its next checkpoint a branch that still runs is told that it is an orphan."""
    done: list[str] = []

    def quick(context: DurableContext) -> Any:
        return context.step(returns("quick"), name="a")

    def slow(context: DurableContext) -> Any:
        context.step(lambda step: time.sleep(5), name="a")  # noqa: TID251  # virtual: this is a step
        done.append("slept")
        context.step(lambda step: done.append("never"), name="b")
        return "slow"

    def handler(event: Any, context: DurableContext) -> Any:
        config = ParallelConfig(completion_config=CompletionConfig(min_successful=1))
        batch = context.parallel([slow, quick], name="p", config=config)
        return [batch.get_results(), batch.started_count, context.step(returns("after"), name="after")]

    execution = ctx.run(handler)
    assert (execution.result, done) == ([["quick"], 1, "after"], [])
    assert execution.operation("p").status == "SUCCEEDED"
    assert "p/parallel-branch-0/b" not in execution.timeline()
    ctx.verify(handler, reset=done.clear)


# --- names, nesting -------------------------------------------------------------------------------------------------


def doubled(context: DurableContext, number: int, index: int, items: Any) -> Any:
    context.wait(seconds(number), name="pause")
    return context.step(returns(number * 2), name="double")


def test_an_item_namer_names_what_is_killed_and_stored(ctx: FakeDurableContext) -> None:
    config = MapConfig[Any](item_namer=lambda number, index: f"order {number}#{index}")
    handler: Handler = lambda event, context: context.map([5, 6], doubled, name="m", config=config).get_results()  # noqa: E731
    execution = safe(ctx, handler)
    assert [child.path for child in execution.operation("m").children] == ["m/order 5#0", "m/order 6#1"]
    again = ctx.run(handler, faults="m/order 6#1/double:body")
    assert (again.result, again.body_runs("m/order 6#1/double")) == ([10, 12], 2)


@durable_parallel_branch(name="left")
def left(context: DurableContext, value: int) -> Any:
    return context.step(returns(value), name="a")


def test_named_branches(ctx: FakeDurableContext) -> None:
    def handler(event: Any, context: DurableContext) -> Any:
        branches: list[Any] = [left(1), ParallelBranch(lambda inner: inner.step(returns(2), name="a"), name="right")]
        return context.parallel(branches, name="p").get_results()

    execution = safe(ctx, handler)
    assert execution.result == [1, 2]
    assert [child.path for child in execution.operation("p").children] == ["p/left", "p/right"]
    assert ctx.run(handler, faults="p/right/a:body").body_runs("p/right/a") == 2


def test_flat_nesting_stores_no_contexts_and_keeps_the_paths(ctx: FakeDurableContext) -> None:
    config = MapConfig[Any](nesting_type=NestingType.FLAT)
    handler: Handler = lambda event, context: context.map([5, 6], doubled, name="m", config=config).get_results()  # noqa: E731
    execution = safe(ctx, handler)
    assert execution.result == [10, 12]
    assert sorted(child.path for child in execution.operation("m").children) == [
        "m/map-item-0/double",
        "m/map-item-0/pause",
        "m/map-item-1/double",
        "m/map-item-1/pause",
    ]


def test_a_virtual_context_stores_only_what_is_in_it(ctx: FakeDurableContext) -> None:
    def child(context: DurableContext) -> Any:
        context.wait(seconds(5), name="w")
        return context.step(returns(7), name="a")

    config = ChildConfig[Any](is_virtual=True)
    execution = safe(ctx, lambda event, context: context.run_in_child_context(child, name="scope", config=config))
    assert (execution.result, shape(execution.operations)) == (
        7,
        [("w", "Wait", "SUCCEEDED"), ("a", "Step", "SUCCEEDED")],
    )
    assert [operation.path for operation in execution.operations] == ["scope/w", "scope/a"]


# --- large results --------------------------------------------------------------------------------------------------


def test_a_large_result_of_a_child_is_built_again_from_its_steps(ctx: FakeDurableContext) -> None:
    def child(context: DurableContext) -> Any:
        return context.step(returns(LARGE), name="half") + context.step(returns(LARGE), name="rest")

    def handler(event: Any, context: DurableContext) -> int:
        config = ChildConfig[Any](summary_generator=lambda result: f"{len(result)} characters")
        text = context.run_in_child_context(child, name="child", config=config)
        context.wait(seconds(5), name="w")
        return len(text)

    execution = safe(ctx, handler)
    assert (execution.result, execution.operation("child").result) == (300_000, "300000 characters")
    assert (execution.body_runs("child/half"), execution.body_runs("child")) == (1, 2)


def test_a_large_result_of_a_map_keeps_its_reason(ctx: FakeDurableContext) -> None:
    def item(context: DurableContext, number: int, index: int, items: Any) -> Any:
        return context.step(returns(LARGE + str(number)), name="a")

    def handler(event: Any, context: DurableContext) -> Any:
        completion = CompletionConfig(min_successful=2)
        config = MapConfig[Any](max_concurrency=1, completion_config=completion)
        batch: BatchResult[Any] = context.map([1, 2, 3], item, name="m", config=config)
        context.wait(seconds(5), name="w")
        return [[text[-1] for text in batch.get_results()], batch.completion_reason.value, len(batch.all)]

    execution = safe(ctx, handler)
    assert execution.result == [["1", "2"], "MIN_SUCCESSFUL_REACHED", 2]
    envelope = json.loads(execution.operation("m").result or "")
    assert (envelope["type"], envelope["successCount"], envelope["failureCount"]) == ("MapResult", 2, 0)


# --- serdes ---------------------------------------------------------------------------------------------------------


class Upside(SerDes[Any]):
    """Stores a value as JSON, reversed, and counts; what it counts changes no result."""

    def __init__(self) -> None:
        self.written = 0
        self.read = 0

    def serialize(self, value: Any, serdes_context: SerDesContext) -> str:
        self.written += 1
        return json.dumps(value)[::-1]

    def deserialize(self, data: str, serdes_context: SerDesContext) -> Any:
        self.read += 1
        return json.loads(data[::-1])


class Bound(SerDes[Any]):
    """Encrypts, so to speak, with the operation and the execution as the key: what is stored fits nowhere else."""

    def serialize(self, value: Any, serdes_context: SerDesContext) -> str:
        return json.dumps([serdes_context.operation_id, serdes_context.durable_execution_arn, value])

    def deserialize(self, data: str, serdes_context: SerDesContext) -> Any:
        operation_id, arn, value = json.loads(data)
        assert (operation_id, arn) == (serdes_context.operation_id, serdes_context.durable_execution_arn)
        return value


def everywhere(serdes: SerDes[Any]) -> Handler:
    def item(context: DurableContext, number: int, index: int, items: Any) -> Any:
        return context.step(returns([number]), name="a", config=StepConfig(serdes=serdes))

    def handler(event: Any, context: DurableContext) -> Any:
        one = context.step(returns({"a": [1]}), name="one", config=StepConfig(serdes=serdes))
        two = context.run_in_child_context(
            lambda child: child.step(returns(2), name="a"), name="two", config=ChildConfig(serdes=serdes)
        )
        three: list[Any] = context.map([1, 2], item, name="three", config=MapConfig(item_serdes=serdes)).get_results()
        strategy = until(2).wait_strategy
        config = WaitForConditionConfig(strategy, initial_state=0, serdes=serdes)
        four = context.wait_for_condition(lambda state, info: state + 1, config, name="four")
        context.wait(seconds(5), name="w")
        return [one, two, three, four]

    return handler


@pytest.mark.parametrize("serdes", [Upside(), Bound()], ids=["Upside", "Bound"])
def test_a_serdes_of_the_user(ctx: FakeDurableContext, serdes: SerDes[Any]) -> None:
    execution = safe(ctx, everywhere(serdes))
    assert execution.result == [{"a": [1]}, 2, [[1], [2]], 2]
    if isinstance(serdes, Upside):
        assert execution.operation("one").result == '{"a": [1]}'[::-1]
        assert serdes.written and serdes.read


def test_the_serdes_of_a_callback(ctx: FakeDurableContext) -> None:
    ctx.callbacks.succeed("cb", json.dumps({"ok": True})[::-1], after=5)
    ctx.callbacks.succeed("plain", '{"ok": true}', after=5)

    def handler(event: Any, context: DurableContext) -> Any:
        config = WaitForCallbackConfig(serdes=Upside())
        first = context.wait_for_callback(lambda callback_id, info: None, name="cb", config=config)
        second = context.create_callback(name="plain", config=CallbackConfig(serdes=PassThroughSerDes()))
        return [first, second.result()]

    assert safe(ctx, handler).result == [{"ok": True}, '{"ok": true}']


# --- decorators -----------------------------------------------------------------------------------------------------


@durable_step
def charge(step: StepContext, cents: int, *, to: str) -> str:
    return f"{to}: {cents} ({step.attempt})"


@durable_with_child_context
def ship(context: DurableContext, order: int) -> Any:
    context.wait(seconds(5), name="w")
    return context.step(charge(order, to="post"))


@durable_wait_for_callback
def ask(callback_id: str, context: Any, whom: str) -> None:
    context.logger.info("asking %s", whom)


def test_decorated_functions_name_their_operations(ctx: FakeDurableContext) -> None:
    ctx.callbacks.succeed("ask", "yes", after=5)

    def handler(event: Any, context: DurableContext) -> Any:
        return [
            context.step(charge(7, to="bank")),
            context.run_in_child_context(ship(8)),
            context.parallel([left(9)], name="p").get_results(),
            context.wait_for_callback(ask("boss"), name="ask"),
        ]

    execution = safe(ctx, handler)
    assert execution.result == ["bank: 7 (1)", "post: 8 (1)", [9], "yes"]
    assert [operation.path for operation in execution.operations] == ["charge", "ship", "p", "ask"]
    assert execution.operation("ship/charge").status == "SUCCEEDED"


# --- callbacks ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("end", ["fail", "timeout", "heartbeat", "submitter"])
def test_the_errors_of_wait_for_callback(ctx: FakeDurableContext, end: str) -> None:
    if end == "fail":
        ctx.callbacks.fail("cb", {"ErrorType": "Refused", "ErrorMessage": "no"}, after=5)

    def submit(callback_id: str, info: Any) -> None:
        if end == "submitter":
            raise LookupError("nobody to ask")

    def handler(event: Any, context: DurableContext) -> Any:
        config = WaitForCallbackConfig(
            timeout=seconds(60),
            heartbeat_timeout=seconds(20 if end == "heartbeat" else 100),
            retry_strategy=attempts(1).retry_strategy,
        )
        try:
            return context.wait_for_callback(submit, name="cb", config=config)
        except (CallbackExternalError, CallbackTimeoutError, CallbackSubmitterError) as error:
            return [type(error).__name__, str(error)]

    execution = safe(ctx, handler)
    assert (
        execution.result
        == {
            "fail": ["CallbackExternalError", "no"],
            "timeout": ["CallbackTimeoutError", "Callback timed out"],
            "heartbeat": ["CallbackTimeoutError", "Callback timed out on heartbeat"],
            "submitter": ["CallbackSubmitterError", "nobody to ask"],
        }[end]
    )
    assert round(execution.elapsed) == {"fail": 5, "timeout": 60, "heartbeat": 20, "submitter": 0}[end]


# --- errors, logs ---------------------------------------------------------------------------------------------------


class OutOfStock(Exception):
    """An error of the user's own."""


def test_a_step_error_is_the_same_live_and_on_replay(ctx: FakeDurableContext) -> None:
    def handler(event: Any, context: DurableContext) -> Any:
        try:
            context.step(fails(OutOfStock("shelf 7")), name="a", config=ONCE)
        except StepError as error:
            told = [error.error_type, str(error), type(error.__cause__).__name__]
            context.wait(seconds(5), name="w")
            return told

    found = safe(ctx, handler).result
    assert found[0] == f"{__name__}.OutOfStock"
    assert found[1] == "shelf 7"


def test_the_logger_is_silent_while_it_replays(ctx: FakeDurableContext, caplog: pytest.LogCaptureFixture) -> None:
    def handler(event: Any, context: DurableContext) -> None:
        context.logger.info("first")
        context.step(lambda step: step.logger.info("in a"), name="a")
        context.logger.info("second")
        context.wait(seconds(5), name="w")
        context.logger.info("third")
        context.step(lambda step: step.logger.info("in b"), name="b")

    with caplog.at_level(logging.INFO):
        ctx.run(handler)
        logged = [record.getMessage() for record in caplog.records if record.name != "pytest_durable"]
        assert logged == ["first", "in a", "second", "third", "in b"]
        caplog.clear()
        ctx.run(handler, faults="b:body, return@2")
        assert [record.getMessage() for record in caplog.records].count("first") == 1
        assert [record.getMessage() for record in caplog.records].count("in b") == 2


def test_a_log_record_says_whose_it_is(ctx: FakeDurableContext, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        execution = ctx.run(lambda event, context: context.step(lambda step: step.logger.info("hello"), name="charge"))
    record: Any = next(record for record in caplog.records if record.getMessage() == "hello")
    assert (record.executionArn, record.operationName, record.attempt) == (execution.arn, "charge", 1)
    assert record.operationId == execution.operation("charge").id


# --- plugins of the SDK ---------------------------------------------------------------------------------------------

PLUGINS = pytest.mark.skipif(int(sdk.__version__.split(".")[0]) < 3, reason="SDK 2 takes plugins as instances")


def with_plugin(heard: list[tuple[Any, ...]]) -> Callable[..., Any]:
    """A durable function with a plugin that writes down what it is told."""
    from aws_durable_execution_sdk_python.plugin import DurableInstrumentationPlugin

    class Listener(DurableInstrumentationPlugin):  # type: ignore[misc,unused-ignore]  # SDK 2 has another one
        def on_invocation_start(self, info: Any) -> None:
            heard.append(("invocation start", info.is_first_invocation, len(info.updated_operations)))

        def on_invocation_end(self, info: Any) -> None:
            heard.append(("invocation end", info.status.value))

        def on_operation_start(self, info: Any) -> None:
            heard.append(("start", info.name, info.is_replayed))

        def on_operation_end(self, info: Any) -> None:
            heard.append(("end", info.name, info.status.value))

        def on_operation_change(self, info: Any) -> None:
            heard.extend(("change", op.name, op.status.value) for op in info.updated_operations.values())

        def on_user_function_start(self, info: Any) -> None:
            heard.append(("body", info.name, info.attempt))

        def on_user_function_end(self, info: Any) -> None:
            heard.append(("body end", info.name, info.outcome.value))

    class Factory:
        def create_plugin(self, info: Any) -> Listener:
            return Listener()

    def handler(event: Any, context: DurableContext) -> Any:
        flaky = context.step(body, name="a", config=attempts(2, delay=10))
        context.wait(seconds(60), name="w")
        return flaky

    def body(step: StepContext) -> int:
        if step.attempt < 2:
            raise ConnectionError("down")
        return step.attempt

    return durable_execution(handler, plugins=[Factory()])


@PLUGINS
def test_every_hook_of_a_plugin_is_called(ctx: FakeDurableContext) -> None:
    heard: list[tuple[Any, ...]] = []
    execution = ctx.run(with_plugin(heard))
    assert (execution.result, len(execution.invocations)) == (2, 3)
    assert [what for what in heard if what[0].startswith("invocation")] == [
        ("invocation start", True, 0),
        ("invocation end", "PENDING"),
        ("invocation start", False, 1),
        ("invocation end", "PENDING"),
        ("invocation start", False, 1),
        ("invocation end", "SUCCEEDED"),
    ]
    assert [what for what in heard if what[0].startswith("body") and what[1] == "a"] == [
        ("body", "a", 1),
        ("body end", "a", "FAILED"),
        ("body", "a", 2),
        ("body end", "a", "SUCCEEDED"),
    ]
    assert [what for what in heard if what[0] == "end"] == [("end", "a", "SUCCEEDED"), ("end", "w", "SUCCEEDED")]
    changes = [what[1:] for what in heard if what[0] == "change"]
    assert ("a", "PENDING") in changes and ("a", "SUCCEEDED") in changes


@PLUGINS
def test_a_function_with_a_plugin_survives_every_kill(ctx: FakeDurableContext) -> None:
    heard: list[tuple[Any, ...]] = []
    safe(ctx, with_plugin(heard), reset=heard.clear)


@PLUGINS
def test_a_plugin_hears_that_the_invocation_will_be_tried_again(ctx: FakeDurableContext) -> None:
    heard: list[tuple[Any, ...]] = []
    ctx.run(with_plugin(heard), faults="a:throttle")
    assert ("invocation end", "RETRY") in heard
