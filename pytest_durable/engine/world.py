"""The world: one OS thread, many simulated ones, and a clock that moves only when nothing can run.

The rules:

* Only `World.run` switches to a task; a task switches back where it blocks. So there is no preemption.
* Time moves only when no task can run, and then exactly to the earliest deadline. Deadlines that are equal fire in the
  order in which they were made.
* A process that dies is unwound before anything else runs, newest task first.
* Without a task that can run and without a deadline nothing will ever happen again: `run` returns ``IDLE``.
"""

from __future__ import annotations

import heapq
import sys
from collections import deque
from collections.abc import Callable
from enum import Enum
from functools import cached_property
from random import Random
from typing import Any

import greenlet

from pytest_durable.engine.clock import MICROS, VirtualClock, micros_in
from pytest_durable.engine.scheduler import FirstInFirstOut, Scheduler
from pytest_durable.engine.task import Killed, Process, Task, Waiter, current_task
from pytest_durable.engine.trace import Trace


class Stop(Enum):
    """Why `World.run` returned."""

    DONE = "what was waited for has happened"
    LIMIT = "the time limit was reached"
    IDLE = "nothing can run and no deadline is set"


class World:
    """A simulated machine room.

    Args:
        clock: the virtual clock, moved by this world from now on.
        scheduler: who decides between tasks that can run; first in, first out by default.
        seed: of the world's own randomness (`random`), which is all the randomness the SDK gets.
    """

    def __init__(self, clock: VirtualClock, scheduler: Scheduler | None = None, seed: int = 0) -> None:
        self.clock = clock
        clock.world = self
        self.scheduler: Scheduler = FirstInFirstOut() if scheduler is None else scheduler
        self.scheduler.begin()
        self._seed = seed
        self.trace = Trace()
        self.fatal: tuple[type[BaseException], ...] = (KeyboardInterrupt,)
        self.dying: list[Process] = []
        self._plain = type(self.scheduler) is FirstInFirstOut
        self._ready: deque[Task] = deque()
        self._chosen: Task | None = None
        self._timers: list[tuple[int, int, Waiter | Callable[[], None]]] = []
        self._sequence = 0
        self._tasks = 0
        self._ended: list[Task] = []
        self._processes: dict[Process, None] = {}
        self._hub: greenlet.greenlet | None = None
        self.tracer: Any = None
        self._done: Callable[[], bool] = bool
        self._limit: int | None = None
        self.guard: Callable[[], Any] | None = None

    @cached_property
    def random(self) -> Random:
        """The world's own randomness, which is all the randomness the SDK gets."""
        return Random(self._seed)

    # --- processes and tasks ------------------------------------------------------------------------------------

    def process(self, name: str, target: Callable[[], Any], owner: Any, on_exit: Callable[[Process], None]) -> Process:
        """Start a process whose main task runs ``target``; it ends with its main task.

        ``on_exit`` is called from the world, between tasks, when all of the process is gone; ``process.main`` then
        holds the result or the error, ``process.cause`` the cause if it was killed.
        """
        process = Process(self, name, owner, on_exit)
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
        self._tasks += 1
        task = Task(self, process, self._tasks, name, target)
        process.tasks[task] = None
        self._ready.append(task)
        self.note("spawn", task.number, process.name, name)
        return task

    def task_ended(self, task: Task) -> None:
        """A task ran to its end; told by the task itself."""
        self._ended.append(task)

    def abandon(self, task: Task) -> None:
        """Cut off a task that goes on although its process is dead: it is never switched to again."""
        task.finished = True
        self._ended.append(task)
        assert self._hub is not None
        self._hub.switch()

    # --- blocking, called from tasks ----------------------------------------------------------------------------

    def block(self, task: Task, why: str, waiters: deque[Waiter] | None, timeout: float | None) -> bool:
        """Block ``task``, the current one, until somebody wakes its waiter, or ``timeout`` seconds have passed.

        Args:
            task: the current task.
            why: what it waits for, for the deadlock report.
            waiters: where the waiter is put, for `wake_one`; None to sleep for ``timeout``.
            timeout: seconds of virtual time; None for ever.

        Returns:
            Whether it was woken; False after a timeout.

        Raises:
            Killed: if the task's process is dead, now or when it would go on.
        """
        process = task.process
        if process.cause is not None:
            process.refuse(task)
        waiter = Waiter(task)
        if waiters is not None:
            waiters.append(waiter)
        if timeout is not None:
            self._sequence += 1
            due = self.clock.micros + micros_in(timeout) if timeout > 0 else self.clock.micros
            heapq.heappush(self._timers, (due, self._sequence, waiter))
        task.waiting_for = why
        try:
            self._leave(waiter)
        finally:  # a kill may have been thrown in: nobody must wake, or wait for, a task that is gone
            task.waiting_for = None
            if not waiter.woken:
                waiter.done = True
                if waiters is not None:
                    waiters.remove(waiter)
        if process.cause is not None:
            process.refuse(task)
        return waiter.woken

    def _leave(self, waiter: Waiter) -> None:
        """Run whatever comes next, until ``waiter`` is done.

        The next task is switched to directly, and a task that only waits for the next deadline goes on at once: the
        same order as by way of the world, for half of the switches.
        """
        if self._ended or self.dying:
            self._switch_to(self._hub)
        elif self._ready:
            task = self._ready.popleft() if self._plain else self._next_ready()
            if not task:
                # Its first switch comes from the world: a greenlet inherits the depth of recursion of its starter.
                self._chosen = task
                self._switch_to(self._hub)
                return
            self.trace.entries.append((self.clock.micros, task.number))
            if task.parent is not self._hub:
                self._adopt(task)
            self._switch_to(task)
        elif self._done() or not self._is_next(waiter):
            self._switch_to(self._hub)
        else:
            heapq.heappop(self._timers)
            waiter.done = True
            self.trace.entries.append((self.clock.micros, waiter.task.number))

    def _adopt(self, task: Task) -> None:
        """Have ``task`` come back here when it ends."""
        assert self._hub is not None
        task.parent = self._hub

    def _is_next(self, waiter: Waiter) -> bool:
        """Whether ``waiter``'s is the next deadline of all, within the limit; the clock is moved to it then."""
        timers = self._timers
        while timers:
            micros, _, what = timers[0]
            if what is waiter:
                if self._limit is not None and micros > self._limit:
                    return False
                if micros > self.clock.micros:
                    self.clock.micros = micros
                return True
            if type(what) is not Waiter or not what.done:
                return False
            heapq.heappop(timers)
        return False

    @staticmethod
    def _switch_to(target: greenlet.greenlet | None) -> None:
        """Switch away from the current task; a tracer of the task stays with the task."""
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

    def sleep(self, seconds: float) -> None:
        """Block the current task for ``seconds`` of virtual time; at least, everything else that is ready runs.

        Raises:
            Killed: if the task's process is dead, now or when it would go on.
            RuntimeError: outside of a task of this world.
        """
        task = current_task()
        if task is None or task.world is not self:
            raise RuntimeError("a virtual sleep outside of the simulation")
        self.block(task, "sleep", None, seconds)

    def wake_one(self, waiters: deque[Waiter]) -> bool:
        """Wake the task that waits longest in ``waiters``; False if none does."""
        while waiters:
            waiter = waiters.popleft()
            if not waiter.done:
                waiter.done = waiter.woken = True
                self._ready.append(waiter.task)
                return True
        return False

    # --- time -----------------------------------------------------------------------------------------------------

    def call_at(self, micros: int, action: Callable[[], None]) -> None:
        """Call ``action`` from the world when the clock shows ``micros``, or as soon as it can if that is past."""
        self._sequence += 1
        heapq.heappush(self._timers, (micros, self._sequence, action))

    def let_pass(self, until: int) -> None:
        """Let virtual time pass up to ``until`` microseconds: from a task by sleeping, from a test by running."""
        task = current_task()
        if task is not None and task.world is self:
            self.sleep((until - self.clock.micros) / MICROS)
        elif self.guard is not None:
            with self.guard():
                self.run(lambda: False, until)
        else:
            self.run(lambda: False, until)

    def _fire_next(self, limit: int | None) -> Stop | None:
        """Move the clock to the earliest live deadline and fire it; say why not, if not."""
        timers = self._timers
        while timers:
            micros, _, what = timers[0]
            if type(what) is Waiter and what.done:
                heapq.heappop(timers)
                continue
            if limit is not None and micros > limit:
                break
            heapq.heappop(timers)
            if micros > self.clock.micros:
                self.clock.micros = micros
            if type(what) is Waiter:
                what.done = True
                self._ready.append(what.task)
            else:
                what()  # type: ignore[operator]  # `type(x) is Waiter` does not narrow a union for mypy
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
        if self._hub is not None:
            raise RuntimeError("the world is already running")
        self._hub = greenlet.getcurrent()
        self._done, self._limit = done, limit
        self.tracer = sys.gettrace()
        try:
            self._settle()  # what was killed since the last run
            while not done():
                if self._ready or self._chosen is not None:
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
            self._hub = None
            self._done = bool

    def _next_ready(self) -> Task:
        ready, chosen = self._ready, self._chosen
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
        self._adopt(task)
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
        self._ready = deque(task for task in self._ready if task.process is not process)
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
        process.on_exit(process)

    def close(self) -> None:
        """Kill everything that is left and unwind it; nothing of this world runs afterwards."""
        self._timers.clear()
        for process in list(self._processes):
            process.on_exit = _ignore
            process.kill("the world was closed")
        self._hub = greenlet.getcurrent()
        try:
            self._settle()
        finally:
            self._hub = None
        self._ready.clear()

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


def _ignore(process: Process) -> None:
    """Nobody is interested in how a process of a closed world ended."""
