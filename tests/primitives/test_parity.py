"""The same calls, in the same order, on the standard library's primitive and on its stand-in: the same outcome.

Only what does not block is compared here; how the stand-ins block is in the other tests of this room.
"""

from __future__ import annotations

import concurrent.futures
import logging
import queue
import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from pytest_durable.engine import World
from pytest_durable.primitives import condition, event, executor, lock, thread
from pytest_durable.primitives import queue as queues
from tests.simulated import simulate

REAL = SimpleNamespace(
    Lock=threading.Lock,
    RLock=threading.RLock,
    Event=threading.Event,
    Condition=threading.Condition,
    Thread=threading.Thread,
    local=threading.local,
    current_thread=threading.current_thread,
    get_ident=threading.get_ident,
    Queue=queue.Queue,
    SimpleQueue=queue.SimpleQueue,
    Future=concurrent.futures.Future,
    ThreadPoolExecutor=concurrent.futures.ThreadPoolExecutor,
    wait=concurrent.futures.wait,
)
SIMULATED = SimpleNamespace(
    Lock=lock.Lock,
    RLock=lock.RLock,
    Event=event.Event,
    Condition=condition.Condition,
    Thread=thread.Thread,
    local=thread.local,
    current_thread=thread.current_thread,
    get_ident=thread.get_ident,
    Queue=queues.Queue,
    SimpleQueue=queues.SimpleQueue,
    Future=executor.Future,
    ThreadPoolExecutor=executor.ThreadPoolExecutor,
    wait=executor.wait,
)

Library = Any
"""`REAL` or `SIMULATED`."""

Script = Callable[[Library], Any]

SCRIPTS: dict[str, Script] = {}


def script(function: Script) -> Script:
    """Add a sequence of calls to the table."""
    SCRIPTS[function.__name__] = function
    return function


def outcomes(*calls: Callable[[], Any]) -> list[Any]:
    """What each call returned, or the kind of error it raised."""
    results: list[Any] = []
    for call in calls:
        try:
            results.append(call())
        except Exception as error:
            results.append(type(error))
    return results


@script
def a_lock_is_taken_once(lib: Library) -> Any:
    lock = lib.Lock()
    return [lock.acquire(), lock.acquire(False), lock.acquire(blocking=False), lock.acquire(timeout=0), lock.locked()]


@script
def a_lock_is_given_back_once(lib: Library) -> Any:
    lock = lib.Lock()
    lock.acquire()
    return outcomes(lock.release, lock.release, lock.locked, lock.acquire)


@script
def a_lock_in_a_with_statement(lib: Library) -> Any:
    lock = lib.Lock()
    with lock as taken:
        return [taken, lock.locked()]


@script
def a_lock_is_given_back_after_an_error(lib: Library) -> Any:
    lock = lib.Lock()
    try:
        with lock:
            raise LookupError
    except LookupError:
        return lock.locked()


@script
def a_lock_taken_with_arguments_that_contradict_each_other(lib: Library) -> Any:
    lock = lib.Lock()
    return outcomes(lambda: lock.acquire(False, 1), lambda: lock.acquire(True, -2), lock.locked)


@script
def an_rlock_is_taken_and_given_back_as_often(lib: Library) -> Any:
    lock = lib.RLock()
    return outcomes(lock.acquire, lambda: lock.acquire(False), lock.release, lock.release, lock.release)


@script
def an_rlock_taken_with_arguments_that_contradict_each_other(lib: Library) -> Any:
    lock = lib.RLock()
    return outcomes(lambda: lock.acquire(False, 1), lambda: lock.acquire(True, -2))


@script
def an_event_is_set_and_cleared(lib: Library) -> Any:
    event = lib.Event()
    return outcomes(
        event.is_set, lambda: event.wait(0), event.set, event.is_set, event.wait, event.clear, lambda: event.wait(-1)
    )


@script
def a_condition_needs_its_lock(lib: Library) -> Any:
    condition = lib.Condition()
    return outcomes(condition.notify, condition.notify_all, condition.wait, condition.release)


