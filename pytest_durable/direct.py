"""Durable calls made by the test itself: a handler that is written while it runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aws_durable_execution_sdk_python.context import DurableContext

from pytest_durable.errors import UsageError
from pytest_durable.execution import Execution
from pytest_durable.primitives.event import Event


class Script:
    """The calls a test makes on the context itself.

    Every invocation makes all calls so far, in order, and then waits for the next one. A call is over for the test when
    it has a value or an error for the first time.
    """

    def __init__(self) -> None:
        self.execution: Execution
        self.inner: DurableContext
        self.waits = False
        self._calls: list[_Call] = []
        self._more = Event()

    def handler(self, event: Any, context: DurableContext) -> None:
        """What is run as the durable function."""
        self.inner = context
        position = 0
        while True:
            while position == len(self._calls):
                self.waits = True
                self._more.clear()
                self._more.wait()
            self.waits = False
            self._calls[position].make(context)
            position += 1

    def call(self, method: str, args: tuple[Any, ...]) -> Any:
        """Add a call and drive the execution until it is over."""
        __tracebackhide__ = True
        call = _Call(method, args)
        self._calls.append(call)
        self._more.set()
        self.drive(lambda: call.is_over)
        return call.outcome()

    def drive(self, done: Callable[[], bool]) -> None:
        """Run until ``done()``.

        Raises:
            DurabilityViolation: if the execution ends, or stops, instead.
        """
        __tracebackhide__ = True
        durable = self.execution._execution
        stop = durable.service.drive(lambda: durable.is_over or done())
        if not done():
            self.execution._judge(stop)
            error = durable.error
            raise UsageError(f"the execution ended {durable.status.value} instead: {error and error.message}")


class _Call:
    """One call on the context, and how it ended the first time."""

    def __init__(self, method: str, args: tuple[Any, ...]) -> None:
        self._method = method
        self._args = args
        self._value: Any = None
        self._error: Exception | None = None
        self.is_over = False

    def make(self, context: DurableContext) -> None:
        """Make the call on an invocation's context; a suspension or a kill passes through."""
        try:
            value = getattr(context, self._method)(*self._args)
        except Exception as error:
            if not self.is_over:
                self._error = error
        else:
            if not self.is_over:
                self._value = value
        self.is_over = True

    def outcome(self) -> Any:
        """The value of the call; raises its error."""
        __tracebackhide__ = True
        if self._error is not None:
            raise self._error
        return self._value
