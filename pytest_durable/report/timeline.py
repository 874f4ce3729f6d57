"""An execution as text: one block for each invocation, one line for each operation it came to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pytest_durable.engine import MICROS
from pytest_durable.service.record import InvocationRecord, Line, place_text

if TYPE_CHECKING:
    from pytest_durable.service.lifecycle import DurableExecution

LONGEST_BLOCK = 12
"""Lines shown of one invocation; what lies between is counted."""

SCREEN = 16
"""Lines of a timeline in a failure, which leaves room for the rest on a screen of 25."""

_ALARM = "RAN AGAIN"


def elapsed(micros: int) -> str:
    """A span of virtual time as ``00:05:00``, with days in front if there are any."""
    seconds = micros // MICROS
    days, seconds = divmod(seconds, 86_400)
    text = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return f"{days}d {text}" if days else text


def timeline(execution: DurableExecution, blocks: int | None = None, longest: int = LONGEST_BLOCK) -> str:
    """The execution so far.

    Args:
        execution: whose invocations are shown, among those of the executions that it invoked.
        blocks: show only so many invocations, from the first that was killed, else the last ones; all by default.
        longest: lines shown of one invocation.
    """
    records = [(one, record) for one in execution.family() for record in one.invocations]
    records.sort(key=lambda each: each[1].started)
    killed = [index for index, (_, record) in enumerate(records) if record.fault or record.struck]
    last = len(records) if blocks is None else blocks
    first = max(0, min(killed[0] if killed else len(records), len(records) - last))
    shown = records[first : first + last]
    width = max((len(line.path) for _, record in shown for line in record.lines()), default=0)
    label = max((len(_label(one, record)) for one, record in shown), default=0)
    lines = [f"… {first} earlier invocations"] if first else []
    for one, record in shown:
        head = f"{_label(one, record):<{label}} {elapsed(record.started - execution.started)}   "
        lines.extend(_block(head, record, min(width, 40), longest))
    later = len(records) - first - len(shown)
    return "\n".join([*lines, *([f"… {later} later invocations"] if later else [])])


def on_one_screen(execution: DurableExecution) -> str:
    """The part of the timeline that a failure shows: at most `SCREEN` lines, of as many invocations as that allows."""
    for blocks in (4, 3, 2, 1):
        for longest in (LONGEST_BLOCK, 8, 6, 4):
            text = timeline(execution, blocks, longest)
            if text.count("\n") < SCREEN:
                return text
    return text


def _label(execution: DurableExecution, record: InvocationRecord) -> str:
    """Which invocation, of which execution if that was invoked by another."""
    return f"{execution.prefix}invocation {record.number:<3}"


def _block(head: str, record: InvocationRecord, width: int, longest: int) -> list[str]:
    body = [*_shorten(_condensed(record.lines(), width), longest), *ending(record)]
    return [(head if index == 0 else " " * len(head)) + text for index, text in enumerate(body)]


def _condensed(lines: Sequence[Line], width: int) -> list[str]:
    """The lines as text: what went as it should is counted rather than listed."""
    texts: list[str] = []
    index = 0
    while index < len(lines):
        line = lines[index]
        below = _quiet_below(lines, index)
        replayed = _replayed_from(lines, index)
        if replayed > 2:
            texts.append(f"{replayed} operations replayed")
            index += replayed
        else:
            texts.append(_line(line, width) + (f"   with {below} operations below" if below > 2 else ""))
            index += 1 + (below if below > 2 else 0)
    return texts


def _replayed_from(lines: Sequence[Line], index: int) -> int:
    """How many operations in a row, from ``index``, did nothing but replay."""
    end = index
    while end < len(lines) and lines[end].words == ["replayed"]:
        end += 1
    return end - index


def _quiet_below(lines: Sequence[Line], index: int) -> int:
    """How many operations below the one at ``index`` follow it, if all of them, and it, ran and were stored."""
    top = lines[index]
    end = index + 1
    while end < len(lines) and lines[end].path.startswith(f"{top.path}/"):
        end += 1
    quiet = all(line.words in (["ran", "stored"], ["replayed"]) for line in lines[index + 1 : end])
    return end - index - 1 if quiet and top.words == ["ran", "stored"] else 0


def _line(line: Line, width: int) -> str:
    words = "".join(f"{word:<11}" for word in line.words or ["reached"])
    mark = f"<- {place_text(line.place)}" if line.alarm else ""
    return f"{line.path:<{width}}   {words}{mark}".rstrip()


def _shorten(lines: Sequence[str], longest: int) -> list[str]:
    """Keep both ends of a long block, and every line that raises an alarm."""
    if len(lines) <= longest:
        return list(lines)
    half = longest // 2
    middle = lines[half:-half]
    alarms = [line for line in middle if _ALARM in line][:half]
    return [*lines[:half], f"… {len(middle) - len(alarms)} lines left out", *alarms, *lines[-half:]]


def ending(record: InvocationRecord) -> list[str]:
    """How the invocation ended, as a line; none where its last operation says it."""
    if record.fault is not None:
        return [f"✗ killed: {record.fault}"]
    if record.struck is not None:
        return [f"✗ struck: {record.struck}"]
    if record.output is None:
        return ["… still running"]
    if record.refused is not None:
        return [f"✗ refused: {record.refused}"]
    if record.output in ("died", "raised") and record.error is not None:
        return [f"✗ {record.error[0]}: {record.error[1]}"]
    return [] if record.events and record.output == "PENDING" else [record.output.lower()]
