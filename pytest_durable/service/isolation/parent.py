"""The parent's side: fork a child for one invocation, answer what it asks, and end it.

A simulated thread of the parent stands for the child. While the child runs, nothing else does, and virtual time stands
still; while the child waits for its time, the thread does in its place. It dies as every simulated thread does, and
takes the child with it, by ``SIGKILL``.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import warnings
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NoReturn, Protocol

from pytest_durable.engine import Killed, Process, Task, block, current_task, undisturbed
from pytest_durable.errors import NotSimulated, UsageError
from pytest_durable.service.errors import InvalidParameterValue, ServiceError
from pytest_durable.service.isolation import child, covered, output
from pytest_durable.service.isolation.pipe import Pipe

if TYPE_CHECKING:
    from pytest_durable.service.lifecycle import DurableExecution

PATIENCE = 60.0
"""Seconds of real time that a child may be silent before it is taken to hang."""

_TICK = 1.0
"""Seconds of real time between two looks at whether a silent child is still alive."""

_ANSWERS = (InvalidParameterValue, ServiceError, UsageError)
"""Errors that are the child's: they are raised there, not here."""


class Host(Protocol):
    """Whose child it is: an invocation.

    Attributes:
        execution: that it is part of.
        process: that stands for the child.
        answers: what the child may ask for, by name.
    """

    execution: DurableExecution
    process: Process
    answers: dict[str, Callable[..., Any]]

    def move_out(self, line: child.Line) -> None:
        """In the child: what was this invocation is on the other end of ``line`` from now on."""


