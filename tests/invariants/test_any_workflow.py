"""Any workflow, killed anywhere, in any order of threads: what is settled stays, it ends the same, nothing is left."""

from __future__ import annotations

import gc
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import greenlet
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_durable import Fault, FaultPlan, VirtualClock
from pytest_durable.checks import check_run
from pytest_durable.engine import Stop, World
from pytest_durable.faults import Injector, Schedule
from pytest_durable.options import CHECKS
from pytest_durable.service.handlers import resolve
from pytest_durable.service.lifecycle import DurableExecution
from pytest_durable.service.service import DurableService
from pytest_durable.strategies import schedules
from tests.invariants.witness import contents, watching
from tests.programs.language import Program, handler_of
from tests.programs.strategy import programs

MOST_KILLS = 4
HOUR = 3_600_000_000

Ending = tuple[str, str | None, tuple[str | None, str | None] | None]


@pytest.fixture(autouse=True, scope="module")
def silence() -> Iterator[None]:
    """The SDK logs every error that a program is there to raise."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@dataclass(frozen=True)
class Seen:
    """What is left of a run after its world has ended.

    Attributes:
        ending: status, result as it was stored, and error.
        operations: by id, without what a kill may change.
        paths: by id.
        visited: the places it came to.
        struck: the kills that happened.
        replay: the ending of a replay of the finished journal; what it ran, and what it asked to store.
        trace: the fingerprint of everything that happened.
    """

    ending: Ending
    operations: dict[str, Any]
    paths: dict[str, str]
    visited: list[Fault]
    struck: int
    replay: tuple[Ending, list[str], list[str]]
    trace: str


def ending(execution: DurableExecution) -> Ending:
    error = execution.error
    return execution.status.value, execution.result, None if error is None else (error.type, error.message)


def run(program: Program, plan: FaultPlan = FaultPlan(), schedule: Schedule = Schedule()) -> Seen:  # noqa: B008  # immutable
    """Run a program under a plan and a schedule, watched, then replay its journal an hour later; end its world."""
    world = World(VirtualClock(), schedule.oracle(), seed=0)
    service = DurableService(world, seed=0)
    injector = Injector(plan)
    try:
        with watching() as witness:
            execution = service.start(resolve(handler_of(program)), "{}", points=injector)
            stop = service.drive(lambda: execution.is_over)
        assert witness.wrong == []
        assert check_run(execution, stop, CHECKS) is None
        assert stop is Stop.DONE
        return Seen(
            ending=ending(execution),
            operations=contents(execution.journal.operations),
            paths=dict(execution.paths),
            visited=injector.visited,
            struck=len(injector.struck),
            trace=world.trace.digest(),
            replay=replay(service, execution),
        )
    finally:
        service.close()
        assert world.is_empty


def replay(service: DurableService, finished: DurableExecution) -> tuple[Ending, list[str], list[str]]:
    """Replay a finished journal: how that ends, which steps it runs, what it wants to store."""
    service.world.clock.micros += HOUR
    again = service.replay(finished)
    service.drive(lambda: again.is_over)
    ran = [body.path for record in again.invocations for body in record.bodies if body.attempt is not None]
    stored = [] if again.breach is None else [again.breach]
    return ending(again), ran, stored


def plans(places: list[Fault]) -> st.SearchStrategy[FaultPlan]:
    """Plans of kills at places that the fault-free run came to; one mentioned again is hit again."""
    return st.lists(st.sampled_from(places), min_size=1, max_size=MOST_KILLS).map(_plan)


def _plan(mentions: list[Fault]) -> FaultPlan:
    times: dict[Fault, int] = {}
    faults = []
    for fault in mentions:
        times[fault] = times.get(fault, 0) + 1
        faults.append(Fault(fault.path, fault.where, fault.nth + times[fault] - 1))
    return FaultPlan(dict.fromkeys(faults))


def greenlets() -> int:
    gc.collect()
    return sum(isinstance(candidate, greenlet.greenlet) for candidate in gc.get_objects())


STRUCK: list[int] = []


@settings(max_examples=100, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
@given(programs(most_suspensions=20), st.data())
def kills_change_nothing(program: Program, data: st.DataObject) -> None:
    calm = run(program)
    assert run(program).trace == calm.trace, "the same program gives the same run"
    plan = data.draw(plans(calm.visited), "plan")
    killed = run(program, plan, data.draw(schedules(), "schedule"))
    STRUCK.append(killed.struck)
    assert killed.ending == calm.ending
    assert killed.operations == calm.operations
    assert killed.paths == calm.paths
    for seen in (calm, killed):
        assert seen.replay == (calm.ending, [], []), "the journal is a fixed point"


def test_kills_change_nothing_in_any_workflow_and_leave_nothing_behind() -> None:
    run(())  # whatever is made once is made before
    before = greenlets()
    STRUCK.clear()
    kills_change_nothing()
    assert sum(STRUCK) > len(STRUCK), "the plans do kill"
    assert greenlets() == before
