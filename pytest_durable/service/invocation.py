"""One invocation of a durable function: a simulated process, and its checkpoints."""

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

from pytest_durable.engine import current_task
from pytest_durable.service.client import ServiceClient
from pytest_durable.service.errors import STALE_TOKEN, InvalidParameterValue, throttled, unavailable
from pytest_durable.service.lambda_context import LambdaContext
from pytest_durable.service.points import INVOCATION as ITSELF
from pytest_durable.service.points import OUTAGE, RETURN, REVOKE, STORED, SUSPEND, THROTTLE
from pytest_durable.service.record import word_for
from pytest_durable.service.sealed import stop_sealed
from pytest_durable.service.trial import await_answers, end_waits, in_one_piece
from pytest_durable.service.watched import OTHER_PACE, Watched

if TYPE_CHECKING:
    from pytest_durable.service.lifecycle import DurableExecution

# Looking up a member in its enum costs as much as a call: what every step asks for is looked up once.
_START, _SUCCEED = OperationAction.START, OperationAction.SUCCEED
_EXECUTION = OperationType.EXECUTION
_RUN_BY_THE_HANDLER = (OperationType.STEP, OperationType.CONTEXT)


class Invocation(Watched):
    """An invocation in flight, and what it says to the service.

    Args:
        execution: whose invocation it is.
        number: from 1.

    Attributes:
        revoked: the text of the fault that takes its token back at its next checkpoint, if one does.
    """

    def __init__(self, execution: DurableExecution, number: int) -> None:
        super().__init__(execution, number)
        state = execution.journal.take_state()
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
        name, request_id = execution.handler.name, self.record.request_id
        context = self.context = LambdaContext(name, request_id, self.world.clock, self.deadline)
        context.tenant_id = execution.tenant_id
        context.asked = self.record.note_asked_for_time
        self._handler = execution.environment.invoke

        def main() -> Any:
            __tracebackhide__ = True
            output = self._handler(event, context)
            if execution.points.others:
                self._hang_if(f"{execution.prefix}{ITSELF}")
            self.die_if(f"{execution.prefix}{ITSELF}", RETURN)
            return output

        # Not of the execution's name: the same function draws the same in every run.
        luck = f"{execution.prefix}#{number}{' once more' if execution.sealed else ''}"
        self.process = self.world.process(f"{execution.name}#{number}", main, self, execution.invocation_ended, luck)

    @property
    def asleep_until(self) -> int | None:
        """The latest instant, in microseconds, at which a thread of it wakes by itself; None if none does."""
        return self.process.asleep_until

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
