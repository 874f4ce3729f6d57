"""What must hold for every run: one property per file.

A check reads what was recorded and returns a `Finding` or None. It must never be wrong about a correct handler.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_durable.checks import effects, ran_again, replay
from pytest_durable.checks.finding import Finding
from pytest_durable.checks.reached import check_reached

if TYPE_CHECKING:
    from pytest_durable.service.lifecycle import DurableExecution

__all__ = ["Finding", "check_reached", "check_run"]


def check_run(execution: DurableExecution) -> Finding | None:
    """The first finding of the checks that need nothing but the run itself, the gravest first."""
    for one in execution.family():
        found = ran_again.check(one) or replay.check(one) or effects.check(one)
        if found is not None:
            return found
    return None
