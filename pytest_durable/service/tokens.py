"""Checkpoint tokens: opaque to the SDK, bound to one invocation, superseded by every accepted checkpoint.

Of the characters that the Lambda API's pattern for them allows.
"""

from __future__ import annotations


class Tokens:
    """The token of one execution that is valid now; there is at most one."""

    __slots__ = ("_execution", "_sequence", "current")

    def __init__(self, execution_id: str) -> None:
        self._execution = execution_id.replace("-", "")
        self._sequence = 0
        self.current: str | None = None

    def rotate(self, invocation: int) -> str:
        """Issue the next token, to ``invocation``; the one before is stale from now on."""
        self._sequence += 1
        self.current = f"{self._execution}/{invocation}/{self._sequence}"
        return self.current

    def revoke(self) -> None:
        """Leave no valid token: the execution is over, or its invocation is."""
        self.current = None
