"""`FakeDurableContext`: what a test holds in its hand."""

from __future__ import annotations

import difflib
import json
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any, NoReturn

from aws_durable_execution_sdk_python.context import DurableContext

from pytest_durable.checks import Finding
from pytest_durable.engine import VirtualClock, World, current_task
from pytest_durable.errors import FaultNotReached, InvalidEvent, InvalidPlan, NestedRun, UsageError
from pytest_durable.execution import Execution
from pytest_durable.faults import FaultPlan, Injector
from pytest_durable.options import DEFAULT_EXAMPLES, DEFAULT_KILLS
from pytest_durable.primitives.event import Event
from pytest_durable.report.failure import Failure
from pytest_durable.seams.userland import Userland
from pytest_durable.search import Runner, Verification, verify
from pytest_durable.search.campaign import unknown_names
from pytest_durable.service.handlers import Handler, resolve
from pytest_durable.service.lifecycle import ExecutionStatus
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


@dataclass
class Tally:
    """What was done in one test, for the summary line.

    Attributes:
        runs: executions that were run.
        verified: searches that found nothing.
        killed: kills that happened.
        places: places where a kill could land, over all searches.
    """

    runs: int = 0
    verified: int = 0
    killed: int = 0
    places: int = 0


class FakeDurableContext(DurableContext):
    """A ``DurableContext`` on the real SDK in a simulated world, and the levers of that world.

    Called directly, as the context a handler gets, it runs the operation in the simulation: the calls made so far are
    the handler's body, which is replayed after every suspension.

    Args:
        seed: of everything that is drawn: the SDK's retry jitter, the ids, the plans.
        start: first instant of virtual time; naive means UTC. Default 2026-01-01T00:00:00Z.
        cold: whether the handler's module is imported anew after each kill. Not available yet.
        isolation: ``"thread"``: a kill unwinds the simulated threads. The only one available yet.

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
        if not isinstance(seed, int):
            raise UsageError(f"seed must be a whole number, not {seed!r}")
        self.clock = VirtualClock(start)
        self.tally = Tally()
        self.seed = seed
        self.test: str | None = None
        self.kills = DEFAULT_KILLS
        self.examples = DEFAULT_EXAMPLES
        self.only: FaultPlan | None = None
        self._userland = Userland(self.clock)
        self._service: DurableService | None = None
        self._open: list[Execution] = []
        self._started = 0
        self._handlers: dict[Any, Handler] = {}
        self._script: _Script | None = None
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
        execution, injector = self._start(handler, event, faults, name, execution_timeout, invocation_timeout)
        execution.run()
        _warn_of_unreached(execution, injector)
        return execution

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
        execution, _ = self._start(handler, event, faults, name, execution_timeout, invocation_timeout)
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
    ) -> tuple[Execution, Injector]:
        self._enter("run")
        resolved = self._resolve(handler)
        payload = _payload(event)
        injector = Injector(self._plan(faults))
        for what, seconds in (("execution_timeout", execution_timeout), ("invocation_timeout", invocation_timeout)):
            if seconds is not None and not seconds > 0:
                raise UsageError(f"{what} must be more than 0 seconds, not {seconds!r}")
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
        return Execution(durable, injector, self._raise), injector

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
        runner = Runner(self._resolve(handler), _payload(event), self.clock, start, self.seed, reset)
        try:
            found = verify(
                runner,
                kills=_count("kills", self.kills if kills is None else kills),
                examples=_count("examples", self.examples if examples is None else examples),
                seed=self.seed,
                test=self.test,
                only=self.only,
            )
        finally:
            self.tally.runs += runner.runs
            self.clock.micros = start
            self.clock.world = None if self._service is None else self._service.world
        self.tally.verified += 1
        self.tally.killed += len(found.killed)
        self.tally.places += len(found.places)
        return found

    # --- what is shared by all of it ------------------------------------------------------------------------------

    def _enter(self, what: str) -> None:
        if self._closed:
            raise UsageError(f"{what}: this durable context is closed; use it within its test or its with block")
        if current_task() is not None:
            raise NestedRun(
                f"{what} was called from inside a run. Start an execution from the test; inside a handler use the "
                "context that the handler was given"
            )
        self._userland.open()

    def _resolve(self, handler: Any) -> Handler:
        try:
            known = self._handlers.get(handler)
        except TypeError:  # not hashable
            return resolve(handler)
        if known is None:
            known = self._handlers[handler] = resolve(handler)
        return known

    def _plan(self, faults: FaultPlan | str | None) -> FaultPlan:
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
        raise finding.violation(replace(failure, test=self.test))

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
        self._call("wait", duration, name)

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
    def execution_context(self) -> Any:  # type: ignore[override]
        """The SDK's ``ExecutionContext``, with the execution's ARN."""
        return self._direct().inner.execution_context

    @property
    def lambda_context(self) -> Any:  # type: ignore[override]
        """The Lambda context of the invocation in flight."""
        return self._direct().inner.lambda_context

    @property
    def state(self) -> Any:  # type: ignore[override]
        """The SDK's ``ExecutionState`` of the invocation in flight."""
        return self._direct().inner.state

    @property
    def execution(self) -> Execution:
        """The execution that the direct calls are the body of."""
        return self._direct().execution

    def _call(self, method: str, *args: Any) -> Any:
        __tracebackhide__ = True
        return self._direct().call(method, args)

    def _direct(self) -> _Script:
        self._enter("a durable call")
        if self._script is None:
            script = _Script()
            script.execution, _ = self._start(script.handler, None, None, "direct", None, 900)
            self._script = script
            script.drive(lambda: script.waits)
        return self._script