class Fork:
    """The child of one invocation.

    Args:
        host: whose it is.

    Attributes:
        asleep_until: the latest instant, in microseconds, at which a thread of it wakes by itself, while all wait.
    """

    def __init__(self, host: Host) -> None:
        self._host = host
        self._world = host.process.world
        self._parent = os.getpid()
        self._pid = 0
        self._has_answered = False
        self._waits_for_us = False
        self._threads: list[str] = []
        self.asleep_until: int | None = None
        self._pause = 0.0, False
        self._paused: dict[int, tuple[Task, list[Any]]] = {}
        self._tickets = 0

    def run(self, target: Callable[[], Any]) -> Any:
        """Run ``target`` in the child; what it returns, or raises, there.

        Raises:
            Killed: if the child died, by itself or not.
            NotSimulated: if it cannot be forked, or hangs.
        """
        try:
            self._pipe, theirs = Pipe.pair()
            try:
                self._fork(theirs, target)
            except OSError:
                self._pipe.close()
                raise
            finally:
                theirs.close()
        except OSError as error:
            raise NotSimulated(f"isolation='process': the system can start no process: {error}") from None
        self._tick = min(_TICK, PATIENCE)
        self._pipe.be_patient(self._tick)
        try:
            return self._serve()
        finally:
            self._end()

    def _fork(self, theirs: Pipe, target: Callable[[], Any]) -> None:
        output.flush()
        here = threading.current_thread()
        self._threads = sorted(thread.name for thread in threading.enumerate() if thread is not here)
        with warnings.catch_warnings():  # Python's own, of threads: it is ours to say, if the child hangs
            warnings.simplefilter("ignore", DeprecationWarning)
            self._pid = os.fork()
        if not self._pid:
            self._pipe.close()
            child.live(theirs, self._host, target)

    # --- what the child says --------------------------------------------------------------------------------------

    def _serve(self) -> Any:
        while True:
            news, what, *rest = self._hear()
            self._take(news)
            self._waits_for_us = what != "tell"
            if what == "tell":
                self._host.answers[rest[0]](*rest[1])
            elif what == "ask":
                self._ask(*rest)
            elif what == "go on":
                self._go_on(*self._paused.pop(rest[0]))
            elif what == "idle":
                self._idle(*rest)
            elif what == "returned":
                self._has_answered = True
                return rest[0]
            else:
                self._has_answered = True
                raise rest[0]

    def _hear(self) -> Any:
        """The next thing that the child says; nothing else happens until it does."""
        silent = 0.0
        while True:
            try:
                return self._pipe.receive()
            except EOFError:
                self._died()
            except BlockingIOError:
                silent += self._tick
            except Exception as error:
                raise NotSimulated(f"isolation='process': what the child has sent cannot be read: {error!r}") from error
            if os.waitid(os.P_PID, self._pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None:
                self._died()  # and one that it has started itself keeps the pipe open
            if silent >= PATIENCE:
                self._hangs()

    def _take(self, news: child.News) -> None:
        """What the child tells beside what it asks: all that would be lost with it."""
        world = self._world
        world.trace.entries.extend(news.trace)
        world.tasks = max(world.tasks, news.tasks)
        world.has_drawn = world.has_drawn or news.has_drawn
        world.clock.micros = max(world.clock.micros, news.micros)
        if news.refused is not None:
            self._host.execution.refused = news.refused
        output.show(news.written, news.logged)

    def _ask(self, name: str, arguments: tuple[Any, ...]) -> None:
        """Answer a question, in a simulated thread of its own: it may have to wait, while the child goes on."""
        outcome: list[Any] = []

        def answer() -> None:
            try:
                outcome[:] = ["value", self._host.answers[name](*arguments)]
            except _ANSWERS as error:
                outcome[:] = ["error", error]
            except BaseException as error:
                outcome[:] = ["broken", error]

        proxy = current_task()
        assert proxy is not None
        task = Task(self._world, self._host.process, proxy.number, name, answer)
        task.parent = proxy
        self._go_on(task, outcome)

    def _go_on(self, task: Task, outcome: list[Any]) -> None:
        _switch(task)
        if not outcome:
            self._tickets += 1
            self._paused[self._tickets] = task, outcome
            self._reply("pause", self._tickets, self._pause)
        elif outcome[0] == "broken":
            raise outcome[1]
        else:
            self._reply(*outcome)

    def pause(self, seconds: float, quietly: bool = False) -> None:
        """Within an answer: have the thread of the child that asked sleep first; see `World.sleep`."""
        task = current_task()
        assert task is not None
        if task is self._host.process.main:
            self._world.sleep(seconds, quietly)
        else:
            self._pause = seconds, quietly
            _switch(task.parent)

    def _idle(self, until: int | None, waiting: str, asleep_until: int | None) -> None:
        """All threads of the child wait: so does the one that stands for them."""
        self.asleep_until = asleep_until
        block(waiting, None, until)
        self.asleep_until = None
        self._reply("time", self._world.clock.micros, undisturbed(self._world))

    def _reply(self, *message: Any) -> None:
        self._waits_for_us = False
        self._pipe.send(message)

    # --- its end ----------------------------------------------------------------------------------------------------

    def _died(self) -> NoReturn:
        """The child died by itself, which Lambda reports in these words."""
        self._pipe.close()
        cause = _cause_of(self._reap())
        self._host.process.kill(cause)
        raise Killed(cause)

    def _hangs(self) -> NoReturn:
        """A child that is silent for too long, for real: ask it where it stands, and give up."""
        os.kill(self._pid, signal.SIGUSR1)
        place = child.innermost(self._pipe.rest())
        beside = (
            f" When it was forked, other threads ran: {', '.join(self._threads)}. A lock that one of them held stays "
            "locked in the child for ever."
        )
        raise NotSimulated(
            f"isolation='process': the child has said nothing for {PATIENCE:g} s of real time{place}. It blocks on "
            f"something real there, or loops.{beside if self._threads else ''}"
        )

    def _end(self) -> None:
        """End the child if it lives, and leave nothing of it behind; one that has answered goes by itself."""
        if os.getpid() != self._parent:  # a child that lets go of what was its parent's
            return
        if self._waits_for_us and covered.measuring() is not None:
            self._add_what_it_covered()
        if self._pid and not self._has_answered:  # before it can see that nobody is there any more, and leave in peace
            with suppress(ProcessLookupError):
                os.kill(self._pid, signal.SIGKILL)
        self._pipe.hang_up()
        if self._pid:
            self._reap()
        paused, self._paused = self._paused, {}
        for task, _ in paused.values():
            task.throw(Killed("its process is gone"))

    def _add_what_it_covered(self) -> None:
        """Ask the child which lines it has run; it runs no code of the user's for that."""
        self._pipe.be_patient(PATIENCE)
        with suppress(EOFError, OSError):  # somebody else has killed it meanwhile
            self._pipe.send((child.COVERED,))
            covered.add(self._pipe.receive())

    def _reap(self) -> int:
        """Wait for the end of the child; its exit status, negative for a signal."""
        pid, self._pid = self._pid, 0
        try:
            return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        except ChildProcessError:  # somebody has waited for it already, or has all children ignored
            return 1


def _switch(target: Any) -> None:
    """Switch to another simulated thread; the tracer of this one stays with it."""
    tracer = sys.gettrace()
    if tracer is not None:
        sys.settrace(None)
    try:
        target.switch()
    finally:
        if tracer is not None:
            sys.settrace(tracer)


def _cause_of(status: int) -> str:
    """How Lambda words the end of a process."""
    if status < 0:
        return f"Runtime exited with error: signal: {(signal.strsignal(-status) or str(-status)).lower()}"
    return f"Runtime exited with error: exit status {status}" if status else "Runtime exited without providing a reason"
