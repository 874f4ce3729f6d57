"""What the answers of a handler mean to the service, and how it goes on after those that mean nothing."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class ExecutionStatus(StrEnum):
    """The states of an execution, named as the Lambda API names them."""

    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    TIMED_OUT = "TIMED_OUT"
    STOPPED = "STOPPED"


@dataclass(frozen=True)
class RetryPolicy:
    """When the service invokes again after an invocation that died, raised or timed out.

    Attributes:
        gaps: seconds between the end of each failed invocation and the next; after the last one the execution fails.
            As observed on AWS: 9 invocations in total.
        empty_pendings: how many consecutive PENDING answers with nothing pending are retried before it fails.
    """

    gaps: tuple[int, ...] = (1, 2, 3, 5, 1, 31, 58, 103)
    empty_pendings: int = 3


def problem_with(output: Any, status: Any) -> str | None:
    """Why the service does not take ``output``, in its words; None if it does."""
    if not isinstance(output, dict):
        return f"Invalid invocation output: {output!r}"
    if status is None:
        return "Response status is required"
    if status not in ("SUCCEEDED", "FAILED", "PENDING"):
        return f"Invalid invocation output: {output!r}"
    if status == "SUCCEEDED" and output.get("Error"):
        return "Cannot provide an Error for SUCCEEDED status."
    if status == "FAILED" and output.get("Result"):
        return "Cannot provide a Result for FAILED status."
    return None


def error_of_raised(error: BaseException) -> tuple[str, str]:
    """Type and message of an exception that left a handler."""
    kind = type(error)
    name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    return name, str(error)


def exit_of(error: BaseException | None) -> str:
    """How Lambda words the end of a process by an exception that its runtime does not catch; we add which."""
    if error is not None and not isinstance(error, SystemExit):
        kind, message = error_of_raised(error)
        return f"Runtime exited with error: exit status 1 ({kind}: {message})"
    code = None if error is None else error.code
    status = code if isinstance(code, int) else int(code is not None)
    if status == 0:
        return "Runtime exited without providing a reason"
    return f"Runtime exited with error: exit status {status}"
