# ruff: noqa: TID251  # what is tested is what these calls do in user code
"""asyncio in bodies and handlers costs no real time, and is as it was outside of them."""

from __future__ import annotations

import asyncio
import selectors
import threading
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from aws_durable_execution_sdk_python import DurableContext
from aws_durable_execution_sdk_python.config import Duration

from pytest_durable import ExecutionStuck, FakeDurableContext
from tests.durable import returns

REAL = {"clock": time.perf_counter}


@pytest.fixture(autouse=True)
def in_no_time() -> Iterator[None]:
    """Nothing here takes real time, though hours pass."""
    begun = REAL["clock"]()
    yield
    assert REAL["clock"]() - begun < 5


def timed(make: Callable[[], Coroutine[Any, Any, Any]], ctx: FakeDurableContext) -> tuple[Any, float]:
    """What a coroutine gives in the body of a step, and how long it takes there, in virtual seconds."""
    took: list[float] = []

    def body(step: Any) -> Any:
        begun = time.time()
        result = asyncio.run(make())
        took.append(time.time() - begun)
        return result

    execution = ctx.run(lambda event, context: context.step(body, name="body"))
    return execution.result, round(took[0], 6)


async def hour(name: str = "") -> str:
    await asyncio.sleep(600)
    return name


async def together() -> list[str]:
    return [*await asyncio.gather(hour("a"), hour("b"), asyncio.to_thread(lambda: "c"))]


async def too_late() -> str:
    try:
        return await asyncio.wait_for(hour(), 5)
    except TimeoutError:
        return "too late"


async def within() -> str:
    async with asyncio.timeout(700):
        return await hour("in time")


async def one_after_the_other() -> float:
    loop = asyncio.get_running_loop()
    begun = loop.time()
    for _ in range(10):
        await asyncio.sleep(0.1)
    return loop.time() - begun


async def queued() -> int:
    queue: asyncio.Queue[int] = asyncio.Queue()

    async def put() -> None:
        for number in range(3):
            await asyncio.sleep(10)
            queue.put_nowait(number)

    async with asyncio.TaskGroup() as group:
        group.create_task(put())
        return sum([await queue.get() for _ in range(3)])


async def ticks() -> list[int]:
    async def ticker() -> AsyncIterator[int]:
        for number in range(3):
            await asyncio.sleep(1)
            yield number

    return [number async for number in ticker()]


async def blocked() -> str:
    time.sleep(30)
    return "blocked"


