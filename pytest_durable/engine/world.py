"""The world: one OS thread, many simulated ones, and a clock that moves only when nothing can run.

The rules:

* Only `World.run` switches to a task; a task switches back where it blocks. So there is no preemption.
* Time moves only when no task can run, and then exactly to the earliest deadline. Deadlines that are equal fire in the
  order in which they were made.
* A process that dies is unwound before anything else runs, newest task first.
* Without a task that can run and without a deadline nothing will ever happen again: `run` returns ``IDLE``.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from enum import Enum
from heapq import heappop, heappush
from typing import Any

import greenlet

from pytest_durable.engine.blocking import block
from pytest_durable.engine.clock import VirtualClock, micros_in
from pytest_durable.engine.scheduler import FirstInFirstOut, Scheduler
from pytest_durable.engine.task import Killed, Process, Task, current_task
from pytest_durable.engine.trace import Trace


class Stop(Enum):
    """Why `World.run` returned."""

    DONE = "what was waited for has happened"
    LIMIT = "the time limit was reached"
    IDLE = "nothing can run and no deadline is set"


LONGEST_CHAIN = 2
"""How many tasks may start one another directly."""


class World:
    """A simulated machine room.

    Args:
        clock: the virtual clock, moved by this world from now on.
        scheduler: who decides between tasks that can run; first in, first out by default.
        seed: of the randomness that its processes get.
        chance: with another number, the code in its processes draws otherwise, and nothing else is different.

    Attributes:
        tasks: how many there have been.
    """

    is_real = False
    """Whether what runs in it has an operating system's process to itself, which it may end."""

    def __init__(self, clock: VirtualClock, scheduler: Scheduler | None = None, seed: int = 0, chance: int = 0) -> None:
        self.clock = clock
        clock.world = self
        self.scheduler: Scheduler = FirstInFirstOut() if scheduler is None else scheduler
        self.scheduler.begin()
        self.seed = seed
        self.chance = chance
        self.begun = clock.micros
        self.has_drawn = False
        self.trace = Trace()
        self.fatal: tuple[type[BaseException], ...] = (KeyboardInterrupt,)
        self.dying: list[Process] = []
        self._plain = type(self.scheduler) is FirstInFirstOut
        self.ready: deque[Task] = deque()
        self._chosen: Task | None = None
        self.timers: list[tuple[int, int, Task | Callable[[], None]]] = []
        self.sequence = 0
        self.tasks = 0
        self._ended: list[Task] = []
        self._processes: dict[Process, None] = {}
        self.hub: greenlet.greenlet | None = None
        self.tracer: Any = None
        self._done: Callable[[], bool] = bool
        self._limit: int | None = None
        self.guard: Callable[[], AbstractContextManager[Any]] = nullcontext

    # --- processes and tasks ------------------------------------------------------------------------------------

    def process(
        self, name: str, target: Callable[[], Any], owner: Any, on_exit: Callable[[Process], None], luck: str = ""
    ) -> Process:
        """Start a process whose main task runs ``target``; it ends with its main task.

        ``on_exit`` is called from the world, between tasks, when all of the process is gone; ``process.main`` then
        holds the result or the error, ``process.cause`` the cause if it was killed. Of what it draws, see
        `Process.random`.
        """
        process = Process(self, name, owner, on_exit, luck)
        self._processes[process] = None
        process.main = self.spawn(process, "main", target)
        return process

    def spawn(self, process: Process, name: str, target: Callable[[], Any]) -> Task:
        """Start a task in ``process``; it runs once the scheduler picks it.

        Raises:
            Killed: if the process is dead.
        """
        if process.cause is not None:
            raise Killed(process.cause)
        self.tasks += 1
        task = Task(self, process, self.tasks, name, target)
        process.tasks[task] = None
        self.ready.append(task)
        self.note("spawn", task.number, process.name, name)
        return task

    def task_ended(self, task: Task) -> None:
        """A task ran to its end; told by the task itself."""
        self._ended.append(task)

    def abandon(self, task: Task) -> None:
        """Cut off a task that goes on although its process is dead: it is never switched to again."""
        task.finished = True
        self._ended.append(task)
        self._switch_to(self.hub)

    # --- blocking, called from tasks ----------------------------------------------------------------------------

    def skip_to(self, until: int, task: Task) -> bool:
        """Let ``task``, the current one, go on at ``until`` without leaving it, if nothing else happens before."""
        if self.ready or self._ended or self.dying:
            return False
        if self.timers and self.timers[0][0] <= until:
            earliest = self._next_deadline()
            if earliest is not None and earliest <= until:  # equal ones fire in the order in which they were made
                return False
        if (self._limit is not None and until > self._limit) or self._done():
            return False
        if until > self.clock.micros:
            self.clock.micros = until
        self.trace.entries.append((self.clock.micros, task.number))
        return True

    def leave(self) -> None:
        """Run whatever comes next, until the current task is switched to again; its tracer stays with it.

        The next task is switched to directly: the same order as by way of the world, for half of the switches.
        """
        target = self.hub
        if self.ready and not self._ended and not self.dying:
            task = self.ready.popleft() if self._plain else self._next_ready()
            if task or self._starts_directly(task):
                target = task
                self.trace.entries.append((self.clock.micros, task.number))
            else:
                self._chosen = task
        self._switch_to(target)

    @staticmethod
    def _switch_to(target: greenlet.greenlet | None) -> None:
        """Switch away from the current task, whose tracer stays with it."""
        assert target is not None
        tracer = sys.gettrace()
        if tracer is None:
            target.switch()
            return
        sys.settrace(None)
        try:
            target.switch()
        finally:
            sys.settrace(tracer)

    def leave_by(self, around: Callable[[], AbstractContextManager[None]]) -> None:
        """Have every task left within ``around()`` from now on: what it sets aside belongs to the one OS thread."""

        def switch(target: greenlet.greenlet | None) -> None:
            with around():
                World._switch_to(target)

        self._switch_to = switch  # type: ignore[method-assign]  # whoever does not need it pays nothing for it

    def offer(self, task: Task) -> None:
        """A place where ``task``, the current one, may be passed over, as a thread is by preemption.

        The plain order passes over nobody.

        Raises:
            Killed: if the task's process died in the meantime.
        """
        if self._plain or not self.ready:
            return
        index = self.scheduler.pick((task, *self.ready))
        if index == 0:
            return
        self._chosen = self.ready[index - 1]
        del self.ready[index - 1]
        self.ready.appendleft(task)
        self._switch_to(self.hub)
        if task.process.cause is not None:
            task.process.refuse(task)

    @staticmethod
    def _starts_directly(task: Task) -> bool:
        """Whether the first switch to ``task`` may come from the current one, not from the world.

        That saves a switch. But a greenlet inherits its starter's depth of recursion: only so many may follow.
        """
        starter = current_task()
        task.depth = 0 if starter is None else starter.depth + 1
        if task.depth > LONGEST_CHAIN:
            task.depth = 0
            return False
        return True

    def sleep(self, seconds: float, quietly: bool = False) -> None:
        """Block the current task for ``seconds`` of virtual time; at least, everything else that is ready runs.

        If that is ``quietly``, whoever of its process looks into an empty queue again and again waits at it until then.

        Raises:
            Killed: if the task's process is dead, now or when it would go on.
            RuntimeError: outside of a task of this world.
        """
        task = current_task()
        if task is None or task.world is not self:
            raise RuntimeError("a virtual sleep outside of the simulation")
        until = self.clock.micros + micros_in(seconds)
        naps = task.process.naps if quietly else []
        naps.append(until)
        block("sleep", None, until)  # who is killed in it leaves a process behind that does nothing any more
        naps.remove(until)

    # --- time -----------------------------------------------------------------------------------------------------

    def call_at(self, micros: int, action: Callable[[], None]) -> None:
        """Call ``action`` from the world when the clock shows ``micros``, or as soon as it can if that is past."""
        self.sequence += 1
        heappush(self.timers, (micros, self.sequence, action))

    def let_pass(self, until: int) -> None:
        """Let virtual time pass up to ``until`` microseconds: from a task by sleeping, from a test by running."""
        task = current_task()
        if task is not None and task.world is self:
            block("sleep", None, until)
        else:
            with self.guard():
                self.run(bool, until)

    def _next_deadline(self) -> int | None:
        """The earliest deadline that somebody still waits for, or None."""
        timers = self.timers
        while timers:
            micros, number, what = timers[0]
            if not isinstance(what, Task) or what.stay == number:
                return micros
            heappop(timers)  # the task was woken before
        return None

    def _fire_next(self, limit: int | None) -> Stop | None:
        """Move the clock to the earliest deadline and fire it; say why not, if not."""
        earliest = self._next_deadline()
        if earliest is not None and (limit is None or earliest <= limit):
            what = heappop(self.timers)[2]
            self.clock.micros = max(self.clock.micros, earliest)
            if isinstance(what, Task):
                what.stay = 0
                self.ready.append(what)
            else:
                what()
            return None
        if limit is None:
            return Stop.IDLE
        self.clock.micros = max(self.clock.micros, limit)
        return Stop.LIMIT

    # --- running --------------------------------------------------------------------------------------------------

    def run(self, done: Callable[[], bool], limit: int | None = None) -> Stop:
        """Run tasks and timers until ``done()``, or the clock would pass ``limit``, or nothing is left to happen.

        Raises:
            RuntimeError: from within a task; the world is already running.
            BaseException: one of `fatal` that ended a task: the user's interrupt, wherever it struck, or a verdict of
                the test's own.
        """
        __tracebackhide__ = True
        if self.hub is not None:
            raise RuntimeError("the world is already running")
        self._take_charge()
        self._done, self._limit, self.tracer = done, limit, sys.gettrace()
        try:
            self._settle()  # what was killed since the last run
            while not done():
                if self.ready or self._chosen is not None:
                    self._resume(self._next_ready())
                    if self._ended or self.dying:
                        self._settle()
                else:
                    stop = self._fire_next(limit)
                    if stop is not None:
                        return stop
                    if self.dying:
                        self._settle()
            return Stop.DONE
        finally:
            self.hub = None
            self._done = bool

    def _take_charge(self) -> None:
        """Have every task come back here when it ends."""
        self.hub = greenlet.getcurrent()
        for process in self._processes:
            for task in process.tasks:
                task.parent = self.hub

    def _next_ready(self) -> Task:
        ready, chosen = self.ready, self._chosen
        if chosen is not None:
            self._chosen = None
            return chosen
        if self._plain or len(ready) == 1:
            return ready.popleft()
        index = self.scheduler.pick(tuple(ready))
        task = ready[index]
        del ready[index]
        return task

    def _resume(self, task: Task, kill: Killed | None = None) -> None:
        """Switch to ``task``, throwing ``kill`` into it if given, until somebody switches back."""
        if task.finished:
            return
        self.trace.entries.append((self.clock.micros, task.number))
        tracer = sys.gettrace()
        if tracer is not None:
            sys.settrace(None)
        try:
            if kill is None:
                task.switch()
            else:
                task.throw(kill)
        finally:
            if tracer is not None:
                sys.settrace(tracer)

    def _settle(self) -> None:
        """Deal with tasks that ended and processes that died, until there are none."""
        __tracebackhide__ = True
        while self._ended or self.dying:
            while self.dying:
                self._unwind(self.dying.pop(0))
            ended, self._ended = self._ended, []
            for task in ended:
                process = task.process
                process.tasks.pop(task, None)
                if isinstance(task.raised, self.fatal):
                    raise task.raised
                if task is process.main and process.cause is None:
                    process.completed = True
                    self._exit(process)

    def _unwind(self, process: Process) -> None:
        """End every task of a dead process, newest first, then report the death."""
        assert process.cause is not None
        for task in reversed(list(process.tasks)):
            if task.finished:
                continue
            if not task:  # never ran: there is nothing to unwind
                task.finished = True
                continue
            self._resume(task, Killed(process.cause))
        process.tasks.clear()
        self.ready = deque(task for task in self.ready if task.process is not process)
        self._exit(process)

    def _exit(self, process: Process) -> None:
        """The main task is gone: end what is left of the process and tell its owner."""
        if process.ended:
            return
        if process.tasks and process.cause is None:
            # A Lambda is frozen when its handler has answered; a thread it left behind runs no further here.
            process.kill("the process ended")
            return
        process.ended = True
        self._processes.pop(process, None)
        self.note("exit", process.name)
        if process.on_exit is not None:
            process.on_exit(process)
        process.owner = process.on_exit = None  # what is over shall not wait for the garbage collector

    def close(self) -> None:
        """Kill everything that is left and unwind it; nothing of this world runs afterwards."""
        self.timers.clear()
        for process in list(self._processes):
            process.on_exit = None
            process.kill("the world was closed")
        self._take_charge()
        try:
            self._settle()
        finally:
            self.hub = None
        self.ready.clear()

    @property
    def is_empty(self) -> bool:
        """Whether no process is alive in it."""
        return not self._processes

    # --- reports --------------------------------------------------------------------------------------------------

    def note(self, *fields: int | str) -> None:
        """Write an entry into the trace, stamped with the virtual time."""
        self.trace.entries.append((self.clock.micros, *fields))

    def blocked(self) -> list[str]:
        """One line for each task that is alive: its name, what it waits for and where in the user's code."""
        return [
            f"{process.name}/{task.name} waits for {task.waiting_for or 'its turn'} at {task.where()}"
            for process in self._processes
            for task in process.tasks
            if not task.finished
        ]
