"""The child's side: a world of its own for one invocation, whose service, observer and clock are the parent's."""

from __future__ import annotations

import faulthandler
import gc
import os
import pickle
import re
import signal
import sys
import traceback
from collections.abc import Callable, Hashable, Mapping, Sequence
from types import FrameType
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from greenlet import greenlet

from pytest_durable.engine import FirstInFirstOut, Process, Task, World, current_task
from pytest_durable.errors import NotSimulated
from pytest_durable.primitives.queue import FOR_AN_ITEM
from pytest_durable.seams.observe import Call, Identifier
from pytest_durable.seams.reads import Read, told_to
from pytest_durable.seams.userland import real_exit
from pytest_durable.service.investigation import Seen, seen_in, user_frames
from pytest_durable.service.isolation import covered
from pytest_durable.service.isolation.output import Output
from pytest_durable.service.isolation.pipe import Pipe
from pytest_durable.service.isolation.portable import sendable_key
from pytest_durable.service.trial import in_one_piece

if TYPE_CHECKING:
    from pytest_durable.service.client import ServiceClient
    from pytest_durable.service.isolation.parent import Host
    from pytest_durable.service.outside import Answer
    from pytest_durable.service.trial import Trial

COVERED = "covered"
"""The question of the parent which lines the child has run."""


class News(NamedTuple):
    """What is told with every message.

    Attributes:
        trace: entries since the last message.
        tasks: how many tasks there have been, those of the parent included.
        has_drawn: whether the user's code has drawn by chance.
        micros: what the clock shows.
        refused: what the code did that the test is to hear of.
        written: to the standard streams, if they are not files.
        logged: records for the log handlers of the parent.
    """

    trace: list[tuple[int | str, ...]]
    tasks: int
    has_drawn: bool
    micros: int
    refused: BaseException | None
    written: list[tuple[str, str]]
    logged: list[dict[str, Any]]


class ThreadState(NamedTuple):
    """What a scheduler of the parent may look at of a thread of the child."""

    number: int
    waiting_for: str | None
    started: bool


class _World(World):
    """The world of one invocation: its time is the parent's."""

    is_real = True

    def __init__(self, parent: World, line: Line) -> None:
        plain = type(parent.scheduler) is FirstInFirstOut
        super().__init__(parent.clock, None if plain else _Scheduler(line), parent.seed, parent.chance)
        self.fatal = parent.fatal
        self.tasks = parent.tasks
        self._line = line

    def skip_to(self, until: int, task: Task) -> bool:
        """Never: what else happens until then only the parent knows."""
        return False

    def _fire_next(self, limit: int | None) -> Any:
        earliest = self._next_deadline()
        if earliest is None or (earliest > self.clock.micros and not self._only_looks(earliest)):
            waiting = "; ".join(self.blocked()) if earliest is None else "its time"
            self.clock.micros = self._line.idle(earliest, waiting, self._asleep_until())
        return super()._fire_next(None)

    def _only_looks(self, until: int) -> bool:
        """Whether who goes on then only looks into a queue again, which is empty, before anything else can happen.

        The SDK does, ten times a second. To ask the parent each time would take longer than all else that it does.
        Whoever else goes on may die by itself before it says anything, and the parent must know when.
        """
        what = self.timers[0][2]
        return until < self._line.undisturbed and isinstance(what, Task) and what.waiting_for == FOR_AN_ITEM

    def _asleep_until(self) -> int | None:
        return next((process.asleep_until for process in self._processes), None)

    def task_ended(self, task: Task) -> None:
        """A task ran to its end; with the main one the invocation is over, whatever else runs."""
        if task is task.process.main:
            self._line.finish(task.result, task.raised, isinstance(task.raised, self.fatal))
        super().task_ended(task)


class _Scheduler(FirstInFirstOut):
    """The parent's scheduler, asked from here."""

    def __init__(self, line: Line) -> None:
        self._line = line

    def pick(self, ready: Sequence[Task]) -> int:
        """What the parent's picks."""
        states = [ThreadState(task.number, task.waiting_for, task.started) for task in ready]
        picked: int = self._line.ask("pick", states)
        return picked

    def choose(self, options: int) -> int:
        """What the parent's chooses."""
        chosen: int = self._line.ask("choose", options)
        return chosen


class _Callbacks:
    """Where the code under test answers callbacks itself."""

    def __init__(self, line: Line) -> None:
        self._line = line

    def declare(self, answer: Answer) -> None:
        """Have the outside world answer so, in this run."""
        self._line.ask("declare", answer)


