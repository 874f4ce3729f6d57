"""Who is alive, what it waits for, and where in the user's code: the lines of the deadlock report."""

from __future__ import annotations

import inspect
import sys
from collections import deque
from pathlib import Path
from types import FrameType

import pytest

from pytest_durable.engine import Task, World, micros_of, origin_of, place_of, user_frame
from pytest_durable.primitives.lock import Lock
from pytest_durable.primitives.queue import Queue
from tests.simulated import START, block, settle, start

HERE = Path(__file__).name


def line_here() -> int:
    """The line of the caller."""
    frame = inspect.currentframe()
    assert frame is not None
    assert frame.f_back is not None
    return frame.f_back.f_lineno


def frame_in(module: str) -> FrameType:
    """A frame of a function of a module called ``module``."""
    space: dict[str, object] = {"__name__": module, "sys": sys}
    exec("def here():\n    return sys._getframe()", space)
    here = space["here"]
    assert callable(here)
    frame = here()
    assert isinstance(frame, FrameType)
    return frame


def test_nobody_is_blocked_in_an_empty_world(world: World) -> None:
    assert world.blocked() == []


def test_a_blocked_task_is_listed_with_its_process_its_name_its_reason_and_its_line(world: World) -> None:
    lines: list[int] = []
    queue: Queue[int] = Queue()

    def main() -> None:
        lines.append(line_here() + 1)
        queue.get()

    start(world, main, "invocation 1")
    settle(world)
    assert len(world.blocked()) == 1
    assert world.blocked()[0].startswith("invocation 1/main waits for an item in a queue at ")
    assert world.blocked()[0].endswith(f"{HERE}:{lines[0]}")


def test_every_task_of_every_process_is_listed(world: World) -> None:
    lock = Lock()
    lock.acquire()

    def main() -> None:
        for name in ("left", "right"):
            world.spawn(process, name, lock.acquire)
        lock.acquire()

    process = start(world, main, "one")
    start(world, lock.acquire, "two")
    settle(world)
    assert [line.split()[0] for line in world.blocked()] == [
        "one/main",
        "one/left",
        "one/right",
        "two/main",
    ]


def test_a_task_that_has_not_run_waits_for_its_turn(world: World) -> None:
    start(world, lambda: None)
    assert world.blocked() == ["p/main waits for its turn at not started"]


def test_a_sleeper_is_listed_as_asleep(world: World) -> None:
    start(world, lambda: world.sleep(60))
    world.run(lambda: False, micros_of(START))
    assert world.blocked()[0].startswith("p/main waits for sleep at ")


def test_a_task_that_ended_is_not_listed(world: World) -> None:
    waiters: deque[Task] = deque()

    def main() -> None:
        world.spawn(process, "short", lambda: None)
        block(world, waiters)

    process = start(world, main)
    settle(world)
    assert [line.split()[0] for line in world.blocked()] == ["p/main"]


def test_the_user_frame_is_the_innermost_that_is_neither_ours_nor_the_sdks() -> None:
    frame = inspect.currentframe()
    assert user_frame(frame) is frame


def test_there_is_no_user_frame_without_a_frame() -> None:
    assert user_frame(None) is None


@pytest.mark.parametrize(
    "module",
    ["pytest_durable.engine.world", "aws_durable_execution_sdk_python.state", "concurrent.futures.thread", "threading"],
)
def test_machinery_is_not_the_users_code_and_whoever_called_it_is(module: str) -> None:
    frame = user_frame(frame_in(module))
    assert frame is not None
    assert frame.f_code is frame_in.__code__


@pytest.mark.parametrize("module", ["orders", "threading_helpers", "contextlib2", "pytest_durable_orders"])
def test_a_module_whose_name_only_begins_like_machinery_is_the_users(module: str) -> None:
    frame = frame_in(module)
    assert user_frame(frame) is frame


def test_the_place_of_machinery_is_the_users_line_that_called_it() -> None:
    assert place_of(frame_in("threading")).rpartition(":")[0] == __file__


def test_the_origin_of_an_error_is_the_innermost_line_of_the_user() -> None:
    def failing() -> None:
        raise LookupError("lost")

    with pytest.raises(LookupError) as caught:
        failing()
    assert origin_of(caught.tb) == f"{__file__}:{failing.__code__.co_firstlineno + 1}"


def test_an_error_without_a_traceback_has_no_origin() -> None:
    assert origin_of(None) is None
