"""The histories of whole executions: which events there are, in which order, and whose errors they carry."""

from __future__ import annotations

import time
from collections.abc import Callable
from textwrap import dedent
from typing import Any

from aws_durable_execution_sdk_python import DurableContext, ParallelBranch, durable_execution
from aws_durable_execution_sdk_python.config import CompletionConfig, ParallelConfig
from aws_durable_execution_sdk_python.waits import WaitForConditionConfig, WaitForConditionDecision

from pytest_durable import Execution, FakeDurableContext
from tests.durable import AT_MOST_ONCE, ONCE, ONCE_AT_MOST, Flaky, attempts, fails, returns, seconds
from tests.service.histories import aws_shape, misfits

Handler = Callable[[Any, DurableContext], Any]
YEAR = 366 * 86_400


def tells(execution: Execution, expected: str) -> None:
    """Assert the types of the events, each with the name of its operation; and that AWS could have given them."""
    history = execution.history
    lines = [
        event["EventType"]
        if event["EventType"].startswith(("Execution", "Invocation"))
        else f"{event['EventType']} {event['Name']}"
        for event in history
    ]
    assert lines == dedent(expected).split("\n")[1:-1]
    assert [event["EventId"] for event in history] == list(range(1, len(history) + 1))
    times = [event["EventTimestamp"] for event in history]
    assert times == sorted(times)
    assert list(misfits({"Events": history}, aws_shape())) == []


def errors(execution: Execution, kind: str = "InvocationCompleted") -> list[str | None]:
    """The type of the error that each event of a type carries; None for none."""
    details = [event[f"{kind}Details"] for event in execution.history if event["EventType"] == kind]
    return [found["Error"]["Payload"]["ErrorType"] if "Error" in found else None for found in details]


def details(execution: Execution, kind: str) -> list[Any]:
    """The details of each event of a type."""
    return [event[f"{kind}Details"] for event in execution.history if event["EventType"] == kind]


def run(ctx: FakeDurableContext, handler: Handler, event: Any = None, **options: Any) -> Execution:
    """Run a handler with an execution timeout, as AWS always has one."""
    return ctx.run(handler, event, **{"execution_timeout": YEAR, **options})


# --- the handler ----------------------------------------------------------------------------------------------------


def test_a_handler_that_does_nothing(ctx: FakeDurableContext) -> None:
    execution = run(ctx, lambda event, context: "done", {"order": 7}, name="order-7")
    tells(
        execution,
        """
        ExecutionStarted
        InvocationCompleted
        ExecutionSucceeded
        """,
    )
    started, invocation, ended = execution.history
    assert (started["Name"], ended["Name"]) == ("order-7", "order-7")
    assert started["ExecutionStartedDetails"] == {
        "Input": {"Payload": '{"order": 7}', "Truncated": False},
        "ExecutionTimeout": YEAR,
    }
    assert ended["ExecutionSucceededDetails"]["Result"]["Payload"] == '"done"'
    [seen] = execution.invocations
    assert seen.ended is not None
    found = invocation["InvocationCompletedDetails"]
    assert found["StartTimestamp"] == seen.started.isoformat()
    assert found["EndTimestamp"] == seen.ended.isoformat() == invocation["EventTimestamp"]


def test_a_handler_that_fails(ctx: FakeDurableContext) -> None:
    def handler(event: Any, context: DurableContext) -> None:
        raise ValueError("no such order")

    execution = run(ctx, handler)
    tells(
        execution,
        """
        ExecutionStarted
        InvocationCompleted
        ExecutionFailed
        """,
    )
    assert errors(execution) == errors(execution, "ExecutionFailed") == ["ValueError"]


def test_an_execution_that_runs_out_of_time(ctx: FakeDurableContext) -> None:
    execution = run(ctx, lambda event, context: context.wait(seconds(60), name="pause"), execution_timeout=10)
    tells(
        execution,
        """
        ExecutionStarted
        WaitStarted pause
        InvocationCompleted
        ExecutionTimedOut
        """,
    )
    started, ended = execution.history[0], execution.history[-1]
    assert started["ExecutionStartedDetails"]["ExecutionTimeout"] == 10
    message = ended["ExecutionTimedOutDetails"]["Error"]["Payload"]["ErrorMessage"]
    assert message == "Execution timed out after 10 seconds."
    assert errors(execution) == [None]


