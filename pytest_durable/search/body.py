"""The search around a whole test: its body is run again and again, each time under another plan or schedule."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from typing import Protocol

from pytest_durable.engine import Scheduler
from pytest_durable.errors import DurabilityViolation
from pytest_durable.faults import FaultPlan, Injector, Schedule
from pytest_durable.faults.oracles import Drawn
from pytest_durable.report.failure import Failure
from pytest_durable.search.phases import Budget, Tried, explore
from pytest_durable.search.runner import silence

_WHAT = "the test passes without faults, and not with these"


class Stage(Protocol):
    """What the body runs on, and what it needs between two runs: the durable context."""

    def begin(self, plan: FaultPlan, scheduler: Scheduler | None, investigate: bool) -> Injector:
        """Be as at the beginning of the test; every execution from now on is under ``plan``.

        What may explain a finding is written down if it is to ``investigate``.
        """

    def is_concurrent(self) -> bool:
        """Whether a function with concurrency of its own was run since the latest beginning."""

    def failure(self, summary: str) -> Failure:
        """The failure of the test itself, as a value: with the timeline of the latest execution."""

    def found(self, failure: Failure) -> None:
        """Remember what was found, to be tried first the next time."""


class Around:
    """A search for the smallest plan under which a test fails.

    Args:
        body: of the test.
        stage: that it runs on.
    """

    def __init__(self, body: Callable[[], object], stage: Stage) -> None:
        self._body = body
        self._stage = stage
        self._passed = 0
        self.runs = 0

    def calibrate(self) -> Injector:
        """The fault-free run, which raises what the test raises."""
        injector = self._stage.begin(FaultPlan(), None, False)
        self.runs += 1
        self._body()
        self._passed += 1
        return injector

    def attempt(self, plan: FaultPlan, schedule: Schedule | None = None) -> Injector:
        """Run the body under ``plan``, silently; if it fails, run it again aloud and raise what it raises."""
        __tracebackhide__ = True
        injector, error = self.probe(plan, schedule=schedule)
        if error is None:
            self._passed += 1
            return injector
        injector, confirmed = self.probe(plan, aloud=True, schedule=schedule)
        raise self._told(confirmed or error, injector, schedule, confirmed is not None)

    def probe(
        self, plan: FaultPlan, aloud: bool = False, schedule: Schedule | None = None
    ) -> tuple[Injector, BaseException | None]:
        """Run the body under ``plan``; what it failed with, or None."""
        with nullcontext() if aloud else silence():
            return self._run(plan, None if schedule is None else schedule.oracle(), aloud)

    def probe_order(self, plan: FaultPlan, scheduler: Drawn) -> Schedule | None:
        """Run the body under a drawn order; the schedule that does the same, if it failed, else None."""
        with silence():
            _, error = self._run(plan, scheduler)
        if error is not None:
            return Schedule(scheduler.taken)
        self._passed += 1
        return None

    def _run(
        self, plan: FaultPlan, scheduler: Scheduler | None, investigate: bool = False
    ) -> tuple[Injector, BaseException | None]:
        injector = self._stage.begin(plan, scheduler, investigate)
        self.runs += 1
        try:
            self._body()
        except Exception as error:
            return injector, error
        except BaseException as error:
            if type(error).__name__ != "Failed":  # of pytest.fail; a skip, or an interrupt, ends it all
                raise
            return injector, error
        return injector, None

    def _told(
        self, error: BaseException, injector: Injector, schedule: Schedule | None, reproduced: bool
    ) -> BaseException:
        """The error with what led to it: in its failure, or in a note."""
        failure = error.failure if isinstance(error, DurabilityViolation) else self._stage.failure(_WHAT)
        failure = replace(
            failure,
            plan=str(FaultPlan(injector.struck)),
            schedule=str(schedule or ""),
            kills=len(injector.struck),
            passed=self._passed,
            reproduced=reproduced,
        )
        self._stage.found(failure)
        if isinstance(error, DurabilityViolation):
            error.failure = failure
        else:
            error.add_note(failure.render())
        return error


def around(body: Callable[[], object], stage: Stage, budget: Budget) -> Tried:
    """Run a test without faults, then under what failed the last time, every single fault, drawn plans and schedules.

    Args:
        body: of the test.
        stage: that it runs on.
        budget: how much is tried.

    Raises:
        BaseException: what the body raises under the smallest plan that makes it fail.
    """
    __tracebackhide__ = True
    search = Around(body, stage)
    if budget.only is not None:  # whose failure is of interest, not whether it passes without
        return Tried(killed=tuple(search.attempt(budget.only, budget.schedule).struck))
    calm = search.calibrate()
    return explore(search, calm, stage.is_concurrent(), budget)