class _Script:
    """The calls a test makes on the context itself: a handler that is written while it runs.

    Every invocation makes all calls so far, in order, and then waits for the next one. A call is over for the test when
    it has a value or an error for the first time.
    """

    def __init__(self) -> None:
        self.execution: Execution
        self.inner: DurableContext
        self.waits = False
        self._calls: list[_Call] = []
        self._more = Event()

    def handler(self, event: Any, context: DurableContext) -> None:
        """What is run as the durable function."""
        self.inner = context
        position = 0
        while True:
            while position == len(self._calls):
                self.waits = True
                self._more.clear()
                self._more.wait()
            self.waits = False
            self._calls[position].make(context)
            position += 1

    def call(self, method: str, args: tuple[Any, ...]) -> Any:
        """Add a call and drive the execution until it is over."""
        __tracebackhide__ = True
        call = _Call(method, args)
        self._calls.append(call)
        self._more.set()
        self.drive(lambda: call.is_over)
        return call.outcome()

    def drive(self, done: Callable[[], bool]) -> None:
        """Run until ``done()``.

        Raises:
            DurabilityViolation: if the execution ends, or stops, instead.
        """
        __tracebackhide__ = True
        durable = self.execution._execution
        stop = durable.service.drive(lambda: durable.is_over or done())
        if not done():
            self.execution._judge(stop)
            error = durable.error
            raise UsageError(f"the execution ended {durable.status.value} instead: {error and error.message}")


class _Call:
    """One call on the context, and how it ended the first time."""

    def __init__(self, method: str, args: tuple[Any, ...]) -> None:
        self._method = method
        self._args = args
        self._value: Any = None
        self._error: Exception | None = None
        self.is_over = False

    def make(self, context: DurableContext) -> None:
        """Make the call on an invocation's context; a suspension or a kill passes through."""
        try:
            value = getattr(context, self._method)(*self._args)
        except Exception as error:
            if not self.is_over:
                self._error = error
        else:
            if not self.is_over:
                self._value = value
        self.is_over = True

    def outcome(self) -> Any:
        """The value of the call; raises its error."""
        __tracebackhide__ = True
        if self._error is not None:
            raise self._error
        return self._value


def _payload(event: Any) -> str:
    """The event as the JSON that Lambda would be given.

    Raises:
        InvalidEvent: naming what is not JSON.
    """
    if event is None:
        return "{}"
    try:
        return json.dumps(event, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidEvent(
            f"the event is not JSON: {error}. A Lambda receives JSON only: pass dicts, lists, strings, numbers, "
            f"booleans and None, for example {{'order': 7}}"
        ) from None


def _count(name: str, number: Any) -> int:
    if not isinstance(number, int) or isinstance(number, bool) or number < 0:
        raise UsageError(f"{name} must be a whole number from 0, not {number!r}")
    return number


def _warn_of_unreached(execution: Execution, injector: Injector) -> None:
    """Say that a fault of the plan did not happen.

    Raises:
        InvalidPlan: if it names an operation that an execution which succeeded does not have.
    """
    missed = injector.unreached()
    if not missed:
        return
    visited = {fault.path for fault in injector.visited}
    if execution.status is ExecutionStatus.SUCCEEDED:
        for problem in unknown_names(injector.plan, visited, execution._execution.paths.values()):
            raise InvalidPlan(problem)
    places = dict.fromkeys(str(fault) for fault in injector.visited)
    for fault in missed:
        near = difflib.get_close_matches(str(fault), places, 3) or [
            place for place in places if place.startswith(fault.path)
        ]
        warnings.warn(
            f"the fault '{fault}' did not happen: the execution never came to that place. "
            f"It came to: {', '.join(near or places)}",
            FaultNotReached,
            stacklevel=3,
        )
