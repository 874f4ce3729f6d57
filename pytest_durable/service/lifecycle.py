"""One durable execution from its start to its end: when its handler is invoked, and what its answers mean.

Sources: SDK ``execution.py`` for what a handler returns or raises; AWS's local runner for how the service takes it; the
count and the gaps of re-invocations after a crash as observed on AWS in April 2026, which publishes no numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aws_durable_execution_sdk_python.lambda_service import (
    ErrorObject,
    OperationAction,
    OperationStatus,
    OperationType,
    OperationUpdate,
)

from pytest_durable.engine import MICROS, Process, at, current_task
from pytest_durable.service.chained import TOO_LARGE, carry_out, end_of_invoked
from pytest_durable.service.cold import Environment
from pytest_durable.service.effects import Effect
from pytest_durable.service.family import Relative
from pytest_durable.service.handlers import Handler
from pytest_durable.service.history import History
from pytest_durable.service.identity import execution_arn, uuid_of
from pytest_durable.service.invocation import Invocation
from pytest_durable.service.journal import Journal
from pytest_durable.service.limits import MAX_PAYLOAD, size_of
from pytest_durable.service.operations.execution import started
from pytest_durable.service.output import ExecutionStatus, RetryPolicy, error_of_raised, exit_of, problem_with
from pytest_durable.service.points import INVOCATION, OUTAGE, THROTTLE, NoFaults, Points
from pytest_durable.service.record import Asked, Divergence, InvocationRecord, Swallowed
from pytest_durable.service.tokens import Tokens

if TYPE_CHECKING:
    from pytest_durable.service.service import DurableService


_RUNNING = ExecutionStatus.RUNNING
"""Asked for at every switch; looking up a member in its enum costs as much as a call."""
MAX_INVOCATIONS = 5_000
MAX_REPLAYED = 250_000
"""When an execution is taken for one that never ends: so many invocations, or operations replayed in all of them."""


@dataclass
class DurableExecution(Relative):
    """An execution, as the service keeps it.

    Attributes:
        asked: what the first call for each operation asked for.
        children: operation ids that were made in each context, by any invocation, in order; None is the root.
        divergences: where a replay asked for something else.
        paths: of each operation seen, by its id.
        exhausted: whether it was given up, after as many invocations as the service allows.
        refused: what it did that cannot be simulated, as an error that the test is given when its invocation has ended.
        swallowed: the first code that was seen to go on although it was suspended or dead.
        sealed: whether it is a replay of a journal to which nothing may be added.
        patient: whether what a sealed one may not do stops only the thread that does it.
        breach: what a sealed execution asked for that its journal does not hold.
        cut_short: whether a sealed execution came to an operation that had not finished, and was stopped there.
        unstored: what the last invocation of the finished one that it replays asked for, and the SDK did not store.
        given_up: whether the service gave it up, because invocation after invocation failed.
        invoked_as: the operation of its parent that invoked it.
        prefix: of the paths of its operations: empty, or the path of that operation and a slash.
        copy: how many executions of other functions have its name.
        rests: whether its handler waits for the test, and does nothing until that goes on.
        effects: what its code did to the outside world, in order.
        plain: how many plain functions that it invoked are running.
        turn: in which the first of its invocations is; see `Changes`.
    """

    service: DurableService
    handler: Handler
    name: str
    payload: str
    points: Points = field(default_factory=NoFaults)
    invocation_timeout: int = 900 * MICROS
    execution_timeout: int | None = None
    policy: RetryPolicy = field(default_factory=RetryPolicy)
    sealed: bool = False
    parent: DurableExecution | None = None
    invoked_as: str = ""
    prefix: str = ""
    tenant_id: str | None = None
    copy: int = 0

    def __post_init__(self) -> None:
        clock = self.service.world.clock
        self.started = clock.micros
        self.ended: int | None = None
        self.status = _RUNNING
        self.result: str | None = None
        self.error: ErrorObject | None = None
        self.exhausted = False
        self.swallowed: Swallowed | None = None
        self.refused: BaseException | None = None
        self.breach: str | None = None
        self.cut_short = self.patient = self.given_up = False
        self.unstored: frozenset[str] = frozenset()
        self.invocations: list[InvocationRecord] = []
        self.in_flight: Invocation | None = None
        self.asked: dict[str, Asked] = {}
        self.children: dict[str | None, dict[str, None]] = {}
        self.divergences: list[Divergence] = []
        self.paths: dict[str, str] = {}
        self.invoked: list[DurableExecution] = []
        self.effects: list[Effect] = []
        self.plain = self.turn = 0
        self.rests: Callable[[], bool] = bool
        self._failures = 0
        self._replayed = 0
        self._empty_pendings = 0
        self._scheduled_for: int | None = None
        self._stored_output: OperationUpdate | None = None
        execution_id = self.id_for("execution")
        self.arn = execution_arn(self.handler.name, self.name, execution_id)
        self.tokens = Tokens(execution_id)
        self.environment = Environment(self.handler, self.service.shelf, is_cold=self.sealed)
        timeout = None if self.execution_timeout is None else self.execution_timeout // MICROS
        self.history = History(execution_id, self.name, self.payload, timeout, clock.now())
        self.journal = Journal(
            started(execution_id, self.payload, clock.now()),
            watch=lambda micros: self.service.world.call_at(micros, self._tick),
            history=self.history,
        )
        if self.execution_timeout is not None:
            self.service.world.call_at(self.started + self.execution_timeout, self._time_out)
        self.invoke_at(clock.micros)

    # --- identity -------------------------------------------------------------------------------------------------

    def id_for(self, what: str) -> str:
        """An id in the shape of a UUID, the same in every run: from the world's seed, this execution and ``what``."""
        return uuid_of(self.service.seed, self.name, *([self.copy] if self.copy else []), what)

    def name_path(self, operation_id: str, context_id: str | None, segment: str) -> str:
        """The path of an operation, given on first sight: its context's path, and its name or position."""
        path = self.paths.get(operation_id)
        if path is None:
            parent = None if context_id is None else self.paths.get(context_id)
            path = f"{self.prefix}{segment}" if parent is None else f"{parent}/{segment}"
            self.paths[operation_id] = path
        return path

    def path_of(self, operation_id: str) -> str:
        """The path of an operation that was seen, else its id."""
        return self.paths.get(operation_id, operation_id)

    # --- invoking -------------------------------------------------------------------------------------------------

    @property
    def is_over(self) -> bool:
        """Whether it has ended, or will not be driven further."""
        return self.status is not _RUNNING or self.exhausted

    @property
    def is_busy(self) -> bool:
        """Whether the handler runs, or is about to be invoked without time passing; plain functions count as well."""
        if self.in_flight is not None:
            return not self.rests()
        if self.plain:
            return True
        due = self._scheduled_for
        return due is not None and due <= self.service.world.clock.micros and not self.is_over

    def invoke_at(self, micros: int) -> None:
        """Invoke the handler when the clock shows ``micros``, unless that is due already."""
        if self._scheduled_for is None:
            self._scheduled_for = micros
            self.service.world.call_at(micros, self._invoke)

    def _invoke(self) -> None:
        self._scheduled_for = None
        if self.is_over or self.in_flight is not None or self.service.postpones(self):
            return
        self._replayed += len(self.journal.operations)
        if len(self.invocations) >= MAX_INVOCATIONS or self._replayed > MAX_REPLAYED or self.swallowed is not None:
            self.give_up()
            return
        self.journal.fire_due(self.service.world.clock.now())
        number = self.service.begin_invocation(self)
        self.service.world.note("invoke", self.name, number)
        if self.points.others and self._is_throttled(number):
            return
        invocation = self.service.invocation(self, number)
        self.in_flight = invocation
        self.invocations.append(invocation.record)
        self.service.world.call_at(invocation.deadline, lambda: self._time_out_invocation(invocation))
        if self.points.others:
            self._lose(invocation)

    def _is_throttled(self, number: int) -> bool:
        """Lambda has no room for the invocation: the handler is not called."""
        fault = self.points.visit(f"{self.prefix}{INVOCATION}", THROTTLE)
        if fault is None:
            return False
        now = self.service.world.clock.micros
        record = InvocationRecord(number, self.id_for(f"invocation-{number}"), now, struck=fault)
        self.invocations.append(record)
        self._failed_attempt(record, "died", ("TooManyRequestsException", "Rate Exceeded."))
        return True

    def _lose(self, invocation: Invocation) -> None:
        """The service loses sight of the invocation, which runs on."""
        fault = self.points.visit(f"{self.prefix}{INVOCATION}", OUTAGE)
        if fault is not None:
            self.in_flight = None
            self.environment = self.environment.successor()
            invocation.record.struck = fault
            self._failed_attempt(invocation.record, "lost", ("ServiceException", "The service lost the invocation."))

    def give_up(self) -> None:
        """Drive this execution no further, nor those that wait for it."""
        self.exhausted = True
        if self.parent is not None:
            self.parent.give_up()

    # --- what the outside world does ------------------------------------------------------------------------------

    def opened(self, update: OperationUpdate) -> None:
        """A callback, or a chained invoke, was stored: tell the outside world."""
        if update.operation_type is OperationType.CHAINED_INVOKE:
            carry_out(self, update)
        elif update.operation_type is OperationType.CALLBACK:
            self.service.callbacks.created(self, update.operation_id)

    def close_operation(
        self,
        operation_id: str,
        status: OperationStatus,
        *,
        result: str | None = None,
        error: ErrorObject | None = None,
    ) -> None:
        """A callback, or a chained invoke, has ended: invoke the handler, unless it runs already."""
        if self.is_over:
            return
        world = self.service.world
        world.note("closed", self.path_of(operation_id), status.value)
        self.journal.close(operation_id, status, world.clock.now(), result=result, error=error)
        if self.in_flight is None:
            self.invoke_at(world.clock.micros)

    def _tick(self) -> None:
        """A timer of the journal is due: let it fire, and invoke if nobody is there to see it."""
        if self.is_over:
            return
        if self.journal.fire_due(self.service.world.clock.now()) and self.in_flight is None:
            self.invoke_at(self.service.world.clock.micros)

    def _time_out_invocation(self, invocation: Invocation) -> None:
        if not invocation.process.ended:  # also if the service has lost it: Lambda has not
            seconds = self.invocation_timeout / MICROS
            invocation.record.asleep_until = invocation.asleep_until
            invocation.record.error = ("Sandbox.Timedout", f"Task timed out after {seconds:.2f} seconds")
            invocation.process.kill("the invocation timed out")

    def _time_out(self) -> None:
        assert self.execution_timeout is not None
        seconds = self.execution_timeout // MICROS
        error = ErrorObject.from_message(f"Execution timed out after {seconds} seconds.")
        self._end(ExecutionStatus.TIMED_OUT, None, error)

    # --- how an invocation ended ----------------------------------------------------------------------------------

    def invocation_ended(self, process: Process) -> None:
        """The process of the invocation in flight is gone; decide what comes next."""
        process.owner.client.detach()
        if self.refused is not None:
            raise self.refused
        invocation = self.in_flight
        if invocation is None or invocation.process is not process:
            return  # the service has lost it: nobody hears its answer
        self.in_flight = None
        record = invocation.record
        if process.abandoned and self.swallowed is None:
            self.swallowed = Swallowed("its death", process.abandoned[0].where())
        main, process.main = process.main, None  # which refer to each other: neither waits for the collector
        assert main is not None
        if self.sealed and not process.completed:
            self.give_up()
        if self.is_over:
            self._close(record, "died", None)
        elif self._stored_output is not None:
            self._complete(record, self._stored_output)
        elif not process.completed or not isinstance(main.raised, Exception | None):
            # Lambda's runtime catches nothing that is no Exception: its process ends.
            self._died(record, process.cause or exit_of(main.raised))
        elif main.raised is not None:
            self._failed_attempt(record, "raised", error_of_raised(main.raised))
        else:
            self._answered(invocation, main.result)
        invocation.remember_children()
        self.service.callbacks.invocation_ended()

    def _close(self, record: InvocationRecord, output: str, error: ErrorObject | None) -> None:
        """Write down how an invocation ended."""
        record.output = output
        if record.ended is None:  # else the end of the execution was the end of it
            clock = self.service.world.clock
            record.ended = clock.micros
            self.history.invocation_completed(at(record.started), clock.now(), record.request_id, error)

    def _died(self, record: InvocationRecord, cause: str) -> None:
        self.environment = self.environment.successor()
        kind, message = record.error or ("Runtime.ExitError", f"RequestId: {record.request_id} Error: {cause}")
        self._failed_attempt(record, "died", (kind, message))

    def _failed_attempt(self, record: InvocationRecord, output: str, error: tuple[str, str]) -> None:
        record.error = error
        self._close(record, output, ErrorObject(error[1], error[0], None, None))
        self._failures += 1
        if self._failures > len(self.policy.gaps):
            self.given_up = True
            self._end(ExecutionStatus.FAILED, None, ErrorObject(error[1], error[0], None, None))
            return
        self.tokens.revoke()
        gap = self.policy.gaps[self._failures - 1]
        self.invoke_at(self.service.world.clock.micros + gap * MICROS)

    def _answered(self, invocation: Invocation, output: Any) -> None:
        status = output.get("Status") if isinstance(output, dict) else None
        error = ErrorObject.from_dict(output["Error"]) if isinstance(output, dict) and output.get("Error") else None
        self._close(invocation.record, status or "raised", error)
        problem = problem_with(output, status)
        if problem is not None:
            self._refuse(problem)
            return
        self._failures = 0
        if status == "PENDING":
            self._pending(withdrawn=invocation.record.struck is not None)
        elif status == "SUCCEEDED":
            self._end(ExecutionStatus.SUCCEEDED, output.get("Result"), None)
        else:
            self._end(ExecutionStatus.FAILED, None, error)

    def _refuse(self, problem: str) -> None:
        """The service does not take the handler's answer: the execution is over."""
        self._end(ExecutionStatus.FAILED, None, ErrorObject(problem, "InvalidParameterValueException", None, None))

    def _pending(self, withdrawn: bool) -> None:
        """The handler is suspended: invoke again now, or wait for a timer, or object if nothing is pending.

        An invocation whose token was withdrawn had to stop wherever it was: it is made up for.
        """
        now = self.service.world.clock.micros
        moved = withdrawn or self.journal.has_unseen or self.journal.fire_due(self.service.world.clock.now())
        if moved or (not self.journal.has_pending and self.journal.moved_since_input):
            self._empty_pendings = 0
            self.invoke_at(now)
        elif self.journal.has_pending:
            self._empty_pendings = 0
            self.tokens.revoke()
        else:
            self._empty_pendings += 1
            if self._empty_pendings > self.policy.empty_pendings:
                self._refuse("Cannot return PENDING status with no pending operations.")
            else:
                self.invoke_at(now)

    # --- its end --------------------------------------------------------------------------------------------------

    def store_output(self, update: OperationUpdate) -> None:
        """An EXECUTION update brought the result, because it is too large for the handler's answer."""
        self._stored_output = update

    def _complete(self, record: InvocationRecord, stored: OperationUpdate) -> None:
        """End with what was stored: the execution was complete from then on, however its invocation ended."""
        succeeded = stored.action is OperationAction.SUCCEED
        status = ExecutionStatus.SUCCEEDED if succeeded else ExecutionStatus.FAILED
        self._close(record, status.value, stored.error)
        self._end(status, stored.payload, stored.error)

    def _end(self, status: ExecutionStatus, result: str | None, error: ErrorObject | None) -> None:
        if self.is_over:
            return
        if self.parent is not None and result is not None and size_of(result) > MAX_PAYLOAD:
            status, result, error = ExecutionStatus.FAILED, None, ErrorObject.from_message(f"Execution {TOO_LARGE}")
        self.status = status
        self.result = result
        self.error = error
        self.ended = self.service.world.clock.micros
        if self.in_flight is not None:
            self._close(self.in_flight.record, "died", None)
        self.history.ended(self.service.world.clock.now(), status.value, result, error)
        self.tokens.revoke()
        self.journal.forget_timers()
        self.service.world.note("end", self.name, status.value)
        if self.parent is not None:
            closed, why = end_of_invoked(self)
            self.parent.close_operation(self.invoked_as, closed, result=result, error=why)
        task = current_task()
        if self.in_flight is not None and (task is None or task.process is not self.in_flight.process):
            # On AWS it runs on to its next checkpoint, which is refused; nobody here would wait for that.
            self.in_flight.process.kill(f"the execution is {status.value}")

    def stop(self, error: ErrorObject | None) -> None:
        """End it from outside, for good."""
        self._end(ExecutionStatus.STOPPED, None, error or ErrorObject.from_message("Execution stopped by user request"))
