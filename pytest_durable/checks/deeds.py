"""The effects of a run in a form that can be compared with those of another: who did them, and which were cut short."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from pytest_durable.service.effects import Effect
from pytest_durable.service.lifecycle import DurableExecution
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
        was_left: whether its step has no end although the execution has: a branch that its parallel did not wait for.
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
    cut = _cut_short(execution)
    for effect in execution.effects:
        request_id = execution.invocations[effect.invocation - 1].request_id
        marks = {name: fingerprint(value).replace(request_id, "…") for name, value in effect.details.items()}
        asked = None if effect.operation_id is None else execution.asked.get(effect.operation_id)
        yield Deed(
            effect,
            (execution.root.name, execution.prefix, effect.operation_id),
            (effect.operation_id, effect.invocation, effect.attempt) in cut,
            execution.is_over and effect.attempt is not None and _is_open(execution, effect.operation_id),
            marks,
            place_text(execution.handler.place if asked is None else asked.place),
        )


def _is_open(execution: DurableExecution, operation_id: str | None) -> bool:
    operation = execution.journal.operations.get(operation_id or "")
    return operation is None or operation.end_timestamp is None


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
