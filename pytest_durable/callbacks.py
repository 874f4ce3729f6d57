"""Callbacks as a test answers them: declared beforehand for every run, or by hand on a started execution."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pytest_durable.engine import current_task, micros_in
from pytest_durable.errors import UsageError
from pytest_durable.service.arguments import check_delay, count
from pytest_durable.service.limits import MAX_PAYLOAD, size_of
from pytest_durable.service.outside import Answer
from pytest_durable.service.payload import error_of, text_of
from pytest_durable.service.service import DurableService


class Callbacks:
    """The answers that the outside world gives, in every run of a durable context.

    ``name`` is that of the callback, of its ``wait_for_callback``, or the path of either; every callback of that name
    is answered. An answer to a callback that is closed already is refused by the service, which nobody hears.

    After 0 seconds means as soon as the invocation has ended that made the callback: then its id has been handed out.
    Give a small fraction of a second for an answer that overtakes the submitter's own checkpoint.

    Code under test may answer as well, by the callback's id for example: that is done at once, in that run only.
    """

    def __init__(self, declare: Callable[[Answer], None]) -> None:
        self._declare = declare

    def succeed(self, name: str, result: Any = None, *, after: float = 0) -> None:
        """Have callbacks succeed ``after`` seconds of virtual time after they are created.

        Args:
            name: of the callbacks.
            result: ``str`` and ``bytes`` are delivered as they are, anything else as JSON; None is no result.
            after: seconds.

        Raises:
            UsageError: for a name, result or time that makes no sense.
        """
        __tracebackhide__ = True
        text = text_of(result)
        if text is not None and size_of(text) > MAX_PAYLOAD:
            raise UsageError(f"the result is {size_of(text):,} bytes, and a callback takes {MAX_PAYLOAD:,} (1 MB)")
        self._add(name, "succeed", after, Answer(name, "succeed", 0, result=text))

    def fail(self, name: str, error: Any, *, after: float = 0) -> None:
        """Have callbacks fail ``after`` seconds of virtual time after they are created.

        Args:
            name: of the callbacks.
            error: its message, an exception, an ``ErrorObject``, or a dict with AWS's names.
            after: seconds.

        Raises:
            UsageError: for a name, error or time that makes no sense.
        """
        __tracebackhide__ = True
        self._add(name, "fail", after, Answer(name, "fail", 0, error=error_of(error)))

    def heartbeat(self, name: str, *, every: float, times: int) -> None:
        """Send ``times`` heartbeats, one ``every`` so many seconds of virtual time from the callback's creation.

        Raises:
            UsageError: for a name, time or number that makes no sense.
        """
        __tracebackhide__ = True
        self._add(name, "heartbeat", every, Answer(name, "heartbeat", 0, times=count("times", times)))

    def _add(self, name: str, call: str, seconds: float, answer: Answer) -> None:
        __tracebackhide__ = True
        if not isinstance(name, str) or not name:
            raise UsageError(f"callbacks.{call} takes the name of a callback first, not {name!r}")
        check_delay("every" if call == "heartbeat" else "after", seconds)
        self._declare(Answer(name, call, micros_in(seconds), answer.result, answer.error, answer.times))


class Callback:
    """One callback of a started execution.

    Attributes:
        id: that the outside world answers it by.
        name: of the ``wait_for_callback`` that made it, or its own; None for a callback without one.
    """

    def __init__(self, service: DurableService, callback_id: str, name: str | None, then: Callable[[], Any]) -> None:
        self._service = service
        self._then = then
        self.id = callback_id
        self.name = name

    def succeed(self, result: Any = None) -> None:
        """Answer it, and run its execution until nothing can happen without time passing.

        Args:
            result: ``str`` and ``bytes`` are delivered as they are, anything else as JSON; None is no result.

        Raises:
            ServiceError: if it is closed or unknown, as the service words it.
            UsageError: for a result that is not JSON.
        """
        __tracebackhide__ = True
        self._service.callbacks.succeed(self.id, text_of(result))
        self._go_on()

    def fail(self, error: Any) -> None:
        """Answer it with a failure, and run its execution until nothing can happen without time passing.

        Args:
            error: its message, an exception, an ``ErrorObject``, or a dict with AWS's names.

        Raises:
            ServiceError: if it is closed or unknown, as the service words it.
            UsageError: for what is no error.
        """
        __tracebackhide__ = True
        self._service.callbacks.fail(self.id, error_of(error))
        self._go_on()

    def heartbeat(self) -> None:
        """Say that the work goes on: its heartbeat timeout starts again.

        Raises:
            ServiceError: if it is closed or unknown, as the service words it.
        """
        __tracebackhide__ = True
        self._service.callbacks.beat(self.id)

    def _go_on(self) -> None:
        __tracebackhide__ = True
        if current_task() is None:  # else the code under test answers itself, and the world runs already
            self._then()

    def __repr__(self) -> str:
        return f"<Callback {self.name or self.id}>"
