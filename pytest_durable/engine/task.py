"""A simulated thread and the simulated process it lives in.

A `Task` is a greenlet. Only the world switches to it, and it switches back only where it blocks: so between two
blocking points nothing else runs, and a run is decided by the scheduler alone.

A `Process` is what dies as one: all tasks of one Lambda invocation. From the moment of its death every blocking call of
its tasks raises `Killed`, in whatever ``finally:`` or ``except:`` it is made.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from functools import cache
from random import Random
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Any, NoReturn

import greenlet
from greenlet import getcurrent

from pytest_durable.engine.chance import Chance

if TYPE_CHECKING:
    from pytest_durable.engine.world import World

MAX_REFUSALS = 1_000
"""How often a dead process is told so before its task is abandoned: it swallows the kill in a loop."""


class Killed(BaseException):
    """Raised in every task of a process that died. A ``BaseException``, as is every way a real process dies."""


class Process:
    """The tasks that die together.

    Attributes:
        owner: whatever the code above the engine wants to find from within a task (here: the invocation).
        completed: whether its main task ran to its end, by itself.
        cause: why it was killed, or None while it lives.
        abandoned: tasks that went on after being killed and were cut off.
        luck: what its randomness depends on, beside the seed of the world.
        naps: until when the tasks of it sleep that want nobody to look for something meanwhile.
    """

    __slots__ = (
        "_chance",
        "_random",
        "abandoned",
        "cause",
        "completed",
        "ended",
        "luck",
        "main",
        "name",
        "naps",
        "on_exit",
        "owner",
        "tasks",
        "world",
    )

    def __init__(self, world: World, name: str, owner: Any, on_exit: Callable[[Process], None], luck: str) -> None:
        self.world = world
        self.name = name
        self.luck = luck
        self.owner = owner
        self.on_exit: Callable[[Process], None] | None = on_exit
        self.cause: str | None = None
        self.completed = False
        self.ended = False
        self.tasks: dict[Task, None] = {}
        self.main: Task | None = None
        self.abandoned: list[Task] = []
        self.naps: list[int] = []
        self._random: Random | None = None
        self._chance: Chance | None = None

    @property
    def random(self) -> Random:
        """The randomness of the machinery in it, of the world's seed and ``luck``: the same whatever runs beside it."""
        if self._random is None:
            self._random = Random(f"{self.world.seed}/{self.luck}")
        return self._random

    @property
    def chance(self) -> Chance:
        """The randomness of the user's code in it, of the same and of the world's chance."""
        if self._chance is None:
            self.world.has_drawn = True
            self._chance = Chance(f"chance/{self.world.seed}/{self.luck}/{self.world.chance}")
        return self._chance

    @property
    def asleep_until(self) -> int | None:
        """The latest instant, in microseconds, at which a task of it will wake by itself; None if none does."""
        timers = self.world.timers
        return max((micros for micros, stay, what in timers if what in self.tasks and what.stay == stay), default=None)

    def kill(self, cause: str) -> None:
        """Kill the process: the world unwinds its tasks before anything else runs. The first cause stays."""
        if self.cause is None and not self.ended:
            self.cause = cause
            self.world.note("kill", self.name, cause)
            self.world.dying.append(self)

    def refuse(self, task: Task) -> NoReturn:
        """Refuse to block or to act for a task of this process, which is dead.

        Raises:
            Killed: always.
        """
        assert self.cause is not None
        task.refusals += 1
        if task.refusals > MAX_REFUSALS:
            self.abandoned.append(task)
            self.world.abandon(task)
        raise Killed(self.cause)


class Task(greenlet.greenlet):
    """A simulated thread.

    Attributes:
        number: position in the order of creation, from 1, within its world.
        depth: how many tasks have started one another, directly, to come to this one.
        stay: the number of its stay at a blocking point; 0 while it waits for nothing.
        woken: whether its last stay ended by being woken, not by its deadline or a kill.
        result: what the target returned, once it has.
        raised: what it raised instead.
        data: room for the code above the engine, per task.
    """

    __slots__ = (
        "data",
        "depth",
        "finished",
        "locals",
        "name",
        "number",
        "process",
        "raised",
        "refusals",
        "result",
        "stay",
        "target",
        "waiting_for",
        "woken",
        "world",
    )

    def __init__(self, world: World, process: Process, number: int, name: str, target: Callable[[], Any]) -> None:
        super().__init__(None, world.hub)
        self.world = world
        self.process = process
        self.number = number
        self.name = name
        self.target: Callable[[], Any] | None = target
        self.depth = 0
        self.stay = 0
        self.woken = False
        self.waiting_for: str | None = None
        self.refusals = 0
        self.data: Any = None
        self.result: Any = None
        self.raised: BaseException | None = None
        self.finished = False
        self.locals: dict[Any, dict[str, Any]] | None = None

    def run(self) -> None:
        """The body of the greenlet: run the target and keep how it ended. Nothing escapes into the world."""
        __tracebackhide__ = True
        # A real thread starts with the first, which coverage relies on; pdb sets only the tracer of the main code.
        tracer = threading.gettrace() or self.world.tracer
        if tracer is not None:
            sys.settrace(tracer)
        assert self.target is not None
        try:
            self.result = self.target()
        except BaseException as error:
            self.raised = error
        finally:
            if sys.gettrace() is not None:
                sys.settrace(None)  # whoever set it, it was for this thread
            self.finished = True
            self.target = None  # it holds what holds the task, which would wait for the garbage collector
            self.world.task_ended(self)

    @property
    def started(self) -> bool:
        """Whether it has run."""
        return bool(self) or self.finished

    def where(self) -> str:
        """``file:line`` where the task stands, for reports: the innermost frame that is neither ours nor the SDK's."""
        frame: FrameType | None = self.gr_frame
        if frame is None:
            return "not started" if not self.finished else "ended"
        return place_of(frame)

    def __repr__(self) -> str:
        return f"<Task {self.number} {self.name}>"


_MACHINERY = frozenset(
    {
        "_pytest",
        "aws_durable_execution_sdk_python",
        "concurrent",
        "contextlib",
        "pluggy",
        "pytest_durable",
        "threading",
    }
)
"""Packages whose frames are never the user's code."""


@cache
def _is_machinery(module: str) -> bool:
    """Whether the module of this name belongs to one of these packages."""
    return module.partition(".")[0] in _MACHINERY


def user_frame(frame: FrameType | None) -> FrameType | None:
    """The innermost frame from ``frame`` outwards that belongs to the user's code, or None."""
    while frame is not None and _is_machinery(str(frame.f_globals.get("__name__"))):
        frame = frame.f_back
    return frame


def place_of(frame: FrameType) -> str:
    """``file:line`` of the user's code at ``frame``, or of ``frame`` itself if no user code is there."""
    frame = user_frame(frame) or frame
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"


def current_task() -> Task | None:
    """The task that runs this code, or None outside of a world (and in any other OS thread)."""
    current = getcurrent()
    return current if type(current) is Task else None


def origin_of(traceback: TracebackType | None) -> str | None:
    """``file:line`` of the innermost user frame of a traceback, or None."""
    found = None
    while traceback is not None:
        frame = traceback.tb_frame
        if not _is_machinery(str(frame.f_globals.get("__name__"))):
            found = f"{frame.f_code.co_filename}:{traceback.tb_lineno}"
        traceback = traceback.tb_next
    return found
