"""What an execution may be started with; every bad value is refused here."""

from __future__ import annotations

import os
import re
from datetime import datetime
from math import inf
from typing import Any

from pytest_durable.errors import UsageError
from pytest_durable.options import ISOLATIONS
from pytest_durable.service.limits import MAX_EXECUTION_PAYLOAD, MAX_SECONDS, size_of

_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
"""The Lambda API's pattern for the name of an execution."""
LONGEST_INVOCATION = 900
"""Seconds, as documented for ``CreateFunction``; only on Lambda Managed Instances can some invocations take longer."""


def check_name(name: Any) -> None:
    """Refuse what is no name of an execution.

    Raises:
        UsageError: saying what is.
    """
    __tracebackhide__ = True
    if not (isinstance(name, str) and _NAME.fullmatch(name)):
        raise UsageError(f"name must be 1 to 64 letters, digits, - or _, as AWS requires, not {name!r}")


_FUNCTION = re.compile(
    r"(?:arn:[a-z-]+:lambda:)?(?:[a-z0-9-]+:\d{12}:)?(?:function:)?[a-zA-Z0-9-_.]+(?::[$a-zA-Z0-9-_.]+)?"
)


def check_function_name(name: Any) -> None:
    """Refuse what is no name of a function.

    Raises:
        UsageError: saying what is.
    """
    __tracebackhide__ = True
    if not (isinstance(name, str) and len(name) <= 256 and _FUNCTION.fullmatch(name)):
        raise UsageError(
            f"a function's name is as in 'orders' or 'orders:live', of letters, digits, - and _, not {name!r}"
        )


def check_execution_timeout(seconds: Any) -> None:
    """Refuse what AWS does not take for ``DurableConfig.ExecutionTimeout``; None is no timeout.

    Raises:
        UsageError: saying what is wrong with it.
    """
    __tracebackhide__ = True
    if seconds is None or (_is_number(seconds) and 1 <= seconds <= MAX_SECONDS and seconds == int(seconds)):
        return
    raise UsageError(
        f"execution_timeout must be a whole number of seconds from 1 to {MAX_SECONDS:,} (366 days), as AWS requires, "
        f"not {seconds!r}"
    )


def check_invocation_timeout(seconds: Any) -> None:
    """Refuse what is no time to live for a Lambda. A fraction is fine: a test cuts an invocation short where it likes.

    Raises:
        UsageError: saying what is wrong with it.
    """
    __tracebackhide__ = True
    if not (_is_number(seconds) and 0 < seconds <= LONGEST_INVOCATION):
        raise UsageError(
            f"invocation_timeout must be a number of seconds, more than 0 and at most {LONGEST_INVOCATION}, the "
            f"longest that AWS lets a Lambda run, not {seconds!r}"
        )


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def check_event_size(payload: str) -> None:
    """Refuse an event, as JSON, that cannot be sent to a Lambda.

    Raises:
        UsageError: saying how large it is.
    """
    __tracebackhide__ = True
    size = size_of(payload)
    if size > MAX_EXECUTION_PAYLOAD:
        raise UsageError(
            f"the event is {size:,} bytes of JSON, and a Lambda can be sent {MAX_EXECUTION_PAYLOAD:,} (6 MB). Put the "
            "data elsewhere, on S3 for example, and send its address"
        )


def count(what: str, number: Any) -> int:
    """A number of kills or examples; ``what`` is the argument's name.

    Raises:
        UsageError: naming the argument and its value.
    """
    __tracebackhide__ = True
    if not isinstance(number, int) or isinstance(number, bool) or number < 0:
        raise UsageError(f"{what} must be a whole number from 0, not {number!r}")
    return number


def check_delay(what: str, seconds: Any) -> None:
    """Refuse what is no time after which something happens; ``what`` is the argument's name.

    Raises:
        UsageError: naming the argument and its value.
    """
    __tracebackhide__ = True
    if not (_is_number(seconds) and 0 <= seconds < inf):
        raise UsageError(f"{what} must be a number of seconds, 0 or more, not {seconds!r}")


def check_direct(isolation: str) -> None:
    """Refuse durable calls made by the test itself where handlers run in other processes.

    Raises:
        UsageError: saying what to do instead.
    """
    __tracebackhide__ = True
    if isolation != "thread":
        raise UsageError(
            "a durable call made by the test itself runs in the test's own process, and isolation='process' would "
            "run it in another: write a handler and pass it to durable_ctx.run, or leave out the isolation"
        )


def check_new(seed: Any, start: Any, cold: Any, isolation: Any) -> None:
    """Refuse what no durable context can be made of.

    Raises:
        UsageError: naming the argument and its value.
    """
    __tracebackhide__ = True
    if isolation not in ISOLATIONS:
        raise UsageError(f"isolation must be 'thread' or 'process', not {isolation!r}")
    if isolation == "process" and not hasattr(os, "fork"):
        raise UsageError(
            "isolation='process' forks a process for each invocation, and this platform has no os.fork: leave it out, "
            "or run these tests on Linux"
        )
    if type(seed) is not int:
        raise UsageError(f"seed must be a whole number, not {seed!r}")
    if start is not None and not isinstance(start, datetime):
        raise UsageError(f"start must be a datetime, not {start!r}")
    if type(cold) is not bool:
        raise UsageError(f"cold must be True or False, not {cold!r}")
