"""One run of the handler under a plan, in a world of its own that starts at the same instant each time."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import NoReturn

from pytest_durable.checks import Finding, check_run, is_on, progress
from pytest_durable.checks.deeds import Deed, deeds_of
from pytest_durable.checks.outcome import Outcome
from pytest_durable.checks.replay import check_fixed_point
from pytest_durable.engine import MICROS, Scheduler, Stop, Trace, VirtualClock, World
from pytest_durable.faults import Fault, FaultPlan, Injector
from pytest_durable.faults.delaying import Delaying
from pytest_durable.options import CHECKS
from pytest_durable.report.evidence import Evidence
from pytest_durable.report.failure import Failure
from pytest_durable.service.handlers import Handler
from pytest_durable.service.lifecycle import DurableExecution
from pytest_durable.service.output import ExecutionStatus
from pytest_durable.service.outside import Outside
from pytest_durable.service.points import KILLS
from pytest_durable.service.service import DurableService
from pytest_durable.service.trial import Trial

OTHER_START = 3_607
"""Seconds by which a fault-free run at another pace starts later, times the number of the pace."""
OTHER_RUNS = 5
"""Fault-free runs, each at a pace of its own, that must agree on what a killed run is blamed for."""
REPLAY_LATER = 3_661
"""Seconds after its end at which a finished journal is replayed: what reads the clock then is seen to."""
_OTHER_IDS = 1_000_003
"""Between the seeds of ids, so that they are not those of a neighbouring seed."""


@dataclass(frozen=True)
class Run:
    """A run that is over.

    Attributes:
        execution: the service's side of it.
        injector: the places it came to, and the kills that happened.
        finding: what the checks that need only this run found; None for nothing.
        outcome: how it ended.
        trace: everything that happened in its world.
        deeds: what it did to the outside world.
    """

    execution: DurableExecution
    injector: Injector
    finding: Finding | None
    outcome: Outcome
    trace: Trace
    deeds: Sequence[Deed] = ()


@dataclass
class Runner:
    """What stays the same between the runs of one search.

    Attributes:
        handler: under test.
        payload: the event, as JSON.
        clock: the virtual clock that user code sees.
        start: where each run sets it, in microseconds since the epoch.
        seed: of each world.
        reset: restores the outside world before each run; None for nothing to restore.
        raise_finding: raises a finding as the error it is, with the test's name and the replay command.
        runs: how many runs there were.
        kills: how many faults struck in them.
        first: the run that was the first: of a search, the fault-free one.
        latest: the run that was the last.
        unstable: prefixes of the executions on whose result fault-free runs do not agree; ``""`` is the one started.
        replayed: contents of the finished journals that were replayed; the same one is not replayed again.
        outside: the functions that can be invoked, and the answers to callbacks.
        kinds: of the faults that are tried.
        checks: the names of those that are made.
        chance_is_fixed: whether no run so far has drawn anything in the user's code.
        evidence: of the fault-free run, once the search has found nothing.
        missed: faults of pinned plans that did not happen in it.
        progress: is told after each run how many faults struck in it.
        isolation: ``thread`` or ``process``: where the handler runs.
    """

    handler: Handler
    payload: str
    clock: VirtualClock
    start: int
    raise_finding: Callable[[Failure, Finding, Evidence], NoReturn]
    seed: int = 0
    reset: Callable[[], object] | None = None
    runs: int = 0
    kills: int = 0
    first: Run | None = None
    latest: Run | None = None
    unstable: set[str] = field(default_factory=set)
    replayed: set[str] = field(default_factory=set)
    outside: Outside = field(default_factory=Outside)
    kinds: Sequence[str] = KILLS
    checks: Collection[str] = CHECKS
    chance_is_fixed: bool = True
    evidence: Evidence | None = None
    missed: Sequence[Fault] = ()
    progress: Callable[[int], object] = lambda kills: None
    isolation: str = "thread"

    def run(
        self,
        plan: FaultPlan,
        *,
        pace: int = 0,
        chance: int = 0,
        scheduler: Scheduler | None = None,
        investigate: bool = False,
        trial: Trial | None = None,
        delays: Sequence[float] = (),
    ) -> Run:
        """Run the handler to its end under ``plan``, check the run, and replay its finished journal.

        Args:
            plan: the kills.
            pace: with a number, start later, take time by chance and draw from another seed: to compare with.
            chance: with a number, only what the user's code draws, and the ids that it is given, are different.
            scheduler: who orders the simulated threads; first in, first out by default.
            investigate: whether to write down what may explain a finding.
            trial: what is tried in it; its finished journal is not replayed.
            delays: seconds that pass where the faults of ``plan`` would strike, which then do not, one after the other.
        """
        __tracebackhide__ = True
        if self.reset is not None:
            self.reset()
        self.runs += 1
        self.outside.forget()
        self.clock.world = None
        self.clock.micros = self.start + pace * OTHER_START * MICROS
        world = World(self.clock, scheduler, seed=self.seed + pace, chance=chance)
        other = Random(pace) if pace else None
        seed = self.seed + _OTHER_IDS * (pace or chance)
        service = DurableService(world, seed, 1_000, other, self.outside, investigate, trial, self.isolation)
        service.turn = pace
        injector = Delaying(plan, delays) if delays else Injector(plan, self.kinds)
        try:
            execution = service.start(self.handler, self.payload, points=injector)
            stop = service.drive(lambda: execution.is_over)
            finding = check_run(execution, stop, self.checks)
            for ended in execution.family() if trial is None else ():
                if finding is None and ended.status is ExecutionStatus.SUCCEEDED:
                    finding = self._replay(service, ended)
            did = deeds_of(execution.family())
            run = Run(execution, injector, finding, Outcome.of(execution), world.trace, did)
            self.kills += len(injector.struck)
            self.progress(len(injector.struck))
            self.first = self.first or run
            if trial is None:
                self.latest = run
            return run
        finally:
            service.close()
            self.chance_is_fixed &= not world.has_drawn
            self.clock.world = None

    def _replay(self, service: DurableService, execution: DurableExecution) -> Finding | None:
        contents = f"{execution.prefix} {execution.journal.contents()} {execution.result}"
        if contents in self.replayed:
            return None
        self.clock.micros += REPLAY_LATER * MICROS
        again = service.replay(execution)
        stop = service.drive(lambda: again.is_over)
        if stop is Stop.IDLE and not again.is_over:
            finding = progress.check(again, stop)
        else:
            finding = check_fixed_point(execution, again, execution.prefix not in self.unstable)
        if finding is not None and not is_on(finding.violation, self.checks):
            return None
        if finding is None:
            self.replayed.add(contents)
        return finding
