"""Variables as text, to be compared between first pass and replay: plain values only, at a bounded cost."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Collection, Iterable
from decimal import Decimal
from types import FrameType
from typing import Any
from uuid import UUID

from freezegun.api import FakeDate, FakeDatetime, real_date, real_datetime

LONGEST = 200
"""Characters of a text, or bytes, that are looked at."""

MOST = 100
"""Values that are looked at in one variable."""

_ATOMS = (type(None), bool, float)
_NAMED = (real_date, real_datetime, FakeDate, FakeDatetime, datetime.time, datetime.timedelta, Decimal, UUID)
_BRACKETS: dict[type, tuple[str, str]] = {list: ("[", "]"), tuple: ("(", ")")}


class _NotPlainError(Exception):
    """A value that is not plain is in it."""


def plain_variables(frame: FrameType) -> dict[str, str]:
    """The variables of a frame that have plain values, as text: its own, and the global ones it names.

    By what a report calls them: ``'total'``, ``global 'total'``.
    """
    shared = frame.f_globals
    texts = {f"'{name}'": text_of(value) for name, value in frame.f_locals.items()}
    texts.update({f"global '{name}'": text_of(shared[name]) for name in frame.f_code.co_names if name in shared})
    return {name: text for name, text in texts.items() if text is not None}


def text_of(value: Any) -> str | None:
    """A plain value as text, cut where it is long; None for any other. Runs no code of the user's."""
    try:
        return _text(value, [MOST])
    except _NotPlainError:
        return None


def _text(value: Any, left: list[int]) -> str:
    """The value as text; ``left`` holds how many more values are looked at."""
    kind = type(value)
    left[0] -= 1
    if kind in _ATOMS:
        return repr(value)
    if kind is int:
        return repr(value) if value.bit_length() < LONGEST else f"<int of {value.bit_length()} bits>"
    if kind is str or kind is bytes:
        return repr(value) if len(value) <= LONGEST else f"{value[:LONGEST]!r}… of {len(value)}"
    if kind in _NAMED:
        return str(value)
    if kind is dict:
        items = _each(value.items(), lambda item: f"{_text(item[0], left)}: {_text(item[1], left)}", value, left)
        return f"{{{', '.join(items)}}}"
    if kind is set or kind is frozenset:
        if len(value) > left[0]:  # whose order is not to decide which of them are looked at
            return f"<set of {len(value)}>"
        return f"{{{', '.join(sorted(_text(item, left) for item in value))}}}"
    if kind not in _BRACKETS:
        raise _NotPlainError
    opening, closing = _BRACKETS[kind]
    return f"{opening}{', '.join(_each(value, lambda item: _text(item, left), value, left))}{closing}"


def _each(items: Iterable[Any], text: Callable[[Any], str], whole: Collection[Any], left: list[int]) -> list[str]:
    """The texts of the items that may still be looked at."""
    texts: list[str] = []
    for item in items:
        if left[0] <= 0:
            return [*texts, f"… of {len(whole)}"]
        texts.append(text(item))
    return texts
