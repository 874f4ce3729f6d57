"""The Lambda context object that a handler is called with."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from pytest_durable.engine import MICROS, current_task
from pytest_durable.seams.reads import tell
from pytest_durable.service.identity import function_arn

if TYPE_CHECKING:
    from pytest_durable.engine import VirtualClock


class LambdaContext:
    """What AWS documents of the Python context object; the remaining time is virtual.

    Args:
        function_name: the Lambda's name.
        request_id: of this invocation.
        clock: the virtual clock.
        deadline: when the invocation is killed, in microseconds since the epoch.

    Attributes:
        asked: called when its code asks for the remaining time, the first time; None if nobody wants to know.
    """

    function_version = "$LATEST"
    memory_limit_in_mb = "128"
    identity = None
    client_context = None

    def __init__(self, function_name: str, request_id: str, clock: VirtualClock, deadline: int) -> None:
        self.function_name = function_name
        self.aws_request_id = request_id
        self.tenant_id: str | None = None
        self._clock = clock
        self._deadline = deadline
        self.asked: Callable[[], None] | None = None

    @property
    def invoked_function_arn(self) -> str:
        """The ARN that the invocation names."""
        return function_arn(self.function_name)

    @property
    def log_group_name(self) -> str:
        """Where its log goes."""
        return f"/aws/lambda/{self.function_name}"

    @property
    def log_stream_name(self) -> str:
        """The part of it that is this invocation's."""
        return f"2026/01/01/[$LATEST]{self.aws_request_id.replace('-', '')}"

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds of virtual time until the invocation times out."""
        tell(sys._getframe(1), "get_remaining_time_in_millis()")
        if self.asked is not None and current_task() is not None:  # else it is a thread that the code has started
            asked, self.asked = self.asked, None
            asked()
        return max(0, (self._deadline - self._clock.micros) * 1_000 // MICROS)

    def log(self, message: str) -> None:
        """Accept a message, as the runtime's context does; it goes nowhere."""
