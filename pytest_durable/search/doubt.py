"""Whether a killed run that ends otherwise may: what a difference comes from, found out by further runs.

Three things make a run end otherwise although nothing is wrong, and no fault-free run shows them:

* a body that ran twice gave another result the second time, as a sequence or a language model does. Whatever it gives
  is right, and so is what follows from that: the fault-free run is made again with the same results of such bodies.
* which branch of a ``map`` or ``parallel`` that does not wait for all was first. Any may be: likewise.
* time passed. The fault-free run is made again with as much of it passing where the other one was killed.

What is left must come from the kill itself: state that is lost, or an effect that is there twice and is seen by others.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pytest_durable.checks.outcome import Outcome, differs
from pytest_durable.engine import MICROS
from pytest_durable.faults import FaultPlan, Schedule
from pytest_durable.search.quiet import silence
from pytest_durable.search.runner import Run, Runner
from pytest_durable.service.points import KILLS, TIMEOUT
from pytest_durable.service.trial import Key, Trial

_ROUNDS = 4
"""How often what other results lead to is looked at for further bodies of that kind."""


def may_end_so(runner: Runner, run: Run, schedule: Schedule | None = None) -> bool:
    """Whether a fault-free run can end as ``run`` does.

    Args:
        runner: of both.
        run: that was killed.
        schedule: of its threads, and of theirs; None for the plain order.
    """
    ordered = _Ordered(runner, schedule or Schedule())
    with silence():
        plan = FaultPlan(run.injector.struck)
        seen = Trial()
        again = ordered.run(plan, trial=seen)
        if differs(again.outcome, run.outcome):
            return False  # it is not to be had twice: for whoever reports it to say
        given = _variable(ordered, again, seen) if _ran_twice(again) else _first_ones(seen)
        if given and _ends_so(ordered, run.outcome, given):
            return True
        if _takes_little_time(plan) or again.outcome.status == "SUCCEEDED":
            return any(_delayed(ordered, plan, delays, given, run.outcome) for delays in _delays(again))
        return False


@dataclass(frozen=True)
class _Ordered:
    """Runs of one handler with its threads in one order."""

    runner: Runner
    schedule: Schedule

    def run(self, plan: FaultPlan, **how: Any) -> Run:
        """See `Runner.run`."""
        return self.runner.run(plan, scheduler=self.schedule.oracle(), **how)


def _takes_little_time(plan: FaultPlan) -> bool:
    """Whether every fault is one of which the invocation dies on the spot, and so takes little time."""
    return all(fault.where in KILLS for fault in plan)


def _ends_so(runner: _Ordered, outcome: Outcome, given: dict[Key, Any]) -> bool:
    """Whether fault-free runs whose durable calls return ``given`` end so, but for what they disagree on."""
    first, *others = [runner.run(FaultPlan(), pace=pace, trial=Trial(given=given)).outcome for pace in (0, 1, 2)]
    return not differs(first, outcome, others)


def _variable(runner: _Ordered, run: Run, seen: Trial) -> dict[Key, Any]:
    """What ``run`` returned to the handler from operations that may return one thing or another."""
    given: dict[Key, Any] = {}
    attempts = _attempts(run)
    for _ in range(_ROUNDS):
        probe = Trial(twice=True, given=given)
        runner.run(FaultPlan(), trial=probe)
        plain = Trial(given=given)
        other = _attempts(runner.run(FaultPlan(), trial=plain))
        keys = {
            **probe.variable,
            **dict.fromkeys(key for key, number in attempts.items() if other.get(key, number) != number),
            **dict.fromkeys(
                key for values in (seen, plain) for key, value in values.values.items() if _is_early(value)
            ),
        }
        new = {key: seen.values[key] for key in keys if key in seen.values and key not in given}
        if not new:
            break
        given |= new
    return given


def _ran_twice(run: Run) -> bool:
    """Whether a body was run again for the same attempt: only then can the outside world have counted its runs."""
    runs = [
        (one.prefix, body.operation_id, body.attempt)
        for one in run.execution.family()
        for record in one.invocations
        for body in record.bodies
        if body.attempt is not None
    ]
    return len(set(runs)) < len(runs)


def _first_ones(seen: Trial) -> dict[Key, Any]:
    """What was returned of branches of which not all were waited for."""
    return {key: value for key, value in seen.values.items() if _is_early(value)}


def _attempts(run: Run) -> dict[Key, int]:
    """How many attempts each step took, or polls each condition."""
    return {
        (one.prefix, operation_id): operation.step_details.attempt
        for one in run.execution.family()
        for operation_id, operation in one.journal.operations.items()
        if operation.step_details is not None
    }


def _is_early(value: Any) -> bool:
    """Whether it is the result of branches of which not all were waited for."""
    reason = getattr(value, "completion_reason", None)
    return reason is not None and getattr(reason, "name", "") != "ALL_COMPLETED"


def _delays(run: Run) -> Iterator[Sequence[float]]:
    """Seconds that the faults of a run cost it, one after the other; and a little more, and less, and more again."""
    lost = []
    for one in run.execution.family():
        for record, following in zip(one.invocations, one.invocations[1:], strict=False):
            if record.fault is not None or record.struck is not None:
                died = record.ended is not None and record.fault is not None and not record.fault.endswith(TIMEOUT)
                began = record.ended if died and record.ended is not None else record.started
                lost.append(max(0, following.started - began) / MICROS)
    if lost:
        for change in (0.0, 0.001, -0.001):
            yield [max(0.0, seconds + change) for seconds in lost]
        yield [2 * seconds + 1 for seconds in lost]


def _delayed(
    runner: _Ordered, plan: FaultPlan, delays: Sequence[float], given: dict[Key, Any], outcome: Outcome
) -> bool:
    return not differs(runner.run(plan, delays=delays, trial=Trial(given=given)).outcome, outcome)
