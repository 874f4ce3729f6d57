"""The service of one world: its executions, and driving them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from random import Random
from typing import Any

from pytest_durable.engine import MICROS, Stop, World
from pytest_durable.errors import NotSimulated, UsageError
from pytest_durable.seams.loops import beside_the_tests
from pytest_durable.seams.reads import told_to
from pytest_durable.seams.table import installed
from pytest_durable.service.callbacks import CallbackDesk
from pytest_durable.service.cold import Shelf
from pytest_durable.service.handlers import Handler
from pytest_durable.service.investigation import Investigation
from pytest_durable.service.invocation import Invocation
from pytest_durable.service.lifecycle import DurableExecution
from pytest_durable.service.outside import Outside
from pytest_durable.service.points import Points
from pytest_durable.service.sealed import take_over
from pytest_durable.service.trial import Trial

_SHORTLY = MICROS
"""How long an invocation may take to end when no time is to pass, in microseconds."""


def _verdicts() -> tuple[type[BaseException], ...]:
    """What ``pytest.fail`` and ``pytest.skip`` raise: meant for pytest, also from within a step body."""
    outcomes = sys.modules.get("_pytest.outcomes")
    return () if outcomes is None else (outcomes.OutcomeException,)


@contextmanager
def _investigated(investigation: Investigation) -> Iterator[None]:
    with installed(), told_to(investigation.read):
        try:
            yield
        finally:
            investigation.let_go()


def _isolated_by(isolation: str) -> tuple[type[Invocation], Callable[[Any, Callable[[], Any]], Any]]:
    """The kind of invocation, and how a plain function is called; what forks is imported by whoever wants it."""
    if isolation == "thread":
        return Invocation, _call
    from pytest_durable.service.isolation.answers import in_child
    from pytest_durable.service.isolation.invocation import IsolatedInvocation

    return IsolatedInvocation, in_child


def _call(owner: Any, target: Callable[[], Any]) -> Any:
    """A plain function, called where everything else runs."""
    return target()


class DurableService:
    """The durable execution service in one simulated world.

    Args:
        world: that it lives in.
        seed: of the ids it gives.
        page_size: operations per page of the state.
        pace: what makes checkpoints and the ways to bodies slow, by chance; None for no time at all.
        outside: the functions that can be invoked, and the answers to callbacks.
        investigate: whether it writes down what may explain a finding.
        trial: what is tried, in a run that is to find out where a difference comes from.
        isolation: ``thread`` or ``process``: where handlers run.

    Attributes:
        turn: in which the first invocation of an execution is; see `Changes`.
    """

    def __init__(
        self,
        world: World,
        seed: int = 0,
        page_size: int = 1_000,
        pace: Random | None = None,
        outside: Outside | None = None,
        investigate: bool = False,
        trial: Trial | None = None,
        isolation: str = "thread",
    ) -> None:
        self.world = world
        self.isolation = isolation
        self.invocation, self.call = _isolated_by(isolation)
        self.seed = seed
        self.page_size = page_size
        self.pace = pace
        self.trial = trial
        self.outside = Outside() if outside is None else outside
        self.executions: list[DurableExecution] = []
        self.closed = False
        self.turn = 0
        self._postponed: set[tuple[str, bool, int]] = set()
        self.shelf = Shelf()
        self.callbacks = CallbackDesk(world, self.outside)
        self.investigation = Investigation() if investigate else None
        world.guard = self._ready
        world.fatal = (KeyboardInterrupt, NotSimulated, *_verdicts())

    @contextmanager
    def _ready(self) -> Iterator[None]:
        with self._simulated(), self.shelf:
            yield

    def start(
        self,
        handler: Handler,
        payload: str,
        *,
        points: Points,
        name: str | None = None,
        execution_timeout: float | None = None,
        invocation_timeout: float = 900,
    ) -> DurableExecution:
        """Start an execution; nothing runs before it is driven. Times are in seconds."""
        name = name or f"execution-{len(self.executions) + 1}"
        execution = DurableExecution(
            service=self,
            handler=handler,
            name=name,
            copy=sum(other.name == name for other in self.executions),
            payload=payload,
            points=points,
            invocation_timeout=round(invocation_timeout * MICROS),
            execution_timeout=None if execution_timeout is None else round(execution_timeout * MICROS),
        )
        self.executions.append(execution)
        return execution

    def begin_invocation(self, execution: DurableExecution) -> int:
        """The number of the next invocation; everything around it is now as it is to be for it."""
        number = len(execution.invocations) + 1
        if self.outside.changes:
            self.outside.changes.make(self.turn + execution.turn + number - 1)
        return number

    def postpones(self, execution: DurableExecution) -> bool:
        """Whether the next invocation, which is due, is put off, once, because the calendar is to move on before."""
        if not self.outside.changes:
            return False
        number = (execution.arn, execution.sealed, len(execution.invocations))
        if number in self._postponed:
            return False
        self._postponed.add(number)
        later = self.outside.changes.postpone(execution, self.world.clock.micros)
        if later is not None:
            execution.invoke_at(later)
        return later is not None

    def replay(self, finished: DurableExecution) -> DurableExecution:
        """Start a replay of a finished execution's journal, to which nothing can be added."""
        again = DurableExecution(
            service=self,
            handler=finished.handler,
            name=finished.name,
            payload=finished.payload,
            invocation_timeout=finished.invocation_timeout,
            sealed=True,
            tenant_id=finished.tenant_id,
            copy=finished.copy,
        )
        take_over(again, finished)
        again.turn = len(finished.invocations)
        return again

    def drive(self, done: Callable[[], bool], limit: int | None = None) -> Stop:
        """Run the world, with the SDK on our primitives, until ``done()`` or the limit; see `World.run`."""
        __tracebackhide__ = True
        if self.closed and not done():
            raise UsageError("this execution cannot go on: its durable context is closed, or has begun a new world")
        with self._simulated(), self.shelf:
            return self.world.run(done, limit)

    def wind_up(self, root: DurableExecution) -> None:
        """Let the invocations of ``root``, and of what it invoked, that are in their middle go on to their end.

        It takes the SDK a millisecond to store a result, and a tenth of a second to end. One whose code sleeps for
        longer than `_SHORTLY` is left where it is, as is everything when that has passed.
        """
        shortly = self.world.clock.micros + _SHORTLY
        asleep = (one.in_flight.asleep_until for one in root.family() if one.in_flight is not None)
        if all(until is None or until <= shortly for until in asleep):
            self.drive(lambda: not root.is_family_busy, shortly)

    def _simulated(self) -> AbstractContextManager[None]:
        """The SDK runs on our primitives within this context; and what the handler reads is told, if it is to be."""
        return beside_the_tests(installed() if self.investigation is None else _investigated(self.investigation))

    def close(self) -> None:
        """End everything that is in flight; nothing can be driven any more."""
        self.closed = True
        if not self.world.is_empty:
            with beside_the_tests(installed()), self.shelf:
                self.world.close()
        # What remains is what a test may still read; without these it is freed as soon as the test lets it go.
        self.world.timers.clear()
        self.world.guard = nullcontext
        self.executions.clear()
