"""A process dies as one: its tasks are unwound, newest first, before anything else runs, and may not act any more."""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Callable

import pytest

from pytest_durable.engine import MICROS, Killed, Process, Stop, Task, World, current_task, micros_of, wake
from tests.simulated import START, block, elapsed, finish, settle, simulate, start


def resting(world: World, log: list[str], name: str) -> Callable[[], None]:
    """A body that sleeps for a day and writes its name when it is unwound."""

    def target() -> None:
        try:
            world.sleep(86_400)
        finally:
            log.append(name)

    return target


def crew(world: World, log: list[str], names: str) -> Process:
    """A process with a main task that rests and one more resting task for each letter; all of them are asleep."""

    def main() -> None:
        for name in names:
            world.spawn(process, name, resting(world, log, name))
        resting(world, log, "main")()

    process = start(world, main)
    world.run(lambda: False, micros_of(START) + MICROS)
    return process


def die(world: World, process: Process) -> None:
    """Kill ``process`` from another one, and let everything happen that happens at once."""
    start(world, lambda: process.kill("test"), "killer")
    world.run(lambda: process.ended, micros_of(world.clock.now()))


def test_its_tasks_are_unwound_newest_first(world: World) -> None:
    log: list[str] = []
    die(world, crew(world, log, "abc"))
    assert log == ["c", "b", "a", "main"]


def test_every_task_is_told_the_cause(world: World) -> None:
    process = start(world, lambda: world.sleep(60))
    start(world, lambda: process.kill("the power went out"))
    settle(world)
    assert process.main is not None
    assert isinstance(process.main.raised, Killed)
    assert (process.cause, process.main.raised.args) == ("the power went out", ("the power went out",))


def test_a_process_that_was_killed_has_ended_and_not_completed(world: World) -> None:
    process = crew(world, [], "a")
    die(world, process)
    assert (process.ended, process.completed) == (True, False)


def test_the_first_cause_stays(world: World) -> None:
    process = crew(world, [], "")

    def killer() -> None:
        process.kill("first")
        process.kill("second")

    start(world, killer)
    world.run(lambda: process.ended)
    process.kill("third")
    assert process.cause == "first"


def test_a_process_that_has_ended_cannot_be_killed(world: World) -> None:
    process = start(world, lambda: None)
    settle(world)
    process.kill("too late")
    assert (process.cause, process.completed) == (None, True)


def test_it_is_unwound_before_anything_else_runs(world: World) -> None:
    log: list[str] = []
    process = crew(world, log, "a")

    def killer() -> None:
        process.kill("test")
        log.append("killer goes on to its next blocking point")
        world.sleep(0)
        log.append("killer")

    start(world, killer)
    start(world, lambda: log.append("bystander"))
    world.run(lambda: "killer" in log)
    assert log == ["killer goes on to its next blocking point", "a", "main", "bystander", "killer"]


def test_processes_die_in_the_order_in_which_they_were_killed(world: World) -> None:
    log: list[str] = []
    one, two = start(world, resting(world, log, "one")), start(world, resting(world, log, "two"))

    def killer() -> None:
        world.sleep(1)
        two.kill("test")
        one.kill("test")

    start(world, killer)
    world.run(lambda: one.ended and two.ended)
    assert log == ["two", "one"]


def test_a_task_that_kills_its_own_process_dies_where_it_blocks_next(world: World) -> None:
    log: list[str] = []

    def main() -> None:
        process.kill("suicide")
        log.append("still here")
        world.sleep(1)
        log.append("never")

    process = start(world, main)
    settle(world)
    assert (log, elapsed(world), process.cause) == (["still here"], 0, "suicide")


def test_a_task_that_kills_its_own_process_and_returns_is_dead_all_the_same(world: World) -> None:
    process = start(world, lambda: process.kill("suicide"))
    settle(world)
    assert (process.ended, process.completed, process.cause) == (True, False, "suicide")


