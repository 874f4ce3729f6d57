"""Check 3: the execution ends as it does without faults.

What two fault-free runs, at other times and at another pace, do not agree on is not compared: a random id in the
result, or the time it took, is not an error. And an at-most-once step that was interrupted may fail: it promised so.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_durable.checks.finding import Finding
from pytest_durable.errors import OutcomeChanged

if TYPE_CHECKING:
    from pytest_durable.service.lifecycle import DurableExecution

_ABSENT = object()


@dataclass(frozen=True)
class Outcome:
    """How an execution ended.

    Attributes:
        status: of the execution.
        result: decoded; None unless it succeeded.
        error: type and message; None unless it failed.
    """

    status: str
    result: Any
    error: tuple[str | None, str | None] | None

    @classmethod
    def of(cls, execution: DurableExecution) -> Outcome:
        """The outcome of an execution that is over."""
        error = None if execution.error is None else (execution.error.type, execution.error.message)
        result = None if execution.result is None else json.loads(execution.result)
        return cls(execution.status.value, result, error)

    def __str__(self) -> str:
        if self.error is not None:
            return f"{self.status} {self.error[0]}: {self.error[1]}"
        text = json.dumps(self.result, ensure_ascii=False)
        return f"{self.status} {text if len(text) <= 200 else text[:199] + '…'}"


def differs(reference: Outcome, found: Outcome, other: Outcome | None = None) -> bool:
    """Whether ``found`` differs from ``reference`` in something on which ``reference`` and ``other`` agree."""
    if other is not None and reference.status != other.status:
        return False
    if reference.status != found.status:
        return True
    if reference.error is not None and found.error is not None:
        agreed = [other is None or other.error is None or a == b for a, b in _pairs(reference, other)]
        return any(a != b and keep for (a, b), keep in zip(_pairs(reference, found), agreed, strict=True))
    return _values_differ(reference.result, found.result, _ABSENT if other is None else other.result)


def _pairs(one: Outcome, two: Outcome | None) -> list[tuple[str | None, str | None]]:
    first = one.error or (None, None)
    second = first if two is None or two.error is None else two.error
    return list(zip(first, second, strict=True))


def _values_differ(reference: Any, found: Any, other: Any) -> bool:
    """Compare leaf by leaf, leaving out the leaves on which the two fault-free values disagree."""
    if other is not _ABSENT and type(other) is not type(reference):
        return False
    if isinstance(reference, dict) and isinstance(found, dict):
        if other is not _ABSENT and other.keys() != reference.keys():
            return False
        return reference.keys() != found.keys() or any(
            _values_differ(reference[key], found[key], _ABSENT if other is _ABSENT else other[key]) for key in reference
        )
    if isinstance(reference, list) and isinstance(found, list):
        if other is not _ABSENT and len(other) != len(reference):
            return False
        return len(reference) != len(found) or any(
            _values_differ(a, b, _ABSENT if other is _ABSENT else other[index])
            for index, (a, b) in enumerate(zip(reference, found, strict=True))
        )
    if other is not _ABSENT and other != reference:
        return False
    return type(reference) is not type(found) or bool(reference != found)


def was_interrupted(execution: DurableExecution) -> bool:
    """Whether an at-most-once step was interrupted by a kill, and so was allowed to fail."""
    return any(
        (update.error.type or "").endswith("StepInterruptedError")
        for record in execution.invocations
        for update in record.updates
        if update.error is not None
    )


def finding(reference: Outcome, found: Outcome) -> Finding:
    """The finding that ``found`` is not what the fault-free runs end with."""
    same = reference.status == found.status
    what = "gives another result" if same else f"ends {found.status} instead of {reference.status}"
    return Finding(OutcomeChanged, f"the execution {what}", tuple(_changes(reference, found)))


def _changes(reference: Outcome, found: Outcome) -> list[str]:
    """What changed, a line each: the leaves of the result if there are few, else the outcomes as a whole."""
    leaves = list(_changed_leaves("result", reference.result, found.result)) if reference.status == found.status else []
    if reference.error is None and 0 < len(leaves) <= 5:
        return [f"{path} is {found_value}, and {value} without faults." for path, value, found_value in leaves]
    return [f"Without faults: {reference}", f"With the kill:  {found}"]


def _changed_leaves(path: str, reference: Any, found: Any) -> Iterator[tuple[str, str, str]]:
    if isinstance(reference, dict) and isinstance(found, dict) and reference.keys() == found.keys():
        for key in reference:
            yield from _changed_leaves(f"{path}[{key!r}]", reference[key], found[key])
    elif isinstance(reference, list) and isinstance(found, list) and len(reference) == len(found):
        for index, (one, other) in enumerate(zip(reference, found, strict=True)):
            yield from _changed_leaves(f"{path}[{index}]", one, other)
    elif type(reference) is not type(found) or reference != found:
        yield path, _short(reference), _short(found)


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else text[:59] + "…"
