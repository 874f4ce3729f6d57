"""`FakeDurableContext` in the hand of a test: what it refuses, and how it serves as a ``DurableContext`` itself."""

from __future__ import annotations

import contextlib
import functools
import inspect
import os
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aws_durable_execution_sdk_python import (
    BatchResult,
    ChildContextError,
    DurableContext,
    StepContext,
    StepError,
    ValidationError,
    WithRetryConfig,
    durable_execution,
    durable_step,
    with_retry,
)
from aws_durable_execution_sdk_python.config import Duration
from aws_durable_execution_sdk_python.waits import WaitForConditionConfig, WaitForConditionDecision
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_durable import (
    DurableCompatibilityWarning,
    FakeDurableContext,
    FaultPlan,
    InvalidEvent,
    InvalidHandler,
    InvalidPlan,
    NestedRun,
    PytestDurableError,
    UsageError,
)
from tests.durable import ONCE, Flaky, attempts, fails, returns, seconds

START = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def ctx() -> Iterator[FakeDurableContext]:
    with FakeDurableContext() as context:
        yield context


def echo(event: Any, context: DurableContext) -> Any:
    return context.step(returns(event), name="echo")


def here() -> int:
    """The line of the caller."""
    frame = inspect.currentframe()
    assert frame is not None and frame.f_back is not None
    return frame.f_back.f_lineno


# --- handlers -------------------------------------------------------------------------------------------------------


class Orders:
    def __call__(self, event: Any, context: DurableContext) -> Any:
        return echo(event, context)

    def handle(self, event: Any, context: DurableContext) -> Any:
        return echo(event, context)

    @staticmethod
    def static(event: Any, context: DurableContext) -> Any:
        return echo(event, context)

    @classmethod
    def of_class(cls, event: Any, context: DurableContext) -> Any:
        return echo(event, context)


def logged(handler: Callable[..., Any]) -> Callable[..., Any]:
    """A decorator of the user's."""

    @functools.wraps(handler)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return handler(*args, **kwargs)

    return wrapper


def with_settings(settings: str, event: Any, context: DurableContext) -> Any:
    return echo(event, context)


def with_a_default(event: Any, context: DurableContext, table: str = "orders") -> Any:
    return echo(event, context)


def of_any_arguments(*args: Any, **kwargs: Any) -> Any:
    return echo(*args, **kwargs)


DECORATOR: Any = durable_execution  # typed as if it were always given the function
WITH_ARGUMENTS = DECORATOR(plugins=[])

HANDLERS: dict[str, Any] = {
    "a plain function": echo,
    "a decorated one": durable_execution(echo),
    "one that is decorated with arguments": WITH_ARGUMENTS(echo),
    "one with a decorator inside": durable_execution(logged(echo)),
    "one with a decorator around": logged(durable_execution(echo)),
    "a lambda": lambda event, context: echo(event, context),
    "a method": Orders().handle,
    "a static method": Orders.static,
    "a class method": Orders.of_class,
    "an object": Orders(),
    "a partial": functools.partial(with_settings, "orders"),
    "one with a default": with_a_default,
    "one of any arguments": of_any_arguments,
}


@pytest.mark.parametrize("handler", HANDLERS.values(), ids=list(HANDLERS))
def test_what_can_be_run(ctx: FakeDurableContext, handler: Any) -> None:
    execution = ctx.run(handler, {"order": 7}, faults="echo:stored")
    assert execution.result == {"order": 7}
    assert len(execution.invocations) == 2


async def coroutine(event: Any, context: Any) -> None:
    pass


def of_one_argument(event: Any) -> None:
    pass


def of_three_arguments(event: Any, context: Any, table: Any) -> None:
    pass


def of_keywords(*, event: Any, context: Any) -> None:
    pass


