"""The service as one invocation sees it: the SDK's ``DurableServiceClient`` protocol."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_durable_execution_sdk_python import execution as sdk_execution
from aws_durable_execution_sdk_python.exceptions import CheckpointError, GetExecutionStateError
from aws_durable_execution_sdk_python.lambda_service import (
    CheckpointOutput,
    CheckpointUpdatedExecutionState,
    LambdaClient,
    Operation,
    OperationUpdate,
    StateOutput,
)

from pytest_durable.engine import current_task
from pytest_durable.errors import NotSimulated
from pytest_durable.seams.table import Swap, also
from pytest_durable.service.errors import STALE_TOKEN, InvalidParameterValue, ServiceError

if TYPE_CHECKING:
    from pytest_durable.service.invocation import Invocation


_OVER = InvalidParameterValue(STALE_TOKEN)
"""What is said to whoever calls after the invocation has ended: a real thread that it left behind."""


class ServiceClient:
    """The client of one invocation.

    Args:
        invocation: that holds it.
        pages: what its input did not have room for.
        page_size: how many operations a page of the state holds at most.
    """

    def __init__(self, invocation: Invocation, state: list[Operation], page_size: int) -> None:
        self._invocation: Invocation | None = invocation
        self._state = state
        self._page_size = page_size

    def attach(self, invocation: Any) -> None:
        """Whoever does what the invocation does is asked from now on."""
        self._invocation = invocation

    def detach(self) -> None:
        """The invocation is over: the SDK's objects, which hold this client, shall not hold that."""
        self._invocation = None
        self._state = []

    def first_page(self) -> tuple[list[Operation], str]:
        """The operations of the invocation's input, and the marker of the next page; ``""`` if there is none."""
        return self._page(0, self._page_size)

    def _page(self, start: int, size: int) -> tuple[list[Operation], str]:
        end = start + size
        return self._state[start:end], str(end) if end < len(self._state) else ""

    def checkpoint(
        self,
        durable_execution_arn: str,
        checkpoint_token: str,
        updates: list[OperationUpdate],
        client_token: str | None,
    ) -> CheckpointOutput:
        """Store ``updates`` and answer with a new token and everything that changed.

        Raises:
            CheckpointError: if the service refuses, classified as the SDK classifies boto's error.
            Killed: if a fault strikes here.
        """
        if self._invocation is None:
            raise CheckpointError.from_exception(_OVER.as_service_error("CheckpointDurableExecution"))
        try:
            token, delta = self._invocation.checkpoint(durable_execution_arn, checkpoint_token, updates)
        except InvalidParameterValue as refusal:
            raise CheckpointError.from_exception(refusal.as_service_error("CheckpointDurableExecution")) from None
        except ServiceError as refusal:
            raise CheckpointError.from_exception(refusal) from None
        # The constructors of frozen dataclasses are slow, and this is the hottest path: see `operation_from`.
        state = object.__new__(CheckpointUpdatedExecutionState)
        state.__dict__.update(operations=delta, next_marker=None)
        output = object.__new__(CheckpointOutput)
        output.__dict__.update(checkpoint_token=token, new_execution_state=state)
        return output

    def refuse_thread(self, method: str) -> None:
        """Refuse a durable call from a thread that the user's code started, and see to it that the test hears of it.

        Raises:
            NotSimulated: always, in that thread; and in the test, once the invocation has ended.
        """
        __tracebackhide__ = True
        refusal = NotSimulated(
            f"{method} was called from a thread that the code under test started: such a thread is real and is not "
            "simulated. Use context.parallel or context.map"
        )
        if self._invocation is not None:
            self._invocation.execution.refused = refusal
        raise refusal

    def get_execution_state(
        self, durable_execution_arn: str, checkpoint_token: str, next_marker: str, max_items: int = 1000
    ) -> StateOutput:
        """A further page of the state that the invocation's input began.

        Raises:
            GetExecutionStateError: for a stale token, a bad marker or a bad page size.
        """
        if self._invocation is None:
            raise GetExecutionStateError.from_exception(_OVER.as_service_error("GetDurableExecutionState"))
        try:
            self._invocation.check_token(durable_execution_arn, checkpoint_token)
            if not 0 <= max_items <= 1000:
                raise InvalidParameterValue("MaxItems must be between 0 and 1000.")
            if not next_marker.isdecimal() or int(next_marker) >= len(self._state):
                raise InvalidParameterValue("Invalid marker")
        except InvalidParameterValue as refusal:
            raise GetExecutionStateError.from_exception(refusal.as_service_error("GetDurableExecutionState")) from None
        operations, marker = self._page(int(next_marker), min(max_items or 100, self._page_size))
        return StateOutput(operations=operations, next_marker=marker)


class _LambdaClient:
    """Stands in for the SDK's ``LambdaClient``, which it makes if something wrapped around it passes on a dict."""

    def __new__(cls, client: Any) -> Any:  # a client of the user's own, given to the decorator, leads here as well
        """The client of the invocation that runs."""
        task = current_task()
        return LambdaClient(client) if task is None else task.process.owner.client

    @classmethod
    def initialize_client(cls) -> Any:
        """As the SDK's own: without a client that was given."""
        return LambdaClient.initialize_client() if current_task() is None else cls(None)


@also
def _clients() -> list[Swap]:
    return [Swap(sdk_execution, "LambdaClient", _LambdaClient)]
