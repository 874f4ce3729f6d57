"""Starting freezegun quickly: it looks for clocks only in modules that may hold one; to look into all takes it 5 ms."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

from freezegun import api

from pytest_durable.seams.libraries import Look

CLOCKS = tuple(api.real_date_objects)
"""What freezegun swaps."""

_IDENTITIES = frozenset(map(id, CLOCKS))

_remembered: dict[str, tuple[str, list[tuple[str, Any]]]] = vars(api).get("_GLOBAL_MODULES_CACHE", {})
"""What freezegun found in modules before, by their names: it looks again only if a module has other names."""


class Libraries:
    """Which libraries hold a clock."""

    def __init__(self) -> None:
        self._unknown: dict[str, Any] = {}
        self._holding: dict[str, Any] = {}

    def found(self, modules: dict[str, Any]) -> None:
        """They may hold one."""
        self._unknown.update(modules)

    def worth_a_look(self) -> dict[str, Any]:
        """Those that hold one or may."""
        return {**self._holding, **self._unknown}

    def held(self, holding: set[int]) -> None:
        """Of those worth a look the modules with these identities hold one, the others none."""
        looked_at, self._unknown = self.worth_a_look(), {}
        self._holding = {name: module for name, module in looked_at.items() if id(module) in holding}


_libraries = Libraries()


def _let_pydantic_read(fake: Any, real: type) -> None:
    """Let models of pydantic that are made while time is frozen have fields of the type: it knows the real one only."""

    def schema(_: Any, handler: Any) -> Any:
        return handler.generate_schema(real)

    fake.__get_pydantic_core_schema__ = schema  # which pydantic asks any type for


_let_pydantic_read(api.FakeDatetime, api.real_datetime)
_let_pydantic_read(api.FakeDate, api.real_date)


def start(freezer: Any, look: Look) -> Any:
    """Start what ``freezegun.freeze_time`` made; the factory of its time.

    Args:
        freezer: that, not started.
        look: at what is loaded; the libraries may be in an earlier one.
    """
    _libraries.found(look.libraries)
    if api.freeze_factories:  # another freezer shows its time already, and this one does not look
        return freezer.start()
    for module in look.own.values():
        _forget_if_changed(module)
    vars(api)["sys"] = SimpleNamespace(modules={**look.own, **_libraries.worth_a_look()})  # all that it uses of it
    try:
        factory = freezer.start()
    finally:
        vars(api)["sys"] = sys
    _libraries.held({id(module) for module, _, _ in freezer.undo_changes})
    freezer.modules_at_start = set(sys.modules)
    return factory


def _forget_if_changed(module: Any) -> None:
    """Let freezegun look into the module again if it does not hold the clocks that are remembered of it."""
    names = getattr(module, "__dict__", {})
    name = names.get("__name__")
    if name in _remembered:
        clocks = {name: it for name, it in list(names.items()) if id(it) in _IDENTITIES}
        if dict(_remembered[name][1]) != clocks:
            del _remembered[name]
