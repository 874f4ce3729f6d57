"""Which code is a library's, and in which modules a function of the standard library is held by name."""

from __future__ import annotations

import os
import sys
import sysconfig
from collections.abc import Iterable
from functools import cache
from types import ModuleType
from typing import Any, NamedTuple

_PATHS = [sysconfig.get_paths()[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")]
_LIBRARIES = tuple(f"{path}{os.sep}" for path in dict.fromkeys([*_PATHS, *map(os.path.realpath, _PATHS)]))
"""Where modules live that are not the user's."""

_OURS = __name__.partition(".")[0]


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


class Look(NamedTuple):
    """What a look at the modules that are loaded gives, by the names under which they are loaded.

    Attributes:
        own: those of the user that hold something that is looked for, by whatever name, and what is no ordinary module.
        libraries: those of libraries that are new, or have more or fewer names, since the last look.
    """

    own: dict[str, Any]
    libraries: dict[str, Any]


class Modules:
    """The modules that are loaded.

    Those of the user are looked at each time: a module may be made anew under the same name, and a test puts something
    else in the place of a function for a while. Libraries are many, and what they import they do not change.

    Args:
        wanted: what is looked for, none of which is ever freed.
    """

    def __init__(self, wanted: Iterable[Any]) -> None:
        self._wanted = frozenset(map(id, wanted))
        self._of_libraries: dict[str, bool] = {}
        self._lengths: dict[str, int] = {}

    def look(self) -> Look:
        """Look at all of them."""
        found = Look({}, {})
        for key, module in list(sys.modules.items()):
            names = getattr(module, "__dict__", None)
            if names is None:
                found.own[key] = module
            elif self._is_of_a_library(key, names):
                if self._lengths.get(key) != len(names):
                    self._lengths[key] = len(names)
                    found.libraries[key] = module
            elif type(module) is not ModuleType or not self._wanted.isdisjoint(map(id, names.values())):
                found.own[key] = module
        return found

    def _is_of_a_library(self, key: str, names: dict[str, Any]) -> bool:
        known = self._of_libraries.get(key)
        if known is None:  # some modules of the standard library have no file
            root = key.partition(".")[0]
            known = root == _OURS or root in sys.stdlib_module_names or is_library(str(names.get("__file__")))
            self._of_libraries[key] = known
        return known


class Holders:
    """The modules that hold one of some functions by name: the user's own by any, a library by the usual one.

    Args:
        stand_ins: the functions.
        homes: modules that are none of them.
    """

    def __init__(self, stand_ins: tuple[StandIn, ...], homes: tuple[Any, ...]) -> None:
        self._stand_ins = stand_ins
        self._by_identity = {id(one.original): one for one in stand_ins}
        self._homes = {home.__name__ for home in homes}
        self._libraries: dict[str, list[Holder]] = {}

    def find(self, look: Look) -> list[Holder]:
        """Where they are now; what somebody else has put in their place is not among it.

        Every look has to be shown to it: the libraries are in the first one alone.
        """
        by_identity = self._by_identity
        found = [
            Holder(module, name, by_identity[id(it)])
            for module in look.own.values()
            for name, it in list(getattr(module, "__dict__", {}).items())
            if id(it) in by_identity
        ]
        for key, module in look.libraries.items():
            if key not in self._homes and key.partition(".")[0] != _OURS:
                names = vars(module)
                self._libraries[key] = [Holder(module, one.name, one) for one in self._stand_ins if one.name in names]
        for held in self._libraries.values():
            found += [one for one in held if vars(one.module).get(one.name) is one.what.original]
        return found