class _Execution:
    """The execution, as far as code in the child has to do with it; ``refused`` goes to the parent with the news."""

    def __init__(self, line: Line, prefix: str) -> None:
        self.service = self
        self.callbacks = _Callbacks(line)
        self.prefix = prefix
        self.refused: BaseException | None = None


class _Run(NamedTuple):
    """A body that runs, by its number in the parent."""

    number: int
    operation_id: str | None
    attempt: int | None


class _Trial:
    """What is tried in this run. The child has what the parent knew when it was forked, and tells it what it finds."""

    def __init__(self, line: Line, trial: Trial) -> None:
        self._line = line
        self._trial = trial

    def returned(self, observer: Line, call: Call, value: Any) -> Any:
        """See `Trial.returned`; a value that cannot be sent is none that the parent can give to another run."""
        given = self._trial.returned(observer, call, value)
        try:
            data = pickle.dumps(value)
        except Exception:  # of the user's, which may refuse in any way
            return given
        self._line.tell("gave", call.operation_id, data)
        return given

    def ran(self, observer: Line, run: _Run, outcome: Any, again: Callable[[], Any]) -> None:
        """See `Trial.ran`."""
        self._trial.ran(observer, run, outcome, again)
        if (observer.execution.prefix, run.operation_id) in self._trial.variable:
            self._line.tell("varies", run.operation_id)


class Line:
    """The invocation, seen from the child: it is at the other end.

    Args:
        pipe: to the parent.
        host: that it is a line to.

    Attributes:
        undisturbed: until before which instant, in microseconds, nothing happens on the other end.
        client: of the service, which speaks by this line; None for a function that is not durable.
    """

    def __init__(self, pipe: Pipe, host: Host) -> None:
        self.client: ServiceClient | None = None
        self._pipe = pipe
        self._name = host.process.name
        self._told = 0
        self._covered = covered.start()
        self._output = Output()
        self._output.install()
        service = host.execution.service
        self._investigates = service.investigation is not None
        self._waits = in_one_piece(service.trial)
        self.trial = None if service.trial is None else _Trial(self, service.trial)
        self._frames: dict[str | None, list[FrameType]] = {}
        self.undisturbed = 0
        self.execution = _Execution(self, host.execution.prefix)
        self.world = _World(host.process.world, self)

    # --- talking ------------------------------------------------------------------------------------------------------

    def exchange(self, *message: Any) -> Any:
        """Say something and hear the answer; if nobody is there any more, this is the end."""
        self._say(message)
        try:
            reply = self._pipe.receive()
            if reply[0] == COVERED:
                self._pipe.send(covered.lines_of(self._covered))
                reply = self._pipe.receive()
        except (EOFError, ConnectionError):
            _leave(0)
        return reply

    def idle(self, until: int | None, waiting: str, asleep_until: int | None) -> int:
        """Say that nobody here goes on before ``until``; what the clock shows when somebody does."""
        _, micros, self.undisturbed = self.exchange("idle", until, waiting, asleep_until)
        return int(micros)

    def _say(self, message: tuple[Any, ...]) -> None:
        self.undisturbed = 0  # whatever is said may make something happen there
        news = self._news()
        try:
            self._pipe.send((news, *message))
        except RecursionError:
            refusal = NotSimulated("isolation='process': what the handler passes on is nested too deep to be sent")
            self._pipe.send((news, "raised", refusal))
        except ConnectionError:
            _leave(0)

    def _news(self) -> News:
        world = self.world
        trace = world.trace.entries[self._told :]
        self._told += len(trace)
        refused, self.execution.refused = self.execution.refused, None
        return News(trace, world.tasks, world.has_drawn, world.clock.micros, refused, *self._output.take())

    def ask(self, name: str, *arguments: Any) -> Any:
        """Ask the invocation for something, and sleep before the answer if it says so; raises what it raises."""
        reply = self.exchange("ask", name, arguments)
        while reply[0] == "pause":
            self.world.sleep(*reply[2])
            reply = self.exchange("go on", reply[1])
        if reply[0] == "error":
            raise reply[1]
        return reply[1]

    def tell(self, name: str, *arguments: Any) -> None:
        """Tell the invocation something to which there is no answer; this does not wait for it to be heard."""
        self._say(("tell", name, arguments))

    def finish(self, result: Any, raised: BaseException | None, is_fatal: bool = False) -> NoReturn:
        """Tell how the handler ended, and leave."""
        if raised is None:
            self.exchange("returned", result)
        else:
            if is_fatal:
                raised.add_note("".join(traceback.format_exception(raised)))
            self.exchange("raised", raised)
        _leave(0)

    # --- as the client of the service takes it ------------------------------------------------------------------------

    def check_token(self, arn: str, token: str) -> None:
        """See `Invocation.check_token`."""
        self.ask("check_token", arn, token)

    def checkpoint(self, arn: str, token: str, updates: Sequence[Any]) -> Any:
        """See `Invocation.checkpoint`."""
        return self.ask("checkpoint", arn, token, updates)

    # --- as the observed SDK takes it ---------------------------------------------------------------------------------

    def called(self, call: Call) -> None:
        """A durable call got its operation id."""
        seen: list[Seen] = []
        if self._investigates:
            frames = self._frames[call.context_id] = list(user_frames())
            seen = [seen_in(frame) for frame in frames]
        (self.ask if self._waits else self.tell)("called", call, seen)

    def refused(self, call: Call) -> None:
        """The SDK refused a durable call."""
        self.tell("refused", call)

    def suspended(self, call: Call) -> None:
        """A durable call suspends its context."""
        self.tell("suspended", call)

    def body_started(self, identifier: Identifier, function: Any, again: bool, attempt: int | None) -> _Run:
        """A body is about to run."""
        task = current_task()
        if task is not None:
            self.world.offer(task)
        number: int = self.ask("body_started", identifier, function, again, attempt)
        return _Run(number, identifier.operation_id, attempt)

    def body_ended(self, run: _Run, error: BaseException | None) -> None:
        """The body returned, or raised ``error``."""
        self.ask("body_ended", run.number, _outcome(error), self._seen_at_end(run.operation_id, error))

    def handler_ended(self, error: BaseException | None) -> None:
        """The handler itself returned, or raised ``error``."""
        self.tell("handler_ended", _outcome(error), self._seen_at_end(None, error))

    def _seen_at_end(self, context_id: str | None, error: BaseException | None) -> list[Seen]:
        if not self._investigates or not isinstance(error, Exception | None):
            return []
        return [seen_in(frame) for frame in self._frames.pop(context_id, [])]

    def effect(self, operation_id: str | None, name: str, key: Hashable, details: Mapping[str, Any]) -> None:
        """The code has just done something to the outside world."""
        self.ask("effect", operation_id, name, sendable_key(key, self._name), details)

    def read(self, task: Task, read: Read, value: str | None) -> None:
        """Handler code reads something that may be another thing on replay."""
        self.tell("read", read, value)


