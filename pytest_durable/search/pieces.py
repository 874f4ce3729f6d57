"""Holding the operations of a suspended execution against those that it makes if it waits within one invocation."""

from __future__ import annotations

from collections.abc import Iterable

from pytest_durable.checks import Finding
from pytest_durable.errors import OutcomeChanged
from pytest_durable.search.runner import Run
from pytest_durable.service.record import place_text

_Operations = dict[tuple[str, str], str]
"""What made each operation, by method and path: ``file:line``."""


def other_operations(
    suspended: Run, whole: Run, all_suspended: Iterable[Run], all_whole: Iterable[Run]
) -> Finding | None:
    """An operation that is made if the execution is suspended, and never if it is not; or the other way round.

    Only whether it is made counts, not with what: that may be the time, or a draw.

    Args:
        suspended: a run without faults.
        whole: the same, waiting within one invocation.
        all_suspended: the same at other paces, for as long as there is something to object to.
        all_whole: likewise, within one invocation.
    """
    made, unsuspended = _operations(suspended), _operations(whole)
    left_out, added = _not_in(made, unsuspended), _not_in(unsuspended, made)
    for there in map(_operations, all_whole if left_out or added else ()):
        left_out, added = _in(there, left_out), _not_in(there, added)
    for there in map(_operations, all_suspended if left_out or added else ()):
        left_out, added = _not_in(there, left_out), _in(there, added)
    for differing, what, instead in ((left_out, "leaves out", "makes it"), (added, "makes", "does not")):
        for (method, path), place in differing.items():
            summary = f"suspended and replayed, the execution {what} {method} '{path}'"
            return Finding(
                OutcomeChanged, summary, (f"In one invocation, with the same waits, it {instead}: {place}.",)
            )
    return None


def _in(there: _Operations, those: _Operations) -> _Operations:
    return {key: place for key, place in those.items() if key in there}


def _not_in(there: _Operations, those: _Operations) -> _Operations:
    return {key: place for key, place in those.items() if key not in there}


def _operations(run: Run) -> _Operations:
    return {
        (asked.method, asked.path): place_text(asked.place)
        for one in run.execution.family()
        for asked in one.asked.values()
    }
