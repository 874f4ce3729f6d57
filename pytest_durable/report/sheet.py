"""What the page shows of one test, as plain values; it crosses from xdist's workers as a line of JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from pytest_durable.errors import DurabilityViolation
from pytest_durable.report.evidence import Album, Coverage, Evidence, coverage
from pytest_durable.report.failure import Failure
from pytest_durable.report.picture import Bar, InvocationPicture, Mark, Picture, picture_of

LONGEST_MESSAGE = 4_000
"""Characters that are shown of what a test failed with."""

_ADDRESS = re.compile(r"\b0x[0-9a-f]{6,}\b")


@dataclass(frozen=True)
class Drawn:
    """A picture and its heading."""

    title: str
    picture: Picture


@dataclass(frozen=True)
class Sheet:
    """One test.

    Attributes:
        test: its node id.
        outcome: ``failed`` or ``passed``.
        headline: the violation and its summary, or the first line of what it failed with; empty if it passed.
        details: lines of explanation.
        replay: the command that runs it again; empty for none.
        drawn: its executions, the failing one first, the fault-free one after it.
        coverage: of the places where faults can strike, by kind.
        left_out: how many executions more were run on their own.
    """

    test: str
    outcome: str
    headline: str = ""
    details: tuple[str, ...] = ()
    replay: str = ""
    drawn: tuple[Drawn, ...] = ()
    coverage: tuple[Coverage, ...] = ()
    left_out: int = 0

    def to_json(self) -> str:
        """The sheet as one line of JSON."""
        return json.dumps(asdict(self), separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Sheet:
        """The sheet that `to_json` made the text of."""
        values = json.loads(text)
        values["details"] = tuple(values["details"])
        values["drawn"] = tuple(Drawn(one["title"], _picture(one["picture"])) for one in values["drawn"])
        values["coverage"] = tuple(
            Coverage(one["kind"], tuple(one["killed"]), tuple(one["missed"])) for one in values["coverage"]
        )
        return cls(**values)


def sheets_of(test: str, error: BaseException | None, found: Failure | None, album: Album) -> list[Sheet]:
    """What is to be shown of a test: a sheet, or several if several violations are raised as a group; none for nothing.

    Args:
        test: its node id.
        error: what it failed with; None if it passed.
        found: what a search around the whole test found, under which it failed with ``error``; None for nothing.
        album: what it ran; the latest of it is what ``found`` is about.
    """
    violations = [(one, one.evidence) for one in _violations(error) if one.evidence is not None]
    if violations:
        return [_of_failure(test, one.failure, evidence, one) for one, evidence in violations]
    shown = list(album)
    if found is not None and shown:
        return [_of_failure(test, found, shown[-1], error)]
    return [_of_runs(test, error, shown, album.count)] if shown else []


def _violations(error: BaseException | None) -> Iterator[DurabilityViolation]:
    if isinstance(error, DurabilityViolation):
        yield error
    elif isinstance(error, BaseExceptionGroup):  # Hypothesis raises one if there are several
        for inner in error.exceptions:
            yield from _violations(inner)


def _of_runs(test: str, error: BaseException | None, shown: Sequence[Evidence], count: int) -> Sheet:
    message = "" if error is None else _plain(f"{type(error).__name__}: {error}")
    return Sheet(
        test=test,
        outcome="passed" if error is None else "failed",
        headline=message.partition("\n")[0],
        details=_below(message),
        drawn=tuple(drawn for one in shown for drawn in _drawn(one)),
        coverage=coverage(
            [place for one in shown for place in one.places], [fault for one in shown for fault in one.killed]
        ),
        left_out=count - len(shown),
    )


def _of_failure(test: str, failure: Failure, evidence: Evidence, error: BaseException | None) -> Sheet:
    if failure.violation:
        headline, details = f"{failure.violation}: {failure.summary}", failure.explanation
    else:
        message = _plain(f"{type(error).__name__}: {error}")
        headline = message.partition("\n")[0]
        details = (*_below(message), failure.summary, *failure.explanation)
    return Sheet(
        test=test,
        outcome="failed",
        headline=headline,
        details=tuple(details),
        replay=failure.replay_command() or "",
        drawn=_drawn(evidence, failure.plan, failure.schedule),
        coverage=coverage(evidence.places, evidence.killed),
    )


def _drawn(evidence: Evidence, plan: str = "", schedule: str = "") -> tuple[Drawn, ...]:
    kept = [(_title(evidence, plan, schedule), evidence.execution)]
    if evidence.calm is not None and evidence.calm is not evidence.execution:
        kept.append(("Without faults", evidence.calm))
    return tuple(Drawn(title, picture_of(execution)) for title, execution in kept)


def _title(evidence: Evidence, plan: str, schedule: str) -> str:
    struck = plan or ", ".join(
        fault
        for one in evidence.execution.family()
        for record in one.invocations
        for fault in (record.fault, record.struck)
        if fault
    )
    order = f", threads in the order {schedule}" if schedule else ""
    return (f"Struck: {struck}" if struck else "Without faults") + order


def _plain(message: str) -> str:
    """A message without what is another one in every process."""
    message = _ADDRESS.sub("0x…", message)
    return message if len(message) <= LONGEST_MESSAGE else f"{message[:LONGEST_MESSAGE]}…"


def _below(message: str) -> tuple[str, ...]:
    """The lines of a message after its first; without empty ones."""
    return tuple(line for line in message.splitlines()[1:] if line.strip())


def _bar(values: dict[str, Any]) -> Bar:
    return Bar(**{**values, "words": tuple(values["words"]), "effects": _marks(values["effects"])})


def _marks(values: Sequence[dict[str, Any]]) -> tuple[Mark, ...]:
    return tuple(Mark(**one) for one in values)


def _picture(values: dict[str, Any]) -> Picture:
    invocations = tuple(
        InvocationPicture(**{**one, "bars": tuple(map(_bar, one["bars"])), "effects": _marks(one["effects"])})
        for one in values["invocations"]
    )
    known = {field.name for field in fields(Picture)}
    assert values.keys() == known, values.keys() ^ known
    return Picture(**{**values, "micros": tuple(values["micros"]), "invocations": invocations})
