from __future__ import annotations

from collections.abc import Callable

import pytest

from pytest_durable.engine import Process, World
from pytest_durable.primitives.lock import Lock, RLock
from pytest_durable.primitives.sleep import sleep
from tests.simulated import elapsed, simulate, start, together

Log = list[tuple[str, float]]


def holder(world: World, lock: Lock | RLock, log: Log, name: str, seconds: float = 1) -> Callable[[], None]:
    """A body that holds ``lock`` for ``seconds`` and writes when it got it."""

    def target() -> None:
        with lock:
            log.append((name, elapsed(world)))
            sleep(seconds)

    return target


@pytest.mark.parametrize("kind", [Lock, RLock])
def test_one_task_holds_it_at_a_time_and_the_next_gets_it_at_once(world: World, kind: type[Lock | RLock]) -> None:
    log: Log = []
    lock = kind()
    together(world, *(holder(world, lock, log, name) for name in "abc"))
    assert log == [("a", 0), ("b", 1), ("c", 2)]


def test_who_waits_longest_gets_it_next(world: World) -> None:
    log: Log = []
    lock = Lock()

    def late(name: str, seconds: float) -> Callable[[], None]:
        def target() -> None:
            sleep(seconds)
            holder(world, lock, log, name)()

        return target

    together(world, holder(world, lock, log, "first", 10), late("later", 2), late("earlier", 1))
    assert [name for name, _ in log] == ["first", "earlier", "later"]


def test_who_gave_up_waiting_does_not_get_it(world: World) -> None:
    log: Log = []
    lock = Lock()

    def impatient() -> None:
        log.append((str(lock.acquire(timeout=2)), elapsed(world)))

    together(world, holder(world, lock, log, "a", 5), impatient, holder(world, lock, log, "c"))
    assert log == [("a", 0), ("False", 2), ("c", 5)]


def test_who_waits_with_a_timeout_gets_it_if_it_is_given_back_in_time(world: World) -> None:
    log: Log = []
    lock = Lock()

    def patient() -> None:
        log.append((str(lock.acquire(timeout=2)), elapsed(world)))

    together(world, holder(world, lock, log, "a", 1.5), patient)
    assert log == [("a", 0), ("True", 1.5)]


def test_a_task_blocks_on_its_own_lock(world: World) -> None:
    lock = Lock()
    lock.acquire()
    together(world, lock.acquire)
    assert len(world.blocked()) == 1


def test_a_task_may_take_its_own_rlock_again(world: World) -> None:
    lock = RLock()

    def main() -> tuple[bool, bool]:
        with lock:
            return lock.acquire(), lock.acquire(blocking=False)

    assert simulate(world, main) == (True, True)


def test_an_rlock_is_free_once_it_was_given_back_as_often_as_it_was_taken(world: World) -> None:
    log: Log = []
    lock = RLock()

    def twice() -> None:
        with lock:
            with lock:
                sleep(1)
            sleep(1)

    together(world, twice, holder(world, lock, log, "b"))
    assert log == [("b", 2)]


def test_another_task_cannot_give_an_rlock_back(world: World) -> None:
    lock = RLock()
    start(world, holder(world, lock, [], "a", 10))

    def thief() -> None:
        sleep(1)
        lock.release()

    with pytest.raises(RuntimeError, match="cannot release un-acquired lock"):
        simulate(world, thief)


def test_a_lock_may_be_given_back_by_another_task(world: World) -> None:
    lock = Lock()
    lock.acquire()
    log: Log = []

    def freeing() -> None:
        sleep(3)
        lock.release()

    together(world, holder(world, lock, log, "a"), freeing)
    assert log == [("a", 3)]


def test_a_lock_that_a_dead_process_waited_for_goes_to_who_is_alive(world: World) -> None:
    log: Log = []
    lock = Lock()
    dead: list[Process] = []

    def killer() -> None:
        sleep(1)
        dead[0].kill("test")

    start(world, holder(world, lock, log, "a", 5))
    dead.append(start(world, holder(world, lock, log, "dead")))
    start(world, holder(world, lock, log, "c"))
    together(world, killer)
    assert log == [("a", 0), ("c", 5)]


def test_a_lock_is_given_back_by_a_dying_holder(world: World) -> None:
    log: Log = []
    lock = Lock()
    dead = start(world, holder(world, lock, log, "dead", 60))

    def killer() -> None:
        sleep(1)
        dead.kill("test")

    together(world, killer, holder(world, lock, log, "b"))
    assert log == [("dead", 0), ("b", 1)]
