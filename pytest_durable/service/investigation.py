"""What is written down of handler code in a run that is to be explained: what it reads, and its variables."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from types import CodeType, FrameType
from typing import TYPE_CHECKING, NamedTuple

from pytest_durable.engine import Task, user_frame
from pytest_durable.seams.libraries import is_library
from pytest_durable.seams.reads import Read
from pytest_durable.service.variables import plain_variables

if TYPE_CHECKING:
    from pytest_durable.seams.observe import Call
    from pytest_durable.service.lifecycle import DurableExecution
    from pytest_durable.service.record import InvocationRecord

_OURS = ("aws_durable_execution_sdk_python", "pytest_durable")

Moment = tuple[str, str | None, int]
"""A durable call by its operation's id, or the end of a context by the context's, and how far out the frame is."""


class Seen(NamedTuple):
    """The variables of a function at one moment.

    Attributes:
        code: of the function.
        line: that it had come to.
        values: its plain variables, as text.
    """

    code: CodeType
    line: int
    values: dict[str, str]


def seen_in(frame: FrameType) -> Seen:
    """The variables of the function that a frame is of, now."""
    return Seen(frame.f_code, frame.f_lineno, plain_variables(frame))


class Change(NamedTuple):
    """A variable that had another value, at one moment.

    Attributes:
        name: of the variable, as a report says it.
        file: of the user's code, and ``line`` in it.
        before: as text, when it was as it should be.
        now: as text.
    """

    name: str
    file: str
    line: int
    before: str
    now: str


@dataclass
class Notes:
    """On one execution, and the replay of its finished journal.

    Attributes:
        latest: the record of the invocation that did the latest thing.
        reads: everything read, in order, and the record of the latest invocation that read it.
        seen: the variables, at the first pass of each moment.
        changes: the variables that had another value in a later pass, in order.
    """

    latest: InvocationRecord | None = None
    reads: dict[Read, InvocationRecord] = field(default_factory=dict)
    seen: dict[Moment, Seen] = field(default_factory=dict)
    changes: dict[tuple[CodeType, str], Change] = field(default_factory=dict)
    _environment: dict[str, str | None] = field(default_factory=dict)
    _frames: dict[str | None, list[FrameType]] = field(default_factory=dict)

    def read(self, reader: InvocationRecord, read: Read, value: str | None) -> None:
        """An invocation reads something; the environment only counts where it has changed."""
        if value is not None and self._environment.setdefault(read.what, value) == value:
            return
        self.reads[read] = self.latest = reader

    def called(
        self, caller: InvocationRecord, operation_id: str, context_id: str | None, frames: list[FrameType]
    ) -> None:
        """A durable call is made, from these frames: the innermost first."""
        self.latest = caller
        self._frames[context_id] = frames
        self.compare("call", operation_id, map(seen_in, frames))

    def ended(self, context_id: str | None) -> None:
        """A context ran to its end: its frames are over, and hold what its variables were then."""
        self.compare("end", context_id, map(seen_in, self._frames.pop(context_id, [])))

    def let_go(self) -> None:
        """Keep no frame, and so nothing that the user's code held, beyond the run."""
        self._frames.clear()

    def compare(self, what: str, where: str | None, seen: Iterable[Seen]) -> None:
        """Hold the variables at one moment, the innermost function's first, against those of the first pass."""
        for distance, now in enumerate(seen):
            before = self.seen.setdefault((what, where, distance), now)
            for change in differences(before, now):
                self.changes.setdefault((now.code, change.name), change)


def differences(before: Seen, now: Seen) -> Iterator[Change]:
    """The variables that one function has at two times, with different values."""
    if before.code is now.code:
        for name, value in now.values.items():
            if before.values.get(name, value) != value:
                yield Change(name, now.code.co_filename, now.line, before.values[name], value)


class Investigation:
    """The notes on every execution of one service."""

    def __init__(self) -> None:
        self._notes: dict[tuple[str, str], Notes] = {}

    def of(self, execution: DurableExecution) -> Notes:
        """The notes on one execution, by what is the same of it in every run."""
        return self._notes.setdefault((execution.root.name, execution.prefix), Notes())

    def read(self, task: Task, read: Read, value: str | None) -> None:
        """Handler code reads something, or a plain function does, of which nothing is asked."""
        record: InvocationRecord | None = getattr(task.process.owner, "record", None)
        execution: DurableExecution = task.process.owner.execution
        if record is not None and not execution.divergences:
            self.of(execution).read(record, read, value)

    def called(self, execution: DurableExecution, caller: InvocationRecord, call: Call) -> None:
        """A durable call is made; after a divergence nothing can be compared any more."""
        if not execution.divergences:
            assert call.operation_id is not None
            self.of(execution).called(caller, call.operation_id, call.context_id, list(user_frames()))

    def ended(self, execution: DurableExecution, context_id: str | None) -> None:
        """A context, or the handler, ran to its end."""
        if not execution.divergences:
            self.of(execution).ended(context_id)

    def let_go(self) -> None:
        """Keep no frame beyond the run."""
        for notes in self._notes.values():
            notes.let_go()


def user_frames() -> Iterator[FrameType]:
    """The frames of the context that makes a durable call, without those of libraries; the innermost first."""
    frame = user_frame(sys._getframe())
    while frame is not None and str(frame.f_globals.get("__name__")).partition(".")[0] not in _OURS:
        if not is_library(frame.f_code.co_filename):
            yield frame
        frame = frame.f_back
