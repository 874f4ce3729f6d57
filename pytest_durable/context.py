"""`FakeDurableContext`: what a test holds in its hand."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any, NoReturn

from aws_durable_execution_sdk_python.context import DurableContext

from pytest_durable.checks import Finding, check_reached
from pytest_durable.direct import Script
from pytest_durable.engine import VirtualClock, World, current_task, user_frame
from pytest_durable.errors import NestedRun, UsageError
from pytest_durable.execution import Execution
from pytest_durable.faults import FaultPlan, Injector
from pytest_durable.options import DEFAULT_EXAMPLES, DEFAULT_KILLS
from pytest_durable.report.failure import Failure
from pytest_durable.seams.observe import in_seconds
from pytest_durable.seams.userland import Userland
from pytest_durable.search import Runner, Verification, verify
from pytest_durable.service.arguments import check_name, check_timeout, count
from pytest_durable.service.handlers import Handler, resolve
from pytest_durable.service.lifecycle import DurableExecution, ExecutionStatus
from pytest_durable.service.payload import payload_of
from pytest_durable.service.service import DurableService

if TYPE_CHECKING:
    from aws_durable_execution_sdk_python.config import (
        CallbackConfig,
        ChildConfig,
        Duration,
        InvokeConfig,
        MapConfig,
        ParallelConfig,
        StepConfig,
        WaitForCallbackConfig,
    )
    from aws_durable_execution_sdk_python.waits import WaitForConditionConfig


_DIRECT_TIMEOUT = 366 * 86_400
"""Seconds: the time a test takes between two direct calls is not the handler's."""


@dataclass
class Tally:
    """What was done in one test.

    Attributes:
        runs: executions that were run.
        searches: how often `FakeDurableContext.verify` was called.
        safe: how many of them found nothing.
        killed: at how many places those killed.
        places: at how many places a kill could land in them.
    """

    runs: int = 0
    searches: int = 0
    safe: int = 0
    killed: int = 0
    places: int = 0


