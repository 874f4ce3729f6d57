"""Local time is UTC while a durable context is open, as on Lambda, in whatever time zone the machine is.

freezegun shows the time in UTC, but leaves the zone to the machine: what asks for that, `datetime.astimezone` or
`time.localtime`, would give another hour on each, and not even the same instant. And it does not know of `time.ctime`
and `time.asctime`, which read the clock by themselves.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any

from pytest_durable.seams.libraries import StandIn

_UTC = "UTC"
_NAMES = {None, _UTC, f":{_UTC}"}

_real_asctime, _real_localtime = time.asctime, time.localtime


def _asctime(moment: Any = None) -> str:
    return _real_asctime(time.localtime() if moment is None else moment)


def _ctime(seconds: float | None = None) -> str:
    return _real_asctime(time.localtime() if seconds is None else _real_localtime(seconds))


BY_NAME = (StandIn("asctime", time.asctime, _asctime), StandIn("ctime", time.ctime, _ctime))
"""What users import by name."""


def swap() -> Callable[[], None]:
    """Let local time be UTC; returned is how to let it be the machine's again."""
    before = [(one.name, getattr(time, one.name)) for one in BY_NAME]
    for one in BY_NAME:
        setattr(time, one.name, one.stand_in)
    put_back = _swap_zone()

    def restore() -> None:
        for name, function in before:
            setattr(time, name, function)
        put_back()

    return restore


def _swap_zone() -> Callable[[], None]:
    zone = os.environ.get("TZ")
    if not hasattr(time, "tzset") or (zone in _NAMES and time.tzname == (_UTC, _UTC)):
        return _nothing
    _set_zone(_UTC)

    def put_back() -> None:
        if os.environ.get("TZ") == _UTC:  # else the test has chosen one meanwhile
            _set_zone(zone)

    return put_back


def _set_zone(name: str | None) -> None:
    if name is None:
        del os.environ["TZ"]
    else:
        os.environ["TZ"] = name
    time.tzset()


def _nothing() -> None:
    """It is UTC already, or the system cannot change it."""
