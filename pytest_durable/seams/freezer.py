"""Starting freezegun quickly: it looks for clocks only in modules that may hold one; to look into all takes it 5 ms."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

from freezegun import api

from pytest_durable.seams.libraries import is_library


class Sieve:
    """Leaves out the modules of libraries that held nothing of interest, as long as they have as many names.

    The user's own are always looked at: a module may be made anew under the same name.
    """

    def __init__(self) -> None:
        self._names_of_empty: dict[str, int] = {}

    def worth_a_look(self) -> dict[str, Any]:
        """The modules, by name, that may hold something."""
        empty = self._names_of_empty
        return {
            name: module
            for name, module in list(sys.modules.items())
            if name not in empty or len(getattr(module, "__dict__", ())) != empty[name]
        }

    def held(self, looked_at: dict[str, Any], holding: set[int]) -> None:
        """Of what was looked at, the modules with these identities hold something, the others nothing."""
        for name, module in looked_at.items():
            names = getattr(module, "__dict__", None)
            if names is None or not (_is_standard(name) or is_library(str(names.get("__file__")))):
                continue
            if id(module) in holding:
                self._names_of_empty.pop(name, None)
            else:
                self._names_of_empty[name] = len(names)


def _is_standard(module: str) -> bool:
    """Whether it is a module of the standard library: some of them have no file."""
    return module.partition(".")[0] in sys.stdlib_module_names


_sieve = Sieve()


def start(freezer: Any) -> Any:
    """Start what ``freezegun.freeze_time`` made; the factory of its time."""
    modules = _sieve.worth_a_look()
    vars(api)["sys"] = SimpleNamespace(modules=modules)  # all that it uses of it
    try:
        factory = freezer.start()
    finally:
        vars(api)["sys"] = sys
    if freezer.modules_at_start:  # else another freezer shows its time already, and this one has not looked
        _sieve.held(modules, {id(module) for module, _, _ in freezer.undo_changes})
        freezer.modules_at_start = set(sys.modules)
    return factory