@pytest.mark.parametrize(
    ("handler", "words"),
    [
        (None, "cannot be called"),
        ("module.handler", "cannot be called"),
        ({"order": 7}, "cannot be called"),
        (of_one_argument, "(event, context)"),
        (of_three_arguments, "functools.partial"),
        (of_keywords, "(event, context)"),
        (lambda: None, "(event, context)"),
        (coroutine, "coroutine"),
        (WITH_ARGUMENTS, "given no function"),
    ],
)
@pytest.mark.parametrize("method", ["run", "start", "verify"])
def test_what_cannot_be_run_is_refused(ctx: FakeDurableContext, handler: Any, words: str, method: str) -> None:
    with pytest.raises(InvalidHandler) as caught:
        getattr(ctx, method)(handler)
    assert words in str(caught.value)
    assert isinstance(caught.value, TypeError)


def test_an_error_in_the_handler_is_not_taken_for_a_bad_handler(ctx: FakeDurableContext) -> None:
    def handler(event: Any, context: DurableContext) -> None:
        of_three_arguments(event)  # type: ignore[call-arg]

    execution = ctx.run(handler)
    assert execution.status == "FAILED"
    assert execution.error is not None and execution.error.type == "TypeError"


# --- events ---------------------------------------------------------------------------------------------------------

circular: list[Any] = []
circular.append(circular)


def deep(levels: int) -> Any:
    nested: Any = None
    for _ in range(levels):
        nested = [nested]
    return nested


@pytest.mark.parametrize(
    "event",
    [{1, 2}, {"when": START}, b"bytes", float("nan"), [float("inf")], circular, object(), {(1, 2): 3}, deep(100_000)],
    ids=["a set", "a datetime", "bytes", "NaN", "infinity", "a circle", "an object", "a tuple as key", "too deep"],
)
@pytest.mark.parametrize("method", ["run", "start", "verify"])
def test_an_event_that_is_not_json_is_refused(ctx: FakeDurableContext, event: Any, method: str) -> None:
    with pytest.raises(InvalidEvent, match=r"the event is not JSON: .*'order': 7"):
        getattr(ctx, method)(echo, event)


@pytest.mark.parametrize(
    ("event", "seen"), [((1, 2), [1, 2]), ({1: "a"}, {"1": "a"}), ("ø\n", "ø\n"), (2**70, 2**70), (True, True)]
)
def test_an_event_is_what_json_leaves_of_it(ctx: FakeDurableContext, event: Any, seen: Any) -> None:
    assert ctx.run(echo, event).result == seen


def test_the_handler_cannot_change_the_event_of_the_test(ctx: FakeDurableContext) -> None:
    event = {"orders": [1]}
    ctx.run(lambda event, context: event["orders"].clear(), event)
    assert event == {"orders": [1]}


# --- bad arguments --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"seed": 1.5}, "seed must be a whole number, not 1.5"),
        ({"seed": "7"}, "seed must be a whole number, not '7'"),
        ({"seed": None}, "seed must be a whole number, not None"),
        ({"cold": 1}, "cold must be True or False, not 1"),
        ({"isolation": "fiber"}, "isolation must be 'thread' or 'process', not 'fiber'"),
        ({"start": "2026-01-01"}, "start must be a datetime, not '2026-01-01'"),
    ],
)
def test_a_bad_setting_is_refused(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError) as caught:
        FakeDurableContext(**arguments)
    assert words in str(caught.value)


@pytest.mark.parametrize("timeout", ["execution_timeout", "invocation_timeout"])
@pytest.mark.parametrize("value", [0, -1, float("nan"), float("inf"), "60"])
@pytest.mark.parametrize("method", ["run", "start"])
def test_a_bad_timeout_is_refused(ctx: FakeDurableContext, timeout: str, value: Any, method: str) -> None:
    with pytest.raises(UsageError, match=timeout):
        getattr(ctx, method)(echo, **{timeout: value})


def test_an_invocation_without_a_timeout_is_refused(ctx: FakeDurableContext) -> None:
    nothing: Any = None
    with pytest.raises(UsageError, match="invocation_timeout"):
        ctx.run(echo, invocation_timeout=nothing)


