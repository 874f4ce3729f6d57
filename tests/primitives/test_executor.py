from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ALL_COMPLETED, FIRST_COMPLETED, FIRST_EXCEPTION, CancelledError
from concurrent.futures.thread import BrokenThreadPool
from typing import Any

import pytest

from pytest_durable.engine import World
from pytest_durable.primitives.executor import Future, ThreadPoolExecutor, wait
from pytest_durable.primitives.sleep import sleep
from tests.simulated import elapsed, simulate


def work(seconds: float, result: Any) -> Any:
    """Take ``seconds``, then return ``result``, or raise it if it is an error."""
    sleep(seconds)
    if isinstance(result, Exception):
        raise result
    return result


@pytest.mark.parametrize(
    ("workers", "begun"), [(1, [0, 1, 2, 3]), (2, [0, 0, 1, 1]), (3, [0, 0, 0, 1]), (None, [0, 0, 0, 0])]
)
def test_work_begins_in_the_order_of_submission_as_soon_as_a_worker_is_free(
    world: World, workers: int | None, begun: list[float]
) -> None:
    log: list[tuple[int, float]] = []

    def item(number: int) -> None:
        log.append((number, elapsed(world)))
        sleep(1)

    def main() -> None:
        with ThreadPoolExecutor(workers) as pool:
            for number in range(4):
                pool.submit(item, number)

    simulate(world, main)
    assert log == list(enumerate(begun))


def test_work_begins_only_when_the_submitter_blocks(world: World) -> None:
    log: list[str] = []

    def main() -> None:
        with ThreadPoolExecutor(1) as pool:
            pool.submit(log.append, "work")
            log.append("main")

    simulate(world, main)
    assert log == ["main", "work"]


def test_result_waits_for_the_result(world: World) -> None:
    def main() -> tuple[str, float]:
        with ThreadPoolExecutor() as pool:
            return pool.submit(work, 3, "done").result(), elapsed(world)

    assert simulate(world, main) == ("done", 3)


def test_result_raises_the_error_of_the_work(world: World) -> None:
    def main() -> None:
        with ThreadPoolExecutor() as pool:
            pool.submit(work, 3, LookupError("lost")).result()

    with pytest.raises(LookupError, match="lost"):
        simulate(world, main)


def test_the_users_interrupt_in_work_reaches_the_caller_before_other_work_goes_on(world: World) -> None:
    """Whether anybody asks for its result or not."""
    log: list[str] = []

    def interrupted() -> None:
        raise KeyboardInterrupt

    def main() -> None:
        with ThreadPoolExecutor() as pool:
            pool.submit(interrupted)
            pool.submit(log.append, "went on")
            sleep(60)

    with pytest.raises(KeyboardInterrupt):
        simulate(world, main)
    assert log == []


def test_result_gives_up_at_its_timeout_and_the_work_goes_on(world: World) -> None:
    def main() -> tuple[float, str]:
        with ThreadPoolExecutor() as pool:
            future = pool.submit(work, 3, "done")
            with pytest.raises(TimeoutError):
                future.result(timeout=1)
            return elapsed(world), future.result()

    assert simulate(world, main) == (1, "done")


def test_a_future_is_pending_then_running_then_done(world: World) -> None:
    def state(future: Future[Any]) -> tuple[bool, bool]:
        return future.running(), future.done()

    def main() -> list[tuple[bool, bool]]:
        with ThreadPoolExecutor() as pool:
            future = pool.submit(work, 2, None)
            states = [state(future)]
            sleep(1)
            states.append(state(future))
            sleep(2)
            return [*states, state(future)]

    assert simulate(world, main) == [(False, False), (True, False), (False, True)]


def test_work_that_has_begun_cannot_be_cancelled(world: World) -> None:
    def main() -> tuple[bool, str]:
        with ThreadPoolExecutor() as pool:
            future = pool.submit(work, 2, "done")
            sleep(1)
            return future.cancel(), future.result()

    assert simulate(world, main) == (False, "done")


