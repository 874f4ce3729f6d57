"""What crosses the border between a test and the service: events, results and errors, as AWS would carry them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from aws_durable_execution_sdk_python.lambda_service import ErrorObject

from pytest_durable.errors import InvalidEvent, UsageError
from pytest_durable.service.arguments import check_event_size

_ERROR_NAMES = {"ErrorType", "ErrorMessage", "ErrorData", "StackTrace"}
"""As the Lambda API model has them."""


def payload_of(event: Any) -> str:
    """The event as the JSON that Lambda would be given.

    Raises:
        InvalidEvent: naming what is not JSON.
        UsageError: if it is too large.
    """
    __tracebackhide__ = True
    if event is None:
        return "{}"
    payload = _json("the event", event)
    check_event_size(payload)
    return payload


def text_of(result: Any) -> str | None:
    """A callback's result as the service stores it: text as it is, bytes as UTF-8, anything else as JSON.

    None, or an empty text, is no result at all, as an empty body of the call leaves it.

    Raises:
        InvalidEvent: naming what is not JSON, or not UTF-8.
    """
    __tracebackhide__ = True
    if result is None:
        return None
    if not isinstance(result, str | bytes):
        result = _json("the result", result)
    try:
        text: str = result.decode() if isinstance(result, bytes) else result
        text.encode()
    except UnicodeError as error:
        raise InvalidEvent(f"the result is not UTF-8, as the service requires: {error}") from None
    return text or None


def error_of(error: Any) -> ErrorObject:
    """An error as the service stores it: a message, an exception, a mapping of AWS's names or an ``ErrorObject``.

    Raises:
        UsageError: for anything else.
    """
    __tracebackhide__ = True
    if isinstance(error, ErrorObject):
        return error
    if isinstance(error, str):
        return ErrorObject(error, None, None, None)
    if isinstance(error, BaseException):
        return ErrorObject(str(error), type(error).__name__, None, None)
    if isinstance(error, Mapping) and error and _ERROR_NAMES.issuperset(error):
        return ErrorObject.from_dict(dict(error))
    raise UsageError(
        f"an error is its message, an exception, an ErrorObject, or a dict such as "
        f"{{'ErrorType': 'Refused', 'ErrorMessage': 'no funds'}}, not {error!r}"
    )


def _json(what: str, value: Any) -> str:
    __tracebackhide__ = True
    try:
        return json.dumps(value, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidEvent(
            f"{what} is not JSON: {error}. A Lambda receives JSON only: pass dicts, lists, strings, numbers, "
            f"booleans and None, for example {{'order': 7}}"
        ) from None
