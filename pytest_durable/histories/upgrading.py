"""New code in the middle of an execution: the old one is killed, and the next invocation runs the new one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pytest_durable.checks import Finding, progress
from pytest_durable.checks.outcome import Outcome
from pytest_durable.engine import Process, World
from pytest_durable.errors import OutcomeChanged, ReplayDiverged
from pytest_durable.faults import FaultPlan, Injector
from pytest_durable.histories.past import Past, past_of
from pytest_durable.histories.reading import read
from pytest_durable.histories.replaying import Difference, differences_of
from pytest_durable.search.quiet import silence
from pytest_durable.search.runner import Runner
from pytest_durable.service.cold import Environment
from pytest_durable.service.handlers import Handler
from pytest_durable.service.lifecycle import DurableExecution
from pytest_durable.service.service import DurableService


class UpgradedExecution(DurableExecution):
    """An execution whose handler is another one from its first death on.

    Attributes:
        successor: the handler then; None if it stays.
        past: what was recorded when the code was replaced; None before.
        invocations_before: how many of its invocations ran the old code.
    """

    successor: Handler | None = None
    past: Past | None = None
    invocations_before = 0

    def invocation_ended(self, process: Process) -> None:
        """After the death of an invocation, the new code is deployed."""
        super().invocation_ended(process)
        if self.successor is None or self.past is not None or self.invocations[-1].output != "died" or self.is_over:
            return
        self.past = past_of(read(self.history.events()).events)
        self.invocations_before = len(self.invocations)
        self.handler = self.successor
        self.environment = Environment(self.successor, self.service.shelf)
        self.asked = dict(self.past.calls)
        self.children.clear()
        self.paths.clear()  # the new code gives its own names


@dataclass
class Upgrade:
    """What stays the same between the runs of one check.

    Attributes:
        runner: of the old code.
        new: the new code.
        endings: the statuses that the executions end with, if the code is not replaced.
    """

    runner: Runner
    new: Handler
    endings: set[str]

    def run(self, plan: FaultPlan) -> tuple[UpgradedExecution, Injector, Finding | None]:
        """Kill the old code as ``plan`` says, go on with the new, and look at how that ends."""
        __tracebackhide__ = True
        runner = self.runner
        if runner.reset is not None:
            runner.reset()
        runner.clock.world = None
        runner.clock.micros = runner.start
        service = DurableService(World(runner.clock, seed=runner.seed), runner.seed, outside=runner.outside)
        injector = Injector(plan)
        try:
            with silence():
                execution = UpgradedExecution(
                    service=service,
                    handler=runner.handler,
                    name="execution-1",
                    payload=runner.payload,
                    points=injector,
                )
                execution.successor = self.new
                service.executions.append(execution)
                stop = service.drive(lambda: execution.is_over)
            found = progress.check(execution, stop) if execution.past is not None else None
            return execution, injector, self._look_at(execution, plan) or found
        finally:
            service.close()
            runner.clock.world = None

    def _look_at(self, execution: UpgradedExecution, plan: FaultPlan) -> Finding | None:
        past = execution.past
        if past is None:
            return None  # it was another execution that died, or nothing
        records = execution.invocations[execution.invocations_before :]
        differences = list(differences_of(execution, past, records))
        where = f"killed at '{plan}' under the old code"
        if differences:
            more = f", the first of {len(differences)} differences" if len(differences) > 1 else ""
            summary = f"{where}, the new code asks for something else: {differences[0].summary}{more}"
            return Finding(ReplayDiverged, summary, tuple(_listed(differences)))
        outcome = Outcome.of(execution)
        if execution.is_over and outcome.status not in self.endings:
            summary = f"{where}, the execution ends {outcome.status} under the new one"
            return Finding(
                OutcomeChanged, summary, (f"Under one code alone it ends {_or(self.endings)}.", str(outcome))
            )
        return None


def _listed(differences: list[Difference]) -> Iterator[str]:
    for number, difference in enumerate(differences, 1):
        yield f"{number}. {difference.summary}"
        yield f"   stored:    {difference.recorded}"
        yield f"   new code:  {difference.asked}"


def _or(endings: set[str]) -> str:
    return " or ".join(sorted(endings))
