"""One invocation of a durable function: a simulated process, its checkpoints, and what is seen of its code."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from aws_durable_execution_sdk_python.execution import (
    DurableExecutionInvocationInputWithClient,
    InitialExecutionState,
)
from aws_durable_execution_sdk_python.lambda_service import (
    Operation,
    OperationAction,
    OperationType,
    OperationUpdate,
)

from pytest_durable.engine import MICROS, Killed, Process, current_task
from pytest_durable.seams.observe import Call, Identifier
from pytest_durable.service.client import ServiceClient
from pytest_durable.service.errors import STALE_TOKEN, InvalidParameterValue, throttled, unavailable
from pytest_durable.service.lambda_context import LambdaContext
from pytest_durable.service.points import BODY, OUTAGE, RETURN, REVOKE, START, STORED, SUSPEND, THROTTLE, TIMEOUT
from pytest_durable.service.points import INVOCATION as ITSELF
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
    word_for,
)
from pytest_durable.service.sealed import stop_sealed
from pytest_durable.service.trial import FOREVER, await_answers, end_waits, in_one_piece, pass_time

if TYPE_CHECKING:
    from pytest_durable.service.lifecycle import DurableExecution

# Looking up a member in its enum costs as much as a call: what every step asks for is looked up once.
_START, _SUCCEED = OperationAction.START, OperationAction.SUCCEED
_STEP, _EXECUTION = OperationType.STEP, OperationType.EXECUTION
_RUN_BY_THE_HANDLER = (_STEP, OperationType.CONTEXT)
OTHER_PACE = 0.8
"""Seconds at most that a checkpoint, or the way to a body, takes in a run at another pace."""
_CALLS_AFTER_SUSPENSION = 50
_START_POLL = 0.05
_START_POLLS = 60
"""A START that travels alone is sent within 0.1 s (``_STOP_SIGNAL_POLL_SECONDS`` of the SDK); 3 s is for ever."""


class Invocation:
    """An invocation in flight; the observer of the code that runs in its process.

    Args:
        execution: whose invocation it is.
        number: from 1.

    Attributes:
        revoked: the text of the fault that takes its token back at its next checkpoint, if one does.
        sleep: lets virtual seconds pass for the thread of it that runs.
    """

    def __init__(self, execution: DurableExecution, number: int) -> None:
        self.execution = execution
        self.trial = execution.service.trial
        self.world = execution.service.world
        started = self.world.clock.micros
        state = execution.journal.take_state()
        request_id = execution.id_for(f"invocation-{number}")
        self.record = InvocationRecord(number, request_id, started)
        self.deadline = started + (FOREVER if in_one_piece(self.trial) else execution.invocation_timeout)
        self._calls: dict[str, Call] = {}
        self._children: dict[str | None, list[str]] = {}
        self._suspended: dict[str | None, Call] = {}
        self._refused: dict[str, Asked] = {}
        self._calls_after = 0
        self.revoked: str | None = None
        self._has_called = False
        client = self.client = ServiceClient(self, state, execution.service.page_size)
        operations, marker = client.first_page()
        event = object.__new__(DurableExecutionInvocationInputWithClient)  # see `operation_from`
        event.__dict__.update(
            durable_execution_arn=execution.arn,
            checkpoint_token=execution.tokens.rotate(number),
            initial_execution_state=InitialExecutionState(operations, marker),
            updated_operation_ids=execution.journal.take_updated_ids(),
            service_client=client,
        )
        context = self.context = LambdaContext(execution.handler.name, request_id, self.world.clock, self.deadline)
        context.tenant_id = execution.tenant_id
        context.asked = self.record.note_asked_for_time
        self._handler = execution.environment.invoke
        self.sleep = self.world.sleep

        def main() -> Any:
            output = self._handler(event, context)
            if execution.points.others:
                self._hang_if(f"{execution.prefix}{ITSELF}")
            self.die_if(f"{execution.prefix}{ITSELF}", RETURN)
            return output

        # Not of the execution's name: the same function draws the same in every run.
        luck = f"{execution.prefix}#{number}{' once more' if execution.sealed else ''}"
        self.process: Process = self.world.process(
            f"{execution.name}#{number}", main, self, execution.invocation_ended, luck
        )

    # --- dying ----------------------------------------------------------------------------------------------------

    @property
    def asleep_until(self) -> int | None:
        """The latest instant, in microseconds, at which a thread of it wakes by itself; None if none does."""
        return self.process.asleep_until

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
            self.sleep((self.deadline - self.world.clock.micros) / MICROS + 1)

    # --- the service's side of a checkpoint -----------------------------------------------------------------------

    def check_token(self, arn: str, token: str) -> None:
        """Refuse a token that is not the execution's current one.

        Raises:
            InvalidParameterValue: in the service's words.
        """
        if arn != self.execution.arn or not token or token != self.execution.tokens.current:
            raise InvalidParameterValue(STALE_TOKEN)

    def checkpoint(
        self, arn: str, token: str, updates: Sequence[OperationUpdate]
    ) -> tuple[str | None, list[Operation]]:
        """Store the updates of one request; return the next token, if there is one, and the changed operations.

        Raises:
            InvalidParameterValue: if the token is stale or an update is refused; nothing is stored then.
            ServiceError: if a fault of the service strikes; nothing is stored then.
            Killed: if the process is dead, or a fault strikes.
        """
        if self.process.cause is not None and (task := current_task()) is not None:
            self.process.refuse(task)
        self.check_token(arn, token)
        execution = self.execution
        if execution.service.pace is not None:
            self.sleep(execution.service.pace.random() * OTHER_PACE)
            self.check_token(arn, token)
        if execution.sealed and updates and updates[0].operation_type is not _EXECUTION:  # which is its answer
            stop_sealed(self, updates[0].operation_id, updates[0].action.value)
        if execution.points.others:
            self._disturb(updates)
        journal = execution.journal
        now = self.world.clock.now()
        journal.fire_due(now)
        try:
            journal.apply(updates, now)
        except InvalidParameterValue as refusal:
            self._note_refusal(refusal)
            raise
        places = self._note(updates)
        if updates and updates[-1].operation_type is _EXECUTION:
            execution.store_output(updates[-1])
            execution.tokens.revoke()
            return None, journal.take_delta()
        if self.revoked is not None:
            self.record.struck, self.revoked = self.revoked, None
            execution.tokens.revoke()
            return None, journal.take_delta()
        next_token = execution.tokens.rotate(self.record.number)
        for path, where in places:
            self.die_if(path, where)
        if in_one_piece(self.trial):
            end_waits(journal, updates, now)
            await_answers(self, updates)
        return next_token, journal.take_delta()

    def _disturb(self, updates: Sequence[OperationUpdate]) -> None:
        """Let the faults of the service strike that are planned for this call, for one of its operations."""
        points = self.execution.points
        if not self._has_called:
            self._has_called = True
            self.revoked = points.visit(f"{self.execution.prefix}{ITSELF}", REVOKE)
        for path in dict.fromkeys(self.execution.path_of(update.operation_id) for update in updates):
            for where, refusal in ((THROTTLE, throttled), (OUTAGE, unavailable)):
                fault = points.visit(path, where)
                if fault is not None:
                    self.record.struck = fault
                    raise refusal("CheckpointDurableExecution")
            self.revoked = self.revoked or points.visit(path, REVOKE)

    def _note_refusal(self, refusal: InvalidParameterValue) -> None:
        """The service does not take what the SDK sends: the invocation will end, and the test is to know of what."""
        path = "" if refusal.operation_id is None else self.execution.path_of(refusal.operation_id)
        self.record.refused = f"{path}: {refusal}" if path else str(refusal)
        if refusal.operation_id is not None:
            self.record.events.append((refusal.operation_id, path, "refused", self.world.clock.micros))

    def _note(self, updates: Sequence[OperationUpdate]) -> list[tuple[str, str]]:
        """Write down what was stored; the places it brings the execution to, in order."""
        trace = self.world.trace.entries
        micros = self.world.clock.micros
        trace.append((micros, "checkpoint", self.process.name, len(updates)))
        places = []
        paths = self.execution.paths
        for update in updates:
            action, operation_id = update.action, update.operation_id
            path = paths.get(operation_id, operation_id)
            trace.append((micros, update.operation_type._name_, action._name_, path))
            if action is _SUCCEED:
                word, where = "stored", STORED
            elif action is not _START:
                word, where = self._note_failure(update)
            elif update.operation_type in _RUN_BY_THE_HANDLER:
                continue
            else:
                word, where = word_for(update), SUSPEND
                self.execution.opened(update)
            places.append((path, where))
            self.record.events.append((operation_id, path, word, micros))
        return places

    def _note_failure(self, update: OperationUpdate) -> tuple[str, str]:
        """The word and the place of a FAIL, RETRY or CANCEL."""
        if update.error is not None and (update.error.type or "").endswith("StepInterruptedError"):
            self.record.interrupted.add(update.operation_id)
        if update.action is OperationAction.FAIL:
            return "failed", STORED
        if update.step_options is None:
            return update.action.value.lower(), SUSPEND
        return f"again in {update.step_options.next_attempt_delay_seconds} s", SUSPEND

    # --- what the code does (the Observer protocol) ---------------------------------------------------------------

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

    # --- its end --------------------------------------------------------------------------------------------------

    def handler_ended(self, error: BaseException | None) -> None:
        """The handler returned, raised, or was interrupted by a suspension or a kill."""
        if error is None or isinstance(error, Exception):
            self._find_missing(None)
            self._check_that_it_may_end(None)

    def remember_children(self) -> None:
        """Keep which operations each context made, for the next invocation to be compared with."""
        for context_id, made in self._children.items():
            self.execution.children.setdefault(context_id, {}).update(dict.fromkeys(made))
