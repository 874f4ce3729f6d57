"""What handler code reads that may be another thing on replay: the clock, chance, the environment.

Told only while somebody asks, and only in a simulated thread, outside of the bodies of steps. Everything is caught at
its source, so it does not matter by which name or through which library it is read: freezegun asks the virtual clock,
and whoever draws asks a stand-in of `seams.chance`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import CodeType, FrameType
from typing import Any, NamedTuple

from pytest_durable.engine import Task, current_task
from pytest_durable.seams.libraries import is_library
from pytest_durable.seams.observe import Call


class Read(NamedTuple):
    """One reading.

    Attributes:
        what: was read, as the user would write it.
        file: of the user's code, and ``line`` in it.
        through: the library that read it on the user's behalf; None if that was the user's own code.
    """

    what: str
    file: str
    line: int
    through: str | None


Told = Callable[[Task, Read, str | None], None]
"""Who is told of a reading; of the environment with the value that was read."""

_told: Told | None = None

_SOURCES = ("freezegun.api", "random", "secrets", "uuid", "os", "collections.abc")
"""Modules between the user's code and the source."""

_NOT_ASKED = ("aws_durable_execution_sdk_python", "pytest_durable", "logging", "loguru", "structlog")
"""Whose readings do not count: the SDK's own, and the time stamps of log records."""


def clock_was_read() -> None:
    """Tell of a reading of the virtual clock, by the caller's caller."""
    if _told is not None:
        tell(sys._getframe(2), "the clock")


def tell(frame: FrameType, what: str, generator: str = "", value: str | None = None) -> None:
    """Tell of a reading by the code of ``frame``, if somebody asks and that is handler code.

    Args:
        frame: that reads.
        what: it reads, unless a library that is known between it and the user's code says better.
        generator: what the user calls the source of chance, if it is one.
        value: of the environment.
    """
    task = current_task()
    if _told is None or task is None or not _in_handler(task.data):
        return
    read = _read_by(frame, what, generator)
    if read is not None:
        _told(task, read, value)


def _in_handler(inside: Any) -> bool:
    """Whether a task runs handler code: neither the body of a step nor the SDK, for a durable call."""
    return inside is None or (type(inside) is not Call and inside.operation_type.name == "CONTEXT")


def _read_by(frame: FrameType | None, what: str, generator: str) -> Read | None:
    through: str | None = None
    while frame is not None:
        module = str(frame.f_globals.get("__name__"))
        package = module.partition(".")[0]
        if package in _NOT_ASKED:
            return None
        if through is None and module in _SOURCES:
            what = _public_name(module, frame.f_code, generator) or what
        elif is_library(frame.f_code.co_filename):
            through = through or package
        else:
            return Read(what, frame.f_code.co_filename, frame.f_lineno, through)
        frame = frame.f_back
    return None


def _public_name(module: str, code: CodeType, generator: str) -> str | None:
    """The function of a source, as the user would write it; None for what is below or beside it."""
    if module == "freezegun.api":
        for fake, real in (("fake_", "time."), ("FakeDatetime.", "datetime."), ("FakeDate.", "date.")):
            if code.co_qualname.startswith(fake):
                return f"{real}{code.co_qualname.removeprefix(fake)}()"
    if module == "random":
        return f"{generator}.{code.co_name}()"
    return f"{module}.{code.co_name}()" if module in ("secrets", "uuid") else None


class _Told(type(os.environ)):  # type: ignore[misc]  # a class that has no public name
    """What ``os.environ`` is while somebody asks: the same, but for the telling.

    Its class is changed, not a method of its class: interpreters stop noticing that after a thousand times.
    """

    def __getitem__(self, key: Any) -> Any:
        value = None
        try:
            value = super().__getitem__(key)
            return value
        finally:
            tell(sys._getframe(1), f"os.environ[{key!r}]", value=repr(value))


@contextmanager
def told_to(told: Told) -> Iterator[None]:
    """``told`` is told of readings within this context. What somebody else has put in a place is left there."""
    global _told
    before, _told = _told, told
    environment: Any = os.environ
    original = type(environment)
    is_ours = original is _Told.__base__
    if is_ours:
        environment.__class__ = _Told
    try:
        yield
    finally:
        _told = before
        if is_ours:
            environment.__class__ = original
