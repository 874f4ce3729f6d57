"""Carrying out a plan: the kills happen where they were planned, once each, and everything visited is remembered."""

from __future__ import annotations

from collections.abc import Set

from pytest_durable.faults.plan import Fault, FaultPlan
from pytest_durable.service.points import OTHERS


class Injector:
    """The places an execution comes to, in order, and the faults of a plan that strike there.

    Args:
        plan: what shall happen.

    Attributes:
        struck: the faults that happened.
        others: which faults other than kills the plan has.
    """

    def __init__(self, plan: FaultPlan) -> None:
        self.plan = plan
        self.struck: list[Fault] = []
        self._visited: list[tuple[str, str, int]] = []
        self._times: dict[tuple[str, str], int] = {}
        self.others: Set[str] = frozenset(fault.where for fault in plan) & frozenset(OTHERS)
        self._waiting = {(fault.path, fault.where, fault.nth): fault for fault in plan}

    def visit(self, path: str, where: str) -> str | None:
        """The execution has come to a place; the text of the fault that strikes there, or None."""
        nth = self._times.get((path, where), 0) + 1
        self._times[path, where] = nth
        here = (path, where, nth)
        self._visited.append(here)
        fault = self._waiting.pop(here, None)
        if fault is None:
            return None
        self.struck.append(fault)
        return str(fault)

    @property
    def visited(self) -> list[Fault]:
        """Every place the execution came to, in order, each as the fault that could strike there."""
        return [Fault(*place) for place in self._visited]

    def unreached(self) -> list[Fault]:
        """The faults of the plan that did not happen."""
        return list(self._waiting.values())
