"""Plain values bound into the function of a durable call: what handler code computed, and gave to the body.

A value counts if a replay can be held to it. It is immutable, so that it still is what it was when the call was made.
It stands in a place that was made in this invocation: what is the same object in two invocations belongs to the
outside world. And no body assigns it: what a body leaves behind for a later one is not there on replay, which its
outcome shows.
"""

from __future__ import annotations

import dis
from collections.abc import Iterator, Sequence
from functools import partial
from types import CodeType
from typing import Any, NamedTuple

from pytest_durable.service.variables import text_of

_IMMUTABLE = frozenset({"str", "int", "float", "bool", "NoneType", "bytes", "tuple", "frozenset", "complex"})
_NAMED = frozenset({"date", "datetime", "FakeDate", "FakeDatetime", "time", "timedelta", "Decimal", "UUID"})
_STORES = ("STORE_DEREF", "DELETE_DEREF")


class Bound(NamedTuple):
    """A value, and where it stands.

    Attributes:
        name: of the variable or parameter.
        holder: the cell, function or ``partial`` in which it stands.
        value: that it was at the time of the call.
    """

    name: str
    holder: Any
    value: Any


def bound_into(function: Any) -> tuple[Bound, ...]:
    """What is bound into a function: through ``partial``, methods and the SDK's ``@durable_step``."""
    found: list[Bound] = []
    while type(function) is partial:
        found += _arguments(function, _parameters(function.func, 0), function.args, function.keywords)
        function = function.func
    function = getattr(function, "__func__", function)
    code: CodeType | None = getattr(function, "__code__", None)
    if code is None:
        return tuple(found)
    closure = function.__closure__
    if closure is not None:
        found += _cells(function, code, closure)
    if function.__defaults__:
        names = code.co_varnames[: code.co_argcount][-len(function.__defaults__) :]
        found += _plain(function, zip(names, function.__defaults__, strict=False))
    if function.__kwdefaults__:
        found += _plain(function, function.__kwdefaults__.items())
    return tuple(found)


def _cells(function: Any, code: CodeType, closure: Sequence[Any]) -> Iterator[Bound]:
    for name, cell in zip(code.co_freevars, closure, strict=True):
        try:
            value = cell.cell_contents
        except ValueError:  # empty yet
            continue
        kind = type(value).__name__
        if name in ("args", "kwargs") and str(function.__module__).startswith("aws_durable"):
            step = closure[code.co_freevars.index("func")].cell_contents if "func" in code.co_freevars else None
            args, kwargs = (value, {}) if name == "args" else ((), value)
            yield from _arguments(cell, _parameters(step, 1), args, kwargs)
        elif kind in _IMMUTABLE or kind in _NAMED:
            yield Bound(name, cell, value)


def _parameters(function: Any, first: int) -> Sequence[str]:
    """The names of a function's parameters from number ``first`` on; none if it has no code."""
    code = getattr(function, "__code__", None)
    return () if code is None else code.co_varnames[first : code.co_argcount]


def _arguments(holder: Any, names: Sequence[str], args: Sequence[Any], kwargs: dict[str, Any]) -> Iterator[Bound]:
    named = names[: len(args)] if len(names) >= len(args) else [f"argument {number + 1}" for number in range(len(args))]
    yield from _plain(holder, zip(named, args, strict=True))
    yield from _plain(holder, kwargs.items())


def _plain(holder: Any, items: Any) -> Iterator[Bound]:
    for name, value in items:
        kind = type(value).__name__
        if kind in _IMMUTABLE or kind in _NAMED:
            yield Bound(name, holder, value)


def difference(
    before: Sequence[Bound], now: Sequence[Bound], caller: CodeType | None, code: CodeType | None
) -> tuple[str, str, str] | None:
    """The first value that a replay binds otherwise: its name, what it was, and what it is.

    Args:
        before: what the first pass bound.
        now: what the replay binds.
        caller: code that made the call.
        code: of the function.
    """
    for one, other in zip(before, now, strict=False):
        if one.name != other.name or one.holder is other.holder or one.value is other.value:
            continue
        texts = text_of(one.value), text_of(other.value)
        if texts[0] is None or texts[1] is None or texts[0] == texts[1]:
            continue
        if _is_assigned(one.name, caller) or _is_assigned(one.name, code):
            continue
        return one.name, texts[0], texts[1]
    return None


def _is_assigned(name: str, code: CodeType | None) -> bool:
    """Whether a function within ``code``, or ``code`` itself if the variable is not its own, assigns it."""
    if code is None:
        return False
    if name in code.co_freevars and any(
        one.opname in _STORES and one.argval == name for one in dis.get_instructions(code)
    ):
        return True
    nested = (one for one in code.co_consts if isinstance(one, CodeType))
    return any(name in one.co_freevars and _is_assigned(name, one) for one in nested)
