"""The places where a fault can strike, as the service and the observed SDK reach them.

Whoever injects faults implements `Points`. The service asks it at every place; an answer is the text of the fault that
happens there.
"""

from __future__ import annotations

from collections.abc import Set
from typing import Protocol

START = "start"
EFFECT = "effect"
BODY = "body"
STORED = "stored"
SUSPEND = "suspend"
RETURN = "return"
TIMEOUT = "timeout"
THROTTLE = "throttle"
OUTAGE = "outage"
REVOKE = "revoke"

KILLS = (START, EFFECT, BODY, STORED, SUSPEND, RETURN)
"""The faults of which the invocation dies on the spot; in the order in which an operation comes to them."""

OTHERS = (TIMEOUT, THROTTLE, OUTAGE, REVOKE)
"""The faults of time and of the service."""

AFTER_EFFECT = f"{EFFECT}:"
"""What the place right after an effect begins with; the name of the effect follows."""

INVOCATION = "invocation"
"""The path of places that belong to no operation: the invocation itself."""


class Points(Protocol):
    """Decides where faults strike.

    Attributes:
        others: which of `OTHERS` it wants to be asked for; that costs time at every checkpoint.
    """

    others: Set[str]

    def visit(self, path: str, where: str) -> str | None:
        """The execution has come to ``where`` of the operation at ``path``; the fault that strikes there, or None."""


class NoFaults:
    """Nothing ever happens."""

    others: Set[str] = frozenset()

    def visit(self, path: str, where: str) -> str | None:
        """No fault."""
        return None
