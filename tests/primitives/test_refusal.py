"""A primitive never blocks a dead process, nor code that is not simulated."""

from __future__ import annotations

import contextlib

import pytest

from pytest_durable.engine import Killed, Task, World, micros_of
from pytest_durable.primitives.condition import Condition
from pytest_durable.primitives.event import Event
from pytest_durable.primitives.executor import Future, ThreadPoolExecutor, wait
from pytest_durable.primitives.lock import Lock, RLock
from pytest_durable.primitives.queue import Queue
from pytest_durable.primitives.sleep import sleep
from pytest_durable.primitives.thread import Thread, local
from tests.primitives.blocking import BLOCKING, for_ever
from tests.simulated import START, elapsed, start


@pytest.mark.parametrize("what", BLOCKING)
def test_a_kill_ends_whatever_blocks_and_refuses_it_from_then_on(world: World, what: str) -> None:
    refused: list[type[BaseException]] = []

    def main() -> None:
        for _ in range(3):
            try:
                BLOCKING[what](None)
            except BaseException as error:
                refused.append(type(error))

    process = start(world, main)
    world.run(lambda: False, micros_of(START))
    start(world, lambda: process.kill("test"))
    world.run(lambda: process.ended)
    assert (refused, elapsed(world)) == ([Killed, Killed, Killed], 0)


@pytest.mark.parametrize("kind", [Lock, RLock])
def test_a_kill_reaches_who_waits_on_a_condition_whose_lock_another_task_holds(
    world: World, kind: type[Lock | RLock]
) -> None:
    condition = Condition(kind())
    tasks: list[Task] = []

    def waiting() -> None:
        with condition:
            condition.wait()

    def main() -> None:
        tasks.append(world.spawn(process, "waiting", waiting))
        sleep(1)
        with condition:
            for_ever()

    process = start(world, main)
    world.run(lambda: False, micros_of(START) + 2_000_000)
    start(world, lambda: process.kill("test"))
    world.run(lambda: process.ended)
    assert isinstance(tasks[0].raised, Killed)


def test_a_killed_worker_takes_up_no_more_work(world: World) -> None:
    begun: list[int] = []

    def work(number: int) -> None:
        begun.append(number)
        for_ever()

    def main() -> None:
        with ThreadPoolExecutor(1) as pool:
            for number in range(3):
                pool.submit(work, number)

    process = start(world, main)
    world.run(lambda: False, micros_of(START))
    start(world, lambda: process.kill("test"))
    world.run(lambda: process.ended)
    assert begun == [0]


def test_a_worker_that_hides_its_kill_takes_up_no_more_work(world: World) -> None:
    begun: list[int] = []

    def work(number: int) -> None:
        begun.append(number)
        with contextlib.suppress(Killed):
            for_ever()

    def main() -> None:
        with ThreadPoolExecutor(1) as pool:
            for number in range(3):
                pool.submit(work, number)

    process = start(world, main)
    world.run(lambda: False, micros_of(START))
    start(world, lambda: process.kill("test"))
    world.run(lambda: process.ended)
    assert begun == [0]


def test_the_future_of_a_killed_worker_never_has_a_result(world: World) -> None:
    called: list[Future[None]] = []

    def main() -> None:
        with ThreadPoolExecutor(1) as pool:
            future = pool.submit(for_ever)
            future.add_done_callback(called.append)

    process = start(world, main)
    world.run(lambda: False, micros_of(START))
    start(world, lambda: process.kill("test"))
    world.run(lambda: process.ended)
    assert called == []


def test_a_kill_in_an_initializer_is_no_failure_of_it(world: World, caplog: pytest.LogCaptureFixture) -> None:
    process = start(world, lambda: ThreadPoolExecutor(1, initializer=for_ever).submit(int).result())
    world.run(lambda: False, micros_of(START))
    start(world, lambda: process.kill("test"))
    world.run(lambda: process.ended)
    assert caplog.records == []


@pytest.mark.parametrize("what", ["lock_acquire", "event_wait", "condition_wait", "queue_get", "queue_put"])
def test_what_would_block_outside_of_the_simulation_is_refused(what: str) -> None:
    with pytest.raises(RuntimeError, match="outside of the simulation"):
        BLOCKING[what](None)


def test_a_thread_cannot_be_started_outside_of_the_simulation() -> None:
    with pytest.raises(RuntimeError, match="outside of the simulation"):
        Thread(target=for_ever).start()


def test_a_pool_cannot_be_given_work_outside_of_the_simulation() -> None:
    with pytest.raises(RuntimeError, match="outside of the simulation"):
        ThreadPoolExecutor().submit(for_ever)


def test_what_does_not_block_works_outside_of_the_simulation() -> None:
    lock, rlock, event, condition, queue = Lock(), RLock(), Event(), Condition(), Queue[int]()
    future: Future[int] = Future()
    with lock, rlock, condition:
        event.set()
        condition.notify_all()
        queue.put(1)
        future.set_result(2)
    assert (event.wait(), queue.get(), future.result()) == (True, 1, 2)
    assert wait([future]).done == {future}


def test_the_attributes_of_a_local_outside_of_the_simulation_are_those_of_the_outside(world: World) -> None:
    mine = local()
    mine.value = "outside"
    process = start(world, lambda: hasattr(mine, "value"))
    world.run(lambda: process.ended)
    assert process.main is not None
    assert (process.main.result, mine.value) == (False, "outside")
