"""The callbacks of all executions of one world: who has made them, what they are called, and their answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_durable_execution_sdk_python.lambda_service import ErrorObject, Operation, OperationStatus

from pytest_durable.engine import World, current_task, micros_of
from pytest_durable.service.errors import InvalidParameterValue, ServiceError, callback_closed, unknown_callback
from pytest_durable.service.limits import MAX_PAYLOAD, size_of
from pytest_durable.service.operations import sub_type_of
from pytest_durable.service.outside import Answer, Outside

if TYPE_CHECKING:
    from pytest_durable.service.lifecycle import DurableExecution


def owner_of(execution: DurableExecution, operation_id: str) -> Operation:
    """The ``wait_for_callback`` that made a callback, else the callback itself."""
    operation = execution.journal.operations[operation_id]
    parent = execution.journal.operations.get(operation.parent_id or "")
    if parent is not None and sub_type_of(parent) == "WaitForCallback":
        return parent
    return operation


def names_of(execution: DurableExecution, operation_id: str) -> tuple[str, ...]:
    """What a test may call a callback: name and path of its ``wait_for_callback``, its own, and its id."""
    operations = (owner_of(execution, operation_id), execution.journal.operations[operation_id])
    names = [name for one in operations for name in (one.name, execution.path_of(one.operation_id)) if name]
    details = operations[1].callback_details
    return (*names, *([details.callback_id] if details is not None else []))


class CallbackDesk:
    """Where callbacks are answered.

    Args:
        world: for when they are.
        outside: the answers that are declared.
    """

    def __init__(self, world: World, outside: Outside) -> None:
        self._world = world
        self._outside = outside
        self._all: dict[str, tuple[DurableExecution, str]] = {}
        self._at_once: list[tuple[Answer, str]] = []

    def find(self, callback_id: str) -> tuple[DurableExecution, str] | None:
        """The execution and the operation of a callback; None if there is none of this id."""
        return self._all.get(callback_id)

    def created(self, execution: DurableExecution, operation_id: str) -> None:
        """A callback was stored: plan the answers that are declared for it."""
        details = execution.journal.operations[operation_id].callback_details
        assert details is not None
        self._all[details.callback_id] = (execution, operation_id)
        names = names_of(execution, operation_id)
        for answer in self._outside.answers:
            if answer.name not in names:
                continue
            if not answer.after:
                self._at_once.append((answer, details.callback_id))
            else:
                self._plan(answer, details.callback_id, self._world.clock.micros)

    def unmet(self) -> list[str]:
        """The names that answers are declared for, and that no callback so far is called by."""
        met = {name for execution, operation_id in self._all.values() for name in names_of(execution, operation_id)}
        return [name for name in dict.fromkeys(answer.name for answer in self._outside.answers) if name not in met]

    def declare(self, answer: Answer) -> None:
        """Plan an answer for the callbacks that are open already; what is due is given now."""
        for callback_id, (execution, operation_id) in list(self._all.items()):
            created = execution.journal.operations[operation_id].start_timestamp
            if answer.name in names_of(execution, operation_id) and created is not None:
                if answer.after or current_task() is None:
                    self._plan(answer, callback_id, micros_of(created))
                else:  # by the code under test itself, in the middle of its run
                    self._give(answer, callback_id)

    def _plan(self, answer: Answer, callback_id: str, created: int) -> None:
        for number in range(1, answer.times + 1):
            self._world.call_at(created + number * answer.after, lambda: self._give(answer, callback_id))

    def invocation_ended(self) -> None:
        """Give the answers that wait for nothing but for the handler to wait: nobody could have answered before."""
        answers, self._at_once = self._at_once, []
        for answer, callback_id in answers:
            self._give(answer, callback_id)

    def _give(self, answer: Answer, callback_id: str) -> None:
        try:
            if answer.call == "succeed":
                self.succeed(callback_id, answer.result)
            elif answer.call == "fail":
                self.fail(callback_id, answer.error)
            else:
                self.beat(callback_id)
        except ServiceError as refusal:  # it comes too late, and the outside world is told so
            self._world.note("refused", answer.call, refusal.code)

    def succeed(self, callback_id: str, result: str | None) -> None:
        """Answer a callback.

        Raises:
            ServiceError: if it is closed or unknown, or the result is too large.
        """
        operation = "SendDurableExecutionCallbackSuccess"
        execution, operation_id = self._open(operation, callback_id)
        if result is not None and size_of(result) > MAX_PAYLOAD:
            constraint = f"Member must have length less than or equal to {MAX_PAYLOAD}"
            message = f"1 validation error detected: Value at 'result' failed to satisfy constraint: {constraint}"
            raise InvalidParameterValue(message).as_service_error(operation)
        execution.close_operation(operation_id, OperationStatus.SUCCEEDED, result=result)

    def fail(self, callback_id: str, error: ErrorObject | None) -> None:
        """Answer a callback with a failure.

        Raises:
            ServiceError: if it is closed or unknown.
        """
        execution, operation_id = self._open("SendDurableExecutionCallbackFailure", callback_id)
        execution.close_operation(operation_id, OperationStatus.FAILED, error=error)

    def beat(self, callback_id: str) -> None:
        """Say that the work on a callback goes on.

        Raises:
            ServiceError: if it is closed or unknown.
        """
        execution, operation_id = self._open("SendDurableExecutionCallbackHeartbeat", callback_id)
        execution.journal.beat(operation_id, self._world.clock.now())

    def _open(self, operation: str, callback_id: str) -> tuple[DurableExecution, str]:
        if callback_id not in self._all:
            raise unknown_callback(operation)
        execution, operation_id = self._all[callback_id]
        if execution.is_over or not execution.journal.is_started(operation_id):
            raise callback_closed(operation)
        return execution, operation_id
