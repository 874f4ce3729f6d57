"""Stand-in for the ``datetime`` module's class ``datetime``: ``now`` reads the virtual clock.

The SDK stamps every body with ``datetime.datetime.now(UTC)``. freezegun, which shows virtual time to user code, would
answer it too, for a tenth of the run's time.
"""

from __future__ import annotations

import datetime as _real
from datetime import UTC

from greenlet import getcurrent

from pytest_durable.engine import at

_datetime = type(at(0))


class _AnyDatetime(type):
    """Instances of the real class are instances of the stand-in: only the class was swapped, not the values."""

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, _datetime)


class datetime(_datetime, metaclass=_AnyDatetime):  # type: ignore[misc,valid-type]  # the real class, not a fake
    """Stands in for ``datetime.datetime``; makes real ``datetime`` values."""

    @classmethod
    def now(cls, tz: _real.tzinfo | None = None) -> _real.datetime:
        """The virtual instant, in ``tz``, or naive in UTC; the real one outside of the simulation."""
        try:
            instant: _real.datetime = getcurrent().world.clock.now()  # type: ignore[attr-defined]  # a Task's
        except AttributeError:
            return _real.datetime.now(tz)
        if tz is UTC:
            return instant
        return instant.replace(tzinfo=None) if tz is None else instant.astimezone(tz)
