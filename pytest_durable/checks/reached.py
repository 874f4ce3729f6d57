"""Whether the faults of a plan happened; and if not, what to say about it."""

from __future__ import annotations

import difflib
import sys
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pytest_durable.engine import user_frame
from pytest_durable.errors import FaultNotReached, InvalidPlan
from pytest_durable.faults import ANY, Fault, FaultPlan, Injector
from pytest_durable.service.output import ExecutionStatus
from pytest_durable.service.points import EFFECT

if TYPE_CHECKING:
    from pytest_durable.service.lifecycle import DurableExecution


def check_reached(plan: FaultPlan, runs: Sequence[tuple[Injector, DurableExecution]]) -> None:
    """Warn of every fault of ``plan`` that did not happen in any of the executions that were run under it.

    Args:
        plan: that they were run under.
        runs: each execution and its injector.

    Raises:
        InvalidPlan: if they succeeded, and so came to all of their operations, and have none of that name.
    """
    __tracebackhide__ = True
    if not plan.must_happen:
        return
    complete = all(execution.status is ExecutionStatus.SUCCEEDED for _, execution in runs)
    paths = [path for _, execution in runs for one in execution.family() for path in one.paths.values()]
    struck = {fault for injector, _ in runs for fault in injector.struck}
    after_any = {(fault.path, fault.kind) for fault in struck if fault.kind == EFFECT}
    visited = [fault for injector, _ in runs for fault in injector.visited]
    known = dict.fromkeys([*(fault.path for fault in visited), *paths])
    for fault in plan:
        if fault in struck or fault.path == ANY or (fault.path, fault.where) in after_any:
            continue
        if complete and fault.path not in known:
            raise InvalidPlan(_unknown(fault, list(known)))
        _warn(fault, list(dict.fromkeys(map(str, visited))))


def _unknown(fault: Fault, known: list[str]) -> str:
    near = difflib.get_close_matches(fault.path, known, 1)
    hint = f"; did you mean '{near[0]}:{fault.where}'?" if near else "."
    return f"'{fault}': no operation is named {fault.path!r}{hint} The execution has: {', '.join(sorted(known))}"


def _warn(fault: Fault, places: list[str]) -> None:
    near = difflib.get_close_matches(str(fault), places, 3)
    same = [place for place in places if place.startswith(fault.path)]
    message = (
        f"the fault '{fault}' did not happen: the execution never came to that place. "
        f"It came to: {', '.join(near or same or places)}"
    )
    frame = user_frame(sys._getframe())
    place = ("<test>", 1) if frame is None else (frame.f_code.co_filename, frame.f_lineno)
    warnings.warn_explicit(message, FaultNotReached, *place)