def test_a_timer_can_kill(world: World) -> None:
    process = start(world, lambda: world.sleep(60))
    world.call_at(micros_of(START) + 5 * MICROS, lambda: process.kill("timed out"))
    world.run(lambda: process.ended)
    assert elapsed(world) == 5


def test_a_process_killed_between_two_runs_is_unwound_by_the_next(world: World) -> None:
    process = crew(world, [], "a")
    process.kill("from outside")
    world.run(lambda: process.ended, micros_of(world.clock.now()))
    assert process.ended


def test_a_process_killed_between_two_runs_is_unwound_before_anything_else_runs(world: World) -> None:
    log: list[str] = []
    process = crew(world, log, "")
    start(world, lambda: log.append("bystander"))
    process.kill("from outside")
    world.run(lambda: process.ended and "bystander" in log, micros_of(world.clock.now()))
    assert log == ["main", "bystander"]


def test_a_process_with_no_deadline_killed_between_two_runs_is_unwound_by_the_next(world: World) -> None:
    waiters: deque[Task] = deque()
    process = start(world, lambda: block(world, waiters))
    settle(world)
    process.kill("from outside")
    assert world.run(lambda: process.ended) is Stop.DONE


def test_every_blocking_call_of_a_dead_process_raises_again(world: World) -> None:
    refused: list[str] = []

    def main() -> None:
        try:
            world.sleep(60)
        finally:
            for _ in range(3):
                try:
                    world.sleep(60)
                except Killed as killed:
                    refused.append(str(killed))

    die(world, start(world, main))
    assert (refused, elapsed(world)) == (["test", "test", "test"], 0)


def test_a_dead_process_cannot_sleep_for_nothing_either(world: World) -> None:
    def main() -> None:
        try:
            world.sleep(60)
        finally:
            world.sleep(0)
            raise AssertionError("slept")

    process = start(world, main)
    die(world, process)
    assert process.main is not None
    assert isinstance(process.main.raised, Killed)


def test_a_task_that_was_woken_just_before_the_kill_does_not_go_on(world: World) -> None:
    waiters: deque[Task] = deque()
    log: list[str] = []

    def waiting() -> None:
        block(world, waiters)
        log.append("went on")

    process = start(world, waiting)

    def killer() -> None:
        wake(waiters)
        process.kill("test")

    start(world, killer)
    settle(world)
    assert log == []


def test_a_dead_waiter_does_not_swallow_a_wake_up(world: World) -> None:
    waiters: deque[Task] = deque()
    dead, alive = start(world, lambda: block(world, waiters)), start(world, lambda: block(world, waiters))
    die(world, dead)
    start(world, lambda: wake(waiters))
    settle(world)
    assert alive.completed


def test_a_task_that_never_ran_never_runs(world: World) -> None:
    log: list[str] = []

    def main() -> None:
        world.spawn(process, "unborn", lambda: log.append("ran"))
        process.kill("test")

    process = start(world, main)
    start(world, lambda: world.sleep(1))
    settle(world)
    assert log == []


def test_a_process_killed_before_it_ran_never_runs(world: World) -> None:
    log: list[str] = []
    start(world, lambda: process.kill("test"))
    start(world, lambda: world.sleep(1))
    process = start(world, lambda: log.append("ran"))
    settle(world)
    assert (log, process.ended) == ([], True)


def test_a_task_that_a_dying_one_starts_never_runs(world: World) -> None:
    log: list[str] = []

    def main() -> None:
        try:
            world.sleep(60)
        finally:
            world.spawn(process, "heir", lambda: log.append("ran"))

    process = start(world, main)
    die(world, process)
    settle(world)
    assert log == []


def test_who_swallows_the_kill_and_returns_is_gone_as_well(world: World) -> None:
    def main() -> str:
        with contextlib.suppress(Killed):
            world.sleep(60)
        return "survived"

    process = start(world, main)
    die(world, process)
    assert (process.ended, process.completed, process.abandoned) == (True, False, [])