@script
def a_condition_on_a_lock_needs_it(lib: Library) -> Any:
    condition = lib.Condition(lib.Lock())
    return outcomes(condition.notify, condition.notify_all, lambda: condition.wait(0), condition.release)


@script
def a_condition_that_nobody_notifies(lib: Library) -> Any:
    condition = lib.Condition()
    with condition as taken:
        condition.notify(3)
        return [taken, condition.wait(0), condition.wait_for(lambda: 0, timeout=0), condition.wait_for(lambda: 7)]


@script
def a_condition_is_its_lock(lib: Library) -> Any:
    lock = lib.Lock()
    condition = lib.Condition(lock)
    with condition:
        return [lock.locked(), condition.acquire(False), condition.acquire(blocking=False)]


@script
def a_queue_is_first_in_first_out(lib: Library) -> Any:
    queue = lib.Queue()
    for item in (3, 1, 2):
        queue.put(item)
    return [queue.qsize(), queue.get(), queue.get(block=False), queue.get_nowait(), queue.empty(), queue.full()]


@script
def a_queue_with_a_limit_is_full(lib: Library) -> Any:
    queue = lib.Queue(maxsize=2)
    return outcomes(
        lambda: queue.put(1),
        lambda: queue.put_nowait(2),
        queue.full,
        lambda: queue.put_nowait(3),
        lambda: queue.put(3, block=False),
        lambda: queue.put(3, timeout=0),
        queue.get,
        queue.full,
    )


@script
def an_empty_queue(lib: Library) -> Any:
    queue = lib.Queue()
    return outcomes(queue.get_nowait, lambda: queue.get(False), lambda: queue.get(timeout=0), queue.empty, queue.qsize)


@script
def a_queue_without_a_limit_is_never_full(lib: Library) -> Any:
    queue = lib.Queue(-1)
    for item in range(100):
        queue.put(item, timeout=0)
    return [queue.full(), queue.qsize(), queue.maxsize]


@script
def a_queue_takes_no_negative_timeout(lib: Library) -> Any:
    queue = lib.Queue(1)
    return outcomes(
        lambda: queue.get(timeout=-1),
        lambda: queue.put(1, timeout=-1),
        lambda: queue.get(block=False, timeout=-1),
        lambda: queue.put(1, block=False, timeout=-1),
        queue.qsize,
    )


@script
def a_queue_counts_its_work(lib: Library) -> Any:
    queue = lib.Queue()
    queue.put(1)
    queue.get()
    return outcomes(queue.task_done, queue.join, queue.task_done)


@script
def a_simple_queue(lib: Library) -> Any:
    queue = lib.SimpleQueue()
    queue.put(1)
    queue.put(2, block=True, timeout=None)
    queue.put_nowait(3)
    return outcomes(
        queue.qsize,
        queue.get,
        lambda: queue.get(block=False),
        queue.get_nowait,
        queue.empty,
        queue.get_nowait,
        lambda: queue.get(timeout=0),
        lambda: queue.get(timeout=-1),
    )


@script
def a_future_that_succeeds(lib: Library) -> Any:
    future = lib.Future()
    states = [future.done(), future.running(), future.set_running_or_notify_cancel(), future.running()]
    future.set_result(7)
    return [*states, future.done(), future.running(), future.result(), future.exception(), future.cancel()]


@script
def a_future_that_fails(lib: Library) -> Any:
    future = lib.Future()
    future.set_exception(LookupError("lost"))
    return outcomes(future.done, future.result, lambda: repr(future.exception()), future.cancelled)


@script
def a_future_that_is_pending(lib: Library) -> Any:
    future = lib.Future()
    return outcomes(lambda: future.result(timeout=0), lambda: future.exception(0), future.done)


@script
def a_future_that_is_cancelled(lib: Library) -> Any:
    future = lib.Future()
    return outcomes(
        future.cancel,
        future.cancel,
        future.cancelled,
        future.done,
        future.running,
        future.result,
        future.exception,
        future.set_running_or_notify_cancel,
    )


@script
def a_future_gets_its_result_once(lib: Library) -> Any:
    future = lib.Future()
    future.set_result(1)
    return outcomes(lambda: future.set_result(2), lambda: future.set_exception(LookupError()), future.result)


