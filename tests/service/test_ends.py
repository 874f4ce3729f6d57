"""How an execution is ended from outside, by its timeouts or by its own process; and what that leaves behind."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest
from aws_durable_execution_sdk_python import DurableContext, durable_execution
from aws_durable_execution_sdk_python.lambda_service import ErrorObject
from aws_durable_execution_sdk_python.waits import WaitForConditionConfig, WaitForConditionDecision

from pytest_durable import Execution, ExecutionStuck, FakeDurableContext, UsageError
from tests.durable import ONCE_AT_MOST, Flaky, attempts, gaps, returns, seconds

Handler = Callable[[Any, DurableContext], Any]
POLL_ONCE = WaitForConditionConfig[Any](lambda state, attempt: WaitForConditionDecision.stop_polling(), None)
DEFAULT = {"ErrorMessage": "Execution stopped by user request"}


def sleep(duration: float) -> None:
    time.sleep(duration)  # noqa: TID251  # virtual: only handlers and bodies call this


def statuses(execution: Execution) -> list[str | None]:
    return [invocation.status for invocation in execution.invocations]


def error_of(execution: Execution) -> dict[str, Any]:
    assert execution.error is not None
    return dict(execution.error.to_dict())


def waiting(event: Any, context: DurableContext) -> str:
    context.wait(seconds(60), name="w")
    return "over"


@durable_execution
def invoked(event: Any, context: DurableContext) -> str:
    return waiting(event, context)


# --- stop: its states -----------------------------------------------------------------------------------------------


def test_stop_while_it_waits(ctx: FakeDurableContext) -> None:
    execution = ctx.start(waiting)
    execution.advance(10)
    assert execution.stop("enough") is execution
    assert (execution.status, execution.result, error_of(execution)) == ("STOPPED", None, {"ErrorMessage": "enough"})
    assert execution.elapsed == pytest.approx(10.1, abs=0.01)
    execution.advance(100)
    assert (statuses(execution), execution.operation("w").status) == (["PENDING"], "STARTED")
    assert execution.run().status == "STOPPED"


def test_stop_between_a_death_and_the_next_invocation(ctx: FakeDurableContext) -> None:
    def handler(event: Any, context: DurableContext) -> None:
        sys.exit(1)

    execution = ctx.start(handler).stop()
    execution.advance(500)
    assert (execution.status, statuses(execution)) == ("STOPPED", ["died"])


def test_stop_while_a_retry_is_pending(ctx: FakeDurableContext) -> None:
    body = Flaky(3)
    execution = ctx.start(lambda event, context: context.step(body, name="a", config=attempts(9, delay=60)))
    execution.stop().advance(1_000)
    assert (execution.status, body.calls, execution.operation("a").status) == ("STOPPED", 1, "PENDING")


def test_stop_while_a_callback_is_open(ctx: FakeDurableContext) -> None:
    execution = ctx.start(lambda event, context: context.create_callback(name="c").result())
    callback = execution.callback()
    execution.stop()
    with pytest.raises(Exception, match="already been closed"):
        callback.succeed("late")
    assert (execution.status, statuses(execution)) == ("STOPPED", ["PENDING"])


def test_stop_while_an_invocation_is_in_flight(ctx: FakeDurableContext) -> None:
    reached: list[str] = []

    def handler(event: Any, context: DurableContext) -> None:
        context.wait(seconds(60), name="w")
        context.step(lambda step: sleep(100), name="a")
        reached.append("after")

    execution = ctx.start(handler)
    execution.advance(100)
    assert statuses(execution) == ["PENDING", None]
    execution.stop("enough")
    execution.advance(1_000)
    assert (execution.status, statuses(execution), reached) == ("STOPPED", ["PENDING", "died"], [])
    assert execution.elapsed == pytest.approx(100, abs=0.2)
    assert "SUCCEEDED" not in [operation.status for operation in execution.operations if operation.path == "a"]


@pytest.mark.parametrize("where", ["a body", "the handler", "a branch"])
def test_stop_from_inside(ctx: FakeDurableContext, where: str) -> None:
    started: list[Execution] = []
    reached: list[str] = []

    def stop() -> None:
        started[0].stop("from inside")
        reached.append("stopped")

    def handler(event: Any, context: DurableContext) -> None:
        context.wait(seconds(60), name="w")
        if where == "a body":
            context.step(lambda step: stop(), name="a")
        elif where == "a branch":
            context.parallel([lambda inner: stop(), lambda inner: inner.wait(seconds(5))], name="p")
        else:
            stop()
        context.step(lambda step: reached.append("another body"), name="b")

    started.append(ctx.start(handler))
    execution = started[0].run()
    assert (execution.status, error_of(execution)) == ("STOPPED", {"ErrorMessage": "from inside"})
    # As on AWS, the code runs on up to its next checkpoint: the START of a step is sent later than its body is run.
    assert reached == (["stopped", "another body"] if where == "the handler" else ["stopped"])
    assert statuses(execution) == ["PENDING", "died"]
    assert {operation.path: operation.status for operation in execution.operations}.get("a") != "SUCCEEDED"


def test_stop_after_the_end_changes_nothing(ctx: FakeDurableContext) -> None:
    succeeded = ctx.run(lambda event, context: 5).stop("late")
    assert (succeeded.status, succeeded.result, succeeded.error) == ("SUCCEEDED", 5, None)
    events = len(succeeded.history)
    timed_out = ctx.run(waiting, execution_timeout=10).stop("late")
    assert (timed_out.status, error_of(timed_out)) == (
        "TIMED_OUT",
        {"ErrorMessage": "Execution timed out after 10 seconds."},
    )
    assert len(succeeded.stop().history) == events


def test_only_the_first_stop_counts(ctx: FakeDurableContext) -> None:
    execution = ctx.start(waiting).stop("first")
    execution.advance(5)
    execution.stop("second")
    assert error_of(execution) == {"ErrorMessage": "first"}
    assert execution.elapsed < 1
    assert [event["EventType"] for event in execution.history].count("ExecutionStopped") == 1


def test_stop_after_the_service_lost_the_invocation(ctx: FakeDurableContext) -> None:
    execution = ctx.start(lambda event, context: context.step(returns(1), name="a"), faults="invocation:outage")
    execution.stop().advance(100)
    assert (execution.status, statuses(execution), execution.operations) == ("STOPPED", ["lost"], ())


# --- stop: its error ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "stored"),
    [
        (None, DEFAULT),
        ("enough", {"ErrorMessage": "enough"}),
        (ValueError("odd"), {"ErrorMessage": "odd", "ErrorType": "ValueError"}),
        (
            ErrorObject("m", "T", "d", ["s"]),
            {"ErrorMessage": "m", "ErrorType": "T", "ErrorData": "d", "StackTrace": ["s"]},
        ),
        ({"ErrorType": "T", "ErrorMessage": "m"}, {"ErrorMessage": "m", "ErrorType": "T"}),
        ({"ErrorData": "d"}, {"ErrorData": "d"}),
    ],
)
def test_every_form_of_an_error_is_taken(ctx: FakeDurableContext, error: Any, stored: dict[str, Any]) -> None:
    execution = ctx.start(waiting).stop(error)
    assert error_of(execution) == stored
    details = execution.history[-1]["ExecutionStoppedDetails"]
    assert details["Error"]["Payload"] == stored


@pytest.mark.parametrize("error", [3, [], True, ValueError], ids=repr)
def test_what_is_no_error_is_refused_and_stops_nothing(ctx: FakeDurableContext, error: Any) -> None:
    execution = ctx.start(waiting)
    with pytest.raises(UsageError):
        execution.stop(error)
    assert execution.run().result == "over"


def test_a_dict_without_the_names_of_aws_is_refused(ctx: FakeDurableContext) -> None:
    with pytest.raises(UsageError):
        ctx.start(waiting).stop({"message": "enough"})


# --- stop: executions that invoke one another -----------------------------------------------------------------------


def test_stopping_the_invoking_execution_leaves_the_invoked_one_alone(ctx: FakeDurableContext) -> None:
    ctx.register("invoked", invoked)
    execution = ctx.start(lambda event, context: context.invoke("invoked", {}, name="call"))
    child = execution.invoked("call")
    execution.stop()
    execution.advance(100)
    assert (execution.status, execution.operation("call").status) == ("STOPPED", "STARTED")
    assert (child.status, child.result) == ("SUCCEEDED", "over")


def test_stopping_the_invoked_execution_fails_the_operation(ctx: FakeDurableContext) -> None:
    ctx.register("invoked", invoked)
    execution = ctx.start(lambda event, context: context.invoke("invoked", {}, name="call"))
    execution.invoked("call").stop(ValueError("enough"))
    execution.run()
    assert (execution.status, execution.operation("call").status) == ("FAILED", "STOPPED")
    assert error_of(execution)["ErrorMessage"] == "enough"
    assert error_of(execution)["ErrorType"].endswith("InvokeError")


# --- the timeout of the execution -----------------------------------------------------------------------------------


def test_an_execution_timeout_comes_between_a_death_and_the_next_invocation(ctx: FakeDurableContext) -> None:
    def handler(event: Any, context: DurableContext) -> None:
        os._exit(1)

    execution = ctx.run(handler, execution_timeout=5)
    assert (execution.status, statuses(execution), execution.elapsed) == ("TIMED_OUT", ["died"] * 3, 5)


def test_an_execution_timeout_ends_an_invoked_execution_and_the_operation(ctx: FakeDurableContext) -> None:
    ctx.register("invoked", invoked, execution_timeout=20)
    execution = ctx.run(lambda event, context: context.invoke("invoked", {}, name="call"))
    assert (execution.invoked("call").status, execution.operation("call").status) == ("TIMED_OUT", "TIMED_OUT")
    assert (execution.status, int(execution.elapsed)) == ("FAILED", 20)
    assert error_of(execution)["ErrorMessage"] == "CHAINED_INVOKE timed out after 20 seconds."


def test_an_execution_timeout_of_the_invoking_execution_leaves_the_invoked_one_alone(ctx: FakeDurableContext) -> None:
    ctx.register("invoked", invoked)
    execution = ctx.start(lambda event, context: context.invoke("invoked", {}, name="call"), execution_timeout=20)
    execution.advance(100)
    assert (execution.status, execution.elapsed) == ("TIMED_OUT", 20)
    assert execution.invoked("call").status == "SUCCEEDED"


@pytest.mark.parametrize("late", [False, True])
def test_a_slow_invocation_and_the_execution_timeout(ctx: FakeDurableContext, late: bool) -> None:
    ended: list[str] = []

    def body(step: Any) -> None:
        sleep(61 if late else 59)
        ended.append("body")

    execution = ctx.start(lambda event, context: context.step(body, name="a"), execution_timeout=60)
    execution.advance(1_000)
    assert (execution.status, ended) == (("TIMED_OUT", []) if late else ("SUCCEEDED", ["body"]))
    assert statuses(execution) == (["died"] if late else ["SUCCEEDED"])


# --- the timeout of an invocation -----------------------------------------------------------------------------------


def test_a_timeout_in_the_handler_itself_is_followed_by_a_replay(ctx: FakeDurableContext) -> None:
    pauses = iter([100, 0])

    def handler(event: Any, context: DurableContext) -> Any:
        first = context.step(returns(1), name="a")
        sleep(next(pauses))
        return [first, context.step(returns(2), name="b")]

    execution = ctx.run(handler, invocation_timeout=60)
    assert (execution.result, statuses(execution), gaps(execution)) == ([1, 2], ["died", "SUCCEEDED"], [1])
    assert (execution.body_runs("a"), execution.body_runs("b")) == (1, 1)
    assert execution.invocations[0].error == ("Sandbox.Timedout", "Task timed out after 60.00 seconds")


@pytest.mark.parametrize("where", ["child", "branch"])
def test_a_timeout_in_a_context_ends_all_of_them(ctx: FakeDurableContext, where: str) -> None:
    pauses = iter([100, 0])
    other: list[str] = []

    def slow(context: DurableContext) -> Any:
        context.step(returns(1), name="a")
        return context.step(lambda step: sleep(next(pauses)), name="slow")

    def beside(context: DurableContext) -> None:
        context.wait(seconds(70), name="w")
        other.append("beside")

    def handler(event: Any, context: DurableContext) -> str:
        if where == "child":
            context.run_in_child_context(slow, name="c")
        else:
            context.parallel([slow, beside], name="c")
        return "done"

    execution = ctx.run(handler, invocation_timeout=60)
    assert (execution.result, statuses(execution)[0]) == ("done", "died")
    path = "c" if where == "child" else "c/parallel-branch-0"
    assert (execution.body_runs(f"{path}/a"), execution.body_runs(f"{path}/slow")) == (1, 2)
    assert other == ([] if where == "child" else ["beside"])


def test_the_timeout_of_an_invoked_execution_is_its_own(ctx: FakeDurableContext) -> None:
    pauses = iter([100, 0])
    slow = durable_execution(lambda event, context: context.step(lambda step: sleep(next(pauses)), name="slow"))
    ctx.register("slow", slow, invocation_timeout=10)
    execution = ctx.run(lambda event, context: context.invoke("slow", {}, name="call"))
    assert (execution.status, statuses(execution)) == ("SUCCEEDED", ["PENDING", "SUCCEEDED"])
    assert statuses(execution.invoked("call")) == ["died", "SUCCEEDED"]


def test_a_timeout_of_an_invoked_plain_function_fails_the_operation(ctx: FakeDurableContext) -> None:
    ctx.register("slow", lambda event, context: sleep(100), invocation_timeout=10)
    execution = ctx.run(lambda event, context: context.invoke("slow", {}, name="call"))
    assert (execution.status, int(execution.elapsed)) == ("FAILED", 10)
    assert error_of(execution)["ErrorMessage"].endswith("Task timed out after 10.00 seconds")


def test_an_invoked_execution_that_can_never_end_is_named_by_its_path(ctx: FakeDurableContext) -> None:
    slow = durable_execution(lambda event, context: context.step(lambda step: sleep(100), name="slow"))
    ctx.register("slow", slow, invocation_timeout=10)
    with pytest.raises(ExecutionStuck, match="'call/slow' never ends within the invocation timeout of 10 s"):
        ctx.run(lambda event, context: context.invoke("slow", {}, name="call"))


# --- ends that the code brings about itself -------------------------------------------------------------------------


class Stray(BaseException):
    """Neither an error nor an exit."""


def throw(error: BaseException) -> None:
    raise error


ENDS: dict[str, tuple[Callable[[], None], str]] = {
    "sys.exit": (lambda: sys.exit(3), "died"),
    "os._exit": (lambda: os._exit(3), "died"),
    "BaseException": (lambda: throw(Stray("stray")), "died"),
    "GeneratorExit": (lambda: throw(GeneratorExit("odd")), "died"),
}
PLACES = ["handler", "body", "child", "branch", "callback", "condition"]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("end", list(ENDS))
def test_an_end_by_itself_is_followed_by_a_replay(ctx: FakeDurableContext, place: str, end: str) -> None:
    act, status = ENDS[end]
    ends = [act]
    ctx.callbacks.succeed("cb", "yes")

    def once(*arguments: Any) -> None:
        if ends:
            ends.pop()()

    def handler(event: Any, context: DurableContext) -> str:
        context.step(returns(1), name="before")
        if place == "handler":
            once()
        elif place == "body":
            context.step(once, name="a")
        elif place == "child":
            context.run_in_child_context(once, name="c")
        elif place == "branch":
            context.parallel([once, lambda inner: inner.step(returns(1), name="b")], name="p")
        elif place == "callback":
            context.wait_for_callback(once, name="cb")
        else:
            context.wait_for_condition(once, POLL_ONCE, name="poll")
        return "done"

    execution = ctx.run(handler)
    assert (execution.status, execution.result, ends) == ("SUCCEEDED", "done", [])
    assert statuses(execution)[0] == status
    assert set(statuses(execution)[1:]) <= {"PENDING", "SUCCEEDED"}
    assert (execution.body_runs("before"), gaps(execution)[0]) == (1, 1)


def test_an_exit_in_an_invoked_execution_does_not_end_the_invoking_one(ctx: FakeDurableContext) -> None:
    ends = [1]

    @durable_execution
    def exiting(event: Any, context: DurableContext) -> str:
        if ends:
            os._exit(ends.pop())
        return "second"

    ctx.register("exiting", exiting)
    execution = ctx.run(lambda event, context: context.invoke("exiting", {}, name="call"))
    assert (execution.result, statuses(execution)) == ("second", ["PENDING", "SUCCEEDED"])
    assert statuses(execution.invoked("call")) == ["died", "SUCCEEDED"]


def test_a_stray_end_in_an_at_most_once_step_fails_it(ctx: FakeDurableContext) -> None:
    def body(step: Any) -> None:
        raise Stray

    execution = ctx.run(lambda event, context: context.step(body, name="a", config=ONCE_AT_MOST))
    assert (execution.status, statuses(execution), execution.body_runs("a")) == ("FAILED", ["died", "FAILED"], 1)


# --- any completion invokes again, one invocation at a time ---------------------------------------------------------


def test_each_wait_of_a_parallel_invokes_again(ctx: FakeDurableContext) -> None:
    branches = [lambda inner, pause=pause: inner.wait(seconds(pause), name="w") for pause in (300, 20, 70, 20)]
    execution = ctx.run(lambda event, context: context.parallel(branches, name="p").success_count)
    assert (execution.result, statuses(execution)) == (4, ["PENDING"] * 3 + ["SUCCEEDED"])
    assert [round(gap) for gap in gaps(execution)] == [20, 50, 230]


def test_each_answer_to_a_callback_invokes_again_even_if_another_is_waited_for(ctx: FakeDurableContext) -> None:
    def handler(event: Any, context: DurableContext) -> list[Any]:
        made = [context.create_callback(name=name) for name in ("a", "b", "c")]
        return [callback.result() for callback in made]

    execution = ctx.start(handler)
    for name in ("c", "b", "a"):
        assert execution.status == "RUNNING"
        execution.callback(name).succeed(name)
    assert (execution.result, statuses(execution)) == (["a", "b", "c"], ["PENDING"] * 3 + ["SUCCEEDED"])


def test_answers_that_come_while_an_invocation_runs_are_one_reason_for_the_next(ctx: FakeDurableContext) -> None:
    for name, after in (("a", 1), ("b", 2), ("c", 3)):
        ctx.callbacks.succeed(name, name, after=after)

    def handler(event: Any, context: DurableContext) -> list[Any]:
        made = [context.create_callback(name=name) for name in ("a", "b", "c")]
        sleep(10)
        return [callback.result() for callback in made]

    execution = ctx.run(handler)
    assert execution.result == ["a", "b", "c"]
    assert len(execution.invocations) <= 2


def test_no_two_invocations_overlap(ctx: FakeDurableContext) -> None:
    ctx.register("plain", lambda event, context: sleep(event))

    def branch(pause: int) -> Any:
        def body(inner: DurableContext) -> None:
            inner.wait(seconds(pause), name="w")
            inner.step(lambda step: sleep(pause), name="slow")
            inner.invoke("plain", pause, name="call")

        return body

    execution = ctx.run(
        lambda event, context: context.parallel([branch(pause) for pause in (1, 2, 7, 30)], name="p").success_count
    )
    assert execution.result == 4
    assert min(gaps(execution)) >= 0


def answered_in_flight(context: DurableContext) -> Any:
    """A callback is answered while another branch works: the SDK sees it, but does not resume its branch."""

    def slow(step: Any) -> str:
        sleep(20)
        return "slow"

    tasks: list[Any] = [
        lambda inner: inner.wait_for_callback(lambda callback_id, info: None, name="approve"),
        lambda inner: inner.step(slow, name="slow"),
    ]
    return context.parallel(tasks, name="p").get_results()


def test_an_answer_that_came_in_flight_is_picked_up_without_a_pause(ctx: FakeDurableContext) -> None:
    ctx.callbacks.succeed("approve", "yes", after=5)
    execution = ctx.run(lambda event, context: answered_in_flight(context))
    assert (execution.result, statuses(execution)) == (["yes", "slow"], ["PENDING", "SUCCEEDED"])
    assert gaps(execution) == [0]


def test_pending_with_nothing_pending_is_legal_as_often_as_something_happened_in_flight(
    ctx: FakeDurableContext,
) -> None:
    ctx.callbacks.succeed("approve", "yes", after=5)
    execution = ctx.run(lambda event, context: [answered_in_flight(context) for _ in range(6)])
    assert execution.result == [["yes", "slow"]] * 6
    assert statuses(execution) == ["PENDING"] * 6 + ["SUCCEEDED"]