class FakeDurableContext(DurableContext):
    """A ``DurableContext`` on the real SDK in a simulated world, and the levers of that world.

    Called directly, it runs the operation in the simulation: the calls so far are the body, replayed when it resumes.

    Args:
        seed: of everything that is drawn: the SDK's retry jitter, the ids, the plans.
        start: first instant of virtual time; naive means UTC. Default 2026-01-01T00:00:00Z.
        cold: import the handler's module anew after each kill; not available yet.
        isolation: ``"thread"``, a kill unwinds the simulated threads, is the only one available yet.

    Raises:
        UsageError: for a value that is not available.
    """

    def __init__(
        self, *, seed: int = 0, start: datetime | None = None, cold: bool = False, isolation: str = "thread"
    ) -> None:
        # The SDK's own constructor is not called: there is no invocation yet whose state it could be given.
        if cold:
            raise UsageError("cold=True is not available yet: leave it out, invocations share the imported modules")
        if isolation != "thread":
            raise UsageError(f"isolation={isolation!r} is not available: leave it out, or use isolation='thread'")
        if type(seed) is not int:
            raise UsageError(f"seed must be a whole number, not {seed!r}")
        if start is not None and not isinstance(start, datetime):
            raise UsageError(f"start must be a datetime, not {start!r}")
        self.clock = VirtualClock(start)
        self.tally = Tally()
        self.seed = seed
        self.test: str | None = None
        self.options: tuple[str, ...] = ()
        self.kills = DEFAULT_KILLS
        self.examples = DEFAULT_EXAMPLES
        self.only: FaultPlan | None = None
        self._userland = Userland(self.clock)
        self._service: DurableService | None = None
        self._open: list[Execution] = []
        self._started = 0
        self._replays: list[tuple[Injector, DurableExecution]] = []
        self._handlers: dict[Any, Handler] = {}
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
    ) -> Execution:
        """Drive one execution of ``handler`` to its end.

        Args:
            handler: decorated with ``@durable_execution``, or a plain ``(event, context)`` function.
            event: anything JSON; None is an empty payload, which the SDK gives the handler as ``{}``.
            faults: the kills, as a plan or its text.
            name: of the execution.
            execution_timeout: seconds of virtual time after which it is TIMED_OUT; None for never.
            invocation_timeout: seconds of virtual time after which an invocation is killed.

        Raises:
            DurabilityViolation: if a body ran again after it had completed, a replay asked for something else, or the
                execution does not end.
            UsageError: for a handler, event or plan that makes no sense, or a run inside a run.
        """
        __tracebackhide__ = True
        return self._start(handler, event, faults, name, execution_timeout, invocation_timeout).run()

    def start(
        self,
        handler: Callable[..., Any],
        event: Any = None,
        *,
        faults: FaultPlan | str | None = None,
        name: str | None = None,
        execution_timeout: float | None = None,
        invocation_timeout: float = 900,
    ) -> Execution:
        """Start an execution and run it until it is suspended or over; arguments and errors as of `run`.

        Go on with ``execution.advance(seconds)`` or ``execution.run()``.
        """
        __tracebackhide__ = True
        execution = self._start(handler, event, faults, name, execution_timeout, invocation_timeout)
        self._open.append(execution)
        return execution.settle()

    def _start(
        self,
        handler: Any,
        event: Any,
        faults: FaultPlan | str | None,
        name: str | None,
        execution_timeout: float | None,
        invocation_timeout: float,
    ) -> Execution:
        __tracebackhide__ = True
        self._enter("run")
        resolved = self._resolve(handler)
        payload = payload_of(event)
        injector = Injector(self._plan(faults))
        check_timeout("invocation_timeout", invocation_timeout)
        if execution_timeout is not None:
            check_timeout("execution_timeout", execution_timeout)
        if name is not None:
            check_name(name)
        self._started += 1
        self.tally.runs += 1
        service = self._world_for_another()
        durable = service.start(
            resolved,
            payload,
            points=injector,
            name=name or f"execution-{self._started}",
            execution_timeout=execution_timeout,
            invocation_timeout=invocation_timeout,
        )
        if faults is None and self.only is not None:
            self._replays.append((injector, durable))
        return Execution(durable, injector, self._raise, expects_faults=faults is not None)

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
        try:
            found = verify(
                runner,
                kills=count("kills", self.kills if kills is None else kills),
                examples=count("examples", self.examples if examples is None else examples),
                seed=self.seed,
                only=self.only,
            )
        finally:
            self.tally.runs += runner.runs
            self.clock.micros = start
            self.clock.world = None if self._service is None else self._service.world
        if self.only is not None and runner.latest is not None:
            self._replays.append((runner.latest.injector, runner.latest.execution))
        self.tally.safe += 1
        self.tally.killed += len(found.killed)
        self.tally.places += len(found.places)
        return found

    # --- what is shared by all of it ------------------------------------------------------------------------------

    def _enter(self, what: str) -> None:
        __tracebackhide__ = True
        if self._closed:
            raise UsageError(f"{what}: this durable context is closed; use it within its test or its with block")
        if current_task() is not None:
            raise NestedRun(
                f"{what} was called from inside a run. Start an execution from the test; inside a handler use the "
                "context that the handler was given"
            )
        self._userland.open()

    def _resolve(self, handler: Any) -> Handler:
        __tracebackhide__ = True
        try:
            known = self._handlers.get(handler)
        except TypeError:  # not hashable
            return resolve(handler)
        if known is None:
            known = self._handlers[handler] = resolve(handler)
        return known

    def _plan(self, faults: FaultPlan | str | None) -> FaultPlan:
        __tracebackhide__ = True
        if faults is None:
            return FaultPlan() if self.only is None else self.only
        return faults if isinstance(faults, FaultPlan) else FaultPlan.parse(faults)

    def _world_for_another(self) -> DurableService:
        """The service that a new execution starts in: a fresh world, unless one that was started is still open."""
        self._open = [execution for execution in self._open if execution.status is ExecutionStatus.RUNNING]
        if self._service is not None and (self._open or self._script is not None):
            return self._service
        if self._service is not None:
            self._service.close()
        self._service = DurableService(World(self.clock, seed=self.seed), seed=self.seed)
        return self._service

    def _raise(self, failure: Failure, finding: Finding) -> NoReturn:
        __tracebackhide__ = True
        raise finding.violation(replace(failure, test=self.test, options=self.options))

    def check_replay(self) -> None:
        """Hold the plan of ``--durable-replay`` against all executions of the test.

        Raises:
            InvalidPlan: if none of them has an operation that the plan names.
        """
        if self.only is not None and self._replays:
            executions = [execution for _, execution in self._replays]
            paths = [path for execution in executions for path in execution.paths.values()]
            complete = all(execution.status is ExecutionStatus.SUCCEEDED for execution in executions)
            check_reached(self.only, [injector for injector, _ in self._replays], paths, complete)

    def close(self) -> None:
        """End everything that is open, and show real time again."""
        if self._closed:
            return
        self._closed = True
        try:
            if self._service is not None:
                self._service.close()
        finally:
            self.clock.world = None
            self._userland.close()

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

    def step(self, func: Callable[..., Any], name: str | None = None, config: StepConfig | None = None) -> Any:
        """Run a step; see ``DurableContext.step``."""
        return self._call("step", func, name, config)

    def wait(self, duration: Duration, name: str | None = None) -> None:
        """Wait; see ``DurableContext.wait``. Takes no real time."""
        self._call("wait", in_seconds(duration, user_frame(sys._getframe(1))), name)

    def create_callback(self, name: str | None = None, config: CallbackConfig | None = None) -> Any:
        """Create a callback; see ``DurableContext.create_callback``."""
        return self._call("create_callback", name, config)

    def wait_for_callback(
        self, submitter: Callable[..., Any], name: str | None = None, config: WaitForCallbackConfig | None = None
    ) -> Any:
        """Submit and wait for the answer; see ``DurableContext.wait_for_callback``."""
        return self._call("wait_for_callback", submitter, name, config)

    def wait_for_condition(
        self, check: Callable[..., Any], config: WaitForConditionConfig[Any], name: str | None = None
    ) -> Any:
        """Poll until a condition holds; see ``DurableContext.wait_for_condition``."""
        return self._call("wait_for_condition", check, config, name)

    def invoke(
        self, function_name: str, payload: Any, name: str | None = None, config: InvokeConfig[Any, Any] | None = None
    ) -> Any:
        """Invoke another function; see ``DurableContext.invoke``."""
        return self._call("invoke", function_name, payload, name, config)

    def map(
        self,
        inputs: Sequence[Any],
        func: Callable[..., Any],
        name: str | None = None,
        config: MapConfig[Any] | None = None,
    ) -> Any:
        """Apply a function to each item; see ``DurableContext.map``."""
        return self._call("map", inputs, func, name, config)

    def parallel(self, functions: Sequence[Any], name: str | None = None, config: ParallelConfig | None = None) -> Any:
        """Run functions in parallel; see ``DurableContext.parallel``."""
        return self._call("parallel", functions, name, config)

    def run_in_child_context(
        self, func: Callable[..., Any], name: str | None = None, config: ChildConfig[Any] | None = None
    ) -> Any:
        """Run a function in a child context; see ``DurableContext.run_in_child_context``."""
        return self._call("run_in_child_context", func, name, config)

    def set_logger(self, new_logger: Any) -> None:
        """Replace the logger; see ``DurableContext.set_logger``."""
        self._direct().inner.set_logger(new_logger)

    def is_replaying(self) -> bool:
        """Whether the calls made so far are being replayed."""
        return self._direct().inner.is_replaying()

    @property
    def logger(self) -> Any:  # type: ignore[override]  # the SDK assigns it, we look it up
        """The SDK's logger of the invocation in flight."""
        return self._direct().inner.logger

    @property
    def execution_context(self) -> Any:  # type: ignore[override]  # as above
        """The SDK's ``ExecutionContext``, with the execution's ARN."""
        return self._direct().inner.execution_context

    @property
    def lambda_context(self) -> Any:  # type: ignore[override]  # as above
        """The Lambda context of the invocation in flight."""
        return self._direct().inner.lambda_context

    @property
    def state(self) -> Any:  # type: ignore[override]  # as above
        """The SDK's ``ExecutionState`` of the invocation in flight."""
        return self._direct().inner.state

    @property
    def execution(self) -> Execution:
        """The execution that the direct calls are the body of."""
        return self._direct().execution

    def _call(self, method: str, *args: Any) -> Any:
        __tracebackhide__ = True
        return self._direct().call(method, args)

    def _direct(self) -> Script:
        self._enter("a durable call")
        if self._script is None:
            script = Script()
            script.execution = self._start(script.handler, None, None, "direct", None, _DIRECT_TIMEOUT)
            self._script = script
            script.drive(lambda: script.waits)
        return self._script
