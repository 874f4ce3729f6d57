"""What a search says about a handler."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pytest_durable import DurabilityViolation, Failure, FakeDurableContext, Verification

Handler = Callable[[Any, Any], Any]


def verified(handler: Handler, event: Any = None, **options: Any) -> Verification:
    """The search's result; raises what it finds."""
    with FakeDurableContext() as context:
        return context.verify(handler, event, **options)


def found_in(handler: Handler, event: Any = None, **options: Any) -> tuple[type[DurabilityViolation], Failure]:
    """The kind of violation that the search finds, and the failure."""
    with pytest.raises(DurabilityViolation) as caught:
        verified(handler, event, **options)
    return type(caught.value), caught.value.failure


def killed_under(handler: Handler, plan: str, **options: Any) -> tuple[type[DurabilityViolation], Failure]:
    """The kind of violation that one run under ``plan`` finds, and the failure."""
    with FakeDurableContext() as context, pytest.raises(DurabilityViolation) as caught:
        context.run(handler, faults=plan, **options)
    return type(caught.value), caught.value.failure


def text_of(failure: Failure) -> str:
    """Everything that a failure says."""
    return "\n".join((failure.summary, failure.timeline, *failure.explanation))
