"""`FakeDurableContext`: what a test holds in its hand."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime
from types import TracebackType
from typing import Any, NoReturn

from pytest_durable.advice import gather
from pytest_durable.bench import Bench
from pytest_durable.between import EnvironmentFaults
from pytest_durable.callbacks import Callbacks
from pytest_durable.checks import Finding, check_reached
from pytest_durable.direct import DirectCalls, Script
from pytest_durable.effects import EffectLedger
from pytest_durable.engine import Scheduler, VirtualClock, current_task
from pytest_durable.errors import NestedRun, UsageError
from pytest_durable.execution import Execution
from pytest_durable.faults import FaultPlan, Injector, Schedule
from pytest_durable.histories import Histories
from pytest_durable.report.evidence import Album, Evidence
from pytest_durable.report.failure import Failure
from pytest_durable.seams.userland import Userland, frozen_by_the_user
from pytest_durable.search import Budget, Runner, Verification, verify
from pytest_durable.service.arguments import (
    check_execution_timeout,
    check_function_name,
    check_invocation_timeout,
    check_name,
    check_new,
    count,
)
from pytest_durable.service.cold import resolve_for
from pytest_durable.service.handlers import Handler, check_plain, is_durable, resolve
from pytest_durable.service.lifecycle import DurableExecution
from pytest_durable.service.named import Named
from pytest_durable.service.outside import Answer, Function, Outside
from pytest_durable.service.payload import payload_of
from pytest_durable.service.service import DurableService
from pytest_durable.tally import Tally

_DIRECT_TIMEOUT = 366 * 86_400
"""Seconds: the time a test takes between two direct calls is not the handler's."""


