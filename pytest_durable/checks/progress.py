"""Check 5: an execution ends. When it does not, say what it waits for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_durable.checks.finding import Finding
from pytest_durable.engine import MICROS, Stop
from pytest_durable.errors import ExecutionStuck, SuspensionSwallowed

if TYPE_CHECKING:
    from pytest_durable.service.lifecycle import DurableExecution


def check(execution: DurableExecution, stop: Stop) -> Finding | None:
    """Look at an execution that was driven until ``stop``."""
    if execution.swallowed is not None:
        what, where = execution.swallowed
        return Finding(
            SuspensionSwallowed,
            f"the handler swallows {what}, at {where}, and goes on",
            ("An except clause there catches BaseException, by which the SDK suspends a handler. Catch Exception.",),
        )
    if execution.exhausted:
        return Finding(
            ExecutionStuck,
            f"the execution did not end within {len(execution.invocations)} invocations",
            ("It is invoked again and again; what ends its loop never happens here.",),
        )
    if _timed_out(execution):
        return Finding(ExecutionStuck, *_too_long(execution))
    if stop is not Stop.IDLE or execution.is_over:
        return None
    if execution.in_flight is not None:
        return Finding(
            ExecutionStuck,
            "every thread of the invocation waits for another: nothing will ever happen again",
            tuple(execution.service.world.blocked()),
        )
    open_ones = [execution.path_of(operation.operation_id) for operation in execution.journal.open_operations()]
    return Finding(
        ExecutionStuck,
        f"the execution is suspended on {', '.join(map(repr, open_ones)) or 'nothing'}, and nothing will wake it",
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
            f"Each of the {len(execution.invocations)} invocations was killed at {seconds:g} s and began it again.",
            "A step must fit into one invocation: cut it into several, or hand the work out and wait for a callback.",
        ),
    )