@pytest.mark.parametrize("name", ["a b", "a/b", "ø", "x" * 65])
def test_a_name_that_aws_does_not_accept_is_refused(ctx: FakeDurableContext, name: str) -> None:
    with pytest.raises(UsageError, match="name"):
        ctx.run(echo, name=name)


@pytest.mark.parametrize("name", ["order-7", "a_b", "x" * 64, "7"])
def test_a_name_that_aws_accepts_is_kept(ctx: FakeDurableContext, name: str) -> None:
    assert ctx.run(echo, name=name).name == name


@pytest.mark.parametrize("plan", ["charge", 3, ["echo:body"], ("echo", "body")])
def test_a_bad_plan_is_refused(ctx: FakeDurableContext, plan: Any) -> None:
    with pytest.raises(InvalidPlan):
        ctx.run(echo, faults=plan)


def test_nothing_is_left_of_a_refused_run(ctx: FakeDurableContext) -> None:
    refused: list[dict[str, Any]] = [{"faults": "charge"}, {"invocation_timeout": 0}, {"event": {1}}]
    for arguments in refused:
        with pytest.raises(UsageError):
            ctx.run(echo, **arguments)
    execution = ctx.run(echo)
    assert (execution.name, ctx.tally.runs) == ("execution-1", 1)


def test_every_misuse_is_an_error_of_this_package() -> None:
    for kind in (InvalidEvent, InvalidHandler, InvalidPlan, NestedRun):
        assert issubclass(kind, UsageError)
    assert issubclass(UsageError, PytestDurableError)


# --- its life -------------------------------------------------------------------------------------------------------


def test_a_plan_may_be_given_as_a_value_or_as_text(ctx: FakeDurableContext) -> None:
    for plan in ("echo:body", FaultPlan.parse("echo:body")):
        assert ctx.run(echo, faults=plan).body_runs("echo") == 2


def test_the_clock_starts_where_it_is_told(ctx: FakeDurableContext) -> None:
    assert ctx.clock.now() == START
    moment = datetime(2030, 5, 6, 7, 8, 9)
    with FakeDurableContext(start=moment) as context:
        assert context.clock.now() == moment.replace(tzinfo=UTC)
        seen = context.run(lambda event, _: datetime.now(UTC).isoformat()).result  # noqa: TID251  # as a user would
    assert seen.startswith("2030-05-06T07:08:09")


def test_time_goes_on_from_run_to_run(ctx: FakeDurableContext) -> None:
    first = ctx.run(lambda event, context: context.wait(seconds(60)))
    second = ctx.run(lambda event, context: context.wait(seconds(60)))
    assert second.invocations[0].started == first.invocations[-1].ended
    assert ctx.clock.now() - START >= timedelta(seconds=120)


@pytest.mark.parametrize(
    "use",
    [
        lambda context: context.run(echo),
        lambda context: context.start(echo),
        lambda context: context.verify(echo),
        lambda context: context.step(returns(1)),
        lambda context: context.wait(seconds(1)),
        lambda context: context.logger,
    ],
    ids=["run", "start", "verify", "step", "wait", "logger"],
)
def test_a_closed_context_is_of_no_use(use: Callable[[FakeDurableContext], Any]) -> None:
    with FakeDurableContext() as context:
        pass
    with pytest.raises(UsageError, match="this durable context is closed"):
        use(context)


def test_closing_twice_is_closing_once() -> None:
    context = FakeDurableContext()
    context.run(echo)
    context.close()
    context.close()


def test_a_context_shows_real_time_again_when_it_is_closed() -> None:
    with FakeDurableContext() as context:
        context.clock.advance(86_400)
    assert abs(time.time() - time.clock_gettime(time.CLOCK_REALTIME)) < 60  # noqa: TID251  # which is the question
    assert os._exit.__module__ in ("posix", "nt", "os")


