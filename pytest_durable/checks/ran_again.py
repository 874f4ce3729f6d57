"""Check 1: no body runs again after it has completed; neither as the same operation, nor under another id.

The second happens when a replay asks for something else: the operation's stored result goes to another call, and its
own body is run again for an operation that looks new.
"""

from __future__ import annotations

from types import CodeType
from typing import TYPE_CHECKING

from pytest_durable.checks.finding import Finding
from pytest_durable.errors import StepRanAgain
from pytest_durable.service.record import place_text

if TYPE_CHECKING:
    from pytest_durable.service.lifecycle import DurableExecution
    from pytest_durable.service.record import BodyRun, InvocationRecord


def check(execution: DurableExecution) -> Finding | None:
    """Look for a body that ran although its result was stored."""
    for record in execution.invocations:
        for run in record.bodies:
            if run.completed_before:
                return _finding(run.path, record, run, None)
    return _under_another_id(execution)


def _under_another_id(execution: DurableExecution) -> Finding | None:
    """A replay that gave the stored result of a body to another call, and then ran that body as a new operation."""
    for divergence in execution.divergences:
        before, now = divergence.before, divergence.now
        for code in before.code:
            if code is None or (now is not None and code in now.code):
                continue
            completed = _completed(execution, code, divergence.invocation)
            for record in execution.invocations[divergence.invocation - 1 :]:
                for run in record.bodies:
                    if run.code == code and completed - {run.operation_id}:
                        record.alarms.add(run.operation_id)  # which the journal alone could not know
                        return _finding(before.path, record, run, before.path)
    return None


def _completed(execution: DurableExecution, code: CodeType, before: int) -> set[str]:
    """Ids of the operations whose body ``code`` returned, and was stored, before invocation number ``before``."""
    return {
        run.operation_id
        for record in execution.invocations[: before - 1]
        for run in record.bodies
        if run.code == code and run.outcome == "returned" and execution.journal.is_terminal(run.operation_id)
    }


def _finding(path: str, record: InvocationRecord, run: BodyRun, robbed: str | None) -> Finding:
    asked = record.asked.get(run.operation_id)
    where = place_text(None if asked is None else asked.place)
    explanation = [f"The body ran in invocation {record.number}, from {where}, although its result was stored."]
    if robbed is not None and robbed != run.path:
        explanation.append(f"It ran as operation '{run.path}': the replay numbers its operations differently.")
    elif robbed is not None:
        explanation.append("The replay numbers its operations differently, so its stored result went to another call.")
    return Finding(StepRanAgain, f"step '{path}' ran again after it had completed", tuple(explanation))
