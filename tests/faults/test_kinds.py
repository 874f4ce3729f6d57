"""The faults of time and of the service, at operations: what handler, journal, invocations and clock see of each."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any, NamedTuple

import pytest
from aws_durable_execution_sdk_python import DurableContext, durable_execution
from aws_durable_execution_sdk_python.config import ChildConfig, NestingType, ParallelConfig, StepConfig
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_durable import Execution, FakeDurableContext, Fault, FaultNotReached, FaultPlan
from pytest_durable.faults import WHERE
from pytest_durable.service.points import OTHERS
from tests.checks import test_correct_handlers as correct
from tests.durable import AT_MOST_ONCE, ONCE, ONCE_AT_MOST, Flaky, attempts, gaps, returns, seconds
from tests.service.functions import watched

Handler = Callable[[Any, DurableContext], Any]


class Body:
    """A step body that counts how often it is entered, and takes its time."""

    def __init__(self, value: Any = "done", takes: float = 0) -> None:
        self.value = value
        self.takes = takes
        self.runs = 0

    def __call__(self, step: Any) -> Any:
        self.runs += 1
        time.sleep(self.takes)  # noqa: TID251  # virtual: this is a step
        return self.value


def statuses(execution: Execution) -> list[str | None]:
    return [invocation.status for invocation in execution.invocations]


def struck(execution: Execution) -> list[str | None]:
    return [invocation.killed or invocation.struck for invocation in execution.invocations]


# --- a step ---------------------------------------------------------------------------------------------------------


class Row(NamedTuple):
    """A fault at a step: how its invocation ends, what the next one finds stored, how often the body runs in all."""

    config: StepConfig
    fault: str
    status: str
    found: str | None
    runs: int
    result: str | None


TWICE_AT_MOST = attempts(2, 5, AT_MOST_ONCE)
STEPS = {
    "at least once": [
        Row(ONCE, "a:throttle", "raised", None, 2, "done"),
        Row(ONCE, "a:outage", "raised", None, 2, "done"),
        Row(ONCE, "a:revoke", "PENDING", "SUCCEEDED", 1, "done"),
        Row(ONCE, "a:timeout", "died", "STARTED", 2, "done"),
    ],
    "at most once, its START": [
        Row(ONCE_AT_MOST, "a:throttle", "raised", None, 1, "done"),
        Row(ONCE_AT_MOST, "a:outage", "raised", None, 1, "done"),
        Row(ONCE_AT_MOST, "a:revoke", "PENDING", "STARTED", 0, None),
    ],
    "at most once, its result": [
        Row(ONCE_AT_MOST, "a@2:throttle", "raised", "STARTED", 1, None),
        Row(ONCE_AT_MOST, "a@2:outage", "raised", "STARTED", 1, None),
        Row(ONCE_AT_MOST, "a@2:revoke", "PENDING", "SUCCEEDED", 1, "done"),
        Row(ONCE_AT_MOST, "a:timeout", "died", "STARTED", 1, None),
    ],
    "at most once with a retry": [
        Row(TWICE_AT_MOST, "a@2:throttle", "raised", "STARTED", 2, "done"),
        Row(TWICE_AT_MOST, "a:revoke", "PENDING", "STARTED", 1, "done"),
        Row(TWICE_AT_MOST, "a:timeout", "died", "STARTED", 2, "done"),
    ],
}
ROWS = [pytest.param(row, id=f"{group}, {row.fault}") for group, rows in STEPS.items() for row in rows]


@pytest.mark.parametrize("row", ROWS)
def test_a_fault_at_a_step(ctx: FakeDurableContext, row: Row) -> None:
    body = Body()
    found: list[str | None] = []

    def watch(event: Any) -> None:
        operations = event.initial_execution_state.operations
        found.append(operations[1].status.value if len(operations) > 1 else None)

    handler = watched(lambda event, context: context.step(body, name="a", config=row.config), watch)
    execution = ctx.run(handler, faults=row.fault)
    assert statuses(execution)[0] == row.status
    assert struck(execution) == [row.fault] + [None] * (len(execution.invocations) - 1)
    assert found[:2] == [None, row.found]
    assert (body.runs, execution.result) == (row.runs, row.result)
    assert execution.status == ("FAILED" if row.result is None else "SUCCEEDED")


@pytest.mark.parametrize("row", ROWS)
def test_the_journal_of_a_run_with_a_fault_can_be_replayed_like_any_other(ctx: FakeDurableContext, row: Row) -> None:
    ctx.budget = replace(ctx.budget, only=FaultPlan.parse(row.fault))
    found = ctx.verify(lambda event, context: context.step(Body(), name="a", config=row.config))
    assert found.killed == (row.fault,)


@pytest.mark.parametrize("fault", ["a:throttle", "a:outage"])
def test_a_call_that_the_service_refused_has_stored_nothing(ctx: FakeDurableContext, fault: str) -> None:
    execution = ctx.start(lambda event, context: context.step(Body(), name="a"), faults=fault)
    assert execution.operations == ()
    assert [event["EventType"] for event in execution.history] == ["ExecutionStarted", "InvocationCompleted"]


def test_a_call_whose_answer_took_the_token_back_has_stored_everything(ctx: FakeDurableContext) -> None:
    execution = ctx.run(lambda event, context: context.step(Body(), name="a"), faults="a:revoke")
    assert [event["EventType"] for event in execution.history] == [
        "ExecutionStarted",
        "StepStarted",
        "StepSucceeded",
        "InvocationCompleted",
        "InvocationCompleted",
        "ExecutionSucceeded",
    ]


@pytest.mark.parametrize(
    ("fault", "kind", "text"),
    [
        ("a:throttle", "TooManyRequestsException", "The request throughput limit was exceeded."),
        ("a:outage", "ServiceException", "internal error"),
    ],
)
def test_the_sdk_raises_what_the_service_answered(ctx: FakeDurableContext, fault: str, kind: str, text: str) -> None:
    execution = ctx.run(lambda event, context: context.step(Body(), name="a"), faults=fault)
    error = execution.invocations[0].error
    assert error is not None
    assert error[0] == "aws_durable_execution_sdk_python.exceptions.CheckpointError"
    assert kind in error[1] and text in error[1]
    assert execution.error is None


@pytest.mark.parametrize("fault", ["a:throttle", "a:outage"])
def test_user_code_that_catches_exceptions_does_not_catch_a_fault_of_the_service(
    ctx: FakeDurableContext, fault: str
) -> None:
    caught: list[Exception] = []

    def handler(event: Any, context: DurableContext) -> Any:
        try:
            return context.step(Body(), name="a")
        except Exception as error:
            caught.append(error)
            return "caught"

    execution = ctx.run(handler, faults=fault)
    assert (execution.result, caught) == ("done", [])


@pytest.mark.parametrize(("fault", "gap"), [("throttle", 1), ("outage", 1), ("revoke", 0), ("timeout", 1)])
def test_when_the_service_invokes_again(ctx: FakeDurableContext, fault: str, gap: int) -> None:
    execution = ctx.run(lambda event, context: context.step(Body(), name="a"), faults=f"a:{fault}")
    assert gaps(execution) == [gap]


def test_a_timeout_uses_up_the_time_of_the_invocation(ctx: FakeDurableContext) -> None:
    body = Body(takes=20)
    execution = ctx.run(lambda event, context: context.step(body, name="a"), faults="a:timeout", invocation_timeout=60)
    first, second = execution.invocations
    assert first.ended is not None and (first.ended - first.started).total_seconds() == 60
    assert first.error == ("Sandbox.Timedout", "Task timed out after 60.00 seconds")
    assert second.error is None
    assert (int(execution.elapsed), int(execution.billed)) == (60 + 1 + 20, 60 + 20)


def test_a_timeout_strikes_after_a_body_that_raised_as_well(ctx: FakeDurableContext) -> None:
    body = Flaky(1)
    execution = ctx.run(
        lambda event, context: context.step(body, name="a", config=attempts(3)), faults="a:timeout, a@2:timeout"
    )
    assert (execution.result, body.calls, execution.operation("a").attempts) == ("done", 3, 1)
    assert struck(execution) == ["a:timeout", "a@2:timeout", None]


def test_an_attempt_whose_end_is_refused_is_not_counted(ctx: FakeDurableContext) -> None:
    body = Body()

    def failing(step: Any) -> Any:
        body(step)
        raise ConnectionError("down")

    execution = ctx.run(
        lambda event, context: context.step(failing, name="a", config=attempts(2)),
        faults="a:throttle, a@2:throttle, a:outage",
    )
    assert (execution.status, execution.operation("a").attempts, body.runs) == ("FAILED", 2, 5)


# --- @N, plans ------------------------------------------------------------------------------------------------------


def three_steps(event: Any, context: DurableContext) -> list[Any]:
    return [context.step(returns(number), name="a") for number in range(3)]


@pytest.mark.parametrize("where", ["throttle", "outage", "revoke", "timeout"])
def test_the_nth_time_counts_over_all_invocations_and_operations_of_the_name(
    ctx: FakeDurableContext, where: str
) -> None:
    execution = ctx.run(three_steps, faults=f"a:{where}, a@2:{where}, a@3:{where}")
    assert struck(execution) == [f"a:{where}", f"a@2:{where}", f"a@3:{where}", None]
    assert execution.result == [0, 1, 2]


def test_faults_of_all_kinds_and_kills_in_one_plan_all_happen(ctx: FakeDurableContext) -> None:
    plan = "a:start, a:throttle, a:timeout, a:body, a:outage, a:revoke, a:stored, return, invocation@3:outage"
    execution = ctx.run(three_steps, faults=plan)  # one that did not happen would be a warning, and so an error
    assert execution.result == [0, 1, 2]


def test_eight_faults_in_a_row_are_survived_and_nine_are_not(ctx: FakeDurableContext) -> None:
    faults = [f"a:{kind}" for kind in ("throttle", "outage", "body") * 3]
    handler: Handler = lambda event, context: context.step(Body(), name="a")  # noqa: E731
    assert ctx.run(handler, faults=", ".join(faults[:8])).result == "done"
    execution = ctx.run(handler, faults=", ".join(faults))
    assert (execution.status, len(execution.invocations)) == ("FAILED", 9)


def test_a_revoked_token_is_no_failed_invocation(ctx: FakeDurableContext) -> None:
    handler: Handler = lambda event, context: [context.step(returns(n), name="a") for n in range(12)]  # noqa: E731
    execution = ctx.run(handler, faults=", ".join(["a:revoke"] * 12))
    assert (execution.result, statuses(execution)) == ([*range(12)], ["PENDING"] * 12 + ["SUCCEEDED"])
    assert execution.elapsed < 1


@pytest.mark.parametrize("fault", ["a@3:throttle", "a@9:outage", "a@2:revoke", "a@2:timeout"])
def test_a_fault_that_is_never_reached_is_a_warning(ctx: FakeDurableContext, fault: str) -> None:
    with pytest.warns(FaultNotReached, match=f"'{fault}' did not happen") as caught:
        execution = ctx.run(lambda event, context: context.step(Body(), name="a"), faults=fault)
    assert (execution.result, len(execution.invocations)) == ("done", 1)
    assert [warning.filename for warning in caught] == [__file__]


@pytest.mark.parametrize("fault", ["w:timeout", "child:timeout"])
def test_only_a_step_can_use_up_the_time_of_its_invocation(ctx: FakeDurableContext, fault: str) -> None:
    def handler(event: Any, context: DurableContext) -> None:
        context.run_in_child_context(lambda child: child.wait(seconds(5), name="w"), name="child")
        context.wait(seconds(5), name="w")

    with pytest.warns(FaultNotReached):
        assert statuses(ctx.run(handler, faults=fault)) == ["PENDING", "PENDING", "SUCCEEDED"]


# --- waits, callbacks, contexts -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("where", "answers", "elapsed"),
    [("throttle", ["raised", "PENDING", "SUCCEEDED"], 61), ("revoke", ["PENDING", "PENDING", "SUCCEEDED"], 60)],
)
def test_a_fault_at_a_wait(ctx: FakeDurableContext, where: str, answers: list[str], elapsed: int) -> None:
    execution = ctx.run(lambda event, context: context.wait(seconds(60), name="w"), faults=f"w:{where}")
    assert (statuses(execution), int(execution.elapsed)) == (answers, elapsed)
    wait = execution.operation("w")
    assert wait.started is not None and wait.ended is not None
    assert (wait.ended - wait.started).total_seconds() == 60


@pytest.mark.parametrize(("where", "attempts_made", "elapsed"), [("outage", 1, 1), ("revoke", 2, 30)])
def test_a_retry_that_was_stored_is_waited_for_and_one_that_was_refused_is_not(
    ctx: FakeDurableContext, where: str, attempts_made: int, elapsed: int
) -> None:
    body = Flaky(1)
    execution = ctx.run(
        lambda event, context: context.step(body, name="a", config=attempts(3, delay=30)), faults=f"a:{where}"
    )
    assert (execution.result, body.calls, execution.operation("a").attempts) == ("done", 2, attempts_made)
    assert int(execution.elapsed) == elapsed


def approval(submitted: list[str]) -> Handler:
    def handler(event: Any, context: DurableContext) -> Any:
        return context.wait_for_callback(lambda callback_id, info: submitted.append(callback_id), name="approve")

    return handler


CALLBACK = "approve/approve create callback id"


@pytest.mark.parametrize("where", ["throttle", "outage", "revoke"])
def test_a_fault_at_a_callback_makes_no_second_one(ctx: FakeDurableContext, where: str) -> None:
    submitted: list[str] = []
    ctx.callbacks.succeed("approve", "yes", after=30)
    execution = ctx.run(approval(submitted), faults=f"{CALLBACK}:{where}")
    assert execution.result == "yes"
    assert submitted == [execution.operation(CALLBACK).callback_id]
    assert struck(execution)[0] == f"{CALLBACK}:{where}"


@pytest.mark.parametrize("where", ["throttle", "outage", "revoke", "timeout"])
def test_a_fault_at_a_submitter(ctx: FakeDurableContext, where: str) -> None:
    submitted: list[str] = []
    ctx.callbacks.succeed("approve", "yes", after=2_000)
    execution = ctx.run(approval(submitted), faults=f"approve/approve submitter:{where}")
    assert execution.result == "yes"
    assert submitted == [execution.operation(CALLBACK).callback_id] * (1 if where == "revoke" else 2)


def test_an_answer_that_comes_while_the_service_is_down_is_not_lost(ctx: FakeDurableContext) -> None:
    ctx.callbacks.succeed("approve", "yes", after=0.5)
    execution = ctx.run(approval([]), faults="approve/approve submitter:throttle")
    assert (execution.result, gaps(execution)[0]) == ("yes", 1)


@pytest.mark.parametrize("where", ["throttle", "outage", "revoke"])
@pytest.mark.parametrize("nth", [1, 2])
def test_a_fault_at_a_child_context(ctx: FakeDurableContext, where: str, nth: int) -> None:
    def child(inner: DurableContext) -> Any:
        inner.wait(seconds(5), name="w")
        return inner.step(Body(), name="a")

    execution = ctx.run(
        lambda event, context: context.run_in_child_context(child, name="child"), faults=f"child@{nth}:{where}"
    )
    assert (execution.result, execution.body_runs("child/a")) == ("done", 1)
    assert f"child@{nth}:{where}".replace("@1", "") in struck(execution)


def test_a_virtual_context_is_no_place_for_a_fault_and_its_steps_are(ctx: FakeDurableContext) -> None:
    def handler(event: Any, context: DurableContext) -> Any:
        config = ChildConfig[Any](is_virtual=True)
        return context.run_in_child_context(lambda inner: inner.step(Body(), name="a"), name="child", config=config)

    with pytest.warns(FaultNotReached):
        assert ctx.run(handler, faults="child:throttle").result == "done"
    assert statuses(ctx.run(handler, faults="child/a:throttle")) == ["raised", "SUCCEEDED"]


# --- branches -------------------------------------------------------------------------------------------------------


def branches(nesting: NestingType, done: list[str]) -> Handler:
    def branch(name: str) -> Any:
        def body(context: DurableContext) -> str:
            context.step(lambda step: done.append(name), name="a")
            context.wait(seconds(20), name="w")
            context.step(lambda step: done.append(name.upper()), name="b")
            return name

        return body

    def handler(event: Any, context: DurableContext) -> Any:
        config = ParallelConfig(nesting_type=nesting)
        return context.parallel([branch("x"), branch("y")], name="p", config=config).get_results()

    return handler


@pytest.mark.parametrize("nesting", list(NestingType))
@pytest.mark.parametrize("operation", ["a", "w", "b"])
@pytest.mark.parametrize("where", ["throttle", "outage", "revoke"])
def test_a_fault_in_a_branch_ends_the_invocation_of_them_all(
    ctx: FakeDurableContext, nesting: NestingType, operation: str, where: str
) -> None:
    done: list[str] = []
    fault = f"p/parallel-branch-1/{operation}:{where}"
    execution = ctx.run(branches(nesting, done), faults=fault)
    assert execution.result == ["x", "y"]
    assert sorted(set(done)) == ["X", "Y", "x", "y"]
    if where == "revoke":
        assert len(done) == 4
    ended = next(invocation for invocation in execution.invocations if invocation.struck == fault)
    assert ended.status == ("PENDING" if where == "revoke" else "raised")


def test_other_branches_go_on_while_one_uses_up_the_time(ctx: FakeDurableContext) -> None:
    done: list[str] = []
    execution = ctx.run(branches(NestingType.NESTED, done), faults="p/parallel-branch-0/a:timeout")
    assert execution.result == ["x", "y"]
    assert done == ["x", "y", "Y", "x", "X"]
    assert struck(execution)[0] == "p/parallel-branch-0/a:timeout"


# --- invoked executions ---------------------------------------------------------------------------------------------


@durable_execution
def invoked(event: Any, context: DurableContext) -> Any:
    context.wait(seconds(10), name="w")
    return context.step(returns(event), name="a")


def invoking(event: Any, context: DurableContext) -> Any:
    return [context.invoke("invoked", 7, name="call"), context.step(returns(8), name="a")]


@pytest.mark.parametrize("where", ["throttle", "outage", "revoke", "timeout"])
@pytest.mark.parametrize("path", ["call/a", "call/invocation"])
def test_a_fault_in_an_invoked_execution_is_its_own(ctx: FakeDurableContext, path: str, where: str) -> None:
    ctx.register("invoked", invoked)
    execution = ctx.run(invoking, faults=f"{path}:{where}")
    assert execution.result == [7, 8]
    assert f"{path}:{where}" in struck(execution.invoked("call"))
    assert struck(execution) == [None, None]


def test_faults_of_the_invoking_and_of_the_invoked_execution_are_counted_apart(ctx: FakeDurableContext) -> None:
    ctx.register("invoked", invoked)
    execution = ctx.run(invoking, faults="call:revoke, call/a:throttle, a:throttle, a:outage, return@3")
    assert execution.result == [7, 8]
    assert struck(execution.invoked("call")) == [None, "call/a:throttle", None]
    assert [fault for fault in struck(execution) if fault] == [
        "call:revoke",
        "a:throttle",
        "a:outage",
        "invocation@3:return",
    ]


@pytest.mark.parametrize("where", ["throttle", "outage"])
def test_an_invoke_that_was_refused_invokes_nobody(ctx: FakeDurableContext, where: str) -> None:
    calls: list[Any] = []
    ctx.register("invoked", lambda event, context: calls.append(event))
    execution = ctx.run(invoking, faults=f"call:{where}")
    assert (execution.result, calls) == ([None, 8], [7])


def test_a_virtual_context_of_an_invoked_execution_is_no_place_either(ctx: FakeDurableContext) -> None:
    def scoped(event: Any, context: DurableContext) -> Any:
        config = ChildConfig[Any](is_virtual=True)
        return context.run_in_child_context(lambda inner: inner.step(Body(), name="a"), name="scope", config=config)

    with pytest.warns(FaultNotReached):
        ctx.run(scoped, faults="scope:body")
    ctx.register("scoped", durable_execution(scoped))
    with pytest.warns(FaultNotReached):
        ctx.run(lambda event, context: context.invoke("scoped", {}, name="call"), faults="call/scope:body")


# --- the same again -------------------------------------------------------------------------------------------------


def test_one_plan_gives_one_trace() -> None:
    plan = "p/parallel-branch-0/a:timeout, p/parallel-branch-1/w:revoke, invocation@2:outage, invocation@3:throttle"
    hashes = []
    for _ in range(2):
        with FakeDurableContext(seed=3) as context:
            hashes.append(context.run(branches(NestingType.NESTED, []), faults=plan).trace_hash)
    assert hashes[0] == hashes[1]


def test_an_invocation_that_was_lost_ends_with_its_context() -> None:
    ended: list[str] = []

    def body(step: Any) -> None:
        try:
            time.sleep(100)  # noqa: TID251  # virtual: this is a step
            ended.append("slept")
        finally:
            ended.append("finally")

    with FakeDurableContext() as context:
        execution = context.start(lambda event, durable: durable.step(body, name="a"), faults="invocation:outage")
        execution.advance(10)
        assert (statuses(execution), ended) == (["lost", None], [])
    assert ended == ["finally", "finally"]


# --- no false alarm -------------------------------------------------------------------------------------------------


def slow_branches(event: Any, context: DurableContext) -> Any:
    def branch(takes: int) -> Any:
        def body(inner: DurableContext) -> Any:
            first = inner.step(Body("a", takes), name="a")
            inner.wait(seconds(takes), name="w")
            return first + inner.step(Body("b", takes), name="b")

        return body

    return context.parallel([branch(1), branch(2), branch(5)], name="p").get_results()


def slow_handler(event: Any, context: DurableContext) -> Any:
    first = context.step(Body(1, 3), name="a")
    time.sleep(5)  # noqa: TID251  # virtual: this is a handler
    context.wait(seconds(7), name="w")
    return [first, context.step(Body(2, 30), name="b")]


def everything_outside(event: Any, context: DurableContext) -> Any:
    def working(inner: DurableContext) -> Any:
        inner.wait(seconds(40), name="w")
        return inner.step(Body("worked", 30), name="work")

    tasks: list[Any] = [
        lambda inner: inner.wait_for_callback(lambda callback_id, info: None, name="approve"),
        lambda inner: inner.invoke("invoked", 7, name="call"),
        working,
    ]
    return [context.invoke("plain", 1, name="ask"), *context.parallel(tasks, name="p").get_results()]


HANDLERS: list[Handler] = [
    slow_branches,
    slow_handler,
    everything_outside,
    invoking,
    correct.steps_and_waits,
    correct.unnamed_steps,
    correct.default_retries,
    correct.step_error_caught,
    correct.compensation,
    correct.raising,
    correct.child_contexts,
    correct.child_context_that_fails,
    correct.virtual_context,
    correct.map_within_limits,
    correct.map_with_tolerated_failures,
    correct.map_that_fails_fast,
    correct.flat_map,
    correct.map_in_a_map,
    correct.parallel,
    correct.retries_in_branches,
    correct.large_child,
    correct.polled,
    correct.retried_block,
]
"""Correct handlers that always end in the same way, whatever the time."""


def new_context() -> FakeDurableContext:
    context = FakeDurableContext()
    context.register("invoked", invoked)
    context.register("plain", lambda event, lambda_context: event)
    context.callbacks.succeed("approve", "yes", after=25)
    return context


@cache
def calm(handler: Handler) -> tuple[tuple[Any, ...], list[str]]:
    """How ``handler`` ends without faults, and the paths of everything that happens then."""
    with new_context() as context:
        outcome = outcome_of(context.run(handler))
        places = [FaultPlan.parse(place)[0].path for place in context.verify(handler, kills=0).places]
    return outcome, sorted({*places, "invocation"})


def outcome_of(execution: Execution) -> tuple[Any, ...]:
    error = execution.error
    return execution.status, execution.result, None if error is None else (error.type, error.message)


@st.composite
def runs(draw: st.DrawFn) -> tuple[Handler, FaultPlan]:
    """A handler, and up to four faults of all kinds at places that it comes to."""
    handler = draw(st.sampled_from(HANDLERS))
    paths = st.sampled_from(calm(handler)[1]) | st.just("invocation")
    kinds = st.sampled_from(sorted(WHERE)) | st.sampled_from(OTHERS)
    faults = st.builds(Fault, paths, kinds, st.integers(1, 3))
    return handler, FaultPlan(draw(st.lists(faults, min_size=1, max_size=4, unique=True)))


@given(runs())
@settings(max_examples=40)
def test_a_correct_handler_ends_under_any_plan_as_it_does_without_faults(run: tuple[Handler, FaultPlan]) -> None:
    handler, plan = run
    with new_context() as context, warnings.catch_warnings():
        warnings.simplefilter("ignore", FaultNotReached)
        assert outcome_of(context.run(handler, faults=plan)) == calm(handler)[0]


@given(runs())
@settings(max_examples=15)
def test_no_check_is_wrong_about_a_correct_handler_under_any_plan(run: tuple[Handler, FaultPlan]) -> None:
    handler, plan = run
    with new_context() as context:
        context.budget = replace(context.budget, only=plan)
        context.verify(handler)
    assert context.tally.safe == 1
