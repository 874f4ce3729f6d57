"""The event as a Lambda is given it."""

from __future__ import annotations

import json
from typing import Any

from pytest_durable.errors import InvalidEvent


def payload_of(event: Any) -> str:
    """The event as the JSON that Lambda would be given.

    Raises:
        InvalidEvent: naming what is not JSON.
    """
    __tracebackhide__ = True
    if event is None:
        return "{}"
    try:
        return json.dumps(event, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidEvent(
            f"the event is not JSON: {error}. A Lambda receives JSON only: pass dicts, lists, strings, numbers, "
            f"booleans and None, for example {{'order': 7}}"
        ) from None
