"""Carrying out a plan: the kills happen where they were planned, once each, and everything visited is remembered."""

from __future__ import annotations

from pytest_durable.faults.plan import Fault, FaultPlan


class Injector:
    """The places an execution comes to, in order, and the faults of a plan that strike there.

    Args:
        plan: what shall happen.

    Attributes:
        visited: every place the execution came to, each as the fault that could strike there.
        struck: the faults that happened.
    """

    def __init__(self, plan: FaultPlan) -> None:
        self.plan = plan
        self.visited: list[Fault] = []
        self.struck: list[Fault] = []
        self._times: dict[tuple[str, str], int] = {}
        self._waiting = dict.fromkeys(plan)

    def visit(self, path: str, where: str) -> str | None:
        """The execution has come to a place; the text of the fault that strikes there, or None."""
        nth = self._times.get((path, where), 0) + 1
        self._times[path, where] = nth
        here = Fault(path, where, nth)
        self.visited.append(here)
        if here not in self._waiting:
            return None
        del self._waiting[here]
        self.struck.append(here)
        return str(here)

    def unreached(self) -> list[Fault]:
        """The faults of the plan that did not happen."""
        return list(self._waiting)
