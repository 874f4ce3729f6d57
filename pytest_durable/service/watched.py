"""What is seen of the code of one invocation, and where it dies in it: the observer that the seams tell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_durable_execution_sdk_python.lambda_service import OperationType

from pytest_durable.engine import MICROS, Killed, Process, current_task
from pytest_durable.seams.observe import Call, Identifier
from pytest_durable.service.arguments import LONGEST_INVOCATION
from pytest_durable.service.points import BODY, START, TIMEOUT
from pytest_durable.service.record import (
    RAN,
    Asked,
    BodyRun,
    Divergence,
    InvocationRecord,
    Swallowed,
    asked_of,
    divergence,
    name_of,
    place_text,
)
from pytest_durable.service.sealed import stop_sealed
from pytest_durable.service.trial import FOREVER, in_one_piece, pass_time

if TYPE_CHECKING:
    from pytest_durable.service.lifecycle import DurableExecution

_STEP = OperationType.STEP
"""Looking up a member in its enum costs as much as a call."""
OTHER_PACE = 0.8
"""Seconds at most that a checkpoint, or the way to a body, takes in a run at another pace."""
_CALLS_AFTER_SUSPENSION = 50
_START_POLL = 0.05
_START_POLLS = 60
"""A START that travels alone is sent within 0.1 s (``_STOP_SIGNAL_POLL_SECONDS`` of the SDK); 3 s is for ever."""


class Watched:
    """The code of an invocation, as it is watched: what it asks for, which bodies run, how they end.

    Args:
        execution: whose invocation it is.
        number: of the invocation, from 1.

    Attributes:
        record: where all of it is written down.
        deadline: when its time is up, in microseconds.
        process: that the code runs in, once there is one.
        sleep: lets virtual seconds pass for the thread of it that runs.
    """

    process: Process

    def __init__(self, execution: DurableExecution, number: int) -> None:
        self.execution = execution
        self.trial = execution.service.trial
        world = self.world = execution.service.world
        started = world.clock.micros
        self.record = InvocationRecord(number, execution.id_for(f"invocation-{number}"), started)
        self.deadline = started + (FOREVER if in_one_piece(self.trial) else execution.invocation_timeout)
        self.sleep = world.sleep
        self._calls: dict[str, Call] = {}
        self._children: dict[str | None, list[str]] = {}
        self._suspended: dict[str | None, Call] = {}
        self._refused: dict[str, Asked] = {}
        self._calls_after = 0

    # --- dying ----------------------------------------------------------------------------------------------------

    def die_if(self, path: str, where: str) -> None:
        """Die here if that is planned."""
        fault = self.execution.points.visit(path, where)
        if fault is not None:
            self._die(fault)

    def _die(self, fault: str) -> None:
        self.record.fault = fault
        self.execution.service.outside.deaths.append(f"{fault}, invocation {self.record.number}")
        self.process.kill(fault)
        raise Killed(fault)

    def _hang_if(self, path: str) -> None:
        """Use up the invocation's time, with everything done that was to be done here, if that is planned."""
        fault = self.execution.points.visit(path, TIMEOUT)
        if fault is not None:
            self.record.fault = fault
            left = min((self.deadline - self.world.clock.micros) / MICROS, LONGEST_INVOCATION)
            self.sleep(left + 1)
            self._die(fault)  # that of direct calls may take longer

    # --- what it does (the Observer protocol) ---------------------------------------------------------------------

    def called(self, call: Call) -> None:
        """A durable call got its id: name its path, and compare it with what earlier invocations asked for there."""
        operation_id = call.operation_id
        assert operation_id is not None
        execution = self.execution
        if call.context_id in self._suspended:
            self._stop_loop(call.context_id)
        if execution.service.investigation is not None:
            execution.service.investigation.called(execution, self.record, call)
        name = name_of(call)
        path = execution.name_path(operation_id, call.context_id, name or f"[{call.position}]")
        asked = asked_of(call, path, name)
        self._calls[operation_id] = call
        self._children.setdefault(call.context_id, []).append(operation_id)
        self.record.asked[operation_id] = asked
        micros = self.world.clock.micros
        self.world.trace.entries.append((micros, "call", call.method, path, asked.detail))
        replayed = execution.journal.is_terminal(operation_id)
        self.record.events.append((operation_id, path, "replayed" if replayed else "", micros))
        if in_one_piece(self.trial):
            pass_time(self.sleep, call)
        before = execution.asked.setdefault(operation_id, asked)
        if before is not asked:
            found = divergence(before, asked, self.record.number, execution.invocations)
            if found is not None:
                execution.divergences.append(found)

    def refused(self, call: Call) -> None:
        """A call that became no operation: of interest if an earlier invocation had one in its place."""
        operation_id = call.operation_id
        assert operation_id is not None
        name = name_of(call)
        above = "" if call.context_id is None else f"{self.execution.paths.get(call.context_id, '')}/"
        path = f"{above or self.execution.prefix}{name or f'[{call.position}]'}"
        self._refused[operation_id] = asked_of(call, path, name)
        self.record.events.append((f"refused {operation_id}", path, "refused", self.world.clock.micros))

    def suspended(self, call: Call) -> None:
        """A durable call suspends its context; if that goes on all the same, it has swallowed the suspension."""
        self._suspended.setdefault(call.context_id, call)

    def _stop_loop(self, context_id: str | None) -> None:
        """A context asks for more although it is suspended: in ``finally:`` perhaps, but not again and again."""
        self._calls_after += 1
        if self._calls_after > _CALLS_AFTER_SUSPENSION:
            self._check_that_it_may_end(context_id)
            cause = "it swallows every suspension"
            self.process.kill(cause)
            raise Killed(cause)

    def _check_that_it_may_end(self, context_id: str | None) -> None:
        """A body, or the handler, ends by itself: it must not have been suspended, nor be dead."""
        if self.execution.swallowed is not None:
            return
        call = self._suspended.get(context_id)
        if call is not None:
            self.execution.swallowed = Swallowed("its own suspension", place_text(call.place))
        elif self.process.cause is not None:
            asked = self.record.asked.get(context_id) if context_id is not None else None
            place = self.execution.handler.place if asked is None else asked.place
            self.execution.swallowed = Swallowed("its death", place_text(place))

    def body_started(self, identifier: Identifier, function: Any, again: bool, attempt: int | None) -> BodyRun:
        """A body is about to run; may kill the invocation instead."""
        operation_id = identifier.operation_id
        execution = self.execution
        call = self._calls.get(operation_id)
        path = execution.paths.get(operation_id) or execution.name_path(
            operation_id, identifier.parent_id, identifier.name or "?"
        )
        asked = self.record.asked.get(operation_id)
        if asked is not None and asked.functions:
            function = asked.functions[0]  # the user's own, where the SDK has wrapped it
        # Of an invocation that the service has lost, another may have run ahead.
        completed = execution.in_flight is self and execution.journal.is_terminal(operation_id)
        is_step = identifier.operation_type is _STEP
        run = BodyRun(operation_id, path, attempt if is_step else None, function, again, completed and not again)
        run.is_virtual = not is_step and self._is_virtual(operation_id, identifier, call)
        self._suspended.pop(operation_id, None)
        if not again and not run.is_virtual:
            self._before_body(run, is_step, completed)
        self.record.bodies.append(run)
        micros = self.world.clock.micros
        self.record.events.append((operation_id, path, RAN, micros))
        if run.completed_before:
            self.record.alarms.add(operation_id)
        self.world.trace.entries.append((micros, "body", path, attempt or 0))
        return run

    def _before_body(self, run: BodyRun, is_step: bool, completed: bool) -> None:
        """The place between START and the body: nothing of the body has happened if the invocation dies here."""
        execution = self.execution
        task = current_task()
        if task is not None:
            self.world.offer(task)
        if execution.sealed and is_step and not completed:
            stop_sealed(self, run.operation_id, "body of")
        if execution.service.pace is not None:
            self.sleep(execution.service.pace.random() * OTHER_PACE)
        if is_step or not execution.journal.is_started(run.operation_id):  # else the context's START was stored before
            fault = execution.points.visit(run.path, START)
            if fault is not None:
                self._await_start(run.operation_id)
                self._die(fault)

    def body_ended(self, run: BodyRun, error: BaseException | None) -> None:
        """A body returned, raised or was interrupted; may kill the invocation."""
        if error is None:
            run.outcome = "returned"
        elif isinstance(error, Exception):
            run.outcome = "raised"
        else:
            run.outcome = "interrupted"
            return
        if run.attempt is None:
            self._find_missing(run.operation_id)
        self._check_that_it_may_end(run.operation_id)
        if not run.again and not run.is_virtual:
            if run.attempt is not None and self.execution.points.others:
                self._hang_if(run.path)
            self.die_if(run.path, BODY)

    def _is_virtual(self, operation_id: str, identifier: Identifier, call: Call | None) -> bool:
        """Whether the SDK stores nothing for this context: ``is_virtual``, or a branch of a flat map or parallel."""
        if operation_id in self.execution.journal.operations:
            return False
        if call is not None:
            return bool(getattr(call.argument("config"), "is_virtual", False))
        parent = self._calls.get(identifier.parent_id or "")
        nesting = None if parent is None else getattr(parent.argument("config"), "nesting_type", None)
        return nesting is not None and nesting.name == "FLAT"

    def _await_start(self, operation_id: str) -> None:
        """Let the START, which travels asynchronously, reach the service before the kill."""
        for _ in range(_START_POLLS):
            if operation_id in self.execution.journal.operations:
                return
            self.sleep(_START_POLL)

    def _find_missing(self, context_id: str | None) -> None:
        """A context ran to its end: every operation that an earlier invocation made in it must be made again."""
        if self.execution.service.investigation is not None:
            self.execution.service.investigation.ended(self.execution, context_id)
        made = self._children.get(context_id, [])
        known = self.execution.children.setdefault(context_id, {})
        if len(made) < len(known):
            again = set(made)
            for operation_id in [one for one in known if one not in again]:
                before, now = self.execution.asked[operation_id], self._refused.get(operation_id)
                self.execution.divergences.append(Divergence(self.record.number, before, now))
        known.update(dict.fromkeys(made))

    def handler_ended(self, error: BaseException | None) -> None:
        """The handler returned, raised, or was interrupted by a suspension or a kill."""
        if error is None or isinstance(error, Exception):
            self._find_missing(None)
            self._check_that_it_may_end(None)

    def remember_children(self) -> None:
        """Keep which operations each context made, for the next invocation to be compared with."""
        for context_id, made in self._children.items():
            self.execution.children.setdefault(context_id, {}).update(dict.fromkeys(made))