def test_work_that_was_cancelled_never_begins(world: World) -> None:
    log: list[str] = []

    def main() -> tuple[bool, bool]:
        with ThreadPoolExecutor(1) as pool:
            pool.submit(sleep, 1)
            future = pool.submit(log.append, "ran")
            return future.cancel(), future.cancelled()

    assert simulate(world, main) == (True, True)
    assert log == []


def test_the_result_of_cancelled_work_is_an_error(world: World) -> None:
    def main() -> None:
        with ThreadPoolExecutor(1) as pool:
            future = pool.submit(sleep, 1)
            future.cancel()
            future.result()

    with pytest.raises(CancelledError):
        simulate(world, main)


def test_who_waits_for_work_that_is_cancelled_goes_on(world: World) -> None:
    def main() -> float:
        with ThreadPoolExecutor(1) as pool:
            pool.submit(sleep, 5)
            second = pool.submit(sleep, 5)
            pool.submit(sleep, 5)

            def cancelling() -> None:
                sleep(1)
                second.cancel()

            with ThreadPoolExecutor(1) as other:
                other.submit(cancelling)
                with pytest.raises(CancelledError):
                    second.result()
                return elapsed(world)

    assert simulate(world, main) == 1


def test_callbacks_are_called_with_the_future_in_their_order_when_it_is_done(world: World) -> None:
    log: list[tuple[str, float, bool]] = []

    def main() -> None:
        with ThreadPoolExecutor() as pool:
            future = pool.submit(work, 2, "done")
            for name in ("first", "second"):
                future.add_done_callback(
                    lambda future, name=name: log.append((name, elapsed(world), future.done()))  # type: ignore[misc]  # bound to this turn of the loop
                )

    simulate(world, main)
    assert log == [("first", 2, True), ("second", 2, True)]


def test_shutdown_waits_for_all_work(world: World) -> None:
    def main() -> float:
        pool = ThreadPoolExecutor(2)
        for seconds in (1, 4, 2):
            pool.submit(sleep, seconds)
        pool.shutdown()
        return elapsed(world)

    assert simulate(world, main) == 4


def test_shutdown_without_waiting_returns_at_once_and_the_work_goes_on(world: World) -> None:
    def main() -> tuple[float, str]:
        pool = ThreadPoolExecutor(1)
        pool.submit(sleep, 1)
        future = pool.submit(work, 1, "done")
        pool.shutdown(wait=False)
        return elapsed(world), future.result()

    assert simulate(world, main) == (0, "done")


def test_shutdown_may_cancel_what_has_not_begun(world: World) -> None:
    def main() -> tuple[list[bool], float]:
        pool = ThreadPoolExecutor(1)
        futures = [pool.submit(sleep, 2) for _ in range(3)]
        sleep(1)
        pool.shutdown(wait=True, cancel_futures=True)
        return [future.cancelled() for future in futures], elapsed(world)

    assert simulate(world, main) == ([False, True, True], 2)


def test_no_work_is_taken_after_shutdown(world: World) -> None:
    def main() -> None:
        pool = ThreadPoolExecutor(1)
        pool.shutdown()
        pool.submit(sleep, 1)

    with pytest.raises(RuntimeError, match="cannot schedule new futures after shutdown"):
        simulate(world, main)


def test_a_pool_that_was_idle_takes_work_again(world: World) -> None:
    def main() -> tuple[str, str]:
        with ThreadPoolExecutor(1) as pool:
            first = pool.submit(work, 1, "first").result()
            sleep(5)
            return first, pool.submit(work, 1, "second").result()

    assert simulate(world, main) == ("first", "second")


def test_map_gives_the_results_in_the_order_of_the_inputs(world: World) -> None:
    def main() -> tuple[list[str], float]:
        with ThreadPoolExecutor(3) as pool:
            return list(pool.map(work, [3, 1, 2], "abc")), elapsed(world)

    assert simulate(world, main) == (["a", "b", "c"], 3)


def test_map_begins_all_work_at_once_even_if_nobody_takes_the_results(world: World) -> None:
    log: list[int] = []

    def main() -> None:
        with ThreadPoolExecutor(3) as pool:
            pool.map(log.append, [1, 2, 3])

    simulate(world, main)
    assert log == [1, 2, 3]


