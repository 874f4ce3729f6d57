"""A picture as a chart: invocations one below the other on one axis, operations as bars, kills as marks.

What went as it should is folded: a thousand operations that were replayed are one line, which can be opened.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pytest_durable.report.axis import Axis, Gap, span
from pytest_durable.report.markup import text
from pytest_durable.report.picture import Bar, InvocationPicture, Mark, Picture

MOST_BANDS = 24
"""Gaps that are shaded, and have their length above them where there is room: the widest."""
OPEN_AT_MOST = 12
"""Invocations that are unfolded, if there are more of them only those that something happened to."""
LONGEST_ROW = 8
"""Operations in a row, all of which ran and were stored, that are not folded."""
_AT_EITHER_END = 3
_CHARACTER = 2.4
"""Width of a character of the axis in percent of the narrowest chart."""

_QUIET = (("ran", "stored"), ("replayed",))


@dataclass(frozen=True)
class _Fold:
    """Operations in one line, which can be opened.

    Attributes:
        label: what the line says.
        bars: the operations.
        head: the context that they are in; None if they stand side by side.
    """

    label: str
    bars: Sequence[Bar]
    head: Bar | None = None


def chart(picture: Picture) -> str:
    """The chart of one execution."""
    axis = Axis(picture.micros)
    longest = max((len(bar.path) for one in picture.invocations for bar in one.bars), default=0)
    names = min(max(longest + 3, 15), 26)
    many = len(picture.invocations) > OPEN_AT_MOST
    parts = [
        f'<div class="chart" style="--names:{names * 0.56:.1f}rem">',
        _bands(axis),
        _ticks(picture, axis),
        *(_invocation(one, picture, axis, not many or _is_of_interest(one)) for one in picture.invocations),
    ]
    if picture.left_out:
        parts.append(f'<p class="quiet">{picture.left_out:,} more invocations are not shown.</p>')
    return "\n".join([*parts, "</div>"])


def _is_of_interest(invocation: InvocationPicture) -> bool:
    return bool(invocation.fault) or any(bar.alarm or "failed" in bar.words for bar in invocation.bars)


# --- the axis ---------------------------------------------------------------------------------------------------------


def _widest(axis: Axis) -> list[Gap]:
    return sorted(axis.gaps, key=lambda gap: (gap.left - gap.right, gap.left))[:MOST_BANDS]


def _bands(axis: Axis) -> str:
    """The gaps as a background of all tracks."""
    bands = "".join(f'<i style="{_from_to(gap.left, gap.right)}"></i>' for gap in sorted(_widest(axis)))
    return f'<div class="axis bands" aria-hidden="true"><div>{bands}</div></div>'


def _ticks(picture: Picture, axis: Axis) -> str:
    """The beginnings of invocations above, the lengths of gaps below, each where there is room for it."""
    instants, gaps = [], []
    free = 0.0
    for one in picture.invocations:
        left, label = axis.at(one.first), clock(picture.micros[one.first])
        if free <= left <= 100 - len(label) * _CHARACTER:
            instants.append(f'<span class="instant" style="left:{left:.2f}%">{label}</span>')
            free = left + (len(label) + 1) * _CHARACTER
    taken: list[tuple[float, float]] = []
    for gap in _widest(axis):
        middle, label = (gap.left + gap.right) / 2, span(gap.micros)
        half = (len(label) + 1) * _CHARACTER / 2
        left, right = middle - half, middle + half
        if left >= 0 and right <= 100 and all(right <= before or left >= after for before, after in taken):
            gaps.append(f'<span class="gap" style="left:{middle:.2f}%">{label}</span>')
            taken.append((left, right))
    return f'<div class="axis" aria-hidden="true"><div class="ticks">{"".join(instants)}{"".join(gaps)}</div></div>'


def clock(micros: int) -> str:
    """An instant after the start: ``00:05:01``, with milliseconds where it has some, and days if there are any."""
    seconds, rest = divmod(micros, 1_000_000)
    days, seconds = divmod(seconds, 86_400)
    shown = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return (f"{days}d " if days else "") + shown + (f".{rest // 1_000:03}" if rest >= 1_000 else "")


# --- invocations ------------------------------------------------------------------------------------------------------


def _invocation(one: InvocationPicture, picture: Picture, axis: Axis, is_open: bool) -> str:
    left, right = axis.at(one.first), axis.at(one.last)
    life = f'<i class="bar life" style="{_from_to(left, right)}"></i>'
    if one.fault:
        life += f'<b class="mark" style="left:{right:.2f}%">✗</b>'
    life += _diamonds(one.effects, one.first, one.last, axis)
    lasted = picture.micros[one.last] - picture.micros[one.first]
    when = f"at {clock(picture.micros[one.first])}" + (f" for {span(lasted)}" if lasted else "")
    rows = "\n".join(_lines(one.bars, picture, axis, one))
    if one.left_out:
        rows += f'\n<li class="quiet">{one.left_out:,} more operations are not shown.</li>'
    bad = " bad" if one.ending.startswith("✗") else ""
    ending = f'<span class="ending{bad}">{text(one.ending)}{_said(one.effects)}</span>'
    return (
        f'<details class="invocation"{" open" * is_open}><summary>'
        f'<span class="label isolated">{text(one.label)} <span class="unseen">{when}</span></span>'
        f'<span class="track" aria-hidden="true">{life}</span>'
        f'{ending}</summary>\n<ol class="rows">\n{rows}\n</ol></details>'
    )


def _lines(bars: Sequence[Bar], picture: Picture, axis: Axis, one: InvocationPicture) -> Iterator[str]:
    for part in folded(bars):
        if isinstance(part, Bar):
            yield f'<li class="row{" alarm" * part.alarm}">{_cells(part, picture, axis, one)}</li>'
        else:
            below = "\n".join(
                f'<li class="row">{_cells(bar, picture, axis, one)}</li>' for bar in part.bars if bar is not part.head
            )
            yield (
                f'<li><details class="group"><summary class="row">{_head(part, picture, axis, one)}</summary>\n'
                f'<ol class="rows">\n{below}\n</ol></details></li>'
            )


def folded(bars: Sequence[Bar]) -> Iterator[Bar | _Fold]:
    """The operations, those that went as they should in folds."""
    index = 0
    while index < len(bars):
        replayed = _run_of(bars, index, ("replayed",))
        below = _quiet_below(bars, index)
        stored = _run_of(bars, index, ("ran", "stored"))
        if replayed > 2:
            yield _Fold(f"{replayed:,} operations", bars[index : index + replayed])
            index += replayed
        elif below > 2:
            yield _Fold(f"with {below:,} below", bars[index : index + below + 1], bars[index])
            index += below + 1
        elif stored > LONGEST_ROW:
            yield from bars[index : index + _AT_EITHER_END]
            inner = bars[index + _AT_EITHER_END : index + stored - _AT_EITHER_END]
            yield _Fold(f"{len(inner):,} operations", inner)
            yield from bars[index + stored - _AT_EITHER_END : index + stored]
            index += stored
        else:
            yield bars[index]
            index += 1


def _run_of(bars: Sequence[Bar], index: int, words: tuple[str, ...]) -> int:
    """How many operations in a row, from ``index``, have these words and nothing that belongs below them."""
    end = index
    while end < len(bars) and bars[end].words == words and not bars[end].alarm:
        if words != ("replayed",) and _quiet_below(bars, end) > 2:
            break
        end += 1
    return end - index


def _quiet_below(bars: Sequence[Bar], index: int) -> int:
    """How many operations below the one at ``index`` follow it, if all of them, and it, went as they should."""
    top, end = bars[index], index + 1
    if top.words != ("ran", "stored"):
        return 0
    above = f"{top.path}/"
    while end < len(bars) and bars[end].path.startswith(above):
        if bars[end].words not in _QUIET or bars[end].alarm:
            return 0
        end += 1
    return end - index - 1


# --- operations -------------------------------------------------------------------------------------------------------


def _cells(bar: Bar, picture: Picture, axis: Axis, one: InvocationPicture) -> str:
    marks = _bar(bar, axis, is_cut=one.ending.startswith("✗"))
    is_struck = one.fault.startswith((f"{bar.path}:", f"{bar.path}@"))
    if is_struck:
        marks += (
            f'<b class="mark" style="left:{axis.at(bar.last if _is_done(bar) else one.last) + axis.half:.2f}%">✗</b>'
        )
    words = text(", ".join(bar.words)) + (" ✗" if is_struck else "")
    words += _said(bar.effects)
    if bar.alarm and bar.place:
        words += f' <span class="isolated">← {text(bar.place)}</span>'
    return _row(_name(bar.path), marks, words, _when(bar.first, bar.last, picture))


def _head(fold: _Fold, picture: Picture, axis: Axis, one: InvocationPicture) -> str:
    first, last = min(bar.first for bar in fold.bars), max(bar.last for bar in fold.bars)
    if fold.head is not None:
        name, words = _name(fold.head.path), f"{', '.join(fold.head.words)}, {fold.label}"
        marks = _bar(fold.head, axis)
    else:
        name, words = text(fold.label), ", ".join(fold.bars[0].words)
        kind = "replayed" if fold.bars[0].words == ("replayed",) else "ran"
        marks = f'<i class="bar {kind}" style="{_from_to(axis.at(first) - axis.half, axis.at(last) + axis.half)}"></i>'
    return _row(name, marks, text(words), _when(first, last, picture))


def _row(name: str, marks: str, words: str, when: str) -> str:
    return (
        f'<span class="name isolated">{name}</span><span class="track" aria-hidden="true">{marks}</span>'
        f'<span class="words">{words} <span class="unseen">{when}</span></span>'
    )


def _when(first: int, last: int, picture: Picture) -> str:
    lasted = picture.micros[last] - picture.micros[first]
    return f"at {clock(picture.micros[first])}" + (f", took {span(lasted)}" if lasted else "")


def _name(path: str) -> str:
    above, slash, own = path.rpartition("/")
    return (f'<span class="above">{text(above)}/</span>' if slash else "") + text(own)


def _is_done(bar: Bar) -> bool:
    return bar.waits or bar.words[-1] in ("stored", "failed", "replayed")


def _bar(bar: Bar, axis: Axis, is_cut: bool = False) -> str:
    """The bar of an operation, and the dotted line of what it goes on waiting for."""
    left, right = axis.at(bar.first) - axis.half, axis.at(bar.last) + axis.half
    drawn = f'<i class="bar {_kind(bar, is_cut)}" style="{_from_to(left, right)}"></i>'
    if bar.waits:
        end = 100.0 if bar.until is None else max(right, axis.at_time(bar.until))
        over = " over" if bar.until is not None else ""
        drawn += f'<i class="wait{over}" style="{_from_to(right, end)}"></i>'
    return drawn + _diamonds(bar.effects, bar.first, bar.last, axis)


def _diamonds(effects: Sequence[Mark], first: int, last: int, axis: Axis) -> str:
    """The marks of effects, within the bar of what did them."""
    left, right = axis.at(first), axis.at(last)
    places = [min(max(axis.at_time(effect.micros), left), right) for effect in effects]
    soon = min((left + right) / 2, left + 2 * axis.half)  # what happened as it began is seen to be within
    return "".join(f'<b class="mark effect" style="left:{max(place, soon):.2f}%">◆</b>' for place in places)


def _said(effects: Sequence[Mark]) -> str:
    return "".join(f' <span class="isolated did">◆ {text(effect.label)}</span>' for effect in effects)


def _kind(bar: Bar, is_cut: bool) -> str:
    last = bar.words[-1]
    if bar.alarm:
        return "again"
    if last == "replayed":
        return "replayed"
    if last in ("failed", "refused") or last.startswith("again in"):
        return "failed"
    if last == "ran":
        return "cut" if is_cut else "open"
    return "ran" if last == "stored" else "waits" if bar.waits else "reached"


def _from_to(left: float, right: float) -> str:
    return f"left:{left:.2f}%;width:{max(0.0, right - left):.2f}%"