def test_it_does_so_even_if_something_cannot_be_taken_back(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise LookupError("gone")

    with pytest.raises(LookupError, match="gone"), FakeDurableContext() as context:
        monkeypatch.setattr(context.effects, "unwatch", fail)
        context.clock.advance(86_400)
    assert abs(time.time() - time.clock_gettime(time.CLOCK_REALTIME)) < 60  # noqa: TID251  # which is the question


def test_an_execution_can_be_read_after_its_context_is_closed() -> None:
    with FakeDurableContext() as context:
        execution = context.run(echo, 7)
        suspended = context.start(lambda event, inner: inner.wait(seconds(60), name="pause"))
    assert (execution.result, execution.operation("echo").status) == (7, "SUCCEEDED")
    assert (suspended.status, suspended.operation("pause").status) == ("RUNNING", "STARTED")
    assert "echo" in execution.timeline()


def test_the_repr_shows_the_virtual_time(ctx: FakeDurableContext) -> None:
    assert repr(ctx) == "<FakeDurableContext at 2026-01-01T00:00:00+00:00>"


def test_an_error_of_the_test_is_not_hidden_by_closing() -> None:
    with pytest.raises(ZeroDivisionError), FakeDurableContext() as context:
        context.start(lambda event, inner: inner.wait(seconds(60)))
        1 / 0  # noqa: B018  # raises


def test_hypothesis_of_the_user_does_not_take_virtual_time_for_its_own(ctx: FakeDurableContext) -> None:
    @settings(max_examples=5, database=None)
    @given(st.integers())
    def waits_for_an_hour(number: int) -> None:
        assert ctx.run(lambda event, context: [event, context.wait(seconds(3_600))], number).result == [number, None]

    waits_for_an_hour()


# --- runs inside of runs --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "use",
    [
        lambda context: context.run(echo),
        lambda context: context.start(echo),
        lambda context: context.verify(echo),
        lambda context: context.step(returns(1)),
        lambda context: context.logger,
    ],
    ids=["run", "start", "verify", "step", "logger"],
)
@pytest.mark.parametrize("in_step", [False, True], ids=["in the handler", "in a step"])
def test_a_run_inside_of_a_run_is_refused(
    ctx: FakeDurableContext, use: Callable[[FakeDurableContext], Any], in_step: bool
) -> None:
    def nested(step: Any = None) -> None:
        with contextlib.suppress(NestedRun):
            use(ctx)

    def handler(event: Any, context: DurableContext) -> None:
        if in_step:
            context.step(nested, name="a")
        else:
            nested()

    with pytest.raises(NestedRun, match="from inside a run"):
        ctx.run(handler)


def test_a_second_context_inside_of_a_run_is_refused_as_well(ctx: FakeDurableContext) -> None:
    def handler(event: Any, context: DurableContext) -> None:
        with FakeDurableContext() as other:
            other.run(echo)

    with pytest.raises(NestedRun, match="from inside a run"):
        ctx.run(handler)


# --- waits in bare seconds ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("duration", [300, 300.0])
def test_a_wait_in_bare_seconds_is_accepted_with_a_warning_at_its_line(ctx: FakeDurableContext, duration: Any) -> None:
    def handler(event: Any, context: DurableContext) -> None:
        lines.append(here() + 1)
        context.wait(duration, name="pause")

    lines: list[int] = []
    with pytest.warns(DurableCompatibilityWarning, match=r"Duration\.from_seconds") as caught:
        execution = ctx.run(handler)
    assert int(execution.elapsed) == 300
    assert {(warning.filename, warning.lineno) for warning in caught} == {(__file__, lines[0])}


def test_a_direct_wait_in_bare_seconds_is_accepted_with_a_warning_at_its_line(ctx: FakeDurableContext) -> None:
    duration: Any = 300
    with pytest.warns(DurableCompatibilityWarning) as caught:
        line = here() + 1
        ctx.wait(duration)
    assert ctx.clock.now() - START >= timedelta(seconds=300)
    assert {(warning.filename, warning.lineno) for warning in caught} == {(__file__, line)}


