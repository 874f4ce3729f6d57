r"""Fault plans: an immutable list of named faults, and its text.

``PATH[@N]:WHERE, ...`` where PATH is the operation's name, its names joined by ``/`` inside child contexts, ``[3]``
for an unnamed third operation, or ``invocation`` for the invocation itself; ``@N`` is the N-th time the execution
comes to that place. Without it the k-th mention of a place means its k-th time.
WHERE is one of a closed list, and ``effect:NAME`` for the place right after an effect of that name; ``effect`` alone is
any effect. The PATH ``*`` is any operation. In a name ``,`` ``@`` ``:`` and ``\``
are written with a ``\`` before them. Points are named, never numbered, so a plan survives edits elsewhere.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pytest_durable.errors import InvalidPlan
from pytest_durable.service.points import (
    AFTER_EFFECT,
    BODY,
    EFFECT,
    INVOCATION,
    OUTAGE,
    RETURN,
    REVOKE,
    START,
    STORED,
    SUSPEND,
    THROTTLE,
    TIMEOUT,
)

WHERE: dict[str, str] = {
    START: "after START is stored, before the body runs",
    EFFECT: "right after one of its effects",
    BODY: "after the body finished, before its result is stored",
    STORED: "after the result is stored, before the handler hears of it",
    SUSPEND: "after a wait, retry, callback or invoke is stored, before the invocation ends",
    RETURN: "after the handler returned, before the service has the answer",
    TIMEOUT: "after the body finished, when the invocation's time was used up",
    THROTTLE: "when it was throttled (429)",
    OUTAGE: "when the service was out (500)",
    REVOKE: "when its checkpoint token was taken back",
}
"""Where a fault can strike, and what happens there; kills first, in the order in which an operation comes to them."""

ANY = "*"
"""The path that stands for every operation: ``*@3:body`` is the third place of its kind that the execution comes to."""

_SPECIAL = re.compile(r"[\\,@:]|^\s|\s$")
"""What stands in a name with a backslash before it: the marks of the grammar, and blanks at either end."""

_PART = r"(?:[^\\{marks}]|\\.)*"
_FAULTS = re.compile(f"({_PART.format(marks=',')})(?:,|$)", re.DOTALL)
_FAULT = re.compile(
    rf"(?P<path>{_PART.format(marks=',@:')})(?:@(?P<nth>[^,:@]*))?:(?P<where>{_PART.format(marks=',')})",
    re.DOTALL,
)
_RETURN = re.compile(rf"{RETURN}\s*(?:@[^:]*)?")


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One kill.

    Attributes:
        path: of the operation, or ``invocation``.
        where: one of `WHERE`, or ``effect:`` and the name of an effect.
        nth: the how-manieth time the execution comes there, from 1.

    Raises:
        InvalidPlan: for an unknown ``where``, an empty path or an ``nth`` below 1.
    """

    path: str
    where: str
    nth: int = 1

    def __post_init__(self) -> None:
        __tracebackhide__ = True
        if self.kind not in WHERE or self.where == AFTER_EFFECT:
            raise InvalidPlan(_unknown_where(self.where))
        if not self.path:
            raise InvalidPlan(f"':{self.where}' names no operation: write NAME:{self.where}")
        if self.nth < 1:
            raise InvalidPlan(f"'{self.path}@{self.nth}': the first time is @1")

    @property
    def kind(self) -> str:
        """One of `WHERE`: whatever the name of an effect."""
        return EFFECT if self.where.startswith(AFTER_EFFECT) else self.where

    @property
    def happens(self) -> str:
        """In words, when it strikes."""
        if self.kind == self.where:
            return WHERE[self.where]
        return f"right after its effect {self.where.removeprefix(AFTER_EFFECT)!r}"

    def __str__(self) -> str:
        return self.text(1)

    def text(self, default: int) -> str:
        """The fault as text, without ``@N`` if N is ``default``."""
        times = "" if self.nth == default else f"@{self.nth}"
        where = self.where
        if self.kind != where:
            where = AFTER_EFFECT + _SPECIAL.sub(_escape, where.removeprefix(AFTER_EFFECT))
        return f"{_SPECIAL.sub(_escape, self.path)}{times}:{where}"


