"""An execution as plain values, fit for JSON: all that the page draws, and nothing that it would have to look up."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_durable.engine import at, micros_of
from pytest_durable.report.timeline import ending
from pytest_durable.service.record import InvocationRecord, place_text

if TYPE_CHECKING:
    from pytest_durable.service.lifecycle import DurableExecution

MOST_INVOCATIONS = 60
"""Invocations that are drawn of one execution: the first, the last, and between them those that were struck."""
MOST_OPERATIONS = 1_200
"""Operations that are drawn of one invocation: its first and last ones, and every one that ran again."""
MOST_EFFECTS = 20
"""Effects that are shown of one operation in one invocation."""
LONGEST_TEXT = 400
"""Characters of a result or an error that are shown."""

_RECORD_OF = tuple["DurableExecution", InvocationRecord]


@dataclass(frozen=True)
class Mark:
    """An effect on the outside world.

    Attributes:
        label: what was done, with its idempotency key.
        micros: when, in microseconds after the start.
    """

    label: str
    micros: int


@dataclass(frozen=True)
class Bar:
    """One operation in one invocation.

    Attributes:
        path: of the operation.
        words: what happened to it, as in the timeline.
        place: file and line of the user's call; empty if unknown.
        alarm: whether its body ran although it had completed.
        first: number of the first moment that it was met at, ``last`` of the latest; see `Picture.micros`.
        waits: whether the execution goes on waiting for it afterwards.
        until: when that ends, in microseconds after the start; None if it does not.
        effects: what its body did to the outside world, in order.
    """

    path: str
    words: tuple[str, ...]
    place: str
    alarm: bool
    first: int
    last: int
    waits: bool = False
    until: int | None = None
    effects: tuple[Mark, ...] = ()


@dataclass(frozen=True)
class InvocationPicture:
    """One invocation.

    Attributes:
        label: as in the timeline: ``invocation 2``.
        first: number of the moment at which it began, ``last`` of the one at which it ended.
        ending: how it ended, in words.
        fault: the fault that struck it, as text; empty for none.
        bars: its operations, in order.
        left_out: how many operations more it has.
        effects: what the handler did outside of any operation, in order.
    """

    label: str
    first: int
    last: int
    ending: str
    fault: str
    bars: tuple[Bar, ...]
    left_out: int = 0
    effects: tuple[Mark, ...] = ()


@dataclass(frozen=True)
class Picture:
    """One execution, with those that it invoked.

    Attributes:
        status: of the execution.
        result: as JSON; empty for none.
        error: type and message; empty for none.
        started: as ISO 8601.
        micros: when each moment of it was, in microseconds after the start. Moments are numbered in the order in which
            they happened, several at one instant as well.
        ended: when it ended, in microseconds after the start; None if it has not.
        invocations: in order.
        left_out: how many invocations more there are.
    """

    status: str
    result: str
    error: str
    started: str
    micros: tuple[int, ...]
    ended: int | None
    invocations: tuple[InvocationPicture, ...]
    left_out: int = 0


def picture_of(execution: DurableExecution) -> Picture:
    """The execution as it stands now."""
    records = _in_order(execution)
    drawn = _shortened(records)
    moments = _Moments(drawn)
    error = "" if execution.error is None else ": ".join(filter(None, (execution.error.type, execution.error.message)))
    return Picture(
        status=execution.status.value,
        result=_short(execution.result or ""),
        error=_short(error),
        started=at(execution.started).isoformat(),
        micros=tuple(micros - execution.started for micros in moments.micros),
        ended=None if execution.ended is None else execution.ended - execution.started,
        invocations=tuple(
            _invocation(one, record, moments.of(order, record), execution.started)
            for order, (one, record) in enumerate(drawn)
        ),
        left_out=len(records) - len(drawn),
    )


def _in_order(execution: DurableExecution) -> list[_RECORD_OF]:
    """Every invocation of the family, in the order in which they began."""
    began: dict[tuple[object, object], int] = {}
    for entry in execution.service.world.trace.entries:
        if len(entry) == 4 and entry[1] == "invoke":
            began.setdefault((entry[2], entry[3]), len(began))
    records = [(one, record) for one in execution.family() for record in one.invocations]
    return sorted(records, key=lambda each: (each[1].started, began.get((each[0].name, each[1].number), 0)))


def _shortened(records: Sequence[_RECORD_OF]) -> list[_RECORD_OF]:
    if len(records) <= MOST_INVOCATIONS:
        return list(records)
    third = MOST_INVOCATIONS // 3
    middle = [each for each in records[third:-third] if each[1].fault or each[1].struck or each[1].alarms]
    return [*records[:third], *middle[:third], *records[-third:]]


class _Moments:
    """Numbers for everything that happened, in the order in which it did.

    At one instant, what an earlier invocation does comes before what a later one does.

    Args:
        records: the invocations, in order.
    """

    def __init__(self, records: Sequence[_RECORD_OF]) -> None:
        now = [each[0].service.world.clock.micros for each in records]
        happened = sorted(
            (micros, order, index)
            for order, (_, record) in enumerate(records)
            for index, micros in enumerate(_times(record, now[order]))
        )
        self.micros = [micros for micros, _, _ in happened]
        self._numbers = {(order, index): number for number, (_, order, index) in enumerate(happened)}

    def of(self, order: int, record: InvocationRecord) -> list[int]:
        """The numbers of one invocation: of its beginning, each of its events, and its end."""
        return [self._numbers[order, index] for index in range(len(record.events) + 2)]


def _times(record: InvocationRecord, now: int) -> Iterator[int]:
    """When it began, when its events were, when it ended; never backwards, though an execution may end before it."""
    yield record.started
    latest = record.started
    for *_, micros in record.events:
        latest = micros
        yield latest
    yield max(latest, now if record.ended is None else record.ended)


def _invocation(
    execution: DurableExecution, record: InvocationRecord, numbers: Sequence[int], start: int
) -> InvocationPicture:
    met: dict[str, list[int]] = {}
    for (operation_id, *_), number in zip(record.events, numbers[1:-1], strict=True):
        met.setdefault(operation_id, []).append(number)
    effects = _effects(execution, record, start)
    bars = []
    for operation_id, line in zip(met, record.lines(), strict=True):
        waits = _waits(execution, operation_id, line.words)
        until = _until(execution, operation_id, record) if waits else None
        interrupted = not waits and (not line.words or line.words[-1] in ("ran", "RAN AGAIN"))
        bars.append(
            Bar(
                path=line.path,
                words=tuple(line.words) or ("reached",),
                place="" if line.place is None else place_text(line.place),
                alarm=line.alarm,
                first=met[operation_id][0],
                last=numbers[-1] if interrupted else met[operation_id][-1],
                waits=waits,
                until=None if until is None else until - start,
                effects=tuple(effects.get(operation_id, ())[:MOST_EFFECTS]),
            )
        )
    kept = _kept(bars)
    return InvocationPicture(
        label=f"{execution.prefix}invocation {record.number}",
        first=numbers[0],
        last=numbers[-1],
        ending=" ".join(ending(record)) or "suspended",
        fault=record.fault or record.struck or "",
        bars=kept,
        left_out=len(bars) - len(kept),
        effects=tuple(effects.get(None, ())[:MOST_EFFECTS]),
    )


def _effects(execution: DurableExecution, record: InvocationRecord, start: int) -> dict[str | None, list[Mark]]:
    """What one invocation did to the outside world, by the operation whose body did it; None for the handler."""
    found: dict[str | None, list[Mark]] = {}
    for effect in execution.effects:
        if effect.invocation == record.number:
            label = str(effect) if effect.key is None else f"{effect}, key {effect.key!r}"
            found.setdefault(effect.operation_id, []).append(Mark(_short(label), micros_of(effect.time) - start))
    return found


def _kept(bars: Sequence[Bar]) -> tuple[Bar, ...]:
    half = MOST_OPERATIONS // 2
    if len(bars) <= MOST_OPERATIONS:
        return tuple(bars)
    return (*bars[:half], *[bar for bar in bars[half:-half] if bar.alarm][:half], *bars[-half:])


def _waits(execution: DurableExecution, operation_id: str, words: Sequence[str]) -> bool:
    """Whether the operation is left to the service or the outside world."""
    operation = execution.journal.operations.get(operation_id)
    if operation is None or (words and words[-1] in ("replayed", "stored", "failed", "refused", "ran", "RAN AGAIN")):
        return False
    return bool(words) or operation.operation_type.value in ("WAIT", "CALLBACK", "CHAINED_INVOKE")


def _until(execution: DurableExecution, operation_id: str, record: InvocationRecord) -> int | None:
    """When an operation that waits is met again, or has ended."""
    operation = execution.journal.operations[operation_id]
    if operation.operation_type.value != "STEP":
        return None if operation.end_timestamp is None else micros_of(operation.end_timestamp)
    later = (one for one in execution.invocations if one.number > record.number)
    return next((event[3] for one in later for event in one.events if event[0] == operation_id), None)


def _short(text: str) -> str:
    return text if len(text) <= LONGEST_TEXT else f"{text[:LONGEST_TEXT]}… ({len(text):,} characters)"
