"""The search for the plan that breaks a handler, and its result."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NoReturn

from pytest_durable.checks import Finding, is_on
from pytest_durable.checks.outcome import Outcome, differs, finding, was_interrupted
from pytest_durable.errors import OutcomeChanged
from pytest_durable.execution import failure_of
from pytest_durable.faults import Fault, FaultPlan, Injector, Schedule
from pytest_durable.faults.oracles import Drawn
from pytest_durable.report.beside import Beside, run_again, without_faults
from pytest_durable.report.evidence import Evidence
from pytest_durable.search import effects
from pytest_durable.search.doubt import may_end_so
from pytest_durable.search.order import is_concurrent, may_race
from pytest_durable.search.phases import Budget, explore
from pytest_durable.search.pieces import other_operations
from pytest_durable.search.quiet import disabled, disabled_now, silence
from pytest_durable.search.runner import OTHER_RUNS, Run, Runner
from pytest_durable.service.investigation import Investigation
from pytest_durable.service.output import ExecutionStatus
from pytest_durable.service.record import place_text
from pytest_durable.service.trial import Key, Trial, answers_of

if TYPE_CHECKING:
    from aws_durable_execution_sdk_python.lambda_service import Operation

RUNS_BY_CHANCE = 30
"""As many instead, if the user's code draws by chance: a coin falls on one side five times now and then."""


@dataclass(frozen=True)
class Verification:
    """What a search that found nothing has done.

    Attributes:
        runs: how many executions were run, the fault-free ones included.
        places: every place a kill can land in the fault-free run, as text, in order.
        killed: the places at which the execution was killed, as text, in order.
        drawn: how many plans of several kills were drawn.
        schedules: under how many thread schedules it was run.
        outcome: how the fault-free run ended, as text, if it did not succeed; None if it did.
    """

    runs: int
    places: tuple[str, ...]
    killed: tuple[str, ...]
    drawn: int
    schedules: int = 0
    outcome: str | None = None

    def __str__(self) -> str:
        drawn = f", and under {self.drawn} drawn plans of several kills" if self.drawn else ""
        ended = f". But without any kill it ends {self.outcome}" if self.outcome is not None else ""
        if self.schedules:
            drawn += f", and under {self.schedules} thread schedules"
        return f"killed at {len(self.killed)} of {len(self.places)} places{drawn}: every replay was safe{ended}"