class FaultPlan(tuple[Fault, ...]):
    """An immutable sequence of faults; the empty plan is the plain run.

    ``FaultPlan.parse(text)`` reads what ``str(plan)`` writes.
    """

    __slots__ = ()

    must_happen = True
    """Whether it is worth a warning if a fault does not happen."""

    def __new__(cls, faults: Iterable[Fault] = ()) -> FaultPlan:
        """Build a plan of ``faults``, in this order.

        Raises:
            InvalidPlan: if one of them is no `Fault`.
        """
        __tracebackhide__ = True
        plan = super().__new__(cls, faults)
        for fault in plan:
            if not isinstance(fault, Fault):
                raise InvalidPlan(f"a plan holds faults, not {fault!r}: use FaultPlan.parse for text")
        return plan

    @classmethod
    def parse(cls, text: str) -> FaultPlan:
        """Read a plan from its text; blank text is the empty plan.

        Raises:
            InvalidPlan: saying what is wrong with which fault, and the way out.
        """
        __tracebackhide__ = True
        if not isinstance(text, str):
            raise InvalidPlan(f"a plan is text such as 'charge:body', not {text!r}")
        mentions: dict[tuple[str, str], int] = {}
        return cls(_parse_fault(part, mentions) for part in _split(text))

    def __str__(self) -> str:
        return ", ".join(self._texts())

    def _texts(self) -> Iterator[str]:
        mentions: dict[tuple[str, str], int] = {}
        for fault in self:
            place = (fault.path, fault.where)
            mentions[place] = mentions.get(place, 0) + 1
            yield fault.text(mentions[place])

    def __repr__(self) -> str:
        return f"FaultPlan.parse({str(self)!r})"


class DrawnPlan(FaultPlan):
    """A plan that nobody wrote: some of its faults may be nowhere."""

    __slots__ = ()
    must_happen = False


def _escape(match: re.Match[str]) -> str:
    return "\\" + match.group()


def _unescape(text: str) -> str:
    """The name that is meant: without blanks around it, unless a backslash stands before them."""
    kept = re.sub(r"^\s+|(?<!\\)((?:\\\\)*)\s+$", r"\1", text)
    if text.endswith(tuple(" \t\n")) and re.search(r"(?<!\\)(?:\\\\)*\\$", kept.rstrip()):
        kept = kept.rstrip() + text[len(text.rstrip())]
    return re.sub(r"\\(.)", r"\1", kept, flags=re.DOTALL)


def _split(text: str) -> list[str]:
    """The faults of a plan: parts between commas that no backslash stands before."""
    if not text.strip():
        return []
    return _FAULTS.findall(text)[:-1] or [text]


def _parse_fault(part: str, mentions: dict[tuple[str, str], int]) -> Fault:
    __tracebackhide__ = True
    if _RETURN.fullmatch(part.strip()):
        part = f"{INVOCATION}{part.strip()[len(RETURN) :]}:{RETURN}"
    match = _FAULT.fullmatch(part)
    path = "" if match is None else _unescape(match["path"])
    if match is None or not path:
        raise InvalidPlan(
            f"{part.strip()!r} is not a fault: write NAME:WHERE or NAME@N:WHERE, as in 'charge:body, ship@2:stored'. "
            f"{_legal_where()}"
        )
    where = _where_of(match["where"])
    nth = None if match["nth"] is None else match["nth"].strip()
    if where not in WHERE and not where.startswith(AFTER_EFFECT):
        raise InvalidPlan(f"in {part.strip()!r}: {_unknown_where(where)}")
    if nth is not None and not (nth.isdecimal() and int(nth) > 0):
        raise InvalidPlan(f"in {part.strip()!r}: @N must be a whole number from 1, as in '{path}@2:{where}'")
    place = (path, where)
    mentions[place] = mentions.get(place, 0) + 1
    return Fault(path, where, mentions[place] if nth is None else int(nth))


def _where_of(text: str) -> str:
    """The place that is meant; ``effect:`` without a name is that of any effect."""
    kind, _, effect = text.partition(":")
    name = _unescape(effect)
    return f"{AFTER_EFFECT}{name}" if kind.strip() == EFFECT and name else text.strip().removesuffix(":")


def _unknown_where(where: str) -> str:
    near = difflib.get_close_matches(where, WHERE, 1)
    hint = f", did you mean {near[0]!r}?" if near else "."
    return f"{where!r} is no place where a kill can land{hint} {_legal_where()}"


def _legal_where() -> str:
    return f"WHERE is one of: {', '.join(WHERE)}."
