"""The places where an invocation can die, as the service and the observed SDK reach them.

Whoever injects faults implements `Points`. The service asks it at every place; an answer is the text of the fault that
happens there, and the invocation dies of it.
"""

from __future__ import annotations

from typing import Protocol

START = "start"
BODY = "body"
STORED = "stored"
SUSPEND = "suspend"
RETURN = "return"

INVOCATION = "invocation"
"""The path of places that belong to no operation: the invocation itself."""


class Points(Protocol):
    """Decides where invocations die."""

    def visit(self, path: str, where: str) -> str | None:
        """The execution has come to ``where`` of the operation at ``path``; the fault that strikes there, or None."""


class NoFaults:
    """Nothing ever happens."""

    def visit(self, path: str, where: str) -> str | None:
        """No fault."""
        return None
