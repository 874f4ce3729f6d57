"""An execution as text: one block for each invocation, one line for each operation it came to."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_durable.engine import MICROS
from pytest_durable.service.record import InvocationRecord, Line

if TYPE_CHECKING:
    from pytest_durable.service.lifecycle import DurableExecution

LONGEST_BLOCK = 12
"""Operations shown of one invocation; what lies between is counted."""

_ALARM = "RAN AGAIN"


def elapsed(micros: int) -> str:
    """A span of virtual time as ``00:05:00``, with days in front if there are any."""
    seconds = micros // MICROS
    days, seconds = divmod(seconds, 86_400)
    text = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return f"{days}d {text}" if days else text


def place_text(place: tuple[str, int] | None) -> str:
    """``orders.py:41``: the file without its directories, which the traceback above has."""
    return "?" if place is None else f"{Path(place[0]).name}:{place[1]}"


def timeline(execution: DurableExecution, blocks: int | None = None) -> str:
    """The execution so far.

    Args:
        execution: whose invocations are shown.
        blocks: show only the last so many invocations; all by default.
    """
    records = execution.invocations
    shown = records if blocks is None else records[-blocks:]
    lines = []
    if len(shown) < len(records):
        lines.append(f"… {len(records) - len(shown)} earlier invocations")
    width = max((len(line.path) for record in shown for line in record.lines()), default=0)
    for record in shown:
        lines.extend(_block(record, execution.started, min(width, 40)))
    return "\n".join(lines)


def _block(record: InvocationRecord, start: int, width: int) -> list[str]:
    head = f"invocation {record.number:<3} {elapsed(record.started - start)}   "
    body = [*_shorten([_line(line, width) for line in record.lines()]), *_ending(record)]
    return [(head if index == 0 else " " * len(head)) + text for index, text in enumerate(body)]


def _line(line: Line, width: int) -> str:
    words = "".join(f"{word:<11}" for word in line.words or ["reached"])
    mark = f"<- {place_text(line.place)}" if line.alarm else ""
    return f"{line.path:<{width}}   {words}{mark}".rstrip()


def _shorten(lines: Sequence[str]) -> list[str]:
    """Keep both ends of a long block, and every line that raises an alarm."""
    if len(lines) <= LONGEST_BLOCK:
        return list(lines)
    half = LONGEST_BLOCK // 2
    middle = lines[half:-half]
    alarms = [line for line in middle if _ALARM in line][:half]
    return [*lines[:half], f"… {len(middle) - len(alarms)} more operations", *alarms, *lines[-half:]]


def _ending(record: InvocationRecord) -> list[str]:
    if record.fault is not None:
        return [f"✗ killed: {record.fault}"]
    if record.output is None:
        return ["… still running"]
    if record.output in ("died", "raised") and record.error is not None:
        return [f"✗ {record.error[0]}: {record.error[1]}"]
    return [] if record.events and record.output == "PENDING" else [record.output.lower()]
