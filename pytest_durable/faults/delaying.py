"""A run that is as slow as another one was that was killed, and no more than that."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_durable.engine import current_task
from pytest_durable.faults.injector import Injector
from pytest_durable.faults.plan import FaultPlan


class Delaying(Injector):
    """Nothing strikes: where a plan would have a fault, time passes instead, as much as the fault would cost.

    Args:
        plan: where.
        delays: seconds for each of them, one after the other; the last one for those that remain.
    """

    def __init__(self, plan: FaultPlan, delays: Sequence[float]) -> None:
        super().__init__(plan)
        self._delays = list(delays)

    def visit(self, path: str, where: str) -> str | None:
        """No fault."""
        task = current_task()
        if super().visit(path, where) is not None and task is not None:
            task.process.owner.sleep(self._delays.pop(0) if len(self._delays) > 1 else self._delays[0])
        return None
