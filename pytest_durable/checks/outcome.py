"""Check 3: the execution ends as it does without faults.

What two fault-free runs, at other times and at another pace, do not agree on is not compared: a random id in the
result, or the time it took, is not an error. And an at-most-once step that was interrupted may fail: it promised so.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_durable.checks.finding import Finding
from pytest_durable.errors import OutcomeChanged

if TYPE_CHECKING:
    from pytest_durable.service.lifecycle import DurableExecution


@dataclass(frozen=True)
class Outcome:
    """How an execution ended.

    Attributes:
        status: of the execution.
        result: decoded; None unless it succeeded.
        error: type and message; None unless it failed.
        given_up: whether it failed because the service gave up invoking it: the error is that of the last invocation.
    """

    status: str
    result: Any
    error: tuple[str | None, str | None] | None
    given_up: bool = False

    @classmethod
    def of(cls, execution: DurableExecution) -> Outcome:
        """The outcome of an execution that is over."""
        error = None if execution.error is None else (execution.error.type, execution.error.message)
        result = None if execution.result is None else json.loads(execution.result)
        return cls(execution.status.value, result, error, execution.given_up)

    def __str__(self) -> str:
        if self.error is not None:
            return f"{self.status} {self.error[0]}: {self.error[1]}"
        text = json.dumps(self.result, ensure_ascii=False)
        return f"{self.status} {text if len(text) <= 200 else text[:199] + '…'}"


def differs(reference: Outcome, found: Outcome, others: Sequence[Outcome] = ()) -> bool:
    """Whether ``found`` differs from ``reference`` in something on which ``reference`` and all ``others`` agree."""
    if any(other.status != reference.status for other in others):
        return False
    if reference.status != found.status:
        return True
    if reference.given_up and found.given_up:
        return False  # which of the many failed invocations was the last is all that a kill can change
    return _values_differ(reference.error, found.error, [other.error for other in others]) or _values_differ(
        reference.result, found.result, [other.result for other in others]
    )


def _values_differ(reference: Any, found: Any, others: Sequence[Any]) -> bool:
    """Compare leaf by leaf, leaving out the leaves on which the fault-free values disagree."""
    keys = _keys(reference)
    if any(_keys(other) != keys or type(other) is not type(reference) for other in others):
        return False
    if keys is None:
        agreed = all(other == reference for other in others)
        return agreed and (type(reference) is not type(found) or bool(reference != found))
    if type(found) is not type(reference) or _keys(found) != keys:
        return True
    return any(_values_differ(reference[key], found[key], [other[key] for other in others]) for key in keys)


def _keys(value: Any) -> list[Any] | None:
    """The keys of an object, the indices of an array, None for a leaf."""
    if isinstance(value, dict):
        return sorted(value)
    return list(range(len(value))) if isinstance(value, list | tuple) else None


def was_interrupted(execution: DurableExecution) -> bool:
    """Whether an at-most-once step was interrupted by a kill, and so was allowed to fail."""
    return any(record.interrupted for one in execution.family() for record in one.invocations)


def finding(
    reference: Outcome, found: Outcome, named: tuple[str, str] = ("Without faults", "With the kill")
) -> Finding:
    """The finding that ``found`` is not what the fault-free runs end with; ``named`` says what the two are."""
    same = reference.status == found.status
    what = "gives another result" if same else f"ends {found.status} instead of {reference.status}"
    return Finding(OutcomeChanged, f"the execution {what}", tuple(_changes(reference, found, named)))


def _changes(reference: Outcome, found: Outcome, named: tuple[str, str]) -> list[str]:
    """What changed, a line each: the leaves of the result if there are few, else the outcomes as a whole."""
    leaves = list(changed_leaves("result", reference.result, found.result)) if reference.status == found.status else []
    if reference.error is None and 0 < len(leaves) <= 5:
        where = named[0][0].lower() + named[0][1:]
        return [f"{path} is {found_value}, and {value} {where}." for path, value, found_value in leaves]
    width = max(map(len, named)) + 1
    return [f"{f'{name}:':{width}} {one}" for name, one in zip(named, (reference, found), strict=True)]


def changed_leaves(path: str, reference: Any, found: Any) -> Iterator[tuple[str, str, str]]:
    """Where two values differ: the path, and what each has there, as JSON that may be cut off."""
    if isinstance(reference, dict) and isinstance(found, dict) and reference.keys() == found.keys():
        for key in reference:
            yield from changed_leaves(f"{path}[{key!r}]", reference[key], found[key])
    elif isinstance(reference, list) and isinstance(found, list) and len(reference) == len(found):
        for index, (one, other) in enumerate(zip(reference, found, strict=True)):
            yield from changed_leaves(f"{path}[{index}]", one, other)
    elif type(reference) is not type(found) or reference != found:
        yield path, _short(reference), _short(found)


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else text[:59] + "…"
