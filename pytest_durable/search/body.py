"""The search around a whole test: its body is run again and again, each time under another plan or schedule."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from dataclasses import replace
from traceback import walk_tb
from typing import Protocol

from pytest_durable.checks import is_on
from pytest_durable.engine import Scheduler
from pytest_durable.errors import DurabilityViolation
from pytest_durable.faults import Fault, FaultPlan, Injector, Schedule
from pytest_durable.faults.oracles import Drawn
from pytest_durable.report.beside import Beside, run_again, without_faults
from pytest_durable.report.evidence import Evidence
from pytest_durable.report.failure import Failure
from pytest_durable.search.effects import Account, compare_accounts
from pytest_durable.search.phases import Budget, Tried, explore
from pytest_durable.search.quiet import disabled, disabled_now, silence
from pytest_durable.search.runner import OTHER_RUNS

_WHAT = "the test passes without faults, and not with these"


class Stage(Protocol):
    """What the body runs on, and what it needs between two runs: the durable context."""

    def begin(
        self, plan: FaultPlan, scheduler: Scheduler | None = None, investigate: bool = False, pace: int = 0
    ) -> Injector:
        """Be as at the beginning of the test; every execution from now on is under ``plan``.

        What may explain a finding is written down if it is to ``investigate``. With a ``pace``, the test is run at
        another time, takes time by chance, and draws from another seed.
        """

    def account(self) -> Account:
        """What was done to the outside world since the latest beginning."""

    def is_concurrent(self) -> bool:
        """Whether a function with concurrency of its own was run since the latest beginning."""

    def failure(self, summary: str) -> Failure:
        """The failure of the test itself, as a value: with the timeline of the latest execution."""

    def found(self, failure: Failure, evidence: Evidence | None) -> None:
        """Remember what was found, to be tried first the next time; ``evidence`` is what was run for it."""

    def evidence(self) -> Evidence | None:
        """The latest execution; None before there is one."""

    def show(self, evidence: Evidence) -> None:
        """Nothing was found; ``evidence`` is of the fault-free run."""


class Around:
    """A search for the smallest plan under which a test fails.

    Args:
        body: of the test.
        stage: that it runs on.
        checks: the names of those that are made.
    """

    def __init__(self, body: Callable[[], object], stage: Stage, checks: Collection[str]) -> None:
        self._body = body
        self._stage = stage
        self._checks = checks
        self._passed = 0
        self._calm: Evidence | None = None
        self._places: tuple[Fault, ...] = ()
        self._struck: list[Fault] = []
        self._disabled = disabled_now()
        self.runs = 0
        self._accounts: list[Account] = []

    def calibrate(self, kinds: Collection[str]) -> Injector:
        """The fault-free run, which raises what the test raises; ``kinds`` are those of the faults to come."""
        __tracebackhide__ = True
        injector, error = self.calm(kinds)
        if error is not None:
            raise self.probe(FaultPlan(), aloud=True)[1] or error
        return injector

    def calm(self, kinds: Collection[str]) -> tuple[Injector, BaseException | None]:
        """The fault-free run, silently, to hold others against if it passes; else what it failed with."""
        injector, error = self.probe(FaultPlan())
        if error is None:
            self._passed += 1
            self._calm = self._stage.evidence()
            self._accounts = [self._stage.account()]
            self._places = injector.places(kinds)
        return injector, error

    def attempt(self, plan: FaultPlan, schedule: Schedule | None = None) -> Injector:
        """Run the body under ``plan``, silently; if it fails, run it again aloud and raise what it raises."""
        __tracebackhide__ = True
        injector, error = self.probe(plan, schedule=schedule)
        self._struck += injector.struck
        if error is None:
            self._passed += 1
            return injector
        first = self._stage.evidence()
        injector, confirmed = self.probe(plan, aloud=True, schedule=schedule)
        if confirmed is not None:
            raise self._told(confirmed, injector, schedule)
        raise self._told(error, injector, schedule, first)

    def probe(
        self, plan: FaultPlan, aloud: bool = False, schedule: Schedule | None = None
    ) -> tuple[Injector, BaseException | None]:
        """Run the body under ``plan``; what it failed with, or None."""
        with disabled(self._disabled) if aloud else silence():
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
            if type(error).__name__ != "Failed" or _is_out_of_time(error):  # a skip, or an interrupt, ends it all
                raise  # what is left is of pytest.fail
            return injector, error
        return injector, None if scheduler is not None else self._effects_of(injector)

    def _effects_of(self, injector: Injector) -> DurabilityViolation | None:
        """What was done twice, or not at all, other than in the fault-free run and in those at other paces."""
        account = self._stage.account()
        if not injector.struck or not (account.deeds or (self._accounts and self._accounts[0].deeds)):
            return None
        failure, evidence = self._stage.failure(injector.in_words()), self._stage.evidence()
        found = None
        for accounts in self._fault_free():
            found = compare_accounts(accounts[0], account, accounts[1:])
            if found is None:
                return None
        assert found is not None
        if not is_on(found.violation, self._checks):
            return None
        summary = f"{failure.summary}, {found.summary}"
        failure = replace(failure, violation=found.violation.__name__, summary=summary, explanation=found.explanation)
        return found.violation(failure, evidence)

    def _fault_free(self) -> Iterator[list[Account]]:
        """What fault-free runs do: of the first, then of that and one more at another pace, and so on.

        A test that fails at another pace has done something else by then, and so nothing is compared.
        """
        for number in range(1 + OTHER_RUNS):
            if number == len(self._accounts):
                self._stage.begin(FaultPlan(), pace=number)
                self.runs += 1
                with silence(), suppress(Exception):
                    self._body()
                self._accounts.append(self._stage.account())
            yield self._accounts[: number + 1]

    def _told(
        self, error: BaseException, injector: Injector, schedule: Schedule | None, first: Evidence | None = None
    ) -> BaseException:
        """The error with what led to it: in its failure, or in a note; ``first`` if only the first run had it."""
        violation = error if isinstance(error, DurabilityViolation) else None
        failure = self._stage.failure(_WHAT) if violation is None else violation.failure
        order, kills, again = str(schedule or ""), len(injector.struck), self._stage.evidence()
        evidence = self._evidence(first or (again if violation is None else violation.evidence))
        beside: Beside | None = None
        look: tuple[str, ...] = ()
        if first is not None and again is not None:
            beside, look = run_again(again.execution, first.execution)
        elif evidence is not None and evidence.calm is not None and (kills or order):
            beside = without_faults(evidence.calm, kills, order)
        failure = replace(
            failure,
            plan=str(FaultPlan(injector.struck)),
            schedule=order,
            timeline=failure.timeline if beside is None or evidence is None else beside.with_(evidence.execution),
            explanation=(*look, *failure.explanation),
            kills=kills,
            passed=self._passed,
            reproduced=first is None,
            searched=True,
        )
        self._stage.found(failure, evidence)
        if violation is not None:
            violation.failure, violation.evidence = failure, evidence
        else:
            error.add_note(failure.render())
        return error

    def _evidence(self, evidence: Evidence | None) -> Evidence | None:
        if evidence is None or self._calm is None:
            return evidence
        return replace(evidence, calm=self._calm.execution, places=self._places, killed=tuple(self._struck))

    def passed(self) -> None:
        """Hand over the fault-free run: nothing was found."""
        evidence = self._evidence(self._calm)
        if evidence is not None:
            self._stage.show(evidence)


def _is_out_of_time(error: BaseException) -> bool:
    """Whether pytest-timeout raised it, by ``pytest.fail`` as well: its time is that of all runs, and is over."""
    frames = walk_tb(error.__traceback__)
    return any(frame.f_globals.get("__name__") == "pytest_timeout" for frame, _ in frames)


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
    search = Around(body, stage, budget.checks)
    if budget.only is not None:  # whose failure is of interest, not whether it passes without
        if budget.only or budget.schedule:
            search.calm(budget.kinds)
        return Tried(killed=tuple(search.attempt(budget.only, budget.schedule).struck))
    calm = search.calibrate(budget.kinds)
    with silence():
        tried = explore(search, calm, stage.is_concurrent(), budget)
    search.passed()
    return tried