class FakeDurableContext(DirectCalls, Histories):
    """A ``DurableContext`` on the real SDK in a simulated world, and the levers of that world.

    Called directly, it runs the operation in the simulation: the calls so far are the body, replayed when it resumes.

    Args:
        seed: of everything that is drawn: the SDK's retry jitter, the ids, the plans.
        start: first instant of virtual time; naive means UTC. Default the instant at which freezegun holds time at this
            moment, else 2026-01-01T00:00:00Z.
        cold: start cold after each death of an invocation: the handler's module, but not what that imports, is imported
            anew. Its global state is gone then, and so is whatever the test has put into it.
        isolation: ``"thread"``, or ``"process"``: each invocation in a forked child, and a kill is a ``SIGKILL``.

    Raises:
        UsageError: for a value that is not available.
    """

    def __init__(
        self, *, seed: int = 0, start: datetime | None = None, cold: bool = False, isolation: str = "thread"
    ) -> None:
        # The SDK's own constructor is not called: there is no invocation yet whose state it could be given.
        check_new(seed, start, cold, isolation)
        self.clock = VirtualClock(frozen_by_the_user() if start is None else start)
        self.cold = cold
        self.tally = Tally()
        self.seed = seed
        self.budget = Budget(seed=seed)
        self.test: str | None = None
        self.settings: tuple[tuple[str, str], ...] = ()
        self.found: Failure | None = None
        self.latest: Execution | None = None
        self.album: Album | None = None
        self.progress: Callable[[int], object] = lambda kills: None
        self.recorded: list[DurableExecution] | None = None
        self._userland = Userland(self.clock)
        self._bench = Bench(self.clock, seed, self.tally, isolation)
        self.faults = EnvironmentFaults(self._bench.outside.changes)
        self.effects = EffectLedger(self._bench.outside)
        self._started = 0
        self._replays: list[tuple[Injector, DurableExecution]] = []
        self._handlers: dict[Any, Handler] = {}
        self._named: Named[Execution] = Named()
        self.callbacks = Callbacks(self._declare)
        self._script: Script | None = None
        self._closed = False

    # --- running --------------------------------------------------------------------------------------------------

    def run(
        self,
        handler: Callable[..., Any],
        event: Any = None,
        *,
        faults: FaultPlan | str | None = None,
        name: str | None = None,
        execution_timeout: float | None = None,
        invocation_timeout: float = 900,
        schedule: Schedule | str | None = None,
    ) -> Execution:
        """Drive one execution of ``handler`` to its end.

        Args:
            handler: decorated with ``@durable_execution``, or a plain ``(event, context)`` function.
            event: anything JSON; None is an empty payload, which the SDK gives the handler as ``{}``.
            faults: the kills, as a plan or its text.
            name: of the execution. If this context has one of that name, of the same handler and with the same event,
                it is that one, as on AWS.
            execution_timeout: seconds of virtual time after which it is TIMED_OUT; None for never.
            invocation_timeout: seconds of virtual time after which an invocation is killed.
            schedule: the order of the simulated threads, as a schedule or its text; first in, first out by default.

        Raises:
            DurabilityViolation: if a body ran again after it had completed, a replay asked for something else, or the
                execution does not end.
            ServiceError: if the name is taken by an execution with another event.
            UsageError: for a handler, event or plan that makes no sense, or a run inside a run.
        """
        __tracebackhide__ = True
        return self._start(handler, event, faults, name, execution_timeout, invocation_timeout, schedule).run()

    def start(
        self,
        handler: Callable[..., Any],
        event: Any = None,
        *,
        faults: FaultPlan | str | None = None,
        name: str | None = None,
        execution_timeout: float | None = None,
        invocation_timeout: float = 900,
        schedule: Schedule | str | None = None,
    ) -> Execution:
        """Start an execution and run it until it is suspended or over; arguments and errors as of `run`.

        Go on with ``execution.advance(seconds)`` or ``execution.run()``.
        """
        __tracebackhide__ = True
        execution = self._start(handler, event, faults, name, execution_timeout, invocation_timeout, schedule)
        self._bench.keep_open(execution._execution)
        return execution.settle()

    def _start(
        self,
        handler: Any,
        event: Any,
        faults: FaultPlan | str | None,
        name: str | None,
        execution_timeout: float | None,
        invocation_timeout: float,
        schedule: Schedule | str | None,
    ) -> Execution:
        __tracebackhide__ = True
        self._enter("run")
        resolved = self._resolve(handler)
        payload = payload_of(event)
        injector = self._injector(faults)
        check_invocation_timeout(invocation_timeout)
        check_execution_timeout(execution_timeout)
        if name is not None:
            check_name(name)
            existing = self._named.find(name, resolved, payload)
            if existing is not None:
                return existing
        durable = self._service_for(schedule, injector).start(
            resolved,
            payload,
            points=injector,
            name=name or f"execution-{self._started + 1}",
            execution_timeout=execution_timeout,
            invocation_timeout=invocation_timeout,
        )
        execution = self._started_with(injector, durable, expects_faults=faults is not None)
        if name is not None:
            self._named.add(name, resolved, payload, execution)
        return execution

    def _started_with(self, injector: Injector, durable: DurableExecution, expects_faults: bool) -> Execution:
        self._started += 1
        self.tally.runs += 1
        if not expects_faults and self.budget.only is not None:
            self._replays.append((injector, durable))
        if self.recorded is not None:
            self.recorded.append(durable)
        is_shared = injector is self._bench.injector
        self.latest = Execution(durable, injector, self._raise, expects_faults and not is_shared, self.budget.checks)
        if self.album is not None:
            self.album.add(Evidence(durable))
        return self.latest

    def verify(
        self,
        handler: Callable[..., Any],
        event: Any = None,
        *,
        kills: int | None = None,
        examples: int | None = None,
        reset: Callable[[], object] | None = None,
    ) -> Verification:
        """Kill ``handler`` wherever one kill can land, replay it, and check that every replay is safe.

        Args:
            handler: as for `run`.
            event: as for `run`.
            kills: at most in one plan. With more than 1, plans of several kills are drawn after every single one.
                Default 1, or the option ``--durable-kills``.
            examples: how many plans of several kills are drawn. Default 100, or ``--durable-examples``.
            reset: called before every run, to restore the outside world.

        Raises:
            DurabilityViolation: the first found; its message names the kill and the command that replays it.
            UsageError: as of `run`.
        """
        __tracebackhide__ = True
        self._enter("verify")
        if reset is not None and not callable(reset):
            raise UsageError(f"reset must be a function without arguments, not {reset!r}")
        start = self.clock.micros
        self.tally.searches += 1
        resolved, payload = self._resolve(handler), payload_of(event)
        runner = Runner(resolved, payload, self.clock, start, self._raise, self.seed, reset)
        runner.kinds, runner.checks, runner.progress = self.budget.kinds, self.budget.checks, self.progress
        runner.outside, runner.isolation = self._bench.outside, self._bench.isolation
        budget = replace(
            self.budget,
            kills=count("kills", self.budget.kills if kills is None else kills),
            examples=count("examples", self.budget.examples if examples is None else examples),
        )
        try:
            found = verify(runner, budget)
        finally:
            if self.recorded is not None and runner.first is not None:
                self.recorded.append(runner.first.execution)
            self.tally.runs += runner.runs
            self.tally.kills += runner.kills
            gather(self.tally.advice, [] if runner.latest is None else [runner.latest.execution])
            self.clock.micros = start
            self._bench.show_time()
        if budget.only is not None and runner.latest is not None:
            self._replays.append((runner.latest.injector, runner.latest.execution))
        evidence = runner.evidence
        assert evidence is not None
        if self.album is not None:
            self.album.add(evidence)
        self.tally.found_safe(evidence.places, evidence.killed, found.schedules, runner.missed)
        self.tally.failing += found.outcome is not None
        return found

    def restart(
        self, injector: Injector, scheduler: Scheduler | None, outside: Outside, start: int, **how: Any
    ) -> None:
        """Be as new, but for what is given: for a test that is run again from its beginning; ``how`` as of `Bench`."""
        self._bench.restart(injector, scheduler, outside, start, **how)
        if self.recorded:
            self.recorded = None  # the first time has been written down
        self._script = None
        self._started, self.latest = 0, None
        if self.album is not None:
            self.album.clear()
        self._named.clear()

    # --- the outside world ----------------------------------------------------------------------------------------

    def register(
        self,
        function_name: str,
        handler: Callable[..., Any],
        *,
        execution_timeout: float | None = None,
        invocation_timeout: float = 900,
    ) -> None:
        """Let ``context.invoke`` reach ``handler`` under a name, in every run of this context from now on.

        A handler with ``@durable_execution`` becomes an execution of its own in the same world, and can be killed as
        well; any other is a plain Lambda, invoked once.

        Args:
            function_name: that it is invoked by: a function's name, with a qualifier or without.
            handler: the function.
            execution_timeout: seconds of virtual time an execution of it may take; None for no limit.
            invocation_timeout: seconds of virtual time after which an invocation of it is killed.

        Raises:
            UsageError: for a name or handler that makes no sense.
        """
        __tracebackhide__ = True
        check_function_name(function_name)
        check_invocation_timeout(invocation_timeout)
        check_execution_timeout(execution_timeout)
        if is_durable(handler):
            durable: Handler | None = self._resolve(handler)
        else:
            durable = None
            check_plain(handler)
        self._bench.outside.functions[function_name] = Function(
            function_name, durable, handler, execution_timeout, invocation_timeout
        )

    def _declare(self, answer: Answer) -> None:
        task = current_task()
        if task is not None:  # the code under test answers itself, in this run only
            task.process.owner.execution.service.callbacks.declare(answer)
        else:
            self._bench.declare(answer)

    # --- what is shared by all of it ------------------------------------------------------------------------------

    def _enter(self, what: str) -> None:
        __tracebackhide__ = True
        if self._closed:
            raise UsageError(f"{what}: this durable context is closed; use it within its test or its with block")
        task = current_task()
        if task is not None:
            misuse = NestedRun(
                f"{what} was called from inside a run. Start an execution from the test; inside a handler use the "
                "context that the handler was given"
            )
            task.process.owner.execution.refused = misuse  # a step's failure is the SDK's to handle: the test hears too
            raise misuse
        self._userland.open()
        frozen = frozen_by_the_user()
        if frozen is not None:
            raise UsageError(
                f"{what}: freezegun was started after this durable context and holds time at {frozen.isoformat()}, so "
                "that the function under test would not see virtual time. Set durable_clock instead, or freeze time "
                "before the context is made, which starts then"
            )

    def _resolve(self, handler: Any) -> Handler:
        __tracebackhide__ = True
        try:
            known = self._handlers.get(handler)
        except TypeError:  # not hashable
            return resolve_for(handler, self.cold)
        if known is None:
            known = self._handlers[handler] = resolve_for(handler, self.cold)
        return known

    @property
    def _outside(self) -> Outside:
        return self._bench.outside

    def _injector(self, faults: FaultPlan | str | None) -> Injector:
        __tracebackhide__ = True
        if faults is None:
            return self._bench.injector or Injector(self.budget.only or FaultPlan(), self.budget.kinds)
        plan = faults if isinstance(faults, FaultPlan) else FaultPlan.parse(faults)
        return Injector(plan, self.budget.kinds)

    def _service_for(self, schedule: Schedule | str | None, injector: Injector) -> DurableService:
        __tracebackhide__ = True
        if schedule is None:
            schedule = self.budget.schedule
        elif not isinstance(schedule, Schedule):
            schedule = Schedule.parse(schedule)
        return self._bench.service_for(schedule, injector)

    def _raise(self, failure: Failure, finding: Finding, evidence: Evidence) -> NoReturn:
        __tracebackhide__ = True
        self.found = replace(failure, test=self.test, settings=self.settings)
        raise finding.violation(self.found, evidence)

    def check_replay(self) -> None:
        """Hold the plan of ``--durable-replay`` against all executions of the test.

        Raises:
            InvalidPlan: if none of them has an operation that the plan names.
        """
        if self.budget.only is not None and self._replays:
            check_reached(self.budget.only, self._replays)

    def close(self) -> None:
        """End everything that is open, and show real time again."""
        if self._closed:
            return
        self._closed = True
        with ExitStack() as then:  # all of it, the last first, whatever raises
            then.callback(self._userland.close)
            then.callback(self._bench.outside.changes.restore)
            then.callback(setattr, self.clock, "world", None)
            then.callback(self.effects.unwatch)
            self._bench.end()

    def __enter__(self) -> FakeDurableContext:
        self._userland.open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<FakeDurableContext at {self.clock.now().isoformat()}>"

    # --- as a DurableContext --------------------------------------------------------------------------------------

    def _direct(self) -> Script:
        self._enter("a durable call")
        if self._script is None:
            script = Script(self._bench.isolation)
            injector = self._injector(None)
            durable = self._service_for(None, injector).start(
                resolve(script.handler), "{}", points=injector, name="direct", invocation_timeout=_DIRECT_TIMEOUT
            )
            durable.rests = lambda: script.waits
            script.execution = self._started_with(injector, durable, expects_faults=False)
            self._bench.keep_open(durable)
            self._script = script
            script.drive(lambda: script.waits)
        return self._script
