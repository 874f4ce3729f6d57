"""Lambda functions seen from the service: what they are invoked with, and what they answer."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from aws_durable_execution_sdk_python import durable_execution
from aws_durable_execution_sdk_python import execution as sdk_execution
from aws_durable_execution_sdk_python.execution import (
    DurableExecutionInvocationInput,
    DurableExecutionInvocationInputWithClient,
)
from aws_durable_execution_sdk_python.lambda_service import CheckpointOutput, OperationUpdate

from pytest_durable.engine import Stop, VirtualClock, World
from pytest_durable.service.handlers import resolve
from pytest_durable.service.lifecycle import DurableExecution
from pytest_durable.service.points import NoFaults
from pytest_durable.service.service import DurableService

Invoke = Callable[[Any, Any], Any]
"""What Lambda calls, with the SDK's ``DurableExecutionInvocationInputWithClient`` and the Lambda context."""

PENDING = {"Status": "PENDING"}
SUCCEEDED = {"Status": "SUCCEEDED", "Result": "null"}


@durable_execution
def idle(event: Any, context: Any) -> None:
    """Does nothing."""


def function(invoke: Invoke) -> Invoke:
    """A durable function that answers as ``invoke`` does, without the SDK in between."""
    return functools.wraps(idle)(lambda event, context: invoke(_read(event), context))


def _read(event: Any) -> Any:
    """What the SDK makes of the dict that Lambda gives."""
    client = vars(sdk_execution)["LambdaClient"].initialize_client()
    given = DurableExecutionInvocationInput.from_json_dict(event)
    return DurableExecutionInvocationInputWithClient.from_durable_execution_invocation_input(given, client)


def answering(*outputs: Any) -> Invoke:
    """A durable function that gives these outputs, one for each invocation, the last one for ever."""
    left = list(outputs)
    return function(lambda event, context: left.pop(0) if len(left) > 1 else left[0])


def watched(handler: Invoke, watch: Callable[[Any], None]) -> Invoke:
    """``handler`` on the SDK; ``watch`` is shown the input of each invocation before."""
    durable = durable_execution(handler)

    @functools.wraps(durable)
    def invoke(event: Any, context: Any) -> Any:
        watch(_read(event))
        return durable(event, context)

    return invoke


def finish(handler: Invoke, payload: str = "{}", **options: Any) -> DurableExecution:
    """Run ``handler`` to its end in a service with these options."""
    service = DurableService(World(VirtualClock()), **options)
    execution = service.start(resolve(handler), payload, points=NoFaults())
    try:
        assert service.drive(lambda: execution.is_over) is Stop.DONE
    finally:
        service.close()
    return execution


class Caller:
    """One invocation's access to the service.

    Attributes:
        token: the latest that the service gave.
    """

    def __init__(self, event: Any) -> None:
        self.event = event
        self.client = event.service_client
        self.arn = event.durable_execution_arn
        self.token: Any = event.checkpoint_token

    def checkpoint(self, *updates: OperationUpdate, token: str | None = None, arn: str | None = None) -> Any:
        output: CheckpointOutput = self.client.checkpoint(
            durable_execution_arn=arn or self.arn,
            checkpoint_token=self.token if token is None else token,
            updates=list(updates),
            client_token=None,
        )
        self.token = output.checkpoint_token
        return output

    def delta(self, *updates: OperationUpdate) -> list[tuple[str, str]]:
        """Id and status of each operation in the response to a checkpoint."""
        output = self.checkpoint(*updates)
        assert not output.new_execution_state.next_marker
        return [(found.operation_id, found.status.value) for found in output.new_execution_state.operations]

    def state(self, marker: str = "0", max_items: int = 1_000, token: str | None = None) -> Any:
        return self.client.get_execution_state(
            durable_execution_arn=self.arn,
            checkpoint_token=self.token if token is None else token,
            next_marker=marker,
            max_items=max_items,
        )