@pytest.mark.parametrize("duration", [0, 0.5])
def test_a_wait_below_a_second_is_refused_as_the_sdk_refuses_it(ctx: FakeDurableContext, duration: Any) -> None:
    with pytest.warns(DurableCompatibilityWarning):
        execution = ctx.run(lambda event, context: context.wait(duration))
    assert execution.status == "FAILED"
    assert execution.error is not None and "at least 1 second" in (execution.error.message or "")


# --- as a DurableContext itself -------------------------------------------------------------------------------------


def reserve(context: DurableContext, sku: str) -> str:
    """Code of the user's that takes a context."""
    context.wait(Duration.from_minutes(5), name="cool off")
    return context.step(lambda step: f"{sku} reserved", name="reserve")


def test_it_is_a_durable_context(ctx: FakeDurableContext) -> None:
    assert isinstance(ctx, DurableContext)


def test_it_can_be_handed_to_code_that_takes_a_context(ctx: FakeDurableContext) -> None:
    assert reserve(ctx, "A1") == "A1 reserved"
    assert reserve(ctx, sku="B2") == "B2 reserved"
    assert ctx.execution.body_runs("reserve") == 2


def test_a_direct_step_runs_once_whatever_comes_after_it(ctx: FakeDurableContext) -> None:
    calls: list[int] = []

    def body(step: StepContext) -> int:
        calls.append(step.attempt)
        return len(calls)

    assert ctx.step(body, name="a") == 1
    for _ in range(3):
        ctx.wait(seconds(60))
    assert ctx.step(body, "b") == 2
    assert calls == [1, 1]
    assert len(ctx.execution.invocations) == 4


def test_a_direct_wait_costs_virtual_time_only(ctx: FakeDurableContext) -> None:
    before = time.clock_gettime(time.CLOCK_REALTIME)
    ctx.wait(Duration.from_days(30), name="month")
    assert time.clock_gettime(time.CLOCK_REALTIME) - before < 5
    assert timedelta(days=30) <= ctx.clock.now() - START < timedelta(days=30, seconds=2)
    assert datetime.now(UTC) == ctx.clock.now()  # noqa: TID251  # as a user would


def test_an_error_is_raised_to_the_test_and_remembered(ctx: FakeDurableContext) -> None:
    with pytest.raises(StepError, match="no stock"):
        ctx.step(fails(LookupError("no stock")), name="a", config=ONCE)
    ctx.wait(seconds(60))
    assert ctx.step(returns("refunded"), name="b") == "refunded"
    assert (ctx.execution.body_runs("a"), ctx.execution.operation("a").status) == (1, "FAILED")


def test_an_error_of_the_sdk_is_raised_to_the_test(ctx: FakeDurableContext) -> None:
    with pytest.raises(ValidationError, match="at least 1 second"):
        ctx.wait(Duration(0))
    assert ctx.step(returns(1)) == 1


def test_a_direct_step_is_retried(ctx: FakeDurableContext) -> None:
    assert ctx.step(Flaky(2), name="a", config=attempts(3, delay=60)) == "done"
    assert (ctx.execution.body_runs("a"), int(ctx.execution.elapsed)) == (3, 120)


def test_a_direct_child_context(ctx: FakeDurableContext) -> None:
    def child(context: DurableContext) -> Any:
        context.wait(seconds(60))
        return context.step(returns("inside"), name="step")

    assert ctx.run_in_child_context(child, name="child") == "inside"
    assert ctx.execution.body_runs("child/step") == 1


def test_a_direct_child_context_that_fails(ctx: FakeDurableContext) -> None:
    def child(context: DurableContext) -> None:
        raise LookupError("no stock")

    with pytest.raises(ChildContextError, match="no stock"):
        ctx.run_in_child_context(child, name="child")


