"""What was run in a test, kept for whoever draws it: references, of which a picture is made only if it is asked for."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_durable.faults import Fault
    from pytest_durable.service.lifecycle import DurableExecution

MOST_RUNS = 5
"""Executions that are kept of one test."""


@dataclass(frozen=True)
class Evidence:
    """One execution, and what it is to be held against.

    Attributes:
        execution: that was run.
        calm: the fault-free run of the same search; None if there was none.
        places: every place at which a fault could strike in the fault-free run, in order.
        killed: those at which the search has struck so far, in order.
    """

    execution: DurableExecution
    calm: DurableExecution | None = None
    places: tuple[Fault, ...] = ()
    killed: tuple[Fault, ...] = ()


class Album:
    """The latest executions of one test; what was before them is counted.

    Attributes:
        count: how many there were.
    """

    def __init__(self) -> None:
        self._latest: deque[Evidence] = deque(maxlen=MOST_RUNS)
        self.count = 0

    def add(self, evidence: Evidence) -> None:
        """Keep one more."""
        self._latest.append(evidence)
        self.count += 1

    def clear(self) -> None:
        """Keep none: the test begins anew."""
        self._latest.clear()
        self.count = 0

    def __iter__(self) -> Iterator[Evidence]:
        return iter(self._latest)


@dataclass(frozen=True)
class Coverage:
    """How many places of one kind a search came to, and at which of them it struck.

    Attributes:
        kind: as in a plan: ``body``, ``stored``, ...
        killed: the places at which it struck, as text, in order.
        missed: the places at which it did not.
    """

    kind: str
    killed: tuple[str, ...]
    missed: tuple[str, ...]


def coverage(places: Iterable[Fault], killed: Iterable[Fault]) -> tuple[Coverage, ...]:
    """The places by kind, in the order in which an execution first came to one of each."""
    struck = {str(fault) for fault in killed}
    kinds: dict[str, list[str]] = {}
    for place in places:
        kinds.setdefault(place.kind, []).append(str(place))
    return tuple(
        Coverage(
            kind,
            tuple(place for place in found if place in struck),
            tuple(place for place in found if place not in struck),
        )
        for kind, found in kinds.items()
    )
