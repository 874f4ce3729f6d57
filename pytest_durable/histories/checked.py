"""What a durable context offers for recorded histories."""

from __future__ import annotations

import os
from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NoReturn

from pytest_durable.checks import Finding
from pytest_durable.engine import VirtualClock
from pytest_durable.errors import InvalidHistory, ReplayDiverged
from pytest_durable.execution import failure_of
from pytest_durable.faults import Fault, FaultPlan
from pytest_durable.histories.past import moments
from pytest_durable.histories.reading import Recorded, read
from pytest_durable.histories.replaying import Difference, Replay, changes, unsteady
from pytest_durable.histories.replaying import replay as replayed
from pytest_durable.histories.upgrading import Upgrade
from pytest_durable.report.evidence import Evidence
from pytest_durable.report.failure import Failure
from pytest_durable.report.timeline import on_one_screen
from pytest_durable.search import Budget, Runner, Verification
from pytest_durable.search.quiet import silence
from pytest_durable.service.handlers import Handler
from pytest_durable.service.outside import Outside
from pytest_durable.service.payload import payload_of
from pytest_durable.tally import Tally

MOMENTS = 200
"""How many moments of one history are replayed at most; of a longer one they are chosen evenly, the last among them."""

SHOWN = 8
"""Differences that a failure lists in full; the others by their summary."""

_ADVICE = (
    "An execution that is in flight when this code is deployed goes on from what is recorded. Keep what it may have "
    "come to as it was, behind the version it was started with, and add only behind it."
)


@dataclass(frozen=True)
class Replayed:
    """A history that the code still replays.

    Attributes:
        name: of the file or the execution.
        moments: at how many moments of it the code was replayed.
        ended: how the recorded execution ended: ``Succeeded``, ``Failed``, ``TimedOut``, ``Stopped``; None if it was
            in flight.
    """

    name: str
    moments: int
    ended: str | None
    changes: tuple[str, ...] = ()


