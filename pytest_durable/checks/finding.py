"""What a check returns."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_durable.errors import DurabilityViolation


@dataclass(frozen=True)
class Finding:
    """A property that does not hold.

    Attributes:
        violation: the error to raise.
        summary: one line: which operation, and what happened to it.
        explanation: what it means, a line each.
        if_stable: whether it counts only where fault-free runs agree on the result.
        if_again: whether it counts only if it happens again, when the process has seen it before.
    """

    violation: type[DurabilityViolation]
    summary: str
    explanation: tuple[str, ...] = ()
    if_stable: bool = False
    if_again: bool = False
