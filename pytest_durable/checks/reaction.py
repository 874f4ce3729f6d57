"""Whether a handler has taken notice of an at-most-once step that was interrupted, so that it may have left it undone.

Whoever does something else then, or tells the caller, has dealt with it. Whoever goes on as if nothing had happened
takes an interruption for a success.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pytest_durable.checks.outcome import Outcome, changed_leaves
from pytest_durable.service.operations import details_of

if TYPE_CHECKING:
    from pytest_durable.service.lifecycle import DurableExecution


def took_notice(reference: DurableExecution, execution: DurableExecution) -> bool:
    """Whether an execution with an interrupted step did, or returned, something that one without faults does not.

    A result that differs only in what a step has read tells nothing: the step may have seen that something is missing,
    the handler has not.
    """
    if Outcome.of(reference).status != Outcome.of(execution).status:
        return True
    if _effects(execution) - _effects(reference) or _asked(execution) - _asked(reference):
        return True
    read = _values(execution) - _values(reference)
    changes = changed_leaves("result", Outcome.of(reference).result, Outcome.of(execution).result)
    return any(found not in read for _, _, found in changes)


def _effects(execution: DurableExecution) -> set[str]:
    return {effect.name for one in execution.family() for effect in one.effects}


def _asked(execution: DurableExecution) -> set[tuple[str, str, str]]:
    """What was asked for: method, path, and duration or payload."""
    return {(asked.method, asked.path, asked.detail) for one in execution.family() for asked in one.asked.values()}


def _values(execution: DurableExecution) -> set[str]:
    """Every value that an operation returned, and every value in it, as JSON."""
    found: set[str] = set()
    for one in execution.family():
        for operation in one.journal.operations.values():
            details = details_of(operation)
            text = None if details is None else details.result
            if text is not None:
                try:
                    _gather(json.loads(text), found)
                except ValueError:  # a serdes of the user's own
                    found.add(json.dumps(text))
    return found


def _gather(value: Any, found: set[str]) -> None:
    found.add(json.dumps(value, ensure_ascii=False))
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        _gather(item, found)
