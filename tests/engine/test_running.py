"""`World.run` and `World.close`: when they return, what they let through and what they leave behind."""

from __future__ import annotations

import gc
import weakref
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial

import pytest

from pytest_durable.engine import MICROS, FirstInFirstOut, Killed, Process, Stop, Task, World, current_task, micros_of
from tests.simulated import START, block, elapsed, new_world, settle, simulate, start

DAY = micros_of(START)


def live_tasks(world: World) -> list[Task]:
    """Every task of ``world`` that has begun and not ended: a greenlet is true while it lives."""
    gc.collect()
    return [thing for thing in gc.get_objects() if isinstance(thing, Task) and thing and thing.world is world]


def busy_world() -> tuple[World, list[str]]:
    """A world with tasks in every state: asleep, blocked for ever, beside a main task, never run. And what they say."""
    world, log = new_world(), list[str]()
    waiters: deque[Task] = deque()

    def blocked() -> None:
        try:
            block(world, waiters)
        finally:
            log.append("blocked")

    def main() -> None:
        world.spawn(process, "beside", blocked)
        try:
            world.sleep(60)
        finally:
            log.append("asleep")

    process = start(world, main)
    start(world, blocked)
    world.run(lambda: False, DAY)
    start(world, lambda: log.append("ran"))
    return world, log


def test_what_has_happened_already_is_not_waited_for(world: World) -> None:
    log: list[str] = []
    start(world, lambda: log.append("ran"))
    assert world.run(lambda: True) is Stop.DONE
    assert log == []


def test_it_returns_once_what_was_waited_for_has_happened(world: World) -> None:
    log: list[int] = []

    def counting() -> None:
        for number in range(10):
            log.append(number)
            world.sleep(1)

    start(world, counting)
    assert world.run(lambda: 4 in log) is Stop.DONE
    assert log == [0, 1, 2, 3, 4]


def test_it_goes_on_where_it_stopped(world: World) -> None:
    log: list[float] = []

    def counting() -> None:
        for _ in range(4):
            world.sleep(1)
            log.append(elapsed(world))

    start(world, counting)
    world.run(lambda: len(log) == 2)
    settle(world)
    assert log == [1, 2, 3, 4]


def test_at_its_limit_the_clock_shows_exactly_the_limit(world: World) -> None:
    start(world, lambda: world.sleep(60))
    assert world.run(lambda: False, DAY + 1_500_001) is Stop.LIMIT
    assert elapsed(world) == 1.500_001


def test_the_limit_is_reached_without_anything_to_do(world: World) -> None:
    assert world.run(lambda: False, DAY + MICROS) is Stop.LIMIT
    assert elapsed(world) == 1


def test_what_falls_due_at_the_limit_happens(world: World) -> None:
    process = start(world, lambda: world.sleep(1))
    assert world.run(lambda: False, DAY + MICROS) is Stop.LIMIT
    assert process.completed


def test_what_falls_due_a_microsecond_after_the_limit_does_not(world: World) -> None:
    process = start(world, lambda: world.sleep(1))
    world.run(lambda: False, DAY + MICROS - 1)
    assert not process.completed


def test_two_sleepers_stop_at_the_limit_as_one_does(world: World) -> None:
    for _ in range(2):
        start(world, lambda: world.sleep(60))
    assert world.run(lambda: False, DAY + 5 * MICROS) is Stop.LIMIT
    assert elapsed(world) == 5


def test_a_limit_that_is_past_does_not_move_the_clock_back(world: World) -> None:
    world.clock.advance(10)
    assert world.run(lambda: False, DAY) is Stop.LIMIT
    assert elapsed(world) == 10


def test_it_is_idle_if_nothing_can_run_and_no_deadline_is_set(world: World) -> None:
    waiters: deque[Task] = deque()
    start(world, lambda: block(world, waiters))
    assert world.run(lambda: False) is Stop.IDLE
    assert elapsed(world) == 0


def test_time_can_be_let_pass_from_outside(world: World) -> None:
    process = start(world, lambda: world.sleep(3))
    world.let_pass(DAY + 5 * MICROS)
    assert (process.completed, elapsed(world)) == (True, 5)


def test_time_can_be_let_pass_from_a_task(world: World) -> None:
    simulate(world, lambda: world.let_pass(DAY + 5 * MICROS))
    assert elapsed(world) == 5


def test_time_that_is_let_pass_from_outside_is_let_pass_within_the_guard(world: World) -> None:
    log: list[str] = []

    @contextmanager
    def guard() -> Iterator[None]:
        log.append("guard")
        yield
        log.append("released")

    world.guard = guard
    start(world, lambda: log.append("ran"))
    world.let_pass(DAY + MICROS)
    assert log == ["guard", "ran", "released"]


def test_a_run_within_a_task_is_refused(world: World) -> None:
    with pytest.raises(RuntimeError, match="already running"):
        simulate(world, lambda: world.run(lambda: False))


def test_a_run_within_a_timer_is_refused(world: World) -> None:
    world.call_at(DAY, lambda: world.run(lambda: False))  # type: ignore[arg-type]  # its result is of no interest
    with pytest.raises(RuntimeError, match="already running"):
        settle(world)


def test_an_error_of_a_timer_reaches_the_caller_and_the_world_goes_on_after_it(world: World) -> None:
    def failing() -> None:
        raise LookupError("lost")

    process = start(world, lambda: world.sleep(2))
    world.call_at(DAY + MICROS, failing)
    with pytest.raises(LookupError, match="lost"):
        settle(world)
    settle(world)
    assert (process.completed, elapsed(world)) == (True, 2)