def test_who_swallows_the_kill_for_ever_is_abandoned_and_the_world_goes_on(world: World) -> None:
    def stubborn() -> None:
        while True:
            with contextlib.suppress(BaseException):
                world.sleep(60)

    process = start(world, stubborn)
    start(world, lambda: process.kill("test"))
    assert simulate(world, lambda: world.sleep(1) or "alive") == "alive"  # type: ignore[func-returns-value]
    assert process.ended
    assert process.abandoned == [process.main]
    assert elapsed(world) == 1


def test_the_tasks_beside_one_that_is_abandoned_are_unwound(world: World) -> None:
    log: list[str] = []

    def stubborn() -> None:
        while True:
            with contextlib.suppress(BaseException):
                world.sleep(60)

    def main() -> None:
        world.spawn(process, "older", resting(world, log, "older"))
        world.spawn(process, "stubborn", stubborn)
        world.spawn(process, "newer", resting(world, log, "newer"))
        resting(world, log, "main")()

    process = start(world, main)
    world.run(lambda: False, micros_of(START))
    die(world, process)
    assert log == ["newer", "older", "main"]


def test_other_processes_live_on(world: World) -> None:
    other = start(world, lambda: world.sleep(5), "other")
    die(world, crew(world, [], "ab"))
    assert finish(world, other) is None
    assert elapsed(world) == 5


def test_the_owner_is_told_once_from_outside_of_every_task_when_all_of_it_is_gone(world: World) -> None:
    told: list[tuple[list[str], Task | None]] = []
    log: list[str] = []

    def main() -> None:
        world.spawn(process, "a", resting(world, log, "a"))
        resting(world, log, "main")()

    process = start(world, main, on_exit=lambda process: told.append((list(log), current_task())))
    world.run(lambda: False, micros_of(START))
    die(world, process)
    settle(world)
    assert told == [(["a", "main"], None)]


def test_a_main_task_that_returns_ends_the_tasks_beside_it(world: World) -> None:
    log: list[str] = []

    def main() -> str:
        for name in "ab":
            world.spawn(process, name, resting(world, log, name))
        world.sleep(1)
        return "answer"

    process = start(world, main)
    assert finish(world, process) == "answer"
    assert (log, process.completed, elapsed(world)) == (["b", "a"], True, 1)


def test_a_main_task_that_raises_ends_the_tasks_beside_it(world: World) -> None:
    log: list[str] = []

    def main() -> None:
        world.spawn(process, "a", resting(world, log, "a"))
        world.sleep(1)
        raise LookupError("lost")

    process = start(world, main)
    with pytest.raises(LookupError, match="lost"):
        finish(world, process)
    assert (log, process.completed) == (["a"], True)


def test_another_task_that_returns_ends_nothing(world: World) -> None:
    def main() -> str:
        world.spawn(process, "short", lambda: None)
        world.sleep(1)
        return "answer"

    process = start(world, main)
    assert finish(world, process) == "answer"
    assert process.cause is None


@pytest.mark.parametrize("error", [LookupError("lost"), SystemExit(3), GeneratorExit(), Killed("by itself")])
def test_an_error_of_another_task_stays_with_that_task(world: World, error: BaseException) -> None:
    def failing() -> None:
        raise error

    def main() -> Task:
        task = world.spawn(process, "failing", failing)
        world.sleep(1)
        return task

    process = start(world, main)
    task = finish(world, process)
    assert task.raised is error


@pytest.mark.parametrize("error", [LookupError("lost"), SystemExit(3), GeneratorExit(), Killed("by itself")])
def test_an_error_of_the_main_task_does_not_escape_into_the_world(world: World, error: BaseException) -> None:
    def failing() -> None:
        raise error

    process = start(world, failing)
    settle(world)
    assert process.main is not None
    assert (process.main.raised, process.completed) == (error, True)
