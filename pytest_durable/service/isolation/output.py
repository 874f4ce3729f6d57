"""What the child prints and logs: written, or sent to the parent, before anybody can kill it."""

from __future__ import annotations

import io
import logging
import sys
import traceback
from typing import Any

STREAMS = ("stdout", "stderr")


def flush() -> None:
    """Write out what the standard streams hold back; else a fork doubles it, and a kill loses it."""
    for name in STREAMS:
        stream = getattr(sys, name)
        if stream is not None and not stream.closed:
            stream.flush()


class Output:
    """What the child has printed and logged and must send, as it cannot write it itself.

    It cannot where a stream is one in memory, as pytest's ``capsys`` makes it, and where a log handler of the parent
    keeps its records, as ``caplog`` does.
    """

    def __init__(self) -> None:
        self._written: list[tuple[str, str]] = []
        self._logged: list[dict[str, Any]] = []

    def install(self) -> None:
        """Have it collected from now on."""
        for name in STREAMS:
            stream = getattr(sys, name)
            if stream is not None and not _is_a_file(stream):
                setattr(sys, name, _Collected(self._written, name))
        logging.root.handlers = [_Records(self._logged)]

    def take(self) -> tuple[list[tuple[str, str]], list[dict[str, Any]]]:
        """What was printed and logged since the last time."""
        flush()
        taken = list(self._written), list(self._logged)
        self._written.clear()
        self._logged.clear()
        return taken


def show(written: list[tuple[str, str]], logged: list[dict[str, Any]]) -> None:
    """In the parent: print and log what a child has sent."""
    for name, text in written:
        stream = getattr(sys, name)
        if stream is not None:
            stream.write(text)
    for fields in logged:
        record = logging.makeLogRecord(fields)
        for handler in logging.root.handlers:
            if record.levelno >= handler.level:
                handler.handle(record)


def _is_a_file(stream: Any) -> bool:
    try:
        stream.fileno()
    except (AttributeError, OSError, ValueError):
        return False
    return True


class _Collected(io.TextIOBase):
    """A text stream that keeps what is written for the parent."""

    def __init__(self, written: list[tuple[str, str]], name: str) -> None:
        self._written = written
        self._name = name

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self._written.append((self._name, text))
        return len(text)


class _Records(logging.Handler):
    """A log handler that keeps the records for those of the parent."""

    def __init__(self, logged: list[dict[str, Any]]) -> None:
        super().__init__()
        self._logged = logged

    def emit(self, record: logging.LogRecord) -> None:
        fields = dict(vars(record), msg=record.getMessage(), args=None)
        if record.exc_info:
            fields["exc_text"] = "".join(traceback.format_exception(*record.exc_info)).rstrip()
            fields["exc_info"] = None
        self._logged.append(fields)
