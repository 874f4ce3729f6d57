"""Two executions side by side: what they did, operation by operation, and where they part.

Rows are aligned by the path of the operation: first as far as both did the same, then by the longest stretches that
they have in common. What only one of them did stands alone. An operation whose stored result differs shows both.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from itertools import groupby
from typing import TYPE_CHECKING, Any, TypeVar

from pytest_durable.report.timeline import elapsed, ending
from pytest_durable.service.record import InvocationRecord, Line, place_text

if TYPE_CHECKING:
    from pytest_durable.service.lifecycle import DurableExecution

WIDTH = 88
"""Columns of a table."""

ROWS = 20
"""Rows of a table, with those that say how many are left out."""

NAME = 26
"""Columns of a name; of a longer one the end is shown, which says more than its beginning."""

CELL = 26
"""Columns of what the left execution did; the right one has what is left of the line."""

PARTING = 4
"""Rows that only one of them has, and that are not left out: the first ones."""

VALUES = 3
"""Operations whose results are shown because they differ."""

LONGEST_SEARCH = 600
"""Entries of each that are aligned, after the beginning that they have in common; later ones are not shown."""

_T = TypeVar("_T")

_MARK = "  <- "
_QUIET = ("ran, stored", "replayed")
_BEFORE = 12
"""Characters before the first difference of a result that is too long to be shown."""


@dataclass(frozen=True)
class _Entry:
    """Something that one execution did.

    Attributes:
        key: equal for what is the same in both.
        name: of the operation; empty for an invocation as such.
        cell: what happened.
        place: file and line of the user's call; ``?`` if unknown.
        result: that was stored; None for none.
        counts: whether it must not be left out.
        replays: whether it is the beginning of an invocation, or a replay of what was done before.
    """

    key: tuple[str, ...]
    name: str
    cell: str
    place: str = "?"
    result: str | None = None
    counts: bool = False
    replays: bool = False


@dataclass(frozen=True)
class _Row:
    """One row: a name, and what both did; an empty cell where one did nothing of it.

    Attributes:
        counts: whether it must not be left out.
        alone: whether only one did it, and it is no replay.
    """

    name: str
    left: str
    right: str
    counts: bool = False
    alone: bool = False


def side_by_side(left: DurableExecution, right: DurableExecution, titles: tuple[str, str]) -> str:
    """A table of both, at most `ROWS` rows and a heading; rows that are the same in both are left out first.

    Args:
        left: what the other is held against.
        right: what is to be explained.
        titles: of the two.
    """
    rows = _folded(list(_aligned(list(_entries(left)), list(_entries(right)))))
    kept = _chosen(rows)
    shown = [_Row("", *titles), *kept]
    name = min(max(len(row.name) for row in shown), NAME)
    cell = min(max(len(row.left) for row in shown), CELL)
    return "\n".join(
        f"{_end_of(row.name, name):<{name}}   {_start_of(row.left, cell):<{cell}}   "
        f"{_fitting(row.right, WIDTH - name - cell - 6)}".rstrip()
        for row in shown
    )


def parting(again: DurableExecution, first: DurableExecution) -> str:
    """Where two runs of one plan part: a line that says what to look at; empty if they did the same."""
    advances = _paired(_advances(list(_entries(again))), _advances(list(_entries(first))), lambda them: them[-1].key)
    for one, other in advances:
        now, before = (None if entries is None else entries[-1] for entries in (one, other))
        if now is not None and before is not None and now.result == before.result:
            continue
        known = before or now
        assert known is not None
        what = f"'{known.name}', made at {known.place}" if known.name else known.cell
        if now is not None and before is not None:
            values = _cut(_plain(before.result or ""), _plain(now.result or ""))
            return f"Look at {what}: it gave {values[0]} the first time, and {values[1]} when it was run again."
        return f"Look at what comes before {what}: only {'the first' if now is None else 'the second'} run came to it."
    return ""


@dataclass(frozen=True)
class Beside:
    """What an execution is shown beside.

    Attributes:
        other: the execution at the left.
        titles: of both.
    """

    other: DurableExecution
    titles: tuple[str, str]

    def with_(self, execution: DurableExecution) -> str:
        """The table of both; see `side_by_side`."""
        return side_by_side(self.other, execution, self.titles)


def without_faults(calm: DurableExecution, kills: int, schedule: str) -> Beside:
    """The fault-free run, to show one beside that was struck by ``kills``, or ran in another order of its threads."""
    said = [f"{kills} kill{'s' * (kills != 1)}"] if kills else []
    title = f"with {' and '.join([*said, *(['another order of threads'] if schedule else [])])}"
    return Beside(calm, ("without faults", title))


def run_again(again: DurableExecution, first: DurableExecution) -> tuple[Beside, tuple[str, ...]]:
    """What to show ``first`` beside if its plan, run ``again``, did otherwise: that run; and the line of `parting`."""
    look = parting(again, first)
    return Beside(again, ("run again", "the first time")), (look,) if look else ()


def _entries(execution: DurableExecution) -> Iterator[_Entry]:
    records = [(one, record) for one in execution.family() for record in one.invocations]
    records.sort(key=lambda each: each[1].started)
    runs: dict[tuple[str, str, int], int] = {}
    for one, record in records:
        time = elapsed(record.started - execution.started)
        yield _Entry((one.prefix, "invocation"), "", f"{one.prefix}invocation {record.number}  {time}", replays=True)
        repeated = _repeated(one, record, runs)
        met = dict.fromkeys(operation_id for operation_id, *_ in record.events)
        for operation_id, line in zip(met, record.lines(), strict=True):
            yield _entry(one, operation_id, line, repeated.get(operation_id, 1))
        for text in ending(record):
            yield _Entry((one.prefix, "", text), "", text, counts=True)


def _entry(execution: DurableExecution, operation_id: str, line: Line, times: int) -> _Entry:
    words = [f"ran a {_ordinal(times)} time" if word == "ran" and times > 1 else word for word in line.words]
    counts, replays = line.alarm or times > 1, line.words == ["replayed"]
    mark = f"{_MARK}{place_text(line.place)}" if counts and line.place is not None else ""
    stored = execution.journal.operations.get(operation_id) if "stored" in line.words else None
    details = None if stored is None else stored.step_details  # what holds others differs with them
    return _Entry(
        key=(execution.prefix, line.path, "replayed" if replays else ""),
        name=line.path,
        cell=", ".join(words or ["reached"]) + mark,
        place=place_text(line.place),
        result=None if details is None else details.result,
        counts=counts,
        replays=replays,
    )


def _repeated(
    execution: DurableExecution, record: InvocationRecord, runs: dict[tuple[str, str, int], int]
) -> dict[str, int]:
    """How many times the bodies of this invocation have run by now, each for the same attempt."""
    found = {}
    for body in record.bodies:
        if body.attempt is not None:
            key = (execution.prefix, body.operation_id, body.attempt)
            found[body.operation_id] = runs[key] = runs.get(key, 0) + 1
    return found


def _ordinal(number: int) -> str:
    return {2: "2nd", 3: "3rd"}.get(number, f"{number}th")


def _aligned(left: Sequence[_Entry], right: Sequence[_Entry]) -> Iterator[_Row]:
    shown = 0
    for advance, other_advance in _paired(_advances(left), _advances(right), lambda entries: entries[-1].key):
        for one, other in _paired(advance or (), other_advance or (), lambda entry: entry.key):
            yield _row(one, other)
            if one is None or other is None or one.result is None or other.result is None:
                continue
            if one.result != other.result and shown < VALUES:
                shown += 1
                yield _Row("  ≠ result", *_cut(_plain(one.result), _plain(other.result)), counts=True)


def _advances(entries: Sequence[_Entry]) -> list[list[_Entry]]:
    """What brought an execution forward, each after the invocation that began for it, and what that replayed."""
    found: list[list[_Entry]] = [[]]
    for entry in entries:
        found[-1].append(entry)
        if not entry.replays:
            found.append([])
    return found if found[-1] else found[:-1]


def _paired(
    left: Sequence[_T], right: Sequence[_T], key: Callable[[_T], tuple[str, ...]]
) -> Iterator[tuple[_T | None, _T | None]]:
    """Both in their order, those of one key together: from the beginning, then in the longest stretches."""
    keys, others = [key(one) for one in left], [key(one) for one in right]
    same = next((index for index, pair in enumerate(zip(keys, others, strict=False)) if pair[0] != pair[1]), None)
    same = min(len(keys), len(others)) if same is None else same
    yield from zip(left[:same], right[:same], strict=True)
    end = same + LONGEST_SEARCH
    for what, a, b, c, d in SequenceMatcher(None, keys[same:end], others[same:end], autojunk=False).get_opcodes():
        if what == "equal":
            yield from zip(left[same + a : same + b], right[same + c : same + d], strict=True)
        else:
            yield from ((None, one) for one in right[same + c : same + d])
            yield from ((one, None) for one in left[same + a : same + b])


def _row(left: _Entry | None, right: _Entry | None) -> _Row:
    known = [one for one in (left, right) if one is not None]
    alone = len(known) == 1 and known[0].name != "" and known[0].cell != "replayed"
    return _Row(
        name=known[0].name,
        left="" if left is None else left.cell.partition(_MARK)[0],
        right="" if right is None else right.cell,
        counts=any(one.counts for one in known),
        alone=alone,
    )


def _cut(left: str, right: str) -> tuple[str, str]:
    """Two results, cut so that it shows where they differ."""
    length = min(len(left), len(right))
    same = next((index for index in range(length) if left[index] != right[index]), length)
    start = same - _BEFORE if same > CELL - _BEFORE else 0
    texts = [f"{'…' if start else ''}{text[start:]}" for text in (left, right)]
    return _start_of(texts[0], CELL), _start_of(texts[1], CELL)


def _plain(result: str) -> str:
    """A stored result, without the marks that the SDK puts around what is not plain JSON."""
    try:
        return json.dumps(_unmarked(json.loads(result)), ensure_ascii=False)
    except ValueError:  # of a serdes of the user's own
        return result


def _unmarked(value: Any) -> Any:
    if isinstance(value, dict):
        if value.keys() == {"t", "v"}:
            return _unmarked(value["v"])
        return {name: _unmarked(one) for name, one in value.items()}
    return [_unmarked(one) for one in value] if isinstance(value, list) else value


def _start_of(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 1]}…"


def _fitting(text: str, width: int) -> str:
    """The cell at the right: without the place in the code, if there is no room for it."""
    return text if len(text) <= width else _start_of(text.partition(_MARK)[0], width)


def _end_of(text: str, width: int) -> str:
    return text if len(text) <= width else f"…{text[1 - width :]}"


def _folded(rows: Sequence[_Row]) -> list[_Row]:
    """The rows, with one for many operations that only replayed, or that lie below one that went as it should."""
    found: list[_Row] = []
    for row in rows:
        above = found[-1] if found else None
        if above is not None and row.name.startswith(f"{above.name.partition(' (+')[0]}/") and _is_quiet(row, above):
            name, _, more = above.name.partition(" (+")
            found[-1] = replace(above, name=f"{name} (+{int(more.partition(' ')[0] or 0) + 1} below)")
        else:
            found.append(row)
    folded: list[_Row] = []
    for cells, group in groupby(found, lambda row: (row.left, row.right)):
        alike = list(group)
        if set(cells) <= {"replayed", ""} and len(alike) > 1:
            folded.append(_Row(f"{len(alike)} operations", *cells))
        else:
            folded += alike
    return folded


def _is_quiet(row: _Row, above: _Row) -> bool:
    """Whether a row below another says nothing that this does not say."""
    cells = ((row.left, above.left), (row.right, above.right))
    return not (row.counts or row.alone) and all(
        bool(one) == bool(other) and (not one or (one in _QUIET and other in _QUIET)) for one, other in cells
    )


def _chosen(rows: Sequence[_Row]) -> list[_Row]:
    """As many rows as there is room for: what counts, then what is next to it; what is left out is counted."""
    if len(rows) <= ROWS:
        return list(rows)
    ends = (0, len(rows) - 1)
    parting = [index for index, row in enumerate(rows) if row.alone][:PARTING]
    counts = [*ends, *parting, *(index for index, row in enumerate(rows) if row.counts)]
    near = sorted(range(len(rows)), key=lambda at: (at not in ends, min(abs(at - one) for one in counts), at))
    for number in range(ROWS, 0, -1):
        kept = sorted(near[:number])
        shown: list[_Row] = []
        for index, before in zip(kept, [-1, *kept], strict=False):
            shown += _gap(rows[before + 1 : index])
            shown.append(rows[index])
        if len(shown) <= ROWS:
            break
    return shown


def _gap(rows: Sequence[_Row]) -> Sequence[_Row]:
    """What stands for rows that are left out: as long as it takes no more room, they themselves."""
    if len(rows) < 2:
        return rows
    left, right = ("…" if any(cells) else "" for cells in zip(*((row.left, row.right) for row in rows), strict=True))
    return [_Row(f"… {len(rows)} rows", left, right)]
