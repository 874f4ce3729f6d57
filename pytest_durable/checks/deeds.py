"""The effects of a run in a form that can be compared with those of another: who did them, and which were cut short."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from aws_durable_execution_sdk_python.lambda_service import Operation

from pytest_durable.service.effects import Effect
from pytest_durable.service.lifecycle import DurableExecution
from pytest_durable.service.operations import BATCHES, sub_type_of
from pytest_durable.service.record import BodyRun, fingerprint, place_text

KEY = "an idempotency key"
"""Stands for the key among the details; no detail has that name, for it is no name of a parameter."""


@dataclass(frozen=True, slots=True)
class Deed:
    """An effect, and what a comparison has to know of it.

    Attributes:
        effect: as the test sees it.
        source: of which operation of which execution; the same in every run.
        was_cut: whether the body that did it was cut short: its result was never stored, so it was done for nothing.
        was_left: whether a step did it that has no end although the execution has, or is in a branch of which it is not
            sure that anybody waits for it.
        marks: the details as text, by name; without the id of the request, which a replay has another of.
        place: ``file:line`` where the user's code makes that operation, or of the handler.
    """

    effect: Effect
    source: tuple[str, str, str | None]
    was_cut: bool
    was_left: bool
    marks: Mapping[str, str]
    place: str

    @property
    def in_step(self) -> bool:
        """Whether a step did it, whose result is stored; not code that every replay runs again."""
        return self.effect.attempt is not None


def deeds_of(executions: Iterable[DurableExecution]) -> tuple[Deed, ...]:
    """The effects of all of these executions, in order."""
    return tuple(deed for execution in executions if execution.effects for deed in _deeds(execution))


def _deeds(execution: DurableExecution) -> Iterator[Deed]:
    cut, left = _cut_short(execution), _left_open(execution)
    for effect in execution.effects:
        request_id = execution.invocations[effect.invocation - 1].request_id
        marks = {name: fingerprint(value).replace(request_id, "…") for name, value in effect.details.items()}
        asked = None if effect.operation_id is None else execution.asked.get(effect.operation_id)
        yield Deed(
            effect,
            (execution.root.name, execution.prefix, effect.operation_id),
            (effect.operation_id, effect.invocation, effect.attempt) in cut,
            effect.attempt is not None and _is_in(left, execution, effect.operation_id),
            marks,
            place_text(execution.handler.place if asked is None else asked.place),
        )


def _is_in(those: Collection[str], execution: DurableExecution, operation_id: str | None) -> bool:
    """Whether this operation, or a context that it is in, is one of those."""
    for operation in _upwards(execution, operation_id):
        if operation is None:  # its start was never stored
            return execution.is_over
        if operation.operation_id in those:
            return True
    return False


def _upwards(execution: DurableExecution, operation_id: str | None) -> Iterator[Operation | None]:
    """An operation and the contexts that it is in, from within; the last is None if that was never stored."""
    while operation_id is not None:
        operation = execution.journal.operations.get(operation_id)
        yield operation
        operation_id = None if operation is None else operation.parent_id


def _left_open(execution: DurableExecution) -> set[str]:
    """Operations without an end when the execution has one, and maps and parallels that do not wait for all branches.

    Those are told by their configuration, or by a branch that has no end: which branches count is decided by a race.
    """
    if not execution.is_over:
        return set()
    found = {key for key, asked in execution.asked.items() if _takes_the_first(asked.config)}
    for operation in list(execution.journal.operations.values())[1:]:
        if operation.end_timestamp is None:
            found.add(operation.operation_id)
            if operation.callback_details is None:
                above = (one for one in _upwards(execution, operation.parent_id) if one is not None)
                batches = (one.operation_id for one in above if sub_type_of(one) in BATCHES)
                found.update(islice(batches, 1))
    return found


def _takes_the_first(config: Any) -> bool:
    completion = getattr(config, "completion_config", None)
    return completion is not None and (
        completion.min_successful is not None or getattr(completion, "should_complete", None) is not None
    )


def _cut_short(execution: DurableExecution) -> set[tuple[str | None, int, int | None]]:
    """Operation, invocation and attempt of every run of a step's body whose result was never stored.

    It was begun again with the same number; or it was interrupted, at most once, which is stored later.
    """
    cut: set[tuple[str | None, int, int | None]] = set()
    latest: dict[str, tuple[int, BodyRun]] = {}
    for record in execution.invocations:
        for operation_id in record.interrupted:
            if operation_id in latest:
                number, run = latest[operation_id]
                cut.add((operation_id, number, run.attempt))
        for run in record.bodies:
            if run.attempt is None:
                continue
            number, before = latest.get(run.operation_id, (0, None))
            if before is not None and before.attempt == run.attempt:
                cut.add((run.operation_id, number, run.attempt))
            latest[run.operation_id] = (record.number, run)
    return cut


def to_the_world(deeds: Iterable[Deed]) -> list[Deed]:
    """What the world saw: of what happened under one key only the first."""
    seen: set[tuple[str, Hashable]] = set()
    kept = []
    for deed in deeds:
        under = (deed.effect.name, deed.effect.key)
        if deed.effect.key is None or under not in seen:
            seen.add(under)
            kept.append(deed)
    return kept


Unstable = Mapping[str, Collection[str]]
"""By the name of an effect, the details (and `KEY`) that are others in each run."""


def unstable(reference: Sequence[Deed], others: Iterable[Sequence[Deed]]) -> Unstable:
    """What fault-free runs do not agree on."""
    values = _values(reference)
    differ: dict[str, set[str]] = {}
    for other in others:
        theirs = _values(other)
        for name, detail in {**values, **theirs}:
            if values.get((name, detail)) != theirs.get((name, detail)):
                differ.setdefault(name, set()).add(detail)
    return differ


def _values(deeds: Iterable[Deed]) -> dict[tuple[str, str], Counter[Hashable]]:
    found: dict[tuple[str, str], Counter[Hashable]] = {}
    for deed in deeds:
        name = deed.effect.name
        found.setdefault((name, KEY), Counter())[deed.effect.key] += 1
        for detail, text in deed.marks.items():
            found.setdefault((name, detail), Counter())[text] += 1
    return found


Identity = tuple[Hashable, ...]


def identity(deed: Deed, ignored: Unstable) -> Identity:
    """What makes it the same effect in another run: its name, and those details and that key which are not ignored."""
    name = deed.effect.name
    left_out = ignored.get(name, ())
    marks = tuple((detail, text) for detail, text in sorted(deed.marks.items()) if detail not in left_out)
    return (name, marks, None if KEY in left_out else deed.effect.key)
