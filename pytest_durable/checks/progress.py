"""Check 5: an execution ends. When it does not, say what it waits for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_durable.checks.finding import Finding
from pytest_durable.engine import MICROS, Stop
from pytest_durable.errors import ExecutionStuck, SuspensionSwallowed
from pytest_durable.service.callbacks import names_of, owner_of
from pytest_durable.service.chained import DEEPEST
from pytest_durable.service.output import ExecutionStatus

if TYPE_CHECKING:
    from aws_durable_execution_sdk_python.lambda_service import Operation

    from pytest_durable.service.lifecycle import DurableExecution
    from pytest_durable.service.record import InvocationRecord


def check(execution: DurableExecution, stop: Stop) -> Finding | None:
    """Look at an execution that was driven until ``stop``, and at those that it invoked."""
    for one in execution.family():
        finding = _given_up(one)
        if finding is not None:
            return finding
    if stop is not Stop.IDLE or execution.is_over:
        return None
    if any(one.in_flight is not None for one in execution.family()):
        return Finding(
            ExecutionStuck,
            "every thread of the invocation waits for another: nothing will ever happen again",
            tuple(execution.service.world.blocked()),
        )
    return Finding(
        ExecutionStuck,
        f"the execution is suspended on {', '.join(map(repr, _waited_for(execution))) or 'nothing'}, "
        "and nothing will wake it",
        _advice(execution),
    )


def _given_up(execution: DurableExecution) -> Finding | None:
    if execution.swallowed is not None:
        what, where = execution.swallowed
        return Finding(
            SuspensionSwallowed,
            f"the handler swallows {what}, at {where}, and goes on",
            ("An except clause there catches BaseException, by which the SDK suspends a handler. Catch Exception.",),
        )
    if execution.exhausted and execution.depth > DEEPEST:
        return Finding(
            ExecutionStuck,
            f"functions invoke one another without end: {DEEPEST} executions deep",
            (f"The last is '{execution.handler.name}', invoked by '{execution.prefix.split('/')[-2]}'.",),
        )
    if execution.exhausted and not any(one.exhausted for one in execution.invoked):
        return Finding(
            ExecutionStuck,
            f"the execution did not end within {len(execution.invocations)} invocations",
            ("It is invoked again and again; what ends its loop never happens here.",),
        )
    # What a function that was invoked ends with is for its caller to deal with, if that does.
    if _timed_out(execution) and execution.root.status is not ExecutionStatus.SUCCEEDED:
        return Finding(ExecutionStuck, *_too_long(execution))
    return None


def _waited_for(execution: DurableExecution) -> list[str]:
    """The operations that are open, those of invoked functions instead of the invokes that wait for them."""
    family = list(execution.family())
    waiting = {one.prefix.rstrip("/") for one in family}
    paths = [_path(one, operation) for one in family for operation in one.journal.open_operations()]
    return [path for path in paths if path not in waiting]


def _path(execution: DurableExecution, operation: Operation) -> str:
    owner = operation if operation.callback_details is None else owner_of(execution, operation.operation_id)
    return execution.path_of(owner.operation_id)


def _advice(execution: DurableExecution) -> tuple[str, ...]:
    """What to do about callbacks that nobody answers and that have no timeout."""
    open_ones = [
        names_of(one, operation.operation_id)[0]
        for one in execution.family()
        for operation in one.journal.open_operations()
        if operation.callback_details is not None
    ]
    if not open_ones:
        return ()
    return (
        f"Nobody answers the callback, and it has no timeout: give it one, or answer it in the test, as in "
        f"durable_ctx.callbacks.succeed({open_ones[0]!r}, result).",
    )


def _timed_out(execution: DurableExecution) -> bool:
    error = execution.error
    return error is not None and error.type == "Sandbox.Timedout"


def _too_long(execution: DurableExecution) -> tuple[str, tuple[str, ...]]:
    last = execution.invocations[-1]
    running = [run.path for run in last.bodies if run.outcome in (None, "interrupted")]
    what = f"'{running[-1]}'" if running else "the handler"
    seconds = execution.invocation_timeout / MICROS
    return (
        f"{what} never ends within the invocation timeout of {seconds:g} s",
        (
            *_asleep(last),
            f"Each of the {len(execution.invocations)} invocations was killed at {seconds:g} s and began it again.",
            "A step must fit into one invocation: cut it into several, or hand the work out and wait for a callback.",
        ),
    )


def _asleep(last: InvocationRecord) -> tuple[str, ...]:
    """How long it would have taken, if that is known: it timed out in its sleep."""
    if last.asleep_until is None:
        return ()
    return (f"It sleeps until {(last.asleep_until - last.started) / MICROS:g} s after the invocation began.",)
