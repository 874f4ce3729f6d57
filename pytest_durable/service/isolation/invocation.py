"""An invocation that runs in a child process: the same, but for where its handler is."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from pytest_durable.seams.observe import Call, Identifier
from pytest_durable.seams.reads import Read
from pytest_durable.service.invocation import Invocation
from pytest_durable.service.isolation.answers import answers_of
from pytest_durable.service.isolation.parent import Fork
from pytest_durable.service.record import BodyRun

if TYPE_CHECKING:
    from pytest_durable.service.investigation import Notes, Seen
    from pytest_durable.service.isolation.child import Line
    from pytest_durable.service.lifecycle import DurableExecution


class IsolatedInvocation(Invocation):
    """An invocation whose handler runs in a forked child; what the child asks for is answered here.

    Args:
        execution: whose invocation it is.
        number: from 1.
    """

    def __init__(self, execution: DurableExecution, number: int) -> None:
        super().__init__(execution, number)
        self._bodies: list[BodyRun] = []
        self._fork = Fork(self)
        self.sleep = self._fork.pause
        handler = self._handler
        self._handler = lambda event, context: self._run(lambda: handler(event, context))
        self.answers = {
            **answers_of(self),
            "check_token": self.check_token,
            "checkpoint": self.checkpoint,
            "called": self._called,
            "refused": self.refused,
            "suspended": self.suspended,
            "body_started": self._body_started,
            "body_ended": self._body_ended,
            "handler_ended": self._handler_ended,
            "read": self._read,
            "gave": self._gave,
            "varies": self._varies,
            "asked_for_time": self.record.note_asked_for_time,
        }

    def _run(self, target: Callable[[], Any]) -> Any:
        try:
            return self._fork.run(target)
        finally:
            for body in self._bodies:
                if body.outcome is None:  # nobody was left to say so
                    body.outcome = "interrupted"

    @property
    def asleep_until(self) -> int | None:
        """See `Invocation.asleep_until`."""
        return self._fork.asleep_until

    def move_out(self, line: Line) -> None:
        """In the child: the client of the service speaks to the parent."""
        self.client.attach(line)
        line.client = self.client
        self.context.asked = partial(line.tell, "asked_for_time")

    def _called(self, call: Call, seen: list[Seen]) -> None:
        assert call.operation_id is not None
        self._compare("call", call.operation_id, seen)
        self.called(call)

    def _body_started(self, identifier: Identifier, function: Any, again: bool, attempt: int | None) -> int:
        self._bodies.append(self.body_started(identifier, function, again, attempt))
        return len(self._bodies) - 1

    def _body_ended(self, number: int, error: BaseException | None, seen: list[Seen]) -> None:
        self._compare("end", self._bodies[number].operation_id, seen)
        self.body_ended(self._bodies[number], error)

    def _handler_ended(self, error: BaseException | None, seen: list[Seen]) -> None:
        self._compare("end", None, seen)
        self.handler_ended(error)

    def _gave(self, operation_id: str, value: bytes) -> None:
        assert self.trial is not None
        self.trial.values[self.execution.prefix, operation_id] = pickle.loads(value)

    def _varies(self, operation_id: str) -> None:
        assert self.trial is not None
        self.trial.variable[self.execution.prefix, operation_id] = None

    def _compare(self, what: str, where: str | None, seen: list[Seen]) -> None:
        notes = self._notes()
        if notes is not None:
            notes.compare(what, where, seen)

    def _read(self, read: Read, value: str | None) -> None:
        notes = self._notes()
        if notes is not None:
            notes.read(self.record, read, value)

    def _notes(self) -> Notes | None:
        """Where it is written down what may explain a finding; not after a divergence, and only if somebody asks."""
        investigation = self.execution.service.investigation
        if investigation is None or self.execution.divergences:
            return None
        return investigation.of(self.execution)
