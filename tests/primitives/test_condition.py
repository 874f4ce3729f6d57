from __future__ import annotations

from collections.abc import Callable

from pytest_durable.engine import World
from pytest_durable.primitives.condition import Condition
from pytest_durable.primitives.lock import Lock, RLock
from pytest_durable.primitives.sleep import sleep
from tests.simulated import elapsed, simulate, start, together

Log = list[tuple[str, float]]


def waiting(world: World, condition: Condition, log: Log, name: str = "w") -> Callable[[], None]:
    """A body that waits to be notified, and writes when it was."""

    def target() -> None:
        with condition:
            condition.wait()
            log.append((name, elapsed(world)))

    return target


def test_the_lock_is_free_while_a_task_waits(world: World) -> None:
    log: Log = []
    condition = Condition()

    def notifying() -> None:
        with condition:
            log.append(("got the lock", elapsed(world)))
            condition.notify()

    together(world, waiting(world, condition, log), notifying)
    assert log == [("got the lock", 0), ("w", 0)]


def test_who_is_notified_goes_on_once_the_lock_is_free(world: World) -> None:
    log: Log = []
    condition = Condition()

    def notifying() -> None:
        with condition:
            condition.notify()
            sleep(3)

    together(world, waiting(world, condition, log), notifying)
    assert log == [("w", 3)]


def test_an_rlock_that_was_taken_twice_is_free_while_its_owner_waits(world: World) -> None:
    log: Log = []
    condition = Condition(RLock())

    def notifying() -> None:
        with condition:
            condition.notify()

    def twice() -> None:
        with condition:
            waiting(world, condition, log)()

    together(world, twice, notifying)
    assert log == [("w", 0)]


def test_an_rlock_that_was_taken_twice_is_held_twice_after_waiting(world: World) -> None:
    lock = RLock()
    condition = Condition(lock)
    taken: list[bool] = []

    def trying() -> None:
        taken.append(lock.acquire(blocking=False))
        if taken[-1]:
            lock.release()

    def main() -> None:
        with condition, condition:
            condition.wait(1)
            start(world, trying)
            sleep(1)
            lock.release()
            start(world, trying)
            sleep(1)
            lock.release()
            start(world, trying)
            sleep(1)
            lock.acquire()
            lock.acquire()

    simulate(world, main)
    assert taken == [False, False, True]


def test_notify_wakes_as_many_as_it_says_longest_first(world: World) -> None:
    log: Log = []
    condition = Condition()

    def notifying() -> None:
        with condition:
            condition.notify(2)

    together(world, *(waiting(world, condition, log, name) for name in "abc"), notifying)
    assert [name for name, _ in log] == ["a", "b"]


def test_notify_all_wakes_everybody(world: World) -> None:
    log: Log = []
    condition = Condition(Lock())

    def notifying() -> None:
        with condition:
            condition.notify_all()

    together(world, *(waiting(world, condition, log, name) for name in "abc"), notifying)
    assert [name for name, _ in log] == ["a", "b", "c"]


def test_who_timed_out_does_not_swallow_a_notification(world: World) -> None:
    log: Log = []
    condition = Condition()

    def impatient() -> None:
        with condition:
            log.append((str(condition.wait(1)), elapsed(world)))

    def notifying() -> None:
        sleep(2)
        with condition:
            condition.notify()

    together(world, impatient, waiting(world, condition, log), notifying)
    assert log == [("False", 1), ("w", 2)]


def test_wait_for_goes_on_when_its_predicate_is_true(world: World) -> None:
    items: list[int] = []
    condition = Condition()

    def producing() -> None:
        for number in range(3):
            sleep(1)
            with condition:
                items.append(number)
                condition.notify_all()

    def consuming() -> tuple[int, float]:
        with condition:
            return condition.wait_for(lambda: len(items) == 2 and len(items)), elapsed(world)

    start(world, producing)
    assert simulate(world, consuming) == (2, 2)


def test_wait_for_gives_up_at_its_timeout_however_often_it_was_notified(world: World) -> None:
    condition = Condition()

    def nagging() -> None:
        for _ in range(10):
            sleep(1)
            with condition:
                condition.notify_all()

    def consuming() -> tuple[bool, float]:
        with condition:
            return condition.wait_for(lambda: False, timeout=4.5), elapsed(world)

    start(world, nagging)
    assert simulate(world, consuming) == (False, 4.5)
