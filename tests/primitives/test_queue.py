from __future__ import annotations

from collections.abc import Callable
from functools import partial
from queue import Empty, Full

import pytest

from pytest_durable.engine import Process, World, current_task
from pytest_durable.primitives.queue import Queue, SimpleQueue
from pytest_durable.primitives.sleep import sleep
from tests.simulated import elapsed, simulate, start, together

Log = list[tuple[str, float]]


def getting(world: World, queue: Queue[str], log: Log, timeout: float | None = None) -> Callable[[], None]:
    """A body that writes what it got, and when."""

    def target() -> None:
        try:
            log.append((queue.get(timeout=timeout), elapsed(world)))
        except Empty:
            log.append(("nothing", elapsed(world)))

    return target


def putting(queue: Queue[str], seconds: float, *items: str) -> Callable[[], None]:
    """A body that puts each of ``items`` after ``seconds`` more."""

    def target() -> None:
        for item in items:
            sleep(seconds)
            queue.put(item)

    return target


@pytest.mark.parametrize("kind", [Queue, SimpleQueue])
def test_who_gets_waits_for_an_item(world: World, kind: type[Queue[str]]) -> None:
    log: Log = []
    queue = kind()
    together(world, getting(world, queue, log), putting(queue, 2, "x"))
    assert log == [("x", 2)]


def test_items_go_to_those_who_wait_longest_first(world: World) -> None:
    queue: Queue[str] = Queue()
    got: list[tuple[int, str]] = []

    def getting_as(number: int) -> Callable[[], None]:
        return lambda: got.append((number, queue.get()))

    together(world, *(getting_as(number) for number in range(3)), putting(queue, 0, "x", "y", "z"))
    assert got == [(0, "x"), (1, "y"), (2, "z")]


def test_who_gets_with_a_timeout_gets_what_comes_in_time(world: World) -> None:
    log: Log = []
    queue: Queue[str] = Queue()
    together(world, getting(world, queue, log, 5), putting(queue, 4, "x"))
    assert log == [("x", 4)]


def test_who_gets_with_a_timeout_goes_without_otherwise(world: World) -> None:
    log: Log = []
    queue: Queue[str] = Queue()
    together(world, getting(world, queue, log, 3), putting(queue, 4, "x"))
    assert log == [("nothing", 3)]
    assert queue.qsize() == 1


def test_a_second_look_in_vain_lasts_as_long_as_somebody_sleeps_quietly(world: World) -> None:
    queue: Queue[str] = Queue()
    log: Log = []

    def main() -> None:
        task = current_task()
        assert task is not None
        for seconds in (1_000, 300):
            world.spawn(task.process, "quiet", partial(world.sleep, seconds, quietly=True))
        world.sleep(1)
        for _ in range(5):
            getting(world, queue, log, 0.1)()

    start(world, main)
    start(world, putting(queue, 700, "x"))
    world.run(lambda: len(log) == 5)
    assert log == [("nothing", 1.1), ("nothing", 300), ("x", 700), ("nothing", 700.1), ("nothing", 1_000)]


def test_the_timeout_is_kept_by_who_finds_its_item_taken(world: World) -> None:
    log: Log = []
    queue: Queue[str] = Queue()

    def thief() -> None:
        sleep(2)
        queue.put("x")
        queue.get_nowait()

    together(world, getting(world, queue, log, 5), thief)
    assert log == [("nothing", 5)]


def test_who_puts_into_a_full_queue_waits_for_room(world: World) -> None:
    queue: Queue[str] = Queue(1)
    log: Log = []

    def filling() -> None:
        for item in ("x", "y"):
            queue.put(item)
            log.append((item, elapsed(world)))

    def emptying() -> None:
        sleep(3)
        queue.get()

    together(world, filling, emptying)
    assert log == [("x", 0), ("y", 3)]


def test_who_puts_with_a_timeout_into_a_full_queue_gives_up(world: World) -> None:
    queue: Queue[str] = Queue(1)
    queue.put("x")
    with pytest.raises(Full):
        simulate(world, lambda: queue.put("y", timeout=2))
    assert (elapsed(world), queue.qsize()) == (2, 1)


def test_join_waits_for_the_work_on_every_item(world: World) -> None:
    queue: Queue[str] = Queue()
    for item in "xyz":
        queue.put(item)

    def working() -> None:
        while not queue.empty():
            queue.get()
            sleep(1)
            queue.task_done()

    start(world, working)
    simulate(world, queue.join)
    assert elapsed(world) == 3


def test_an_item_that_a_dead_process_waited_for_goes_to_who_is_alive(world: World) -> None:
    log: Log = []
    queue: Queue[str] = Queue()
    dead: list[Process] = [start(world, getting(world, queue, log))]

    def killer() -> None:
        sleep(1)
        dead[0].kill("test")
        sleep(1)
        queue.put("x")

    together(world, getting(world, queue, log), killer)
    assert log == [("x", 2)]


def test_a_producer_and_a_consumer_take_turns_at_a_queue_of_one(world: World) -> None:
    log: Log = []
    queue: Queue[str] = Queue(1)

    def consuming() -> None:
        for _ in range(3):
            getting(world, queue, log)()
            sleep(1)

    together(world, putting(queue, 0, "x", "y", "z"), consuming)
    assert log == [("x", 0), ("y", 1), ("z", 2)]
