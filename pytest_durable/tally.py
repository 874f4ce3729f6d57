"""What was done in one test, for the summary line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_durable.advice import Advice


@dataclass
class Tally:
    """What was done in one test.

    Attributes:
        runs: executions that were run.
        searches: how often `FakeDurableContext.verify` was called.
        safe: how many of them found nothing.
        killed: at how many places those killed.
        places: at how many places a kill could land in them.
        advice: about what was run; None if it is not gathered.
    """

    runs: int = 0
    searches: int = 0
    safe: int = 0
    killed: int = 0
    places: int = 0
    advice: dict[Advice, None] | None = None
