"""Replaying one moment of a recorded execution with the code of today, and what it does otherwise.

The journal of that moment is sealed: the code may not add to it, and stops where it would, each thread for itself. The
SDK stops at the first operation that is another one. To come to what lies behind it, the journal is mended there, so
that it holds what the code asks for, and replayed again; what the code does with such a borrowed result counts only
as far as it asks for other operations.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from aws_durable_execution_sdk_python.lambda_service import (
    CallbackDetails,
    ChainedInvokeDetails,
    ContextDetails,
    Operation,
    OperationStatus,
    OperationType,
    StepDetails,
    WaitDetails,
)

from pytest_durable.engine import MICROS, VirtualClock, World, micros_of
from pytest_durable.histories.past import Past, RecordedCall, sub_type
from pytest_durable.search.quiet import silence
from pytest_durable.service.handlers import Handler
from pytest_durable.service.lifecycle import DurableExecution
from pytest_durable.service.operations import sub_type_of
from pytest_durable.service.record import Asked, InvocationRecord, place_text
from pytest_durable.service.service import DurableService

WITHIN = 900
"""Virtual seconds in which a replay comes to where its journal ends: it waits for nothing but itself."""

AFTER = 2
"""Virtual seconds that its other threads have, when the first one has come there."""

MENDED = 100
"""How many operations are mended before the rest is left alone."""

_NON_DETERMINISTIC = "NonDeterministicExecutionError"

_KINDS = {
    "step": (OperationType.STEP, "Step"),
    "wait": (OperationType.WAIT, "Wait"),
    "create_callback": (OperationType.CALLBACK, "Callback"),
    "invoke": (OperationType.CHAINED_INVOKE, "ChainedInvoke"),
    "run_in_child_context": (OperationType.CONTEXT, "RunInChildContext"),
    "wait_for_condition": (OperationType.STEP, "WaitForCondition"),
    "wait_for_callback": (OperationType.CONTEXT, "WaitForCallback"),
    "map": (OperationType.CONTEXT, "Map"),
    "parallel": (OperationType.CONTEXT, "Parallel"),
}
"""What a call of each method makes, unless its config names a subtype."""


@dataclass(frozen=True)
class Difference:
    """Where the code of today does something else than what is recorded.

    Attributes:
        summary: what it comes to, in one line.
        recorded: what the history has there.
        asked: what the code does there, with its place.
    """

    summary: str
    recorded: str
    asked: str


@dataclass(frozen=True)
class Replay:
    """A replay of one moment.

    Attributes:
        execution: the service's side of it.
        differences: all of them, in the order in which the code comes to them.
        asked: what the code asks for of what is recorded, by operation id; empty if it is something else.
    """

    execution: DurableExecution
    differences: tuple[Difference, ...]
    asked: dict[str, Asked]


def replay(handler: Handler, past: Past, clock: VirtualClock, seed: int, may_fail: bool) -> Replay:
    """Replay one moment.

    Args:
        handler: of today.
        past: the moment.
        clock: that user code sees; it is set to that moment.
        seed: of the world.
        may_fail: whether it is no difference if the handler fails.
    """
    execution = _run(handler, past, past.calls, clock, seed)
    summarised = _summarised(execution, past)
    if summarised:
        past = replace(past, operations={**past.operations, **summarised})
    mended = past
    for _ in range(MENDED):
        if summarised or mended is not past:
            execution = _run(handler, mended, past.calls, clock, seed)
        wrong = _first_wrong(execution, mended)
        if wrong is None:
            break
        operation = _mend(wrong, execution, past)
        operations = {**mended.operations, operation.operation_id: operation}
        mended = replace(mended, operations=operations)
    differences = tuple(_differences(execution, past, may_fail, mended is past))
    asked = {key: one for key, one in _asked(execution).items() if key in past.calls}
    return Replay(execution, differences, {} if differences else asked)


def _run(
    handler: Handler, past: Past, calls: dict[str, RecordedCall], clock: VirtualClock, seed: int
) -> DurableExecution:
    clock.world = None
    clock.micros = micros_of(past.now)
    service = DurableService(World(clock, seed=seed), seed)
    execution = DurableExecution(
        service=service,
        handler=handler,
        name=past.name,
        payload=past.payload,
        sealed=True,
        invocation_timeout=2 * WITHIN * MICROS,
    )
    execution.patient = True
    execution.journal.restore(past.operations.values(), past.timers)
    execution.asked = dict(calls)

    def has_answered() -> bool:
        return execution.is_over or any(one.output is not None for one in execution.invocations)

    def has_come_to_its_end() -> bool:
        return has_answered() or execution.breach is not None or execution.cut_short

    try:
        with silence():
            service.drive(has_come_to_its_end, clock.micros + WITHIN * MICROS)
            service.drive(has_answered, clock.micros + AFTER * MICROS)
    finally:
        service.close()
        clock.world = None
    return execution


def _asked(execution: DurableExecution) -> dict[str, Asked]:
    return {key: one for record in execution.invocations for key, one in record.asked.items()}


def _summarised(execution: DurableExecution, past: Past) -> dict[str, Operation]:
    """The contexts that may hold the user's own summary instead of a result: to be run again over their children."""
    found = {}
    for operation_id, asked in _asked(execution).items():
        operation = past.operations.get(operation_id)
        details = None if operation is None else operation.context_details
        if details is None or details.replay_children or operation is None:
            continue
        if (
            operation.status is OperationStatus.SUCCEEDED
            and getattr(asked.config, "summary_generator", None) is not None
        ):
            found[operation_id] = replace(operation, context_details=replace(details, replay_children=True))
    return found


