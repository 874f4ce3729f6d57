"""What was done in one test, for the summary line."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pytest_durable.report.evidence import coverage

if TYPE_CHECKING:
    from pytest_durable.advice import Advice
    from pytest_durable.faults import Fault


@dataclass
class Tally:
    """What was done in one test.

    Attributes:
        runs: executions that were run.
        kills: faults that struck in them.
        searches: how often `FakeDurableContext.verify` was called.
        safe: how many of them found nothing.
        failing: in how many of those the execution does not succeed without faults either.
        killed: at how many places those killed, by the kind of the place.
        places: at how many places a kill could land in them, by the kind of the place.
        missed: the places at which they did not kill, as text.
        schedules: under how many thread schedules they were run.
        idle: faults of pinned plans that happened in none of the searches, as text.
        advice: about what was run; None if it is not gathered.
    """

    runs: int = 0
    kills: int = 0
    searches: int = 0
    safe: int = 0
    failing: int = 0
    killed: Counter[str] = field(default_factory=Counter)
    places: Counter[str] = field(default_factory=Counter)
    missed: list[str] = field(default_factory=list)
    schedules: int = 0
    idle: list[str] = field(default_factory=list)
    advice: dict[Advice, None] | None = None

    def found_safe(
        self, places: Sequence[Fault], killed: Sequence[Fault], schedules: int, idle: Sequence[Fault] = ()
    ) -> None:
        """Count a search that found nothing; in it, the faults ``idle`` of pinned plans did not happen."""
        self.idle = [text for text in map(str, idle) if text in self.idle or not self.safe]
        self.safe += 1
        self.schedules += schedules
        for kind in coverage(places, killed):
            self.killed[kind.kind] += len(kind.killed)
            self.places[kind.kind] += len(kind.killed + kind.missed)
            self.missed += kind.missed

    def packed(self) -> str:
        """As JSON: it goes from a worker of pytest-xdist to the process that writes the summary."""
        return json.dumps({**vars(self), "advice": [str(one) for one in self.advice or ()]})


def unpacked(text: str) -> dict[str, Any]:
    """The attributes of a `Tally`, of which the advice is text by now."""
    values: dict[str, Any] = json.loads(text)
    return values