def test_a_result_that_the_handler_stores_because_it_is_large(ctx: FakeDurableContext) -> None:
    large = "x" * (6 * 1024 * 1024 - 20)
    execution = run(ctx, lambda event, context: large)
    [event] = details(execution, "ExecutionSucceeded")
    assert event["Result"]["Payload"] == f'"{large}"'
    assert [event["EventType"] for event in execution.history] == [
        "ExecutionStarted",
        "InvocationCompleted",
        "ExecutionSucceeded",
    ]


# --- steps ----------------------------------------------------------------------------------------------------------


def test_a_step(ctx: FakeDurableContext) -> None:
    execution = run(ctx, lambda event, context: context.step(returns(100), name="charge"))
    tells(
        execution,
        """
        ExecutionStarted
        StepStarted charge
        StepSucceeded charge
        InvocationCompleted
        ExecutionSucceeded
        """,
    )
    step = execution.operation("charge")
    assert {(event["Id"], event["SubType"]) for event in execution.history if "SubType" in event} == {(step.id, "Step")}


def test_a_step_that_is_retried(ctx: FakeDurableContext) -> None:
    body = Flaky(1)
    execution = run(ctx, lambda event, context: context.step(body, name="charge", config=attempts(2, delay=5)))
    tells(
        execution,
        """
        ExecutionStarted
        StepStarted charge
        StepFailed charge
        InvocationCompleted
        StepStarted charge
        StepSucceeded charge
        InvocationCompleted
        ExecutionSucceeded
        """,
    )
    [failed], [succeeded] = details(execution, "StepFailed"), details(execution, "StepSucceeded")
    assert failed["RetryDetails"] == {"CurrentAttempt": 1, "NextAttemptDelaySeconds": 5}
    assert failed["Error"]["Payload"]["ErrorMessage"] == "call 1"
    assert succeeded["RetryDetails"] == {"CurrentAttempt": 2}
    assert errors(execution) == [None, None]


def test_a_step_that_fails_for_good(ctx: FakeDurableContext) -> None:
    execution = run(ctx, lambda event, context: context.step(fails(KeyError("x")), name="charge", config=ONCE))
    tells(
        execution,
        """
        ExecutionStarted
        StepStarted charge
        StepFailed charge
        InvocationCompleted
        ExecutionFailed
        """,
    )
    [failed] = details(execution, "StepFailed")
    assert failed["RetryDetails"] == {"CurrentAttempt": 1}
    assert errors(execution, "StepFailed") == ["KeyError"]
    assert errors(execution) == errors(execution, "ExecutionFailed")


def test_a_condition_that_is_polled(ctx: FakeDurableContext) -> None:
    def strategy(state: int, attempt: int) -> WaitForConditionDecision:
        if state == 2:
            return WaitForConditionDecision.stop_polling()
        return WaitForConditionDecision.continue_waiting(seconds(30))

    config = WaitForConditionConfig(wait_strategy=strategy, initial_state=0)
    execution = run(
        ctx, lambda event, context: context.wait_for_condition(lambda n, check: n + 1, config=config, name="ready")
    )
    tells(
        execution,
        """
        ExecutionStarted
        StepStarted ready
        StepSucceeded ready
        InvocationCompleted
        StepStarted ready
        StepSucceeded ready
        InvocationCompleted
        ExecutionSucceeded
        """,
    )
    polls = details(execution, "StepSucceeded")
    assert [poll["Result"]["Payload"] for poll in polls] == ["1", "2"]
    assert [poll["RetryDetails"] for poll in polls] == [
        {"CurrentAttempt": 1, "NextAttemptDelaySeconds": 30},
        {"CurrentAttempt": 2},
    ]


# --- kills ----------------------------------------------------------------------------------------------------------


def slow(step: Any) -> int:
    """A body that takes a second: the START that travels beside it is stored before it ends."""
    time.sleep(1)  # noqa: TID251  # virtual: this is a step
    return 100


def test_a_step_that_runs_again_after_a_kill_does_not_start_again(ctx: FakeDurableContext) -> None:
    execution = run(ctx, lambda event, context: context.step(slow, name="charge", config=ONCE), faults="charge:body")
    tells(
        execution,
        """
        ExecutionStarted
        StepStarted charge
        InvocationCompleted
        StepSucceeded charge
        InvocationCompleted
        ExecutionSucceeded
        """,
    )
    assert errors(execution) == ["Runtime.ExitError", None]
    assert details(execution, "StepSucceeded")[0]["RetryDetails"] == {"CurrentAttempt": 1}


