"""Each kill strikes where it says, and the replay does what that place asks of it."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from aws_durable_execution_sdk_python import DurableContext, StepContext
from aws_durable_execution_sdk_python.config import ChildConfig, NestingType, ParallelConfig, StepConfig

from pytest_durable import Execution, FakeDurableContext, FaultNotReached, FaultPlan, InvalidPlan
from tests.durable import AT_MOST_ONCE, ONCE, ONCE_AT_MOST, attempts, returns, seconds

Handler = Callable[[Any, DurableContext], Any]


class Body:
    """A step body that counts how often it is entered and left."""

    def __init__(self, value: Any = "done", failures: int = 0) -> None:
        self.value = value
        self.failures = failures
        self.runs = 0

    def __call__(self, step: StepContext) -> Any:
        self.runs += 1
        if step.attempt <= self.failures:
            raise ConnectionError(f"attempt {step.attempt}")
        return self.value


def killed(execution: Execution) -> list[str | None]:
    return [invocation.killed for invocation in execution.invocations]


# --- one step -------------------------------------------------------------------------------------------------------


class Row(NamedTuple):
    """A kill at a step: what it finds stored, how often the body has run by then, and in the end."""

    config: StepConfig
    where: str
    stored: str
    runs_before: int
    runs: int
    result: str | None


STEPS = {
    "at least once, start": Row(ONCE, "start", "STARTED", 0, 1, "done"),
    "at least once, body": Row(ONCE, "body", "absent or STARTED", 1, 2, "done"),
    "at least once, stored": Row(ONCE, "stored", "SUCCEEDED", 1, 1, "done"),
    "at most once, start": Row(ONCE_AT_MOST, "start", "STARTED", 0, 0, None),
    "at most once, body": Row(ONCE_AT_MOST, "body", "STARTED", 1, 1, None),
    "at most once, stored": Row(ONCE_AT_MOST, "stored", "SUCCEEDED", 1, 1, "done"),
    "at most once with a retry, start": Row(attempts(2, 5, AT_MOST_ONCE), "start", "STARTED", 0, 1, "done"),
    "at most once with a retry, body": Row(attempts(2, 5, AT_MOST_ONCE), "body", "STARTED", 1, 2, "done"),
}


@pytest.mark.parametrize("row", STEPS.values(), ids=list(STEPS))
def test_a_kill_at_a_step(ctx: FakeDurableContext, row: Row) -> None:
    body = Body()
    execution = ctx.start(
        lambda event, context: context.step(body, name="a", config=row.config), faults=f"a:{row.where}"
    )
    assert killed(execution) == [f"a:{row.where}"]
    stored = {operation.path: operation.status for operation in execution.operations}
    assert stored.get("a", "absent") in row.stored
    assert body.runs == row.runs_before
    execution.run()
    assert (body.runs, execution.result) == (row.runs, row.result)
    assert execution.status == ("FAILED" if row.result is None else "SUCCEEDED")
    assert killed(execution)[1:].count(None) == len(execution.invocations) - 1


@pytest.mark.parametrize("row", STEPS.values(), ids=list(STEPS))
def test_body_runs_counts_the_bodies_that_ran(ctx: FakeDurableContext, row: Row) -> None:
    body = Body()
    handler: Handler = lambda event, context: context.step(body, name="a", config=row.config)  # noqa: E731
    assert ctx.run(handler, faults=f"a:{row.where}").body_runs("a") == body.runs


def test_a_body_that_was_not_run_is_not_shown_as_run(ctx: FakeDurableContext) -> None:
    execution = ctx.start(lambda event, context: context.step(Body(), name="a"), faults="a:start")
    assert " ran" not in execution.timeline()


def test_a_kill_after_a_failed_attempt_runs_the_body_again_in_the_same_attempt(ctx: FakeDurableContext) -> None:
    body = Body(failures=1)
    execution = ctx.run(
        lambda event, context: context.step(body, name="a", config=attempts(2)), faults="a:body, a@3:body"
    )
    assert (execution.result, body.runs, execution.operation("a").attempts) == ("done", 4, 2)


def test_a_kill_after_a_retry_is_stored_costs_nothing(ctx: FakeDurableContext) -> None:
    body = Body(failures=1)
    execution = ctx.start(
        lambda event, context: context.step(body, name="a", config=attempts(2, delay=60)), faults="a:suspend"
    )
    assert (execution.operation("a").status, body.runs) == ("PENDING", 1)
    execution.run()
    assert (execution.result, body.runs) == ("done", 2)
    assert [invocation.status for invocation in execution.invocations] == ["died", "PENDING", "SUCCEEDED"]
    assert int(execution.elapsed) == 60


def test_a_kill_after_a_failure_is_stored_leaves_it_failed(ctx: FakeDurableContext) -> None:
    body = Body(failures=9)
    execution = ctx.run(lambda event, context: context.step(body, name="a", config=ONCE), faults="a:stored")
    assert (execution.status, body.runs) == ("FAILED", 1)
    assert execution.error is not None and execution.error.message == "attempt 1"


# --- waits and the invocation itself --------------------------------------------------------------------------------


def test_a_kill_after_a_wait_is_stored_does_not_prolong_it(ctx: FakeDurableContext) -> None:
    execution = ctx.start(lambda event, context: context.wait(seconds(60), name="w"), faults="w:suspend")
    assert (execution.operation("w").status, killed(execution)) == ("STARTED", ["w:suspend"])
    execution.run()
    assert [invocation.status for invocation in execution.invocations] == ["died", "PENDING", "SUCCEEDED"]
    wait = execution.operation("w")
    assert wait.started is not None and wait.ended is not None
    assert (wait.ended - wait.started).total_seconds() == 60


def test_a_wait_that_is_over_before_the_next_invocation_is_not_waited_for_again(ctx: FakeDurableContext) -> None:
    execution = ctx.run(lambda event, context: context.wait(seconds(1), name="w"), faults="w:suspend")
    assert [invocation.status for invocation in execution.invocations] == ["died", "SUCCEEDED"]


def test_a_kill_after_the_return_replays_everything_and_answers_the_same(ctx: FakeDurableContext) -> None:
    body = Body()
    execution = ctx.start(lambda event, context: [context.step(body, name="a"), event], 7, faults="return")
    assert (execution.status, killed(execution)) == ("RUNNING", ["invocation:return"])
    execution.run()
    assert (execution.result, body.runs) == (["done", 7], 1)


def test_a_kill_at_the_return_of_an_invocation_that_suspends(ctx: FakeDurableContext) -> None:
    def handler(event: Any, context: DurableContext) -> str:
        context.wait(seconds(60), name="w")
        return "over"

    first = ctx.run(handler, faults="return")
    assert [invocation.status for invocation in first.invocations] == ["died", "PENDING", "SUCCEEDED"]
    second = ctx.run(handler, faults="return@2")
    assert [invocation.status for invocation in second.invocations] == ["PENDING", "died", "SUCCEEDED"]
    assert first.result == second.result == "over"


def test_a_kill_at_the_return_of_a_handler_that_failed(ctx: FakeDurableContext) -> None:
    def handler(event: Any, context: DurableContext) -> None:
        raise LookupError("no such order")

    execution = ctx.run(handler, faults="return")
    assert [invocation.status for invocation in execution.invocations] == ["died", "FAILED"]
    assert execution.error is not None and execution.error.type == "LookupError"


def test_a_killed_invocation_says_what_killed_it(ctx: FakeDurableContext) -> None:
    execution = ctx.run(lambda event, context: context.step(Body(), name="a"), faults="a:body")
    died, succeeded = execution.invocations
    assert (died.status, died.killed) == ("died", "a:body")
    assert died.error is not None
    assert died.error[0] == "Runtime.ExitError" and "a:body" in died.error[1]
    assert (succeeded.status, succeeded.killed, succeeded.error) == ("SUCCEEDED", None, None)
    assert died.ended is not None and (succeeded.started - died.ended).total_seconds() == 1


# --- contexts -------------------------------------------------------------------------------------------------------


def in_child(body: Body, **config: Any) -> Handler:
    def child(context: DurableContext) -> Any:
        return context.step(body, name="a")

    def handler(event: Any, context: DurableContext) -> Any:
        return context.run_in_child_context(child, name="child", config=ChildConfig(**config))

    return handler


@pytest.mark.parametrize(
    ("place", "stored", "runs"),
    [
        ("child:start", {"child": "STARTED"}, 1),
        ("child/a:start", {"child": "STARTED", "child/a": "STARTED"}, 1),
        ("child/a:stored", {"child": "STARTED", "child/a": "SUCCEEDED"}, 1),
        ("child:body", {"child": "STARTED", "child/a": "SUCCEEDED"}, 1),
        ("child:stored", {"child": "SUCCEEDED", "child/a": "SUCCEEDED"}, 1),
    ],
)
def test_a_kill_in_a_child_context(ctx: FakeDurableContext, place: str, stored: dict[str, str], runs: int) -> None:
    body = Body()
    execution = ctx.start(in_child(body), faults=place)
    found = {view.path: view.status for root in execution.operations for view in (root, *root.children)}
    assert found == stored
    execution.run()
    assert (execution.result, body.runs) == ("done", runs)


def test_a_kill_in_the_body_of_a_step_in_a_child_context(ctx: FakeDurableContext) -> None:
    body = Body()
    execution = ctx.run(in_child(body), faults="child/a:body")
    assert (execution.result, body.runs) == ("done", 2)


@pytest.mark.parametrize("where", ["start", "body", "stored"])
def test_a_virtual_context_has_no_place_of_its_own(ctx: FakeDurableContext, where: str) -> None:
    body = Body()
    with pytest.warns(FaultNotReached):
        execution = ctx.run(in_child(body, is_virtual=True), faults=f"child:{where}")
    assert (execution.result, body.runs, len(execution.invocations)) == ("done", 1, 1)


def test_a_kill_of_a_step_in_a_virtual_context(ctx: FakeDurableContext) -> None:
    body = Body()
    execution = ctx.run(in_child(body, is_virtual=True), faults="child/a:body")
    assert (execution.result, body.runs) == ("done", 2)


def mapping(runs: list[str]) -> Handler:
    def item(context: DurableContext, name: str, index: int, items: Any) -> str:
        def body(step: StepContext) -> str:
            runs.append(name)
            return name.upper()

        return context.step(body, name="shout")

    def handler(event: Any, context: DurableContext) -> Any:
        return context.map(["a", "b", "c"], item, name="m").get_results()

    return handler


@pytest.mark.parametrize(
    ("place", "repeated"),
    [
        ("m:start", 0),
        ("m/map-item-1:start", 0),
        ("m/map-item-1/shout:start", 0),
        ("m/map-item-1/shout:body", 1),
        ("m/map-item-1/shout:stored", 0),
        ("m/map-item-1:body", 0),
        ("m/map-item-1:stored", 0),
        ("m:body", 0),
        ("m:stored", 0),
    ],
)
def test_a_kill_in_a_map(ctx: FakeDurableContext, place: str, repeated: int) -> None:
    runs: list[str] = []
    execution = ctx.run(mapping(runs), faults=place)
    assert execution.result == ["A", "B", "C"]
    assert runs.count("b") == 1 + repeated
    assert killed(execution) == [place, None]


def test_a_kill_takes_the_other_branches_with_it(ctx: FakeDurableContext) -> None:
    reached: list[str] = []

    def left(context: DurableContext) -> None:
        context.step(Body(), name="a")

    def right(context: DurableContext) -> None:
        context.step(lambda step: reached.append("one"), name="one")
        context.step(lambda step: reached.append("two"), name="two")

    def handler(event: Any, context: DurableContext) -> None:
        context.parallel([left, right], name="p", config=ParallelConfig(nesting_type=NestingType.FLAT))

    execution = ctx.start(handler, faults="p/parallel-branch-0/a:body")
    assert "two" not in reached
    execution.run()
    assert reached[-1] == "two"


# --- names ----------------------------------------------------------------------------------------------------------


def test_unnamed_operations_are_killed_by_their_position(ctx: FakeDurableContext) -> None:
    bodies = [Body(number) for number in range(3)]

    def handler(event: Any, context: DurableContext) -> list[Any]:
        return [context.step(body) for body in bodies]

    execution = ctx.run(handler, faults="[3]:body, [1]:body")
    assert execution.result == [0, 1, 2]
    assert [body.runs for body in bodies] == [2, 1, 2]


def test_of_operations_with_one_name_each_visit_counts(ctx: FakeDurableContext) -> None:
    bodies = [Body(number) for number in range(3)]

    def handler(event: Any, context: DurableContext) -> list[Any]:
        return [context.step(body, name="a") for body in bodies]

    ctx.run(handler, faults="a@2:body")
    assert [body.runs for body in bodies] == [1, 2, 1]


@pytest.mark.parametrize(
    "name", ["a,b", "a@2", "a:body", "a\\", "a 'b' \"c\"", "ø", "return", "invocation", "[1]", "a/b"]
)
def test_an_operation_of_any_name_can_be_killed(ctx: FakeDurableContext, name: str) -> None:
    body = Body()

    def handler(event: Any, context: DurableContext) -> Any:
        return context.step(body, name=name)

    (place, *_) = ctx.verify(handler, kills=0).places
    body.runs = 0
    ctx.run(handler, faults=place.replace(":start", ":body"))
    assert body.runs == 2


def test_a_plan_may_hold_several_kills(ctx: FakeDurableContext) -> None:
    one, two = Body(1), Body(2)

    def handler(event: Any, context: DurableContext) -> list[int]:
        return [context.step(one, name="one"), context.step(two, name="two")]

    plan = FaultPlan.parse("one:start, one:body, one@2:body, one:stored, two:body, return")
    execution = ctx.run(handler, faults=plan)
    assert killed(execution) == [
        *map(str, [*plan][:2]),
        "one@2:body",
        "one:stored",
        "two:body",
        "invocation:return",
        None,
    ]
    assert (execution.result, one.runs, two.runs) == ([1, 2], 3, 2)


def test_eight_kills_in_a_row_are_survived_and_nine_are_not(ctx: FakeDurableContext) -> None:
    handler: Handler = lambda event, context: context.step(Body(), name="a")  # noqa: E731
    assert ctx.run(handler, faults=", ".join(["a:body"] * 8)).result == "done"
    execution = ctx.run(handler, faults=", ".join(["a:body"] * 9))
    assert (execution.status, len(execution.invocations)) == ("FAILED", 9)
    assert execution.error is not None and execution.error.type == "Runtime.ExitError"


# --- plans that do not fit ------------------------------------------------------------------------------------------


def two_steps(event: Any, context: DurableContext) -> list[int]:
    return [context.step(returns(1), name="charge"), context.step(returns(2), name="ship")]


def test_a_kill_that_does_not_happen_is_a_warning_at_the_users_line(ctx: FakeDurableContext) -> None:
    with pytest.warns(FaultNotReached, match=r"'charge@2:body' did not happen.*charge:body") as caught:
        ctx.run(two_steps, faults="charge@2:body, ship:body")
    assert [warning.filename for warning in caught] == [__file__]


@pytest.mark.parametrize("place", ["charge:suspend", "ship@7:stored", "return@2"])
def test_each_place_that_is_not_reached_is_named(ctx: FakeDurableContext, place: str) -> None:
    with pytest.warns(FaultNotReached) as caught:
        execution = ctx.run(two_steps, faults=place)
    assert execution.result == [1, 2]
    assert str(FaultPlan.parse(place)) in str(caught[0].message)


def test_a_name_that_does_not_exist_is_refused_with_the_nearest_one(ctx: FakeDurableContext) -> None:
    with pytest.raises(InvalidPlan) as caught:
        ctx.run(two_steps, faults="chrage:body")
    assert "no operation is named 'chrage'" in str(caught.value)
    assert "did you mean 'charge:body'?" in str(caught.value)
    assert "charge, invocation, ship" in str(caught.value)


def test_a_name_that_is_nothing_like_any_is_refused_with_all_of_them(ctx: FakeDurableContext) -> None:
    with pytest.raises(InvalidPlan, match="no operation is named 'xyzzy'") as caught:
        ctx.run(two_steps, faults="xyzzy:body")
    assert "charge, invocation, ship" in str(caught.value)


def test_an_execution_that_fails_may_not_have_come_to_an_operation(ctx: FakeDurableContext) -> None:
    def handler(event: Any, context: DurableContext) -> None:
        raise LookupError("before any step")

    with pytest.warns(FaultNotReached):
        assert ctx.run(handler, faults="charge:body").status == "FAILED"


def test_no_warning_if_everything_planned_has_happened(ctx: FakeDurableContext) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ctx.run(two_steps, faults="charge:body, ship:stored, return")


@pytest.mark.parametrize("plan", [None, "", FaultPlan()])
def test_no_plan_is_no_kill(ctx: FakeDurableContext, plan: Any) -> None:
    assert killed(ctx.run(two_steps, faults=plan)) == [None]
