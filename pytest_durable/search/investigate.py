"""Runs that are made once more, to write down what may explain a finding."""

from __future__ import annotations

from pytest_durable.checks import Finding
from pytest_durable.checks.suspects import EXPLAINED
from pytest_durable.faults import FaultPlan
from pytest_durable.search.runner import Run, Runner, silence
from pytest_durable.service.investigation import Investigation


def investigated(runner: Runner, run: Run, found: Finding) -> tuple[Run, Finding]:
    """The fault-free run once more, if it finds the same again; else the one there was."""
    if not issubclass(found.violation, EXPLAINED):
        return run, found
    with silence():
        again = runner.run(FaultPlan(), investigate=True)
    if again.finding is None or again.finding.violation is not found.violation:
        return run, found
    return again, again.finding


def fault_free(runner: Runner) -> tuple[Investigation, ...]:
    """The notes on two fault-free runs, at different times and paces."""
    with silence():
        services = [runner.run(FaultPlan(), pace=pace, investigate=True).execution.service for pace in (0, 1)]
    return tuple(service.investigation for service in services if service.investigation is not None)
