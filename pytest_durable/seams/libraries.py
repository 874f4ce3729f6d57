"""Which code is a library's, and in which modules a function of the standard library is held by name."""

from __future__ import annotations

import os
import sys
import sysconfig
from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

_PATHS = [sysconfig.get_paths()[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")]
_LIBRARIES = tuple(f"{path}{os.sep}" for path in dict.fromkeys([*_PATHS, *map(os.path.realpath, _PATHS)]))
"""Where modules live that are not the user's."""


class StandIn(NamedTuple):
    """A function that is swapped.

    Attributes:
        name: its usual one.
        original: itself.
        stand_in: what takes its place.
    """

    name: str
    original: Any
    stand_in: Any


class Holder(NamedTuple):
    """A module that holds a function that is swapped, by whatever name."""

    module: Any
    name: str
    what: StandIn


@cache
def is_library(file: str) -> bool:
    """Whether the code of this file is a library's: also if it was made from text, as that of dataclasses is."""
    return file.startswith(("<", *_LIBRARIES))


def holders(stand_ins: tuple[StandIn, ...], homes: tuple[Any, ...]) -> list[Holder]:
    """Every module, other than their ``homes``, that holds one of the originals.

    The user's own may hold it by any name, a library by the usual one.
    """
    return [
        holder for module in list(sys.modules.values()) if module not in homes for holder in _held(module, stand_ins)
    ]


def _held(module: Any, stand_ins: tuple[StandIn, ...]) -> Iterator[Holder]:
    names = getattr(module, "__dict__", None)
    if not names or str(names.get("__name__")).startswith("pytest_durable"):
        return
    if str(names.get("__file__")).startswith(_LIBRARIES):
        for one in stand_ins:
            if names.get(one.name) is one.original:
                yield Holder(module, one.name, one)
        return
    for name, value in list(names.items()):
        for one in stand_ins:
            if value is one.original:
                yield Holder(module, name, one)