# --- mending ----------------------------------------------------------------------------------------------------------


def _first_wrong(execution: DurableExecution, past: Past) -> str | None:
    """The id of the first operation that is not what the SDK expects there."""
    for divergence in execution.divergences:
        if divergence.now is None:
            continue
        operation_id = _id_of(execution, divergence.now)
        operation = past.operations[operation_id]
        if (operation.name, operation.operation_type) != (divergence.now.name, _KINDS[divergence.now.method][0]):
            return operation_id
        if sub_type_of(operation) != _sub_type_of(divergence.now):
            return operation_id
    return None


def _id_of(execution: DurableExecution, asked: Asked) -> str:
    return next(key for record in execution.invocations for key, one in record.asked.items() if one is asked)


def _sub_type_of(asked: Asked) -> str:
    return getattr(asked.config, "sub_type", None) or _KINDS[asked.method][1]


def _mend(operation_id: str, execution: DurableExecution, past: Past) -> Operation:
    """What to put in the place of the operation, so that the code goes on.

    The recorded operation that the code seems to mean, if there is one: of the same kind and name and in the same
    context. Else the one in its place, under another name. Else one without a result.
    """
    asked = execution.invocations[-1].asked[operation_id]
    here = past.operations[operation_id]
    kind, sub = _KINDS[asked.method][0], _sub_type_of(asked)
    siblings = [one for one in past.operations.values() if one.parent_id == here.parent_id]
    meant = [one for one in siblings if (one.operation_type, sub_type_of(one), one.name) == (kind, sub, asked.name)]
    if meant:
        return replace(meant[0], operation_id=operation_id)
    if (here.operation_type, sub_type_of(here)) == (kind, sub):
        return replace(here, name=asked.name)
    return _done(operation_id, asked, here)


def _done(operation_id: str, asked: Asked, here: Operation) -> Operation:
    """An operation that is recorded nowhere, as if it were over, and without a result."""
    kind = _KINDS[asked.method][0]
    return Operation(
        operation_id=operation_id,
        operation_type=kind,
        status=OperationStatus.SUCCEEDED,
        parent_id=here.parent_id,
        name=asked.name,
        sub_type=sub_type(_sub_type_of(asked)),
        start_timestamp=here.start_timestamp,
        end_timestamp=here.start_timestamp,
        step_details=StepDetails(attempt=1, result="null") if kind is OperationType.STEP else None,
        wait_details=WaitDetails(here.start_timestamp) if kind is OperationType.WAIT else None,
        context_details=ContextDetails(result="null") if kind is OperationType.CONTEXT else None,
        callback_details=CallbackDetails(operation_id) if kind is OperationType.CALLBACK else None,
        chained_invoke_details=ChainedInvokeDetails("null") if kind is OperationType.CHAINED_INVOKE else None,
    )


# --- what is different -----------------------------------------------------------------------------------------------


