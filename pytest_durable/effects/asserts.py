"""What a test asserts of effects, and what it is told if that does not hold."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from pytest_durable.errors import UsageError
from pytest_durable.service.effects import Effect
from pytest_durable.service.outside import Outside

MOST = 8
"""Effects that a message lists."""


class _Any:
    def __repr__(self) -> str:
        return "any"


ANY_KEY: Final[Any] = _Any()
"""Stands for effects under whatever key, and without one."""


def selected(effects: Iterable[Effect], name: str, key: Hashable) -> list[Effect]:
    """The effects of this name and key that the world saw: of what happened under one key only the first."""
    seen: dict[Hashable, Effect] = {}
    for number, effect in enumerate(effects):
        if effect.name == name and (key is ANY_KEY or effect.key == key):
            seen.setdefault((effect.key, number if effect.key is None else None), effect)
    return list(seen.values())


def between(outside: Outside, name: str, key: Hashable, least: int, most: int | None) -> None:
    """Assert that the world saw the effect so many times.

    Raises:
        AssertionError: saying what happened instead.
    """
    __tracebackhide__ = True
    found = selected(outside.effects, name, key)
    if len(found) >= least and (most is None or len(found) <= most):
        return
    wanted = {(1, 1): "exactly once", (0, 1): "at most once"}.get((least, most or 0), "at least once")
    under = "" if key is ANY_KEY else " without a key" if key is None else f" under the key {key!r}"
    often = {0: "did not happen", 1: "happened once", 2: "happened twice"}
    lines = [f"{name}{under} {often.get(len(found), f'happened {len(found)} times')}, not {wanted}"]
    every = [one for one in outside.effects if one.name == name]
    lines += _listed(every) if every else [f"  what happened: {_names(outside.effects)}"]
    raise AssertionError("\n".join([*lines, *_deaths(outside)]))


def none_after(outside: Outside, when: datetime | str, name: str | None) -> None:
    """Assert that no effect, or none of this name, happened after a moment or after the first effect of a name.

    Raises:
        AssertionError: saying what did.
        UsageError: for a ``when`` that is nothing of that kind.
    """
    __tracebackhide__ = True
    effects = outside.effects
    if isinstance(when, str):
        first = next((index for index, one in enumerate(effects) if one.name == when), None)
        if first is None:
            raise UsageError(f"assert_none_after: no effect is named {when!r}; there were: {_names(effects)}")
        later = effects[first + 1 :]
        since = f"{when!r}"
    elif isinstance(when, datetime):
        moment = when if when.tzinfo is not None else when.replace(tzinfo=UTC)
        later = [one for one in effects if one.time > moment]
        since = moment.isoformat()
    else:
        raise UsageError(f"assert_none_after takes a datetime or the name of an effect, not {when!r}")
    found = [one for one in later if name in (None, one.name)]
    if found:
        what = "something" if name is None else name
        lines = [f"{what} was done after {since}", *_listed(found), *_deaths(outside)]
        raise AssertionError("\n".join(lines))


def _listed(effects: Sequence[Effect]) -> list[str]:
    several = len({one.execution for one in effects}) > 1
    lines = []
    for one in effects[:MOST]:
        attempt = "" if one.attempt is None else f", attempt {one.attempt}"
        key = "without a key" if one.key is None else f"under the key {one.key!r}"
        whose = f" of {one.execution}" if several else ""
        time = f"{one.time:%Y-%m-%d %H:%M:%S}"
        lines.append(f"  {one} {key}: '{one.operation}', invocation {one.invocation}{whose}{attempt}, at {time}")
    if len(effects) > MOST:
        lines.append(f"  and {len(effects) - MOST} more")
    return lines


def _names(effects: Iterable[Effect]) -> str:
    return ", ".join(dict.fromkeys(one.name for one in effects)) or "nothing"


def _deaths(outside: Outside) -> list[str]:
    return [f"  killed: {death}" for death in outside.deaths] or ["  nothing was killed"]