def test_a_step_that_must_not_run_again_fails_after_a_kill(ctx: FakeDurableContext) -> None:
    execution = run(
        ctx, lambda event, context: context.step(slow, name="charge", config=ONCE_AT_MOST), faults="charge:body"
    )
    tells(
        execution,
        """
        ExecutionStarted
        StepStarted charge
        InvocationCompleted
        StepFailed charge
        InvocationCompleted
        ExecutionFailed
        """,
    )
    killed, failed = errors(execution)
    assert (killed, [failed]) == ("Runtime.ExitError", errors(execution, "ExecutionFailed"))
    assert details(execution, "StepFailed")[0]["RetryDetails"] == {"CurrentAttempt": 1}


def test_a_step_whose_attempts_run_at_most_once_starts_again_after_a_kill(ctx: FakeDurableContext) -> None:
    config = attempts(2, delay=5, semantics=AT_MOST_ONCE)
    execution = run(ctx, lambda event, context: context.step(slow, name="charge", config=config), faults="charge:body")
    tells(
        execution,
        """
        ExecutionStarted
        StepStarted charge
        InvocationCompleted
        StepFailed charge
        InvocationCompleted
        StepStarted charge
        StepSucceeded charge
        InvocationCompleted
        ExecutionSucceeded
        """,
    )
    assert details(execution, "StepFailed")[0]["RetryDetails"] == {"CurrentAttempt": 1, "NextAttemptDelaySeconds": 5}
    assert details(execution, "StepSucceeded")[0]["RetryDetails"] == {"CurrentAttempt": 2}
    assert errors(execution) == ["Runtime.ExitError", None, None]


def test_an_invocation_that_times_out(ctx: FakeDurableContext) -> None:
    durations = iter([10, 1])

    def handler(event: Any, context: DurableContext) -> None:
        context.step(lambda step: time.sleep(next(durations)), name="charge", config=ONCE)  # noqa: TID251  # virtual

    execution = run(ctx, handler, invocation_timeout=5)
    tells(
        execution,
        """
        ExecutionStarted
        StepStarted charge
        InvocationCompleted
        StepSucceeded charge
        InvocationCompleted
        ExecutionSucceeded
        """,
    )
    assert errors(execution) == ["Sandbox.Timedout", None]


# --- waits and contexts ---------------------------------------------------------------------------------------------


def test_a_wait(ctx: FakeDurableContext) -> None:
    execution = run(ctx, lambda event, context: context.wait(seconds(300), name="pause"))
    tells(
        execution,
        """
        ExecutionStarted
        WaitStarted pause
        InvocationCompleted
        WaitSucceeded pause
        InvocationCompleted
        ExecutionSucceeded
        """,
    )
    [started], [over] = details(execution, "WaitStarted"), details(execution, "WaitSucceeded")
    assert started["Duration"] == over["Duration"] == 300
    wait = next(event for event in execution.history if event["EventType"] == "WaitSucceeded")
    assert wait["EventTimestamp"] == started["ScheduledEndTimestamp"]


def test_a_child_context(ctx: FakeDurableContext) -> None:
    def handler(event: Any, context: DurableContext) -> Any:
        return context.run_in_child_context(lambda child: child.step(returns(1), name="charge"), name="order")

    execution = run(ctx, handler)
    tells(
        execution,
        """
        ExecutionStarted
        ContextStarted order
        StepStarted charge
        StepSucceeded charge
        ContextSucceeded order
        InvocationCompleted
        ExecutionSucceeded
        """,
    )
    order = execution.operation("order").id
    parents = {event["Name"]: event.get("ParentId") for event in execution.history if "SubType" in event}
    assert parents == {"order": None, "charge": order}


def test_a_child_context_that_fails(ctx: FakeDurableContext) -> None:
    def child(context: DurableContext) -> None:
        raise ValueError("no such order")

    execution = run(ctx, lambda event, context: context.run_in_child_context(child, name="order"))
    tells(
        execution,
        """
        ExecutionStarted
        ContextStarted order
        ContextFailed order
        InvocationCompleted
        ExecutionFailed
        """,
    )
    assert errors(execution, "ContextFailed") == ["ValueError"]


def waits(number: int) -> Any:
    """A branch that waits so many seconds."""
    return ParallelBranch(lambda context: context.wait(seconds(number), name=f"{number} s"), name=f"branch of {number}")