def _outcome(error: BaseException | None) -> BaseException | None:
    """Of what kind it is: all that is asked of it, and what can be sent of any."""
    return None if error is None else Exception() if isinstance(error, Exception) else BaseException()


def live(pipe: Pipe, host: Host, target: Callable[[], Any]) -> NoReturn:
    """Be the child: run ``target``, tell the parent how it ended, and leave. Never returns.

    Not in the simulated thread that was forked, which is one of the parent's world, but beside it.
    """
    tracer = sys.gettrace()

    def run() -> None:
        sys.settrace(tracer)
        _run(pipe, host, target)

    try:
        sys.settrace(None)
        greenlet(run).switch()
    except BaseException:  # of our own: nothing of the user's comes so far
        traceback.print_exc()
    finally:
        _leave(70)


def _run(pipe: Pipe, host: Host, target: Callable[[], Any]) -> None:
    gc.freeze()  # what was there is the parent's to collect: touching it here would copy it
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent is interrupted as well, and ends this process
    faulthandler.register(signal.SIGUSR1, pipe.number, all_threads=True)
    investigates = host.execution.service.investigation is not None
    line = Line(pipe, host)
    host.move_out(line)
    process = line.world.process(host.process.name, target, line, _nothing, host.process.luck)
    try:
        if investigates:
            with told_to(line.read):
                line.world.run(lambda: process.ended)
        else:
            line.world.run(lambda: process.ended)
    except BaseException as error:  # one that ends the test, in another thread than the main one
        line.finish(None, error, is_fatal=True)


def _nothing(process: Process) -> None:
    """The end of the process is told before it comes to this."""


def _leave(status: int) -> NoReturn:
    """End this process, without anything that Python does at the end of one: the rest of it is the parent's."""
    try:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
    finally:
        real_exit(status)
    os.abort()


_FRAME = re.compile(r'File "([^"]+)", line (\d+)')


def innermost(report: str) -> str:
    """Where the child stands, of what Python's fault handler has written; empty if it does not say."""
    found = [place for place in _FRAME.findall(report) if "pytest_durable" not in place[0]]
    return f", at {found[0][0]}:{found[0][1]}" if found else ""