@script
def a_future_that_was_cancelled_gets_no_result(lib: Library) -> Any:
    future = lib.Future()
    future.cancel()
    return outcomes(lambda: future.set_result(2), future.cancelled)


@script
def callbacks_of_a_future(lib: Library) -> Any:
    future, log = lib.Future(), list[str]()
    future.add_done_callback(lambda done: log.append(f"first {done is future}"))
    future.add_done_callback(fn=lambda done: log.append(f"second {done.result()}"))
    future.set_result(7)
    future.add_done_callback(lambda done: log.append("late"))
    return log


@script
def callbacks_of_a_cancelled_future(lib: Library) -> Any:
    future, log = lib.Future(), list[str]()
    future.add_done_callback(lambda done: log.append(f"called {done.cancelled()}"))
    future.cancel()
    future.cancel()
    return log


@script
def a_callback_that_fails_stops_nobody(lib: Library) -> Any:
    def failing(future: Any) -> None:
        raise LookupError("lost")

    future, log = lib.Future(), list[str]()
    future.add_done_callback(failing)
    future.add_done_callback(lambda done: log.append("second"))
    return [*outcomes(lambda: future.set_result(7), lambda: future.add_done_callback(failing)), *log]


@script
def a_pool_without_workers(lib: Library) -> Any:
    return outcomes(lambda: lib.ThreadPoolExecutor(0), lambda: lib.ThreadPoolExecutor(max_workers=-1))


@script
def a_pool_with_an_initializer_that_cannot_be_called(lib: Library) -> Any:
    return outcomes(lambda: lib.ThreadPoolExecutor(1, initializer="not a function"))


@script
def a_pool_with_an_initializer(lib: Library) -> Any:
    log: list[str] = []
    with lib.ThreadPoolExecutor(max_workers=1, thread_name_prefix="p", initializer=log.append, initargs=("a",)) as pool:
        pool.submit(log.append, "work").result()
    return log


@script
def a_pool_with_an_initializer_that_fails(lib: Library) -> Any:
    def failing() -> None:
        raise LookupError("lost")

    pool = lib.ThreadPoolExecutor(1, initializer=failing)
    future = pool.submit(int)
    try:
        future.result()
    except Exception as error:
        return isinstance(error, concurrent.futures.BrokenExecutor)
    finally:
        pool.shutdown()


@script
def a_pool_passes_arguments_results_and_errors(lib: Library) -> Any:
    with lib.ThreadPoolExecutor(2) as pool:
        return outcomes(
            pool.submit(int, "7").result, pool.submit(int, "77", base=8).result, pool.submit(int, "seven").result
        )


@script
def a_pool_takes_no_work_after_its_end(lib: Library) -> Any:
    pool = lib.ThreadPoolExecutor(1)
    pool.shutdown(wait=True, cancel_futures=True)
    return outcomes(lambda: pool.submit(int), pool.shutdown)


@script
def the_map_of_a_pool(lib: Library) -> Any:
    with lib.ThreadPoolExecutor(3) as pool:
        return [
            list(pool.map(pow, [1, 2, 3], [4, 5], chunksize=2)),
            list(pool.map(int, [])),
            outcomes(pool.map(int, "a").__next__),
        ]


@script
def a_wait_for_what_is_done(lib: Library) -> Any:
    futures = [lib.Future() for _ in range(3)]
    for future in futures[:2]:
        future.set_result(1)
    done, not_done = lib.wait([*futures, futures[0]], timeout=0)
    return [len(done), len(not_done), lib.wait(futures[:2]).not_done, lib.wait([]).done]


@script
def a_wait_for_the_first(lib: Library) -> Any:
    futures = [lib.Future() for _ in range(3)]
    futures[1].set_exception(LookupError())
    return [
        [future in lib.wait(futures, return_when=kind).done for future in futures]
        for kind in (concurrent.futures.FIRST_COMPLETED, concurrent.futures.FIRST_EXCEPTION)
    ]


@script
def a_wait_for_something_unknown(lib: Library) -> Any:
    return outcomes(lambda: lib.wait([lib.Future()], timeout=0, return_when="SOMETIME"))


