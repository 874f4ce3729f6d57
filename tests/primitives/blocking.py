"""Every way in which a primitive can block, as a function of the timeout; None blocks for ever."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pytest_durable.primitives.condition import Condition
from pytest_durable.primitives.event import Event
from pytest_durable.primitives.executor import Future, ThreadPoolExecutor, wait
from pytest_durable.primitives.lock import Lock, RLock
from pytest_durable.primitives.queue import Queue, SimpleQueue
from pytest_durable.primitives.sleep import sleep
from pytest_durable.primitives.thread import Thread


def for_ever() -> None:
    Event().wait()


def lock_acquire(timeout: float | None) -> object:
    lock = Lock()
    lock.acquire()
    return lock.acquire(timeout=-1 if timeout is None else timeout)


def rlock_acquire(timeout: float | None) -> object:
    lock = RLock()

    def hold() -> None:
        lock.acquire()
        for_ever()

    Thread(target=hold).start()
    sleep(0)
    return lock.acquire(timeout=-1 if timeout is None else timeout)


def event_wait(timeout: float | None) -> object:
    return Event().wait(timeout)


def condition_wait(timeout: float | None) -> object:
    condition = Condition()
    with condition:
        return condition.wait(timeout)


def condition_wait_for(timeout: float | None) -> object:
    condition = Condition()
    with condition:
        return condition.wait_for(lambda: False, timeout)


def queue_get(timeout: float | None) -> object:
    return Queue[int]().get(timeout=timeout)


def queue_put(timeout: float | None) -> object:
    queue: Queue[int] = Queue(1)
    queue.put(1)
    queue.put(2, timeout=timeout)
    return None


def simple_queue_get(timeout: float | None) -> object:
    return SimpleQueue[int]().get(timeout=timeout)


def future_result(timeout: float | None) -> object:
    return Future[int]().result(timeout)


def future_exception(timeout: float | None) -> object:
    return Future[int]().exception(timeout)


def wait_for_futures(timeout: float | None) -> object:
    return wait([Future[int]()], timeout)


def thread_join(timeout: float | None) -> object:
    thread = Thread(target=for_ever)
    thread.start()
    thread.join(timeout)
    return None


def pool_map(timeout: float | None) -> object:
    return list(ThreadPoolExecutor(1).map(lambda _: for_ever(), [1], timeout=timeout))


def queue_join(timeout: float | None) -> object:
    queue: Queue[int] = Queue()
    queue.put(1)
    queue.join()
    return None


def pool_shutdown(timeout: float | None) -> object:
    pool = ThreadPoolExecutor(1)
    pool.submit(for_ever)
    pool.shutdown()
    return None


WITH_TIMEOUT: Mapping[str, Callable[[float | None], Any]] = {
    function.__name__: function
    for function in (
        lock_acquire,
        rlock_acquire,
        event_wait,
        condition_wait,
        condition_wait_for,
        queue_get,
        queue_put,
        simple_queue_get,
        future_result,
        future_exception,
        wait_for_futures,
        thread_join,
        pool_map,
    )
}

BLOCKING: Mapping[str, Callable[[float | None], Any]] = {
    **WITH_TIMEOUT,
    "queue_join": queue_join,
    "pool_shutdown": pool_shutdown,
}