class Search:
    """The search for the smallest plan that breaks a handler.

    Args:
        runner: runs the handler.
    """

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self._reference: Run | None = None
        self._others: list[Run] = []
        self._whole: list[Run] = []
        self._answers: Mapping[Key, Operation] = {}
        self._passed = 0
        self._compares = is_on(OutcomeChanged, runner.checks)
        self._struck: list[Fault] = []
        self._disabled = disabled_now()

    def calibrate(self, is_searched: bool) -> Run:
        """The fault-free run, which every other one is compared with.

        Args:
            is_searched: whether it is asked as well if replays alone, without any fault, make a difference.

        Raises:
            DurabilityViolation: if it breaks a promise already, or does not end.
        """
        __tracebackhide__ = True
        with silence():
            run = self._runner.run(FaultPlan())
            found = run.finding
            if found is not None and found.if_stable and not self._is_stable(run):
                found = None
            if found is not None and found.if_again:
                run = self._runner.run(FaultPlan())
                found = run.finding
        self._reference = run
        if found is None and is_searched and self._compares and not may_race(run.execution.family()):
            found = self._compare_pieces(run)
        if found is None:
            found = effects.without_faults(run, self._at_other_paces())
            if found is not None and not is_on(found.violation, self._runner.checks):
                found = None
        if found is not None:
            self._report_calm(run, found)
        self._passed += 1
        return run

    def _report_calm(self, run: Run, found: Finding) -> NoReturn:
        """Run once more without faults, aloud, and raise what that finds; else what was found before.

        That it is not found again says little: a cache of the process, that was empty in its first run, is full now.
        """
        __tracebackhide__ = True
        again = self._runner.run(FaultPlan(), investigate=True)
        if run.finding is None:  # it was found by a comparison with other runs
            self._report(again, found)
        if again.finding is not None and again.finding.violation is found.violation:
            self._report(again, again.finding)
        self._report(run, found)

    def _compare_pieces(self, run: Run) -> Finding | None:
        """Whether the execution ends otherwise because it was suspended, and what came before was replayed."""
        family = list(run.execution.family())
        records = [record for one in family for record in one.invocations]
        if len(records) == len(family) or any(record.asked_for_time for record in records):
            return None  # in one piece more time remains, and so more may be done in a step
        if not is_concurrent(family):  # where the threads of the others would wait as well
            self._answers = {key: answer for one in family for key, answer in answers_of(one).items()}
        with silence():
            whole = self._runner.run(FaultPlan(), trial=Trial(in_one_piece=True, answers=self._answers))
        pieces = [len(one.invocations) for one in whole.execution.family()]
        if whole.finding is not None or max(pieces) > 1:
            self._answers = {}
            return None
        if not differs(whole.outcome, run.outcome):
            return other_operations(run, whole, self._at_other_paces(), self._in_one_piece())
        if not differs(whole.outcome, run.outcome, [other.outcome for other in self._in_one_piece()]):
            return None
        found = finding(whole.outcome, run.outcome, ("In one invocation", "Suspended"))
        return replace(found, summary="suspended and replayed, " + found.summary)

    def _is_stable(self, run: Run) -> bool:
        """Whether two fault-free runs agree on the result; if not, no replay is asked to give the same one."""
        with silence():
            other = self._runner.run(FaultPlan(), chance=1)
        pairs = zip(run.execution.family(), other.execution.family(), strict=False)
        unstable = {one.prefix for one, twin in pairs if Outcome.of(one) != Outcome.of(twin)}
        self._runner.unstable |= unstable
        return not unstable

    def attempt(self, plan: FaultPlan, schedule: Schedule | None = None) -> Injector:
        """Run under ``plan``, silently; if that finds something, run again aloud and raise it.

        Raises:
            DurabilityViolation: what was found.
        """
        __tracebackhide__ = True
        schedule = schedule or Schedule()
        run, found = self.probe(plan, schedule=schedule)
        self._struck += run.injector.struck
        if found is None:
            self._passed += 1
            return run.injector
        calm = _fault_free(self._runner) if found.violation is OutcomeChanged else ()
        again, confirmed = self.probe(plan, aloud=True, schedule=schedule)
        if confirmed is None and found.if_again:
            self._passed += 1
            return again.injector
        if confirmed is not None and confirmed.violation is found.violation:
            self._report(again, confirmed, schedule, calm)
        self._report(run, found, schedule, again=again)

    def probe(
        self, plan: FaultPlan, aloud: bool = False, schedule: Schedule | None = None
    ) -> tuple[Run, Finding | None]:
        """Run under ``plan`` and hold the run against the fault-free one.

        Under a schedule only how it ends: a result may depend on which branch is first, by design.
        """
        __tracebackhide__ = True
        with disabled(self._disabled) if aloud else silence():
            oracle = None if schedule is None else schedule.oracle()
            run = self._runner.run(plan, scheduler=oracle, investigate=aloud)
            found = self._of_the_run(run)
            if found is None:
                found = self._compare_ending(run, schedule) if schedule else self._compare(run, aloud)
            return run, found

    def _of_the_run(self, run: Run) -> Finding | None:
        """What the checks of the run found, unless it counts only where fault-free runs agree, and they do not."""
        assert self._reference is not None
        found = run.finding
        return None if found is not None and found.if_stable and not self._is_stable(self._reference) else found

    def probe_order(self, plan: FaultPlan, scheduler: Drawn) -> Schedule | None:
        """Run under a drawn order; the schedule that does the same, if something was found, else None."""
        __tracebackhide__ = True
        with silence():
            run = self._runner.run(plan, scheduler=scheduler)
            schedule = Schedule(scheduler.taken)
            found = self._of_the_run(run) or self._compare_ending(run, schedule)
        if found is not None:
            return schedule
        self._passed += 1
        return None

    def _compare_ending(self, run: Run, schedule: Schedule) -> Finding | None:
        """Whether it fails in another order of its threads, where it succeeds in the plain one.

        Alone, nothing but the order is different, neither time nor luck: which makes it a race. With a kill it must not
        be the kill's time or luck either.
        """
        assert self._reference is not None
        reference = self._reference.outcome
        if not self._compares or run.outcome.status == reference.status:
            return None
        if run.injector.struck and (was_interrupted(run.execution) or may_end_so(self._runner, run, schedule)):
            return None
        found = finding(reference, run.outcome, ("In the plain order", "In this order"))
        killed = f"{run.injector.in_words()}, " if run.injector.struck else ""
        return replace(found, summary=f"{killed}with its threads in another order, {found.summary}")

    def _at_other_paces(self) -> Iterator[Run]:
        """Fault-free runs at other paces; each is made once, when it is asked for."""
        for number in range(self._other_runs()):
            if number == len(self._others):
                with silence():
                    self._others.append(self._runner.run(FaultPlan(), pace=number + 1))
            yield self._others[number]

    def _in_one_piece(self) -> Iterator[Run]:
        """Runs that wait without being suspended: no replay is to blame for what they disagree on."""
        for number in range(self._other_runs()):
            if number == len(self._whole):
                with silence():
                    trial = Trial(in_one_piece=True, answers=self._answers)
                    self._whole.append(self._runner.run(FaultPlan(), pace=number + 1, trial=trial))
            yield self._whole[number]

    def _other_runs(self) -> int:
        return OTHER_RUNS if self._runner.chance_is_fixed else RUNS_BY_CHANCE

    def _compare(self, run: Run, is_sure: bool) -> Finding | None:
        """Whether it ends otherwise than it may; ``is_sure`` if that was found out before, and it is the last run."""
        assert self._reference is not None
        found = effects.compare(self._reference, run, self._at_other_paces())
        if found is not None and is_on(found.violation, self._runner.checks):
            return replace(found, summary=f"{run.injector.in_words()}, {found.summary}")
        reference = self._reference.outcome
        if not self._compares or not differs(reference, run.outcome) or was_interrupted(run.execution):
            return None
        agreed: list[Outcome] = []
        for other in self._in_one_piece():
            agreed.append(other.outcome)
            if not differs(reference, run.outcome, agreed):
                return None
        if not is_sure and may_end_so(self._runner, run):
            return None
        found = finding(reference, run.outcome)
        explanation = (*found.explanation, *_repeated(run))
        return replace(found, summary=f"{run.injector.in_words()}, {found.summary}", explanation=explanation)

    def _report(
        self,
        run: Run,
        found: Finding,
        schedule: Schedule | None = None,
        calm: Sequence[Investigation] = (),
        again: Run | None = None,
    ) -> NoReturn:
        """Raise what was found in ``run``; ``again`` is a run of the same plan in which it was not."""
        __tracebackhide__ = True
        order = str(schedule or "")
        beside = self._beside(run, order)
        look: tuple[str, ...] = ()
        if again is not None:
            beside, look = run_again(again.execution, run.execution)
        failure = failure_of(run.execution, run.injector, found, calm, beside, order)
        explanation = (*look, *failure.explanation)
        failure = replace(
            failure, explanation=explanation, passed=self._passed, reproduced=again is None, searched=True
        )
        self._runner.raise_finding(failure, found, self._evidence(run))

    def _beside(self, run: Run, schedule: str) -> Beside | None:
        """What the run is shown beside: the one without faults; None if it is that."""
        if self._reference is None or not (run.injector.struck or schedule):
            return None
        return without_faults(self._reference.execution, len(run.injector.struck), schedule)

    def _evidence(self, run: Run) -> Evidence:
        calm = self._reference
        if calm is None:
            return Evidence(run.execution)
        places = calm.injector.places(self._runner.kinds)
        return Evidence(run.execution, calm.execution, places, tuple(self._struck))