def waiting(return_when: str, timeout: float | None, *items: tuple[float, Any]) -> Callable[[], list[bool]]:
    """A body that waits for work of so many seconds and such results; which of them were done then."""

    def main() -> list[bool]:
        pool = ThreadPoolExecutor(len(items))
        futures = [pool.submit(work, *item) for item in items]
        result = wait(futures, timeout=timeout, return_when=return_when)
        assert result.done | result.not_done == set(futures)
        assert not result.done & result.not_done
        return [future in result.done for future in futures]

    return main


LOST = LookupError("lost")


@pytest.mark.parametrize(
    ("return_when", "timeout", "items", "done", "seconds"),
    [
        (ALL_COMPLETED, None, [(1, "a"), (3, "b")], [True, True], 3),
        (ALL_COMPLETED, None, [(1, LOST), (3, "b")], [True, True], 3),
        (ALL_COMPLETED, 2, [(1, "a"), (3, "b")], [True, False], 2),
        (FIRST_COMPLETED, None, [(3, "a"), (1, "b")], [False, True], 1),
        (FIRST_COMPLETED, 0.5, [(3, "a"), (1, "b")], [False, False], 0.5),
        (FIRST_EXCEPTION, None, [(1, "a"), (2, LOST), (3, "c")], [True, True, False], 2),
        (FIRST_EXCEPTION, None, [(1, "a"), (2, "b")], [True, True], 2),
        (FIRST_EXCEPTION, 1.5, [(1, "a"), (2, LOST)], [True, False], 1.5),
    ],
)
def test_wait_returns_when_it_was_told_to(
    world: World, return_when: str, timeout: float | None, items: list[Any], done: list[bool], seconds: float
) -> None:
    def main() -> tuple[list[bool], float]:
        return waiting(return_when, timeout, *items)(), elapsed(world)

    assert simulate(world, main) == (done, seconds)


def test_wait_for_nothing_takes_no_time(world: World) -> None:
    assert simulate(world, lambda: (wait([]), elapsed(world))) == ((set(), set()), 0)


def test_workers_end_with_the_work_so_that_an_idle_pool_keeps_nothing_alive(world: World) -> None:
    def main() -> list[str]:
        pool = ThreadPoolExecutor(2)
        pool.submit(sleep, 1)
        pool.submit(sleep, 1)
        sleep(2)
        return [line.split()[0] for line in world.blocked()]

    assert simulate(world, main) == ["p/main"]


def test_a_failing_initializer_fails_all_work_that_was_not_cancelled(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    def main() -> None:
        pool = ThreadPoolExecutor(1, initializer=work, initargs=(1, LookupError("lost")))
        futures = [pool.submit(int) for _ in range(3)]
        futures[1].cancel()
        for future, error in zip(futures, (BrokenThreadPool, CancelledError, BrokenThreadPool), strict=True):
            with pytest.raises(error):
                future.result()
        with pytest.raises(BrokenThreadPool):
            pool.submit(int)
        pool.shutdown()

    simulate(world, main)
    assert [(one.name, one.levelname) for one in caplog.records] == [("concurrent.futures", "CRITICAL")]


def test_the_error_of_a_callback_is_logged_where_the_standard_library_logs_it(caplog: pytest.LogCaptureFixture) -> None:
    future: Future[int] = Future()
    for _ in range(2):
        future.add_done_callback(lambda future: 1 // 0)
    future.set_result(7)
    future.add_done_callback(lambda future: 1 // 0)
    assert [(one.name, one.levelname) for one in caplog.records] == [("concurrent.futures", "ERROR")] * 3
    assert caplog.records[0].getMessage() == "exception calling callback for <Future state=finished>"


def test_a_worker_is_named_after_its_pool(world: World) -> None:
    def main() -> list[str]:
        ThreadPoolExecutor(2, thread_name_prefix="branch").submit(sleep, 1)
        return [line.split()[0] for line in world.blocked()]

    assert simulate(world, main) == ["p/main", "p/branch_0"]
