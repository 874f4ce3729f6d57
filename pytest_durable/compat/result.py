"""How an execution ended, as AWS's testing library shows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aws_durable_execution_sdk_python.execution import InvocationStatus  # type: ignore[attr-defined]  # not exported
from aws_durable_execution_sdk_python.lambda_service import ErrorObject

from pytest_durable.compat.operations import Named, Operation, create_operation
from pytest_durable.service.output import ExecutionStatus

if TYPE_CHECKING:
    from pytest_durable.service.lifecycle import DurableExecution


@dataclass(frozen=True)
class DurableFunctionTestResult(Named):
    """The end of an execution.

    Attributes:
        status: ``SUCCEEDED`` or ``FAILED``, as the SDK's enum of what a handler answers; an execution that was stopped
            or has timed out counts as failed.
        operations: at the root, in order of creation.
        result: what the handler returned, as JSON text; None unless it succeeded.
        error: what it failed with.
        execution_status: of the execution: also ``TIMED_OUT`` and ``STOPPED``.
    """

    status: InvocationStatus
    operations: list[Operation]
    result: str | None = None
    error: ErrorObject | None = None
    execution_status: ExecutionStatus | None = None

    @classmethod
    def create(cls, execution: DurableExecution) -> DurableFunctionTestResult:
        """The view of an execution that is over."""
        stored = list(execution.journal.operations.values())[1:]
        succeeded = execution.status is ExecutionStatus.SUCCEEDED
        return cls(
            status=InvocationStatus.SUCCEEDED if succeeded else InvocationStatus.FAILED,
            operations=[create_operation(one, stored) for one in stored if one.parent_id is None],
            result=execution.result,
            error=execution.error,
            execution_status=execution.status,
        )

    def _named(self) -> Sequence[Operation]:
        return self.operations

    def get_all_operations(self) -> list[Operation]:
        """All operations, those in contexts as well; the last at the root comes first, as in AWS's library."""
        found: list[Operation] = []
        ahead = list(self.operations)
        while ahead:
            operation = ahead.pop()
            found.append(operation)
            ahead.extend(getattr(operation, "child_operations", ()))
        return found
