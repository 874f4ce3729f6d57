"""The worlds of one durable context: one after another, unless an execution that was started is still open."""

from __future__ import annotations

from random import Random

from pytest_durable.advice import gather
from pytest_durable.engine import MICROS, Scheduler, VirtualClock, World
from pytest_durable.errors import UsageError
from pytest_durable.faults import Injector, Schedule
from pytest_durable.search.effects import Account
from pytest_durable.search.runner import OTHER_START
from pytest_durable.service.lifecycle import DurableExecution
from pytest_durable.service.output import ExecutionStatus
from pytest_durable.service.outside import Answer, Outside
from pytest_durable.service.service import DurableService
from pytest_durable.tally import Tally


class Bench:
    """Where executions are started.

    Args:
        clock: that all worlds share.
        seed: of each world.
        tally: where what was run is counted, and the advice about it gathered.
        isolation: as the attribute.

    Attributes:
        outside: what the test has declared of the outside world, for every world.
        injector: the one of every execution without faults of its own; None for one each.
        isolation: where handlers run.
    """

    def __init__(self, clock: VirtualClock, seed: int, tally: Tally, isolation: str = "thread") -> None:
        self.outside = Outside()
        self.injector: Injector | None = None
        self._clock = clock
        self._seed = seed
        self.isolation = isolation
        self._tally = tally
        self._scheduler: Scheduler | None = None
        self._investigate = False
        self._service: DurableService | None = None
        self._open: list[DurableExecution] = []
        self._account = Account()
        self._pace = 0

    def service_for(self, schedule: Schedule | None, injector: Injector) -> DurableService:
        """The service that a new execution starts in: of a new world, unless one that was started is still open.

        Raises:
            UsageError: for a schedule, if it is not the first in its world.
        """
        __tracebackhide__ = True
        self._open = [execution for execution in self._open if execution.status is ExecutionStatus.RUNNING]
        if self._service is not None and self._open:
            if schedule:
                raise UsageError("a schedule orders the threads of a whole world, and another execution is open in it")
            return self._service
        self.end()
        scheduler = self._scheduler if schedule is None else schedule.oracle()
        world = World(self._clock, scheduler, seed=self._seed + self._pace)
        asked = self._investigate if injector is self.injector else bool(injector.plan or self.outside.changes)
        pace = Random(self._pace) if self._pace else None
        self._service = DurableService(
            world, self._seed, pace=pace, outside=self.outside, investigate=asked, isolation=self.isolation
        )
        return self._service

    def keep_open(self, execution: DurableExecution) -> None:
        """Let what is started from now on start beside this one, until it has ended."""
        self._open.append(execution)

    def declare(self, answer: Answer) -> None:
        """Have the outside world answer callbacks so, from now on."""
        self.outside.answers.append(answer)
        if self._service is not None:
            self._service.callbacks.declare(answer)

    def show_time(self) -> None:
        """The clock shows the time of the present world, or the test's own."""
        self._clock.world = None if self._service is None else self._service.world

    def end(self) -> None:
        """End the present world, and all that is in it."""
        if self._service is not None:
            gather(self._tally.advice, self._service.executions)
            self._account = self.account()
            self._close(self._service)

    def _close(self, service: DurableService) -> None:
        family = [one for execution in service.executions for one in execution.family()]
        struck = [text for one in family for record in one.invocations for text in (record.fault, record.struck)]
        self._tally.kills += len(struck) - struck.count(None)
        service.close()

    def account(self) -> Account:
        """What was done to the outside world since the latest `restart`; empty without one."""
        if self._service is None or self.injector is None:
            return self._account
        return self._account.plus(self._service.executions)

    def restart(
        self,
        injector: Injector,
        scheduler: Scheduler | None,
        outside: Outside,
        start: int,
        investigate: bool,
        pace: int = 0,
    ) -> None:
        """Be as new, but for what is given: for a test that is run again from its beginning; ``pace`` as of a run."""
        if self._service is not None:
            self._close(self._service)
        self._service = None
        self._open = []
        self.outside.functions = dict(outside.functions)
        self.outside.answers[:] = outside.answers
        self.outside.changes.take(outside.changes)
        self.outside.forget()
        self._clock.world = None
        self._clock.micros = start + pace * OTHER_START * MICROS
        self._account, self._pace = Account(), pace
        self.injector, self._scheduler, self._investigate = injector, scheduler, investigate