def _fault_free(runner: Runner) -> tuple[Investigation, ...]:
    """The notes on two fault-free runs, at different times and paces, of what may explain a finding."""
    with silence():
        services = [runner.run(FaultPlan(), pace=pace, investigate=True).execution.service for pace in (0, 1)]
    return tuple(service.investigation for service in services if service.investigation is not None)


def _repeated(run: Run) -> Iterator[str]:
    """For each operation at which the run was killed: how often its body ran, and where the user's code makes it."""
    for path in dict.fromkeys(fault.path for fault in run.injector.struck):
        family = list(run.execution.family())
        times = sum(body.path == path for one in family for record in one.invocations for body in record.bodies)
        places = [asked.place for one in family for asked in one.asked.values() if asked.path == path]
        if times > 1 and places:
            yield f"The body of '{path}', made at {place_text(places[0])}, ran {times} times."


def verify(runner: Runner, budget: Budget) -> Verification:
    """Fault-free run, what failed the last time, every single fault, then drawn plans and thread schedules.

    Args:
        runner: runs the handler.
        budget: how much is tried.

    Raises:
        DurabilityViolation: the smallest found.
    """
    __tracebackhide__ = True
    search = Search(runner)
    calm = search.calibrate(budget.only is None and budget.kills > 0)
    with silence():
        tried = explore(search, calm.injector, is_concurrent(calm.execution.family()), budget)
    runner.evidence = Evidence(calm.execution, None, tried.places, tried.killed)
    runner.missed = tried.missed
    return Verification(
        runs=runner.runs,
        places=tuple(map(str, tried.places)),
        killed=tuple(map(str, tried.killed)),
        drawn=tried.drawn,
        schedules=tried.schedules,
        outcome=None if calm.execution.status is ExecutionStatus.SUCCEEDED else str(calm.outcome),
    )
