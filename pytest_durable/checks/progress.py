"""Check 5: an execution ends. When it does not, say what it waits for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_durable.checks.finding import Finding
from pytest_durable.engine import MICROS, Stop
from pytest_durable.errors import ExecutionStuck, SuspensionSwallowed
from pytest_durable.service.callbacks import names_of, owner_of
from pytest_durable.service.chained import DEEPEST
from pytest_durable.service.output import ExecutionStatus
from pytest_durable.service.record import place_text

if TYPE_CHECKING:
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
    waited_for = _waited_for(execution)
    return Finding(
        ExecutionStuck,
        f"the execution is suspended on {', '.join(map(repr, waited_for)) or 'nothing'}, and nothing will wake it",
        (*_advice(execution), *_made(waited_for)),
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
            (
                "It is invoked again and again; what ends its loop never happens here.",
                *_made(_waited_for(execution)),
            ),
        )
    # What a function that was invoked ends with is for its caller to deal with, if that does.
    if _timed_out(execution) and execution.root.status is not ExecutionStatus.SUCCEEDED:
        return Finding(ExecutionStuck, *_too_long(execution))
    return None


def _waited_for(execution: DurableExecution) -> dict[str, str]:
    """The operations that are open, and where they were made; for the invoke of a function what that waits for."""
    family = list(execution.family())
    waiting = {one.prefix.rstrip("/") for one in family}
    paths: dict[str, str] = {}
    for one in family:
        for operation in one.journal.open_operations():
            owner = operation if operation.callback_details is None else owner_of(one, operation.operation_id)
            paths[one.path_of(owner.operation_id)] = _place(one, owner.operation_id)
    return {path: place for path, place in paths.items() if path not in waiting}


def _place(execution: DurableExecution, operation_id: str) -> str:
    asked = execution.asked.get(operation_id)  # nobody asked for a branch
    return place_text(None if asked is None else asked.place)


def _made(places: dict[str, str]) -> tuple[str, ...]:
    """Where the user's code has made operations; of many the first ones."""
    known = [f"'{path}' was made at {place}" for path, place in places.items() if place != "?"]
    return (f"{', '.join(known[:3])}.",) if known else ()


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
        *(
            f"An answer is declared for {name!r}: no callback has that name."
            for name in execution.service.callbacks.unmet()
        ),
    )


def _timed_out(execution: DurableExecution) -> bool:
    error = execution.error
    return error is not None and error.type == "Sandbox.Timedout"


def _too_long(execution: DurableExecution) -> tuple[str, tuple[str, ...]]:
    last = execution.invocations[-1]
    running = [run for run in last.bodies if run.outcome in (None, "interrupted")]
    what = f"'{running[-1].path}'" if running else "the handler"
    seconds = execution.invocation_timeout / MICROS
    return (
        f"{what} never ends within the invocation timeout of {seconds:g} s",
        (
            *_asleep(last),
            f"Each of the {len(execution.invocations)} invocations was killed at {seconds:g} s and began it again.",
            *_ways_out(last),
            *_made({run.path: _place(execution, run.operation_id) for run in running[-1:]}),
        ),
    )


def _ways_out(last: InvocationRecord) -> tuple[str, ...]:
    # A name that is no text ends the SDK's own thread, for which the handler then waits until it is killed.
    unnameable = [asked for asked in last.asked.values() if callable(asked.name)]
    if unnameable:
        return tuple(
            f"context.{asked.method} at {place_text(asked.place)} was given a function as its name, which cannot be "
            "stored: the function comes first, and then the name."
            for asked in unnameable
        )
    return ("A step must fit into one invocation: cut it into several, or hand the work out and wait for a callback.",)


def _asleep(last: InvocationRecord) -> tuple[str, ...]:
    """How long it would have taken, if that is known: it timed out in its sleep."""
    if last.asleep_until is None:
        return ()
    return (f"It sleeps until {(last.asleep_until - last.started) / MICROS:g} s after the invocation began.",)