def test_parallel_branches_that_wait(ctx: FakeDurableContext) -> None:
    execution = run(ctx, lambda event, context: context.parallel([waits(5), waits(60)], name="both").success_count)
    tells(
        execution,
        """
        ExecutionStarted
        ContextStarted both
        ContextStarted branch of 5
        WaitStarted 5 s
        ContextStarted branch of 60
        WaitStarted 60 s
        InvocationCompleted
        WaitSucceeded 5 s
        ContextSucceeded branch of 5
        InvocationCompleted
        WaitSucceeded 60 s
        ContextSucceeded branch of 60
        ContextSucceeded both
        InvocationCompleted
        ExecutionSucceeded
        """,
    )
    started = [event["SubType"] for event in execution.history if event["EventType"] == "ContextStarted"]
    assert started == ["Parallel", "ParallelBranch", "ParallelBranch"]


def test_a_wait_that_nobody_waits_for_ends_all_the_same(ctx: FakeDurableContext) -> None:
    def handler(event: Any, context: DurableContext) -> int:
        config = ParallelConfig(completion_config=CompletionConfig(min_successful=1))
        first = context.parallel([waits(5), waits(60)], name="first", config=config)
        context.wait(seconds(300), name="pause")
        return first.success_count

    tells(
        run(ctx, handler),
        """
        ExecutionStarted
        ContextStarted first
        ContextStarted branch of 5
        WaitStarted 5 s
        ContextStarted branch of 60
        WaitStarted 60 s
        InvocationCompleted
        WaitSucceeded 5 s
        ContextSucceeded branch of 5
        ContextSucceeded first
        WaitStarted pause
        InvocationCompleted
        WaitSucceeded 60 s
        InvocationCompleted
        WaitSucceeded pause
        InvocationCompleted
        ExecutionSucceeded
        """,
    )


# --- callbacks ------------------------------------------------------------------------------------------------------


def test_a_callback_that_is_waited_for(ctx: Any) -> None:
    ctx.callbacks.succeed("approve", "yes")
    execution = run(ctx, lambda event, context: context.wait_for_callback(lambda id, info: None, name="approve"))
    tells(
        execution,
        """
        ExecutionStarted
        ContextStarted approve
        CallbackStarted approve create callback id
        StepStarted approve submitter
        StepSucceeded approve submitter
        InvocationCompleted
        CallbackSucceeded approve create callback id
        ContextSucceeded approve
        InvocationCompleted
        ExecutionSucceeded
        """,
    )
    assert execution.history[1]["SubType"] == "WaitForCallback"
    assert details(execution, "CallbackSucceeded") == [{"Result": {"Payload": "yes", "Truncated": False}}]


# --- invokes --------------------------------------------------------------------------------------------------------


def test_an_invoke_of_an_unknown_function(ctx: FakeDurableContext) -> None:
    execution = run(ctx, lambda event, context: context.invoke("nobody:1", {"order": 7}, name="ship"))
    tells(
        execution,
        """
        ExecutionStarted
        ChainedInvokeStarted ship
        ChainedInvokeFailed ship
        InvocationCompleted
        ExecutionFailed
        """,
    )
    assert errors(execution, "ChainedInvokeFailed") == ["ResourceNotFoundException"]
    assert details(execution, "ChainedInvokeStarted") == [{"FunctionName": "nobody:1"}]


def test_an_invoke_of_a_durable_function(ctx: Any) -> None:
    @durable_execution
    def ship(event: Any, context: DurableContext) -> Any:
        return context.step(returns(event["order"]), name="label")

    ctx.register("ship:1", ship)
    execution = run(ctx, lambda event, context: context.invoke("ship:1", {"order": 7}, name="ship"))
    tells(
        execution,
        """
        ExecutionStarted
        ChainedInvokeStarted ship
        InvocationCompleted
        ChainedInvokeSucceeded ship
        InvocationCompleted
        ExecutionSucceeded
        """,
    )
    [started] = details(execution, "ChainedInvokeStarted")
    assert started["FunctionName"] == "ship:1"
    assert started["Input"] == {"Payload": '{"order": 7}', "Truncated": False}
    assert started["DurableExecutionArn"] == execution.invoked("ship").arn
    assert details(execution, "ChainedInvokeSucceeded") == [{"Result": {"Payload": "7", "Truncated": False}}]
