"""What may be the cause of a finding: never one by itself, but worth a look where a replay went another way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from pytest_durable.errors import DurabilityViolation, OutcomeChanged, ReplayDiverged, StepRanAgain
from pytest_durable.service.investigation import Change, Investigation, Notes, differences
from pytest_durable.service.record import place_text

if TYPE_CHECKING:
    from pytest_durable.seams.reads import Read
    from pytest_durable.service.lifecycle import DurableExecution

EXPLAINED = (OutcomeChanged, ReplayDiverged, StepRanAgain)
"""The findings that suspects may explain."""

MOST = 4
"""Suspects that are named."""

WIDTH = 40
"""Characters of a value."""

CONTEXT = 10
"""Characters before the first difference, of a value that is too long to be shown whole."""


def suspects(
    execution: DurableExecution,
    violation: type[DurabilityViolation] = OutcomeChanged,
    calm: Sequence[Investigation] = (),
) -> tuple[str, ...]:
    """The suspects as text, the most likely first; none if the run was not investigated.

    Args:
        execution: what was found is about it, or about one that it invoked.
        violation: what was found; if a replay diverged, only what that replay had read before can be at fault.
        calm: fault-free runs at different paces; only where they agree a variable must be what it was there.
    """
    investigation = execution.service.investigation
    if investigation is None or not issubclass(violation, EXPLAINED):
        return ()
    reads: dict[str, None] = {}
    variables: dict[str, None] = {}
    for one in execution.family():
        notes = investigation.of(one)
        by_any = violation is OutcomeChanged
        reads.update({_of_read(read): None for read, by in notes.reads.items() if by_any or by is notes.latest})
        variables.update(dict.fromkeys(_of_change(change, "at first") for change in notes.changes.values()))
        changes = _since_calm(notes, [run.of(one) for run in calm])
        variables.update(dict.fromkeys(_of_change(change, "without faults") for change in changes))
    for change in execution.service.outside.changes.variables:
        if not any(change.what in read for read in reads):
            values = ", ".join(map(repr, change.values))
            variables[f"{change.what} changes between invocations, as the test asks: {values}."] = None
    half = MOST // 2
    named = list(reads)[: max(half, MOST - len(variables))]
    return tuple(f"Suspect: {text}" for text in [*named, *variables][:MOST])


def _of_read(read: Read) -> str:
    through = "" if read.through is None else f", through {read.through}"
    return f"{read.what} was read outside of a step at {place_text((read.file, read.line))}{through}."


def _of_change(change: Change, when: str) -> str:
    before, now = _shortened(change.before, change.now)
    place = place_text((change.file, change.line))
    verb = "is {} on replay" if when == "at first" else "is {} here"
    return f"{change.name} at {place} was {before} {when} and {verb.format(now)}."


def _shortened(before: str, now: str) -> tuple[str, str]:
    """Two texts that differ, cut so that it shows where."""
    same = next((index for index, (a, b) in enumerate(zip(before, now, strict=False)) if a != b), len(min(before, now)))
    start = same - CONTEXT if same > WIDTH - CONTEXT else 0
    return _cut(before, start), _cut(now, start)


def _cut(text: str, start: int) -> str:
    end = start + WIDTH
    return f"{'…' if start else ''}{text[start:end]}{'…' if len(text) > end else ''}"


def _since_calm(notes: Notes, calm: Sequence[Notes]) -> Iterator[Change]:
    """The variables whose first value is not that of the fault-free runs, which agree on it; each once."""
    known = set(notes.changes)
    for moment, seen in notes.seen.items():
        before = [run.seen.get(moment) for run in calm]
        if not before or before[0] is None:
            continue
        for change in differences(before[0], seen):
            agreed = all(one is not None and one.values.get(change.name) == change.before for one in before)
            if agreed and (seen.code, change.name) not in known:
                known.add((seen.code, change.name))
                yield change