@script
def a_thread_that_was_not_started(lib: Library) -> Any:
    thread = lib.Thread(target=int, name="worker", daemon=True)
    return [thread.is_alive(), thread.ident, thread.name, thread.daemon, *outcomes(thread.join)]


@script
def a_thread_is_started_once(lib: Library) -> Any:
    thread = lib.Thread(None, int, "worker", ("7",), {"base": 8})
    return [*outcomes(thread.start, thread.start, thread.join), thread.is_alive(), thread.ident is not None]


@script
def a_thread_cannot_wait_for_itself(lib: Library) -> Any:
    results: list[Any] = []
    itself: Any = lib.Thread(target=lambda: results.extend(outcomes(itself.join)))
    itself.start()
    itself.join()
    return results


@script
def a_thread_knows_itself(lib: Library) -> Any:
    seen: list[Any] = []

    def target() -> None:
        seen.extend([lib.current_thread().name, lib.current_thread().ident == lib.get_ident() == itself.ident])

    itself = lib.Thread(target=target, name="worker")
    itself.start()
    itself.join()
    return seen


@script
def the_attributes_of_a_local(lib: Library) -> Any:
    mine = lib.local()
    mine.value = 1
    return [mine.value, *outcomes(lambda: delattr(mine, "value"), lambda: mine.value, lambda: delattr(mine, "value"))]


@script
def a_local_with_a_default(lib: Library) -> Any:
    class Mine(lib.local):  # type: ignore[misc]  # whichever of the two
        depth = 0

    mine, seen = Mine(), list[int]()
    mine.depth += 1
    thread = lib.Thread(target=lambda: seen.append(mine.depth))
    thread.start()
    thread.join()
    return [mine.depth, seen]


@script
def a_local_with_a_constructor(lib: Library) -> Any:
    class Mine(lib.local):  # type: ignore[misc]  # whichever of the two
        def __init__(self, depth: int) -> None:
            self.depth = depth

    mine, seen = Mine(7), list[Any]()
    thread = lib.Thread(target=lambda: seen.extend(outcomes(lambda: mine.depth)))
    thread.start()
    thread.join()
    return [mine.depth, seen]


@script
def a_local_whose_constructor_fails_is_constructed_again(lib: Library) -> Any:
    attempts: list[int] = []

    class Mine(lib.local):  # type: ignore[misc]  # whichever of the two
        def __init__(self) -> None:
            attempts.append(1)
            self.attempt = len(attempts)
            if len(attempts) == 2:
                raise LookupError

    mine, seen = Mine(), list[Any]()

    def read() -> tuple[int, int]:
        return mine.attempt, len(attempts)

    thread = lib.Thread(target=lambda: seen.extend(outcomes(read, read, read)))
    thread.start()
    thread.join()
    return [*seen, read()]


@script
def a_local_with_a_property_and_a_fallback(lib: Library) -> Any:
    class Mine(lib.local):  # type: ignore[misc]  # whichever of the two
        @property
        def double(self) -> Any:
            return self.value * 2

        def __getattr__(self, name: str) -> Any:
            return f"no {name}"

    mine, seen = Mine(), list[Any]()
    mine.value = 7
    thread = lib.Thread(target=lambda: seen.extend([mine.double, mine.value, vars(mine)]))
    thread.start()
    thread.join()
    return [mine.double, *outcomes(lambda: setattr(mine, "double", 1)), vars(mine), seen]


@script
def a_local_that_cannot_be_initialized(lib: Library) -> Any:
    mine = lib.local()
    return outcomes(
        lambda: lib.local(7),
        lambda: setattr(mine, "__dict__", {}),
        lambda: delattr(mine, "__dict__"),
        lambda: mine.lost,
    )


@pytest.mark.parametrize("name", SCRIPTS)
def test_the_stand_in_does_as_the_standard_library_does(
    world: World, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL + 1)  # the library logs the errors of callbacks and initializers
    assert simulate(world, lambda: SCRIPTS[name](SIMULATED)) == SCRIPTS[name](REAL)
