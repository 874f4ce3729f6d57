"""Which name of which standard library module is swapped for which primitive, in every module of the SDK.

A name from one of these libraries that the table does not know is refused by name: a module that was simulated by half
would block the test for ever, or depend on the machine.
"""

from __future__ import annotations

import concurrent.futures
import datetime
import queue
import random
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from types import ModuleType, TracebackType
from typing import Any

from pytest_durable.errors import UnknownPrimitive
from pytest_durable.primitives import condition, date, event, executor, jitter, lock, sleep, thread
from pytest_durable.primitives import queue as queues

SDK = "aws_durable_execution_sdk_python"

_KEPT = object()
"""Marks a name that is safe as it is: it neither blocks nor reads a clock."""

TABLE: Mapping[ModuleType, Mapping[str, Any]] = {
    threading: {
        "Lock": lock.Lock,
        "RLock": lock.RLock,
        "Event": event.Event,
        "Condition": condition.Condition,
        "Thread": thread.Thread,
        "local": thread.local,
        "current_thread": thread.current_thread,
        "get_ident": thread.get_ident,
    },
    queue: {
        "Queue": queues.Queue,
        "SimpleQueue": queues.SimpleQueue,
        "Empty": _KEPT,
        "Full": _KEPT,
    },
    concurrent.futures: {
        "ThreadPoolExecutor": executor.ThreadPoolExecutor,
        "Future": executor.Future,
        "wait": executor.wait,
        "FIRST_COMPLETED": _KEPT,
        "FIRST_EXCEPTION": _KEPT,
        "ALL_COMPLETED": _KEPT,
        "CancelledError": _KEPT,
        "TimeoutError": _KEPT,
        "InvalidStateError": _KEPT,
    },
    time: {
        "time": sleep.time,
        "time_ns": sleep.time_ns,
        "monotonic": sleep.monotonic,
        "monotonic_ns": sleep.monotonic_ns,
        "perf_counter": sleep.perf_counter,
        "sleep": sleep.sleep,
    },
    random: {"random": jitter.random},
    datetime: {
        "datetime": date.datetime,
        "date": _KEPT,
        "timedelta": _KEPT,
        "timezone": _KEPT,
        "tzinfo": _KEPT,
        "UTC": _KEPT,
    },
}

_SHARED = {"Any", "Callable", "Iterable", "deque"}
"""Names that these libraries themselves only import."""


def facade(library: ModuleType, names: Mapping[str, Any]) -> ModuleType:
    """Stands in for a whole library module, with the names of the table and no other.

    It refuses by a ``__getattr__`` of the module's own: the interpreter is slow with subclasses of the module type.
    """

    def refuse(name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        raise UnknownPrimitive(f"the SDK uses {library.__name__}.{name}")

    module = ModuleType(library.__name__, f"Simulated {library.__name__}.")
    for name, stand_in in names.items():
        setattr(module, name, getattr(library, name) if stand_in is _KEPT else stand_in)
    module.__getattr__ = refuse  # type: ignore[method-assign]  # PEP 562
    return module


def knows(library: str, name: str) -> bool:
    """Whether the table has an answer for ``name`` of the library module called ``library``."""
    return any(module.__name__ == library and name in names for module, names in TABLE.items())


def libraries() -> set[str]:
    """The names of the library modules that the table speaks for."""
    return {module.__name__ for module in TABLE}


def _public(library: ModuleType) -> Iterator[tuple[str, Any]]:
    """The functions and classes that a library module defines, by name."""
    for name in getattr(library, "__all__", None) or vars(library):
        value = getattr(library, name, None)
        if not name.startswith("_") and callable(value) and name not in _SHARED:
            yield name, value


def _replacements() -> dict[int, tuple[str, Any, Any]]:
    """Identity of each original -> (its full name, the original, its stand-in or None if unknown)."""
    found: dict[int, tuple[str, Any, Any]] = {}
    for library, names in TABLE.items():
        found[id(library)] = (library.__name__, library, facade(library, names))
        if library is datetime:
            continue  # the bare class is a type to match values against; only ``datetime.datetime.now`` reads a clock
        for name, original in _public(library):
            stand_in = names.get(name)
            found[id(original)] = (f"{library.__name__}.{name}", original, stand_in)
    return found


class Swap:
    """One name in a module of the SDK, to be replaced for the time of a run."""

    __slots__ = ("installed", "name", "names", "original", "stand_in")

    def __init__(self, module: ModuleType, name: str, stand_in: Any) -> None:
        self.names = vars(module)
        self.name = name
        self.original: Any = None
        self.stand_in = stand_in
        self.installed = False


_swaps: list[Swap] = []
_scanned: set[str] = set()
_modules = 0
_depth = 0
_wrappers: list[Callable[[], list[Swap]]] = []


def also(swaps: Callable[[], list[Swap]]) -> Callable[[], list[Swap]]:
    """Register more swaps, found when the SDK is first scanned; used as a decorator."""
    _wrappers.append(swaps)
    return swaps


def _scan() -> None:
    """Find what to swap in the SDK's modules that were loaded since the last scan.

    Raises:
        UnknownPrimitive: naming the first thing an SDK module imports that the table does not know.
    """
    global _modules
    count = len(sys.modules)
    if count == _modules:
        return
    loaded = {name for name in sys.modules if name == SDK or name.startswith(SDK + ".")}
    fresh = loaded - _scanned
    if not fresh:
        _modules = count
        return
    replacements = _replacements()
    found = []
    for module_name in sorted(fresh):
        module = sys.modules[module_name]
        for name, value in list(vars(module).items()):
            known = replacements.get(id(value))
            if known is None or known[1] is not value:
                continue
            full_name, _, stand_in = known
            if stand_in is None:
                raise UnknownPrimitive(f"{module_name} imports {full_name}")
            if stand_in is not _KEPT:
                found.append(Swap(module, name, stand_in))
    if not _scanned:
        for wrapper in _wrappers:
            found.extend(wrapper())
    _swaps.extend(found)
    _scanned.update(fresh)
    _modules = len(sys.modules)


class installed:  # used as a function is
    """The SDK runs on our primitives within this context, and on its own after it; may be nested.

    Raises:
        UnknownPrimitive: if a module of the SDK imports something that the table does not know.
    """

    __slots__ = ()

    def __enter__(self) -> None:
        global _depth
        _scan()
        for swap in _swaps:
            if not swap.installed:
                names, name = swap.names, swap.name
                swap.original = names[name]
                names[name] = swap.stand_in
                swap.installed = True
        _depth += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        global _depth
        _depth -= 1
        if _depth == 0:
            for swap in _swaps:
                swap.names[swap.name] = swap.original
                swap.installed = False
