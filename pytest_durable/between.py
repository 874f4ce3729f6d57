"""What a test lets change between the invocations of an execution: see `EnvironmentFaults`."""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC
from typing import Any
from zoneinfo import ZoneInfo

from pytest_durable.engine import current_task
from pytest_durable.errors import UsageError
from pytest_durable.service.changes import EDGES, Changes, Flag, Variable, next_shift


class EnvironmentFaults:
    """What a deployment, an operator or the calendar does between two invocations, in every run of a durable context.

    Args:
        changes: where it is kept.
    """

    def __init__(self, changes: Changes) -> None:
        self._changes = changes

    def between_invocations(
        self,
        *,
        env: Mapping[str, Sequence[str | None]] | None = None,
        flags: Mapping[str, Sequence[Any]] | None = None,
        call: Callable[[int], object] | None = None,
        clock: str | None = None,
        tz: str = "UTC",
    ) -> None:
        """Let something be otherwise in each invocation; a replay of the finished execution counts as one more.

        The first invocation sees the first value, the next one the next, and after the last comes the first again. The
        fault-free runs that a search compares with begin with another value: what a step reads may so decide the
        result, and what handler code reads outside of a step is found. After the test all is as it was before.

        Args:
            env: values of environment variables, by name; None for a variable that is not set.
            flags: values of attributes of modules or classes, by their dotted name, as in ``shop.settings.EXPRESS``.
            call: called before each invocation with a number, which is 0 for the first one as a rule and goes up by 1.
            clock: each invocation but the first begins later, right after the next ``midnight``, ``year end`` or change
                of ``daylight saving``; but not so late that the execution would time out before.
            tz: the IANA name of the time zone that ``clock`` speaks of. Local time is UTC, as on Lambda.

        Raises:
            UsageError: for what makes no sense, or inside of a run.
        """
        __tracebackhide__ = True
        if current_task() is not None:
            raise UsageError("between_invocations is for the test: it was called from inside of a run")
        if env is None and flags is None and call is None and clock is None:
            raise UsageError("between_invocations: say what changes, as in env={'EXPRESS': ['on', 'off']}")
        variables: list[Variable | Flag] = [Variable(name, _values("env", name, it)) for name, it in _items("env", env)]
        for name, values in _items("flags", flags):
            variables.append(Flag(name, _values("flags", name, values)))
            _check_flag(name)
        known = {one.what for one in self._changes.variables}
        for one in variables:
            if one.what in known:
                raise UsageError(f"between_invocations: {one.what} is given its values already")
        if call is not None and not callable(call):
            raise UsageError(f"call must be a function that takes a number, not {call!r}")
        if clock is not None:
            self._set_clock(clock, tz)
        elif tz != "UTC":
            raise UsageError("tz says where clock= is crossed; there is none")
        self._changes.variables += variables
        self._changes.calls += [] if call is None else [call]

    def _set_clock(self, clock: str, tz: str) -> None:
        __tracebackhide__ = True
        if clock not in EDGES:
            raise UsageError(f"clock must be one of {', '.join(map(repr, EDGES))}, not {clock!r}")
        if self._changes.edge is not None:
            raise UsageError("between_invocations: clock is given already")
        try:
            zone = UTC if tz == "UTC" else ZoneInfo(tz)
        except (TypeError, ValueError, KeyError, OSError):
            raise UsageError(f"tz must be the name of a time zone, as in 'Europe/Berlin', not {tz!r}") from None
        if EDGES[clock] is next_shift and zone is UTC:
            raise UsageError("clock='daylight saving' needs a time zone that has it, as in tz='Europe/Berlin'")
        self._changes.edge, self._changes.zone = EDGES[clock], zone


def _items(what: str, given: Any) -> list[tuple[str, Any]]:
    __tracebackhide__ = True
    if given is None:
        return []
    if not isinstance(given, Mapping) or not given or not all(isinstance(name, str) and name for name in given):
        raise UsageError(f"{what} must map names to lists of values, not be {given!r}")
    return list(given.items())


def _values(what: str, name: str, values: Any) -> tuple[Any, ...]:
    __tracebackhide__ = True
    if not isinstance(values, list | tuple) or len(values) < 2:
        raise UsageError(f"{what}[{name!r}] must be a list of two values or more, not {values!r}")
    if what == "env" and not all(value is None or isinstance(value, str) for value in values):
        raise UsageError(f"env[{name!r}] must hold texts, or None for a variable that is not set, not {values!r}")
    return tuple(values)


def _check_flag(name: str) -> None:
    __tracebackhide__ = True
    try:
        pkgutil.resolve_name(name)
    except (ImportError, AttributeError, ValueError):
        raise UsageError(
            f"flags: there is no {name!r}; give an attribute that exists by its module, as in 'shop.settings.EXPRESS'"
        ) from None
