"""Carrying out a CHAINED_INVOKE: a durable target becomes an execution of its own, a plain one is invoked once.

Both live in the world of the execution that invokes them and share nothing with it but the clock; what passes is JSON.
"""

from __future__ import annotations

import json
import traceback
from typing import TYPE_CHECKING, Any

from aws_durable_execution_sdk_python.lambda_service import ErrorObject, OperationStatus, OperationUpdate

from pytest_durable.engine import MICROS, Process
from pytest_durable.service.identity import function_arn
from pytest_durable.service.lambda_context import LambdaContext
from pytest_durable.service.limits import MAX_PAYLOAD, size_of
from pytest_durable.service.operations.invoke import names_of
from pytest_durable.service.output import exit_of

if TYPE_CHECKING:
    from pytest_durable.service.lifecycle import DurableExecution
    from pytest_durable.service.outside import Function

TOO_LARGE = f"output payload size must be less than or equal to {MAX_PAYLOAD} bytes."
"""What is said of an invoked function that returns more."""

NOT_FOUND = "Function not found: "
"""How what is said of an unknown function begins; its ARN follows."""

DEEPEST = 64
"""How many executions may have invoked one another in a row before that is taken for endless."""


def carry_out(execution: DurableExecution, update: OperationUpdate) -> None:
    """Start what a CHAINED_INVOKE, stored just now, asks for; an unknown function has failed at once."""
    options = update.chained_invoke_options
    assert options is not None
    function = execution.service.outside.function(options.function_name)
    payload = "{}" if update.payload is None else update.payload
    if function is None:
        message = f"{NOT_FOUND}{function_arn(options.function_name)}"
        error = ErrorObject(message, "ResourceNotFoundException", None, None)
        execution.history.invoked(update.operation_id, None)
        execution.close_operation(update.operation_id, OperationStatus.FAILED, error=error)
    elif (problem := _not_json(payload)) is not None:
        execution.close_operation(update.operation_id, OperationStatus.FAILED, error=problem)
    elif function.handler is not None:
        _invoke_durable(execution, function, update.operation_id, payload, options.tenant_id)
    else:
        _PlainInvocation(execution, function, update.operation_id, payload, options.tenant_id)


def _invoke_durable(
    execution: DurableExecution, function: Function, operation_id: str, payload: str, tenant_id: str | None
) -> None:
    """Start an execution of a durable function, whose end will be that of the operation."""
    assert function.handler is not None
    timeout = function.execution_timeout
    invoked = type(execution)(
        service=execution.service,
        handler=function.handler._replace(name=names_of(function.name)[-1]),
        name=execution.id_for(f"invoke-{operation_id}"),
        payload=payload,
        points=execution.points,
        invocation_timeout=round(function.invocation_timeout * MICROS),
        execution_timeout=None if timeout is None else round(timeout * MICROS),
        policy=execution.policy,
        parent=execution,
        invoked_as=operation_id,
        prefix=f"{execution.path_of(operation_id)}/",
        tenant_id=tenant_id,
    )
    execution.invoked.append(invoked)
    execution.history.invoked(operation_id, invoked.arn)
    if invoked.depth > DEEPEST:
        invoked.give_up()


def end_of_invoked(execution: DurableExecution) -> tuple[OperationStatus, ErrorObject | None]:
    """What the end of an execution means for the operation that invoked it; they map one to one."""
    if execution.status.value == "TIMED_OUT":
        assert execution.execution_timeout is not None
        message = f"CHAINED_INVOKE timed out after {execution.execution_timeout // MICROS} seconds."
        return OperationStatus.TIMED_OUT, ErrorObject(message, "ChainedInvoke.Timeout", None, None)
    return OperationStatus[execution.status.name], execution.error


def _not_json(payload: str) -> ErrorObject | None:
    try:
        json.loads(payload)
    except ValueError as error:
        message = f"Could not parse request body into json: {error}"
        return ErrorObject(message, "InvalidRequestContentException", None, None)
    return None


class _PlainInvocation:
    """One invocation of a function that is not durable: its answer, or its error, is the operation's."""

    def __init__(
        self, execution: DurableExecution, function: Function, operation_id: str, payload: str, tenant_id: str | None
    ) -> None:
        self.execution = execution
        self.operation_id = operation_id
        self._world = world = execution.service.world
        self._timeout = function.invocation_timeout
        deadline = world.clock.micros + round(function.invocation_timeout * MICROS)
        self._request_id = request_id = execution.id_for(f"plain-{operation_id}")
        context = LambdaContext(function.name, request_id, world.clock, deadline)
        context.tenant_id = tenant_id

        def call() -> Any:
            try:
                return _marshal(function.plain(json.loads(payload), context))
            except Exception as error:
                return _function_error(error)

        def main() -> Any:
            return execution.service.call(self, call)

        self._timed_out = False
        execution.plain += 1
        self.process = world.process(f"{execution.name}/{function.name}", main, self, self._ended)
        world.call_at(deadline, self._time_out)

    def _time_out(self) -> None:
        if not self.process.ended:
            self._timed_out = True
            self.process.kill("the invocation timed out")

    def _ended(self, process: Process) -> None:
        self.execution.plain -= 1
        main, process.main = process.main, None
        assert main is not None
        if self._timed_out:
            error = self._timeout_error()
        elif not process.completed or not isinstance(main.raised, Exception | None):
            cause = process.cause or exit_of(main.raised)
            error = ErrorObject(f"RequestId: {self._request_id} Error: {cause}", "Runtime.ExitError", None, None)
        elif isinstance(main.result, ErrorObject):
            error = main.result
        elif size_of(main.result) > MAX_PAYLOAD:
            error = ErrorObject.from_message(f"CHAINED_INVOKE {TOO_LARGE}")
        else:
            self.execution.close_operation(self.operation_id, OperationStatus.SUCCEEDED, result=main.result)
            return
        self.execution.close_operation(self.operation_id, OperationStatus.FAILED, error=error)

    def _timeout_error(self) -> ErrorObject:
        now = self._world.clock.now()
        stamp = f"{now:%Y-%m-%dT%H:%M:%S}.{now.microsecond // 1000:03}Z"
        message = f"{stamp} {self._request_id} Task timed out after {self._timeout:.2f} seconds"
        return ErrorObject(message, "Sandbox.Timedout", None, None)


class _MarshalError(Exception):
    """The function returned what is not JSON."""


def _marshal(result: Any) -> str:
    try:
        return json.dumps(result)
    except (TypeError, ValueError, RecursionError) as error:
        raise _MarshalError(f"Unable to marshal response: {error}") from None


def _function_error(error: BaseException) -> ErrorObject:
    """What Lambda's runtime reports of an exception: the bare name of its class, and the function's own frames."""
    if isinstance(error, _MarshalError):
        return ErrorObject(str(error), "Runtime.MarshalError", None, [])
    frames = error.__traceback__ and error.__traceback__.tb_next
    trace = [line.rstrip("\n") for line in traceback.format_tb(frames)]
    return ErrorObject(str(error), type(error).__name__, None, trace)
