"""Which code is a library's, and in which modules a function of the standard library is held by name."""

from __future__ import annotations

import os
import sys
import sysconfig
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


class Holders:
    """The modules that hold one of some functions by name: the user's own by any, a library by the usual one.

    A library is looked into once: there are many, and what they import they do not change.

    Args:
        stand_ins: the functions.
        homes: modules that are none of them.
    """

    def __init__(self, stand_ins: tuple[StandIn, ...], homes: tuple[Any, ...]) -> None:
        self._stand_ins = stand_ins
        self._by_identity = {id(one.original): one for one in stand_ins}  # of which none is ever freed
        self._homes = {home.__name__ for home in homes}
        self._seen: set[str] = set()
        self._libraries: list[Holder] = []

    def find(self) -> list[Holder]:
        """Where they are now; what somebody else has put in their place is not among it."""
        found = []
        for key, module in list(sys.modules.items()):
            if key not in self._seen:
                found += self._look_into(key, module)
        return found + [one for one in self._libraries if vars(one.module).get(one.name) is one.what.original]

    def _look_into(self, key: str, module: Any) -> list[Holder]:
        names = getattr(module, "__dict__", None)
        if not names or key in self._homes or str(names.get("__name__")).startswith("pytest_durable"):
            return []
        if not str(names.get("__file__")).startswith(_LIBRARIES):
            by_identity = self._by_identity
            return [
                Holder(module, name, by_identity[id(it)]) for name, it in list(names.items()) if id(it) in by_identity
            ]
        self._seen.add(key)
        self._libraries += [Holder(module, one.name, one) for one in self._stand_ins if one.name in names]
        return []