def test_a_direct_map_and_a_direct_parallel(ctx: FakeDurableContext) -> None:
    def double(context: DurableContext, item: int, index: int, items: Any) -> Any:
        context.wait(seconds(item))
        return context.step(returns(item * 2))

    mapped: BatchResult[int] = ctx.map([1, 2, 3], double, name="m")
    assert mapped.get_results() == [2, 4, 6]
    branches = [lambda context: context.step(returns("a")), lambda context: context.step(returns("b"))]
    assert ctx.parallel(branches, name="p").get_results() == ["a", "b"]
    assert ctx.map([], double).get_results() == []


def test_a_direct_condition(ctx: FakeDurableContext) -> None:
    def strategy(state: int, attempt: int) -> WaitForConditionDecision:
        if state >= 3:
            return WaitForConditionDecision.stop_polling()
        return WaitForConditionDecision.continue_waiting(seconds(30))

    config = WaitForConditionConfig(wait_strategy=strategy, initial_state=0)
    assert ctx.wait_for_condition(lambda state, check: state + 1, config, name="poll") == 3


def test_the_sdks_helpers_take_it(ctx: FakeDurableContext) -> None:
    @durable_step
    def charge(step: StepContext, cents: int) -> int:
        return cents * 2

    flaky = Flaky(1)
    config: WithRetryConfig[Any] = WithRetryConfig(retry_strategy=attempts(3).retry_strategy)
    assert ctx.step(charge(50)) == 100
    assert ctx.execution.operation("charge").name == "charge"
    assert with_retry(ctx, lambda inner, attempt: flaky(None), config, name="block") == "done"


def test_its_logger_and_its_contexts_are_those_of_the_invocation(
    ctx: FakeDurableContext, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO"):
        ctx.logger.info("hello")
    assert "hello" in caplog.text
    assert ctx.execution_context.durable_execution_arn == ctx.execution.arn
    remaining = ctx.lambda_context.get_remaining_time_in_millis()
    assert remaining > 101_000
    ctx.step(lambda step: time.sleep(100))  # noqa: TID251  # virtual: this is a step
    assert remaining - 101_000 < ctx.lambda_context.get_remaining_time_in_millis() <= remaining - 100_000


def test_a_logger_can_be_set(ctx: FakeDurableContext) -> None:
    class Recorder:
        def __init__(self) -> None:
            self.lines: list[str] = []

        def info(self, message: object, *args: object, **kwargs: Any) -> None:
            self.lines.append(str(message))

        debug = warning = error = exception = info

    recorder = Recorder()
    ctx.set_logger(recorder)
    ctx.logger.info("hello")
    assert recorder.lines == ["hello"]


def test_after_a_call_nothing_is_being_replayed(ctx: FakeDurableContext) -> None:
    ctx.step(returns(1))
    ctx.wait(seconds(60))
    ctx.step(returns(1))
    assert not ctx.is_replaying()


def test_direct_calls_and_runs_do_not_get_into_each_others_way(ctx: FakeDurableContext) -> None:
    assert ctx.step(returns(1), name="a") == 1
    assert ctx.run(echo, 2).result == 2
    assert ctx.step(returns(3), name="b") == 3
    ctx.verify(echo, 4)
    ctx.wait(seconds(60))
    assert [operation.path for operation in ctx.execution.operations] == ["a", "b", "[3]"]
    assert ctx.execution.body_runs("a") == 1


def test_time_that_passes_between_two_direct_calls_does_no_harm(ctx: FakeDurableContext) -> None:
    calls: list[int] = []
    ctx.step(lambda step: calls.append(1), name="a")
    ctx.clock.advance(3_600)  # more than an invocation may take
    assert ctx.step(returns(2), name="b") == 2
    assert calls == [1]


def test_the_signatures_are_the_sdks() -> None:
    names = ("step", "wait", "create_callback", "wait_for_callback", "wait_for_condition", "invoke", "map", "parallel")
    for name in (*names, "run_in_child_context"):
        ours = inspect.signature(getattr(FakeDurableContext, name)).parameters
        theirs = inspect.signature(getattr(DurableContext, name)).parameters
        assert [(one.name, one.kind, one.default) for one in ours.values()] == [
            (one.name, one.kind, one.default) for one in theirs.values()
        ], name
