"""What a test holds of an execution: read-only views, and for a started one the levers to let time pass."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Sequence
from textwrap import shorten
from typing import Any, NoReturn

from aws_durable_execution_sdk_python.lambda_service import ErrorObject
from aws_durable_execution_sdk_python.lambda_service import Operation as StoredOperation

from pytest_durable.advice import Advice, advice_of
from pytest_durable.callbacks import Callback
from pytest_durable.checks import Finding, check_reached, check_run
from pytest_durable.checks.suspects import suspects
from pytest_durable.engine import MICROS, Stop, micros_ahead
from pytest_durable.errors import UnknownOperation, UsageError
from pytest_durable.faults import Injector
from pytest_durable.report.beside import Beside
from pytest_durable.report.evidence import Evidence
from pytest_durable.report.failure import Failure
from pytest_durable.report.timeline import on_one_screen, timeline
from pytest_durable.service.callbacks import names_of, owner_of
from pytest_durable.service.investigation import Investigation
from pytest_durable.service.lifecycle import DurableExecution
from pytest_durable.service.output import ExecutionStatus
from pytest_durable.service.payload import error_of
from pytest_durable.views import Invocation, Operation, tree_of


class Execution:
    """An execution of a durable function.

    Args:
        execution: the service's side of it.
        injector: with the plan it was started with.
        raise_finding: how a finding is raised, with the test's name and replay command.
        expects_faults: whether it is worth a warning if a fault of the plan does not happen.
    """

    def __init__(
        self,
        execution: DurableExecution,
        injector: Injector,
        raise_finding: Callable[[Failure, Finding, Evidence], NoReturn],
        expects_faults: bool,
        checks: Collection[str],
    ) -> None:
        self._execution = execution
        self._injector = injector
        self._raise = raise_finding
        self._expects_faults, self._checks = expects_faults, checks

    # --- what it is -----------------------------------------------------------------------------------------------

    @property
    def arn(self) -> str:
        """Its ARN, in the shape AWS gives it."""
        return self._execution.arn

    @property
    def name(self) -> str:
        """Its name."""
        return self._execution.name

    @property
    def status(self) -> ExecutionStatus:
        """``RUNNING``, ``SUCCEEDED``, ``FAILED``, ``TIMED_OUT`` or ``STOPPED``; compares equal to its text."""
        return self._execution.status

    @property
    def result(self) -> Any:
        """What the handler returned, through JSON; None unless it succeeded."""
        return None if self._execution.result is None else json.loads(self._execution.result)

    @property
    def error(self) -> ErrorObject | None:
        """What it failed with: ``.type``, ``.message``, ``.data``, ``.stack_trace``; None unless it failed."""
        return self._execution.error

    @property
    def invocations(self) -> tuple[Invocation, ...]:
        """Its invocations, in order."""
        return tuple(map(Invocation.of, self._execution.invocations))

    @property
    def elapsed(self) -> float:
        """Seconds of virtual time from its start to its end, or until now."""
        end = self._execution.ended
        return ((self._execution.service.world.clock.micros if end is None else end) - self._execution.started) / MICROS

    @property
    def billed(self) -> float:
        """Seconds of virtual time in which an invocation ran: waits are free."""
        now = self._execution.service.world.clock.micros
        records = self._execution.invocations
        return sum((now if record.ended is None else record.ended) - record.started for record in records) / MICROS

    # --- its operations -------------------------------------------------------------------------------------------

    @property
    def operations(self) -> tuple[Operation, ...]:
        """The operations at the root, in order of creation; those below are their ``children``."""
        return tree_of(self._execution)[0]

    def operation(self, path: str) -> Operation:
        """The operation at ``path``; of several with one path the last.

        Raises:
            UnknownOperation: if there is none; the message lists those there are.
        """
        found = tree_of(self._execution)[1]
        if path not in found:
            known = ", ".join(map(repr, found)) or "none"
            raise UnknownOperation(f"no operation at {path!r}; the execution has: {known}")
        return found[path]

    def body_runs(self, path: str) -> int:
        """How often the body at ``path`` was begun, over all invocations and attempts.

        The path of an operation of an invoked function begins with that of the invoke.

        Raises:
            UnknownOperation: if there is no such operation.
        """
        runs = sum(
            run.path == path
            for execution in self._execution.family()
            for record in execution.invocations
            for run in record.bodies
        )
        if not runs:
            self.operation(path)
        return runs

    @property
    def history(self) -> list[dict[str, Any]]:
        """Its events so far, as ``GetDurableExecutionHistory`` returns them; times as ISO 8601 text, fit for JSON."""
        return self._execution.history.events()

    @property
    def advice(self) -> tuple[Advice, ...]:
        """What in its handler, or in one that it invoked, is no failure and yet is seldom meant; the gravest first."""
        return advice_of(self._execution)

    def timeline(self) -> str:
        """What happened, as text: a block for each invocation, a line for each operation."""
        return timeline(self._execution)

    @property
    def trace_hash(self) -> str:
        """Fingerprint of everything that happened in its world so far: equal for equal runs, in any process."""
        return self._execution.service.world.trace.digest()

    def __repr__(self) -> str:
        count, error = len(self._execution.invocations), self.error
        why = "" if error is None else shorten(f": {error.type}: {error.message}", 160, placeholder="…")
        return f"<Execution {self.name} {self.status.value}, {count} invocation{'s' * (count != 1)}{why}>"

    # --- what it waits for ----------------------------------------------------------------------------------------

    @property
    def callbacks(self) -> tuple[Callback, ...]:
        """The callbacks that are open, in order of creation."""
        if self._execution.is_over:
            return ()
        return tuple(self._callback(callback) for callback in self._made_callbacks() if callback.end_timestamp is None)

    def callback(self, name: str | None = None, *, id: str | None = None) -> Callback:
        """One callback, to answer it: by its name or path, by its id, or the only one that is open.

        The name may also be that of the ``wait_for_callback``. Of several it is the first open one, else the last.

        Raises:
            UnknownOperation: if there is none of that name; the message lists those there are.
            UsageError: without name or id, if not exactly one is open.
        """
        __tracebackhide__ = True
        if id is not None:
            found = self._execution.service.callbacks.find(id)
            if found is None:
                return Callback(self._execution.service, id, None, self.settle)
            execution, operation_id = found
            return self._view_of(execution)._callback(execution.journal.operations[operation_id])
        made = self._made_callbacks()
        if name is None:
            if len(self.callbacks) != 1:
                raise UsageError(f"say which callback: {len(self.callbacks)} are open, {_names(self.callbacks)}")
            return self.callbacks[0]
        named = [one for one in made if name in names_of(self._execution, one.operation_id)]
        if not named:
            known = _names(tuple(map(self._callback, made)))
            raise UnknownOperation(f"no callback is named {name!r}; the execution has made: {known}")
        return self._callback(next((one for one in named if one.end_timestamp is None), named[-1]))

    def _made_callbacks(self) -> list[StoredOperation]:
        return [one for one in self._execution.journal.operations.values() if one.callback_details is not None]

    def _callback(self, operation: StoredOperation) -> Callback:
        assert operation.callback_details is not None
        name = owner_of(self._execution, operation.operation_id).name
        return Callback(self._execution.service, operation.callback_details.callback_id, name, self.settle)

    def _view_of(self, execution: DurableExecution) -> Execution:
        """Another execution of the same world, as a test sees it."""
        injector = execution.points
        assert isinstance(injector, Injector)
        return Execution(execution, injector, self._raise, expects_faults=False, checks=self._checks)

    def invoked(self, path: str) -> Execution:
        """The execution of the durable function that the operation at ``path`` invoked.

        Raises:
            UnknownOperation: if that operation is none, or invoked no durable function.
        """
        for execution in self._execution.family():
            if execution.prefix == f"{path}/":
                return self._view_of(execution)
        self.operation(path)
        raise UnknownOperation(f"the operation at {path!r} invoked no durable function")

    # --- driving a started one ------------------------------------------------------------------------------------

    def stop(self, error: Any = None) -> Execution:
        """Stop it, as ``StopDurableExecution`` does; does nothing if it is over.

        Args:
            error: what it ends with: a message, an exception, an ``ErrorObject``, or a dict with AWS's names.

        Raises:
            UsageError: for what is no error.
        """
        __tracebackhide__ = True
        self._execution.stop(None if error is None else error_of(error))
        return self

    def run(self) -> Execution:
        """Drive it to its end.

        Raises:
            ExecutionStuck: if it has none.
            DurabilityViolation: what the checks found.
        """
        __tracebackhide__ = True
        stop = self._execution.service.drive(lambda: self._execution.is_over)
        self._judge(stop)
        return self

    def advance(self, seconds: float) -> Execution:
        """Let ``seconds`` of virtual time pass, with everything that falls due; an invocation in its middle then ends.

        Raises:
            ValueError: if ``seconds`` is negative.
            UsageError: if it is no number of seconds.
            DurabilityViolation: what the checks found, if it ends.
        """
        __tracebackhide__ = True
        service = self._execution.service
        service.drive(lambda: False, service.world.clock.micros + micros_ahead("the execution", seconds))
        service.wind_up(self._execution.root)
        if self._execution.is_over:
            self._judge(Stop.DONE)
        return self

    def settle(self) -> Execution:
        """Drive it until it is suspended or over: until nothing can happen without time passing."""
        __tracebackhide__ = True
        execution, root = self._execution, self._execution.root
        stop = execution.service.drive(lambda: (root.is_over and execution.is_over) or not root.is_family_busy)
        if execution.is_over or stop is Stop.IDLE:
            self._judge(stop)
        return self

    def _judge(self, stop: Stop) -> None:
        """Raise what the checks find; warn of faults that did not happen."""
        __tracebackhide__ = True
        finding = check_run(self._execution, stop, self._checks)
        if finding is not None:
            self._raise(failure_of(self._execution, self._injector, finding), finding, Evidence(self._execution))
        if self._expects_faults and self._execution.is_over:
            check_reached(self._injector.plan, [(self._injector, self._execution)])


def failure_of(
    execution: DurableExecution,
    injector: Injector,
    finding: Finding,
    calm: Sequence[Investigation] = (),
    beside: Beside | None = None,
    schedule: str = "",
) -> Failure:
    """The failure that a finding about an execution is reported as.

    Args:
        execution: that it is about.
        injector: of its faults.
        finding: what was found.
        calm: as for `suspects`.
        beside: what the execution is shown beside; None for nothing.
        schedule: the order of its threads, as text.
    """
    return Failure(
        violation=finding.violation.__name__,
        summary=finding.summary,
        plan=str(injector.plan),
        schedule=schedule,
        timeline=on_one_screen(execution) if beside is None else beside.with_(execution),
        explanation=(*finding.explanation, *suspects(execution, finding.violation, calm)),
        kills=len(injector.struck),
    )


def _names(callbacks: tuple[Callback, ...]) -> str:
    return ", ".join(repr(one.name or one.id) for one in callbacks) or "none"