class Histories:
    """The part of `FakeDurableContext` that replays what was recorded."""

    clock: VirtualClock
    seed: int
    budget: Budget
    tally: Tally

    @abstractmethod
    def _enter(self, what: str) -> None: ...

    @abstractmethod
    def _resolve(self, handler: Any) -> Handler: ...

    @property
    @abstractmethod
    def _outside(self) -> Outside: ...

    @abstractmethod
    def _raise(self, failure: Failure, finding: Finding, evidence: Evidence) -> NoReturn: ...

    def replay(self, handler: Callable[..., Any], history: Any) -> Replayed:
        """Check that ``handler`` still replays a recorded execution, at every moment of it.

        No body of a step runs. At each moment the journal that was there then is replayed up to its end; what the code
        does after that is its own affair.

        Args:
            handler: as for `run`.
            history: what ``GetDurableExecutionHistory`` answers, with its payloads; or its list of events, a list of
                its pages, or the path of a JSON file with any of these.

        Raises:
            ReplayDiverged: if it does not; the message lists all differences, with what is recorded and what is asked.
            InvalidHistory: for what is no history, or one without payloads.
            UsageError: as of `run`.
        """
        __tracebackhide__ = True
        self._enter("replay")
        recorded = read(history)
        checked, found = self._replay(self._resolve(handler), recorded)
        if found:
            self._diverged([(recorded, *found)])
        return checked

    def replay_all(self, handler: Callable[..., Any], directory: str | os.PathLike[str]) -> tuple[Replayed, ...]:
        """Check that ``handler`` still replays every execution that is recorded in a directory: as `replay` does.

        Args:
            handler: as for `run`.
            directory: its files ``*.json`` are replayed, in the order of their names.

        Raises:
            ReplayDiverged: if it does not replay all of them; the message lists the differences, file by file.
            InvalidHistory: if there is no such file, or one is no history.
            UsageError: as of `run`.
        """
        __tracebackhide__ = True
        self._enter("replay_all")
        resolved = self._resolve(handler)
        paths = sorted(Path(directory).glob("*.json"))
        if not paths:
            raise InvalidHistory(
                f"there is no history, *.json, in {os.fspath(directory)!r}: record some with --durable-record=DIR, or "
                "save what GetDurableExecutionHistory answers there"
            )
        checked, diverged = [], []
        for path in paths:
            recorded = read(path)
            one, found = self._replay(resolved, recorded)
            checked.append(one)
            if found:
                diverged.append((recorded, *found))
        if diverged:
            self._diverged(diverged)
        return tuple(checked)

    def upgrade(
        self,
        old: Callable[..., Any],
        new: Callable[..., Any],
        event: Any = None,
        *,
        reset: Callable[[], object] | None = None,
    ) -> Verification:
        """Check that an execution which ``old`` has begun can be finished by ``new``, wherever the change falls.

        ``old`` is killed at every place where one kill can land; the next invocation runs ``new``, to the end. What
        results is not compared, for it may be meant to change.

        Args:
            old: the code of before, as for `run`.
            new: the code of today.
            event: as for `run`.
            reset: called before every run, to restore the outside world.

        Raises:
            ReplayDiverged: if the new code asks for something else than what is stored.
            OutcomeChanged: if the execution ends with a status with which it does under neither code alone.
            DurabilityViolation: what else the checks find.
            UsageError: as of `run`.
        """
        __tracebackhide__ = True
        self._enter("upgrade")
        start = self.clock.micros
        try:
            return self._upgrade(self._resolve(old), self._resolve(new), payload_of(event), reset)
        finally:
            self.clock.world = None
            self.clock.micros = start

    def _upgrade(self, old: Handler, new: Handler, payload: str, reset: Callable[[], object] | None) -> Verification:
        __tracebackhide__ = True
        start = self.clock.micros
        runners = [
            Runner(handler, payload, self.clock, start, self._raise, self.seed, reset, outside=self._outside)
            for handler in (old, new)
        ]
        runners[0].kinds = self.budget.kinds
        with silence():
            calm = [runner.run(FaultPlan()) for runner in runners]
        for run in calm:
            if run.finding is not None and not run.finding.if_stable:
                self._raise(failure_of(run.execution, run.injector, run.finding), run.finding, Evidence(run.execution))
        upgrade = Upgrade(runners[0], new, {run.outcome.status for run in calm})
        places = calm[0].injector.places(self.budget.kinds)
        plans = [FaultPlan([place]) for place in places] if self.budget.only is None else [self.budget.only]
        killed: list[Fault] = []
        self.tally.searches += 1
        self.tally.runs += len(calm)
        for plan in plans:
            execution, injector, finding = upgrade.run(plan)
            self.tally.runs += 1
            self.tally.kills += len(injector.struck)
            if finding is not None:
                failure = failure_of(execution, injector, finding)
                self._raise(replace(failure, passed=len(killed)), finding, Evidence(execution, calm[0].execution))
            if execution.past is not None:
                killed += plan
        self.tally.found_safe(places, killed, 0)
        return Verification(len(calm) + len(plans), tuple(map(str, places)), tuple(map(str, killed)), 0)

    def _replay(self, handler: Handler, recorded: Recorded) -> tuple[Replayed, tuple[list[Difference], Replay] | None]:
        """Replay every moment, the latest first: it shows most."""
        start = self.clock.micros
        all_of_them = list(moments(recorded.events))
        chosen = all_of_them[:: -max(1, -(-len(all_of_them) // MOMENTS))]
        last = all_of_them[-1]
        differences: dict[tuple[str, str], Difference] = {}
        done: list[Replay] = []
        try:
            for past in chosen:
                done.append(replayed(handler, past, self.clock, self.seed, past.may_fail(last)))
                for one in done[-1].differences:
                    differences.setdefault((one.recorded, one.asked), one)
        finally:
            self.clock.micros = start
        for one in unsteady(last, done):
            differences.setdefault((one.recorded, one.asked), one)
        checked = Replayed(recorded.name, len(chosen), last.ended, tuple(changes(last, done)))
        if not differences:
            return checked, None
        worst = next((one for one in done if one.differences), done[0])
        return checked, (list(differences.values()), worst)

    def _diverged(self, found: list[tuple[Recorded, list[Difference], Replay]]) -> NoReturn:
        __tracebackhide__ = True
        lines: list[str] = []
        for recorded, differences, _ in found:
            if len(found) > 1:
                lines.append(f"{recorded.name}:")
            lines.extend(listed(differences))
        first, differences, worst = found[0]
        more = "" if len(differences) == 1 else f", the first of {len(differences)} differences"
        where = first.name if len(found) == 1 else f"{first.name}, and {len(found) - 1} more"
        finding = Finding(
            ReplayDiverged, f"the code no longer replays {where}: {differences[0].summary}{more}", (*lines, _ADVICE)
        )
        timeline = on_one_screen(worst.execution)
        failure = Failure("ReplayDiverged", finding.summary, timeline=timeline, explanation=finding.explanation)
        self._raise(failure, finding, Evidence(worst.execution))


def listed(differences: list[Difference]) -> list[str]:
    """A line for each difference, and two more for what is on each side of the first ones."""
    lines = []
    for number, difference in enumerate(differences, 1):
        lines.append(f"{number}. {difference.summary}")
        if number <= SHOWN:
            lines += [f"   recorded:  {difference.recorded}", f"   the code:  {difference.asked}"]
    return lines
