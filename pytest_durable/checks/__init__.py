"""What must hold for every run: one property per file.

A check reads what was recorded and returns a `Finding` or None. It must never be wrong about a correct handler.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from pytest_durable.checks import effects, progress, ran_again, replay
from pytest_durable.checks.finding import Finding
from pytest_durable.checks.reached import check_reached
from pytest_durable.engine import Stop
from pytest_durable.errors import (
    DurabilityViolation,
    EffectLost,
    EffectRepeated,
    ExecutionStuck,
    OutcomeChanged,
    ReplayDiverged,
    StepRanAgain,
    SuspensionSwallowed,
)

if TYPE_CHECKING:
    from pytest_durable.service.lifecycle import DurableExecution

__all__ = ["Finding", "check_reached", "check_run", "is_on"]

_NAMES: dict[type[DurabilityViolation], str] = {
    StepRanAgain: "rerun",
    ReplayDiverged: "replay",
    OutcomeChanged: "outcome",
    EffectRepeated: "effects",
    EffectLost: "effects",
    ExecutionStuck: "progress",
    SuspensionSwallowed: "suspension",
}


def is_on(violation: type[DurabilityViolation], checks: Collection[str]) -> bool:
    """Whether the check that finds such violations is among ``checks``, by name."""
    return _NAMES[violation] in checks


def check_run(execution: DurableExecution, stop: Stop, checks: Collection[str]) -> Finding | None:
    """The first finding of the checks that need nothing but the run itself, the gravest first.

    Args:
        execution: that was run.
        stop: why it is driven no further.
        checks: the names of those that are made.
    """
    found = progress.check(execution, stop)
    if found is not None and is_on(found.violation, checks):
        return found
    for one in execution.family():
        for check in (ran_again.check, replay.check, effects.check):
            found = check(one)
            if found is not None and is_on(found.violation, checks):
                return found
    return None
