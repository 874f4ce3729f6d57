"""What an execution may be started with; every bad value is refused here."""

from __future__ import annotations

import re
from math import inf
from typing import Any

from pytest_durable.errors import UsageError

_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
"""The Lambda API's pattern for the name of an execution."""


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


def check_timeout(what: str, seconds: Any) -> None:
    """Refuse what is no time to wait for; ``what`` is the argument's name.

    Raises:
        UsageError: naming the argument and its value.
    """
    __tracebackhide__ = True
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 < seconds < inf:
        raise UsageError(f"{what} must be a number of seconds, more than 0, not {seconds!r}")


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
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds < inf:
        raise UsageError(f"{what} must be a number of seconds, 0 or more, not {seconds!r}")