def test_sleeping_outside_of_the_world_is_refused(world: World) -> None:
    with pytest.raises(RuntimeError, match="outside of the simulation"):
        world.sleep(1)


def test_sleeping_in_another_world_is_refused(world: World) -> None:
    other = new_world()
    with pytest.raises(RuntimeError, match="outside of the simulation"):
        simulate(world, lambda: other.sleep(1))


def test_a_task_knows_itself_and_nobody_else_is_one(world: World) -> None:
    process = start(world, current_task)
    settle(world)
    assert process.main is not None
    assert process.main.result is process.main
    assert current_task() is None


def interrupted(world: World, log: list[str]) -> Callable[[], None]:
    """A body in which the user presses control-C after a second."""

    def target() -> None:
        world.sleep(1)
        log.append("interrupted")
        raise KeyboardInterrupt

    return target


def test_the_users_interrupt_in_a_task_reaches_the_caller(world: World) -> None:
    log: list[str] = []
    start(world, interrupted(world, log))
    with pytest.raises(KeyboardInterrupt):
        settle(world)
    assert (log, elapsed(world)) == (["interrupted"], 1)


def test_the_users_interrupt_in_a_task_that_is_not_the_main_one_reaches_the_caller(world: World) -> None:
    def main() -> None:
        world.spawn(process, "beside", interrupted(world, []))
        world.sleep(60)

    process = start(world, main)
    with pytest.raises(KeyboardInterrupt):
        settle(world)


def test_the_users_interrupt_while_a_dead_process_is_unwound_reaches_the_caller(world: World) -> None:
    def main() -> None:
        try:
            world.sleep(60)
        finally:
            raise KeyboardInterrupt

    process = start(world, main)
    start(world, lambda: process.kill("test"))
    with pytest.raises(KeyboardInterrupt):
        settle(world)


def test_a_world_can_be_closed_after_the_users_interrupt() -> None:
    world, log = busy_world()
    start(world, interrupted(world, []))
    with pytest.raises(KeyboardInterrupt):
        settle(world)
    world.close()
    assert live_tasks(world) == []
    assert sorted(log) == ["asleep", "blocked", "blocked", "ran"]


def test_closing_unwinds_whatever_is_alive() -> None:
    world, log = busy_world()
    world.close()
    assert log == ["blocked", "asleep", "blocked"]


def test_closing_leaves_no_live_greenlet() -> None:
    world, _ = busy_world()
    assert len(live_tasks(world)) == 3
    world.close()
    assert live_tasks(world) == []


def test_nothing_of_a_closed_world_is_kept_alive_by_it() -> None:
    world, _ = busy_world()
    tasks = [weakref.ref(task) for task in live_tasks(world)]
    assert len(tasks) == 3
    world.close()
    gc.collect()
    assert [task() for task in tasks] == [None, None, None]


def test_a_process_that_ended_is_not_kept_alive_by_its_world(world: World) -> None:
    def run_one() -> weakref.ref[Task]:
        task = start(world, lambda: world.sleep(1)).main
        settle(world)
        assert task is not None
        return weakref.ref(task)

    main = run_one()
    gc.collect()
    assert main() is None


def test_closing_tells_no_owner() -> None:
    told: list[Process] = []
    world = new_world()
    start(world, lambda: world.sleep(60), on_exit=told.append)
    world.run(lambda: False, DAY)
    world.close()
    assert told == []


def test_closing_moves_no_time() -> None:
    world, _ = busy_world()
    before = world.clock.now()
    world.close()
    assert world.clock.now() == before


def test_closing_twice_does_no_more_than_closing_once() -> None:
    world, log = busy_world()
    world.close()
    world.close()
    assert log == ["blocked", "asleep", "blocked"]


def test_closing_a_world_that_never_ran_does_nothing() -> None:
    world, log = new_world(), list[str]()
    start(world, lambda: log.append("ran"))
    world.close()
    assert log == []


def test_nothing_of_a_closed_world_runs_afterwards() -> None:
    world, log = busy_world()
    world.call_at(DAY, lambda: log.append("timer"))
    world.close()
    log.clear()
    assert world.run(lambda: False) is Stop.IDLE
    assert log == []


def test_a_task_of_a_closed_world_is_told_why() -> None:
    world = new_world()
    process = start(world, lambda: world.sleep(60))
    world.run(lambda: False, DAY)
    world.close()
    assert process.main is not None
    assert isinstance(process.main.raised, Killed)
    assert str(process.main.raised) == "the world was closed"


def test_a_closed_world_has_nobody_blocked() -> None:
    world, _ = busy_world()
    world.close()
    assert world.blocked() == []


@pytest.mark.parametrize("oracle", [None, "last"])
def test_a_thousand_tasks_that_start_one_after_the_other_do_not_pile_up(oracle: str | None) -> None:
    class Last(FirstInFirstOut):
        """Takes the task that became ready last."""

        def pick(self, ready: Sequence[Task]) -> int:
            return len(ready) - 1

    world = new_world(None if oracle is None else Last())
    log: list[int] = []

    def deep(levels: int, number: int) -> None:
        if levels:
            deep(levels - 1, number)
        else:
            world.sleep(1)
            log.append(number)

    for number in range(1_000):
        start(world, partial(deep, 20, number))
    settle(world)
    assert len(log) == 1_000
    world.close()