def _differences(execution: DurableExecution, past: Past, may_fail: bool, is_itself: bool) -> Iterator[Difference]:
    found = list(differences_of(execution, past, execution.invocations))
    yield from found
    error = execution.error
    if is_itself and not found and error is not None and not may_fail:
        failed = f"{error.type}: {error.message}"
        yield Difference(f"the code fails on what is recorded: {failed}", "an execution that went on", failed)


def differences_of(execution: DurableExecution, past: Past, records: list[InvocationRecord]) -> Iterator[Difference]:
    """What the code asks for otherwise than recorded, or no longer, in the invocations of ``records``."""
    asked = {key: one for record in records for key, one in record.asked.items()}
    for divergence in execution.divergences:
        if divergence.now is not None:
            recorded, now = divergence.before, divergence.now
            summary = _summary(recorded, now, past, asked, came_to_its_end=execution.error is None)
            yield Difference(summary, text_of(recorded), text_of(now))
    yield from missing(past, records)
    if asked and past.calls and not asked.keys() & past.calls.keys():
        first, now = next(iter(past.calls.values())), next(iter(asked.values()))
        yield Difference("nothing is asked for under the ids that are recorded", text_of(first), text_of(now))
    error = execution.error
    if not execution.divergences and error is not None and (error.type or "").endswith(_NON_DETERMINISTIC):
        yield Difference("the SDK stops the replay", "an execution that went on", str(error.message))


def missing(past: Past, records: list[InvocationRecord]) -> Iterator[Difference]:
    """Recorded operations that the code did not ask for, although it came to the end of the context they are in."""
    asked = {key for record in records for key in record.asked}
    ended: set[str | None] = {
        run.operation_id for record in records for run in record.bodies if run.outcome in ("returned", "raised")
    }
    if any(record.output in ("SUCCEEDED", "FAILED") for record in records):
        ended.add(None)
    failed = any(record.output not in ("SUCCEEDED", "PENDING", None) for record in records)
    for operation_id, call in past.calls.items():
        parent_id = past.operations[operation_id].parent_id
        if operation_id not in asked and parent_id in ended and not (failed and parent_id is None):
            yield Difference(f"{named(call)} is no longer asked for", text_of(call), "nothing: it came to its end")


def changes(past: Past, done: list[Replay]) -> Iterator[str]:
    """What is asked for with something else than recorded, each once."""
    for operation_id, call in past.calls.items():
        for one in done:
            now = one.asked.get(operation_id)
            if now is not None and call.has_changed(now):
                yield f"{named(call)} is asked for with {now.detail}, and recorded with {call.detail}"
                break


def unsteady(past: Past, done: list[Replay]) -> Iterator[Difference]:
    """What the same code asks for with one thing at one moment and with another at another: it reads the clock."""
    for operation_id, call in past.calls.items():
        asked = [one.asked[operation_id] for one in done if operation_id in one.asked]
        others = [now for now in asked if now.detail != asked[0].detail]
        if others:
            summary = (
                f"{named(call)} is asked for with {asked[0].detail} at one moment, with {others[0].detail} at another"
            )
            yield Difference(summary, text_of(call), f"{text_of(asked[0])}, and {text_of(others[0])}")


def _summary(recorded: Asked, now: Asked, past: Past, asked: dict[str, Asked], came_to_its_end: bool) -> str:
    """What a difference comes to: most are the trace of one that was inserted, removed or renamed before."""
    before = {(call.method, call.name) for call in past.calls.values()}
    after = {(call.method, call.name) for call in asked.values()}
    is_new, is_gone = (now.method, now.name) not in before, (recorded.method, recorded.name) not in after
    if is_new and is_gone and (came_to_its_end or recorded.method == now.method):
        return f"{named(recorded)} has become {named(now)}"
    if is_new and not is_gone:
        return f"{named(now)} was inserted before {named(recorded)}"
    if is_gone and not is_new and came_to_its_end:
        return f"{named(recorded)} was removed before {named(now)}"
    return f"{named(now)} is where {named(recorded)} was"


def named(call: Asked) -> str:
    """``step 'charge'``."""
    if not call.name:
        return f"an unnamed {call.method}"
    return f"{call.method} {(call.path if call.path.endswith(call.name) else call.name)!r}"


def text_of(call: Asked) -> str:
    """A call with what it asks for, and its place if it is one of today."""
    detail = f" of {call.detail}" if call.detail else ""
    place = "" if call.caller is None else f" at {place_text(call.place)}"
    return f"{named(call)}{detail}{place}"
