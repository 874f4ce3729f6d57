"""Carrying out a plan: the kills happen where they were planned, once each, and everything visited is remembered."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Set

from pytest_durable.faults.plan import ANY, Fault, FaultPlan
from pytest_durable.service.points import AFTER_EFFECT, EFFECT, KILLS, OTHERS, TIMEOUT

_OTHERS = frozenset(OTHERS)


class Injector:
    """The places an execution comes to, in order, and the faults of a plan that strike there.

    Args:
        plan: what shall happen.
        kinds: of faults whose places are of interest as well, beside those of kills.

    Attributes:
        struck: the faults that happened.
        others: which faults other than kills the plan has.
    """

    def __init__(self, plan: FaultPlan, kinds: Iterable[str] = ()) -> None:
        self.plan = plan
        self.struck: list[Fault] = []
        self._visited: list[tuple[str, str]] = []
        self.others: Set[str] = _OTHERS.intersection([*(fault.where for fault in plan), *kinds])
        self._waiting: dict[tuple[str, str], list[Fault]] = {}
        for fault in dict.fromkeys(plan):
            self._waiting.setdefault((fault.path, fault.where), []).append(fault)
        self._times = dict.fromkeys(self._waiting, 0)
        self._loose = any(fault.path == ANY or fault.where == EFFECT for fault in plan)

    def visit(self, path: str, where: str) -> str | None:
        """The execution has come to a place; the text of the fault that strikes there, or None."""
        here = (path, where)
        self._visited.append(here)
        if here in self._waiting:
            return self._strike(here, here)
        return self._strike_loosely(here) if self._loose else None

    def _strike_loosely(self, here: tuple[str, str]) -> str | None:
        """The fault of any operation, or after any effect, that strikes here."""
        path, where = here
        wheres = (where, EFFECT) if where.startswith(AFTER_EFFECT) else (where,)
        for planned in [(whose, what) for what in wheres for whose in (path, ANY)]:
            struck = self._strike(planned, here) if planned in self._waiting else None
            if struck is not None:
                return struck
        return None

    def _strike(self, planned: tuple[str, str], here: tuple[str, str]) -> str | None:
        self._times[planned] += 1
        for fault in self._waiting[planned]:
            if fault.nth == self._times[planned]:
                self._waiting[planned].remove(fault)
                struck = fault if planned == here else Fault(*here, self._visited.count(here))
                self.struck.append(struck)
                return str(struck)
        return None

    @property
    def visited(self) -> list[Fault]:
        """Every place the execution came to, in order, each as the fault that could strike there."""
        times: dict[tuple[str, str], int] = {}
        found = []
        for path, where in self._visited:
            nth = times[path, where] = times.get((path, where), 0) + 1
            found.append(Fault(path, where, nth))
        return found

    def places(self, kinds: Collection[str]) -> tuple[Fault, ...]:
        """Every place of these kinds that the execution came to, in order, each once."""
        return tuple(place for place in dict.fromkeys(self.visited) if place.kind in kinds)

    def in_words(self) -> str:
        """Where what it ran was killed: which operations, and what had happened to them."""
        verb = "killed" if all(fault.kind in (*KILLS, TIMEOUT) for fault in self.struck) else "struck"
        return f"{verb} " + ", then ".join(f"at '{fault.path}' {fault.happens}" for fault in self.struck)

    def unreached(self) -> list[Fault]:
        """The faults of the plan that did not happen."""
        return [fault for faults in self._waiting.values() for fault in faults]