@pytest.mark.parametrize(
    ("make", "result", "seconds"),
    [
        (hour, "", 600),
        (together, ["a", "b", "c"], 600),
        (too_late, "too late", 5),
        (within, "in time", 600),
        (one_after_the_other, 1, 1),
        (queued, 3, 30),
        (ticks, [0, 1, 2], 3),
        (blocked, "blocked", 30),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_it_takes_virtual_time(make: Any, result: Any, seconds: float, ctx: FakeDurableContext) -> None:
    found, took = timed(make, ctx)
    assert (found if not isinstance(found, float) else round(found, 6), took) == (result, seconds)


def test_the_loop_of_a_module_that_all_invocations_share(ctx: FakeDurableContext) -> None:
    loop = asyncio.new_event_loop()
    log: list[str] = []

    async def charge() -> str:
        await asyncio.sleep(60)
        log.append("charged")
        return "charged"

    def handler(event: Any, context: DurableContext) -> Any:
        context.step(lambda _: loop.run_until_complete(charge()), name="charge")
        context.wait(Duration.from_hours(1), name="rest")
        return loop.run_until_complete(charge())

    execution = ctx.run(handler, faults="charge:body")
    assert (execution.result, log) == ("charged", ["charged"] * 3)
    assert execution.elapsed == pytest.approx(60 + 1 + 60 + 3600 + 60, abs=2)
    loop.close()


def test_what_a_killed_invocation_has_begun_does_not_go_on_in_the_next(ctx: FakeDurableContext) -> None:
    loop = asyncio.new_event_loop()
    log: list[str] = []
    delays = iter([1000, 10])

    async def body() -> None:
        log.append("begun")
        await asyncio.sleep(next(delays))
        log.append("done")

    execution = ctx.run(lambda event, context: context.step(lambda _: loop.run_until_complete(body()), name="slow"))
    assert [one.status for one in execution.invocations] == ["died", "SUCCEEDED"]
    assert log == ["begun", "begun", "done"]
    assert not asyncio.all_tasks(loop)
    loop.close()


def test_branches_each_run_a_loop_of_their_own_at_the_same_time(ctx: FakeDurableContext) -> None:
    async def work(item: int) -> list[int]:
        async def count() -> AsyncIterator[int]:
            for number in range(3):
                await asyncio.sleep(10 * item)
                time.sleep(1)
                yield number

        assert asyncio.get_running_loop() is not None
        return [item * number async for number in count()]

    def handler(event: Any, context: DurableContext) -> Any:
        def branch(child: DurableContext, item: int, *_: Any) -> Any:
            return child.step(lambda _: asyncio.run(work(item)), name="work")

        return context.map([1, 2, 3], branch, name="all").get_results()

    execution = ctx.run(handler)
    assert execution.result == [[0, 1, 2], [0, 2, 4], [0, 3, 6]]
    assert execution.elapsed == pytest.approx(93, abs=2)
    ctx.verify(handler)


def test_durable_calls_inside_of_a_coroutine(ctx: FakeDurableContext) -> None:
    def handler(event: Any, context: DurableContext) -> Any:
        async def main() -> list[int]:
            first = context.step(returns(1), name="first")
            await asyncio.sleep(5)
            context.wait(Duration.from_days(1), name="pause")
            return [first, context.step(returns(2), name="second")]

        return asyncio.run(main())

    assert ctx.run(handler).result == [1, 2]
    assert len(ctx.verify(handler).killed) >= 6


def test_a_body_that_outlasts_its_invocation_is_killed_in_its_sleep(ctx: FakeDurableContext) -> None:
    with pytest.raises(ExecutionStuck, match="'slow' never ends within the invocation timeout of 900 s") as caught:
        ctx.run(lambda event, context: context.step(lambda _: asyncio.run(asyncio.sleep(901)), name="slow"))

    assert "It sleeps until 901 s after the invocation began." in caught.value.failure.explanation


def test_a_body_that_waits_for_nothing_is_killed_at_its_timeout(ctx: FakeDurableContext) -> None:
    async def never() -> None:
        await asyncio.Event().wait()

    with pytest.raises(ExecutionStuck, match="'slow' never ends within the invocation timeout of 9 s"):
        ctx.run(lambda event, context: context.step(lambda _: asyncio.run(never()), name="slow"), invocation_timeout=9)


def test_real_threads_and_sockets_are_waited_for(ctx: FakeDurableContext) -> None:
    async def served() -> str:
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write((await reader.readline()).upper())
            writer.close()

        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        async with server:
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            writer.write(b"hello\n")
            line = await asyncio.wait_for(reader.readline(), 30)
            writer.close()
        return line.decode()

    assert timed(served, ctx) == ("HELLO\n", 0)

    async def threaded() -> str:
        event = threading.Event()
        threading.Timer(0.05, event.set).start()
        return str(await asyncio.wait_for(asyncio.to_thread(event.wait), 30))

    assert timed(threaded, ctx) == ("True", 0)


class SlowToEnd(ThreadPoolExecutor):
    """Threads of the machine that take a while to end."""

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        threading.Event().wait(0.2)
        super().shutdown(wait, cancel_futures=cancel_futures)


def test_the_end_of_an_executor_takes_no_virtual_time(ctx: FakeDurableContext) -> None:
    async def threaded() -> str:
        asyncio.get_running_loop().set_default_executor(SlowToEnd())
        return await asyncio.to_thread(lambda: "done")

    assert timed(threaded, ctx) == ("done", 0)


def test_the_loop_of_a_test_is_real_and_runs_on(ctx: FakeDurableContext) -> None:
    async def test() -> tuple[Any, float, bool]:
        loop = asyncio.get_running_loop()
        begun = loop.time()
        await asyncio.sleep(0.02)
        result, _ = timed(hour, ctx)
        await asyncio.wait_for(asyncio.sleep(0.02), 30)
        return result, loop.time() - begun, asyncio.get_running_loop() is loop

    result, took, same = asyncio.run(test())
    assert (result, same) == ("", True)
    assert 0.04 <= took < 5


def test_a_selector_of_the_users_own_is_a_real_one(ctx: FakeDurableContext) -> None:
    def body(step: Any) -> float:
        begun = REAL["clock"]()
        with selectors.DefaultSelector() as selector:
            assert selector.select(0.02) == []
        return REAL["clock"]() - begun

    assert ctx.run(lambda event, context: context.step(body)).result >= 0.015


def test_afterwards_everything_is_what_it_was() -> None:
    def places() -> list[Any]:
        names = ("time", "run_forever", "run_until_complete", "run_in_executor")
        return [*(vars(asyncio.BaseEventLoop)[name] for name in names), vars(selectors.DefaultSelector)["select"]]

    before = places()
    with FakeDurableContext():
        assert not any(one is other for one, other in zip(before, places(), strict=True))
    assert all(one is other for one, other in zip(before, places(), strict=True))
