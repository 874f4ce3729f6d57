"""Durable calls made by the test itself: a handler that is written while it runs."""

from __future__ import annotations

import sys
from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from aws_durable_execution_sdk_python.context import DurableContext

from pytest_durable.engine import user_frame
from pytest_durable.errors import UsageError
from pytest_durable.execution import Execution
from pytest_durable.primitives.event import Event
from pytest_durable.seams.observe import in_seconds
from pytest_durable.service.arguments import check_direct

if TYPE_CHECKING:
    from aws_durable_execution_sdk_python import BatchResult, StepContext
    from aws_durable_execution_sdk_python.config import (
        CallbackConfig,
        ChildConfig,
        Duration,
        InvokeConfig,
        MapConfig,
        ParallelBranch,
        ParallelConfig,
        StepConfig,
        WaitForCallbackConfig,
    )
    from aws_durable_execution_sdk_python.types import WaitForConditionCheckContext
    from aws_durable_execution_sdk_python.waits import WaitForConditionConfig

T = TypeVar("T")
U = TypeVar("U")


class Script:
    """The calls a test makes on the context itself.

    Every invocation makes all calls so far, in order, and then waits for the next one. A call is over for the test when
    it has a value or an error for the first time.
    """

    def __init__(self, isolation: str = "thread") -> None:
        check_direct(isolation)
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
        return self._add(_Call(lambda context: getattr(context, method)(*args))).outcome()

    def callback(self, *args: Any) -> DirectCallback:
        """Add the creation of a callback, and drive the execution until it is created."""
        __tracebackhide__ = True
        created = self._add(_Call(lambda context: context.create_callback(*args)))
        created.outcome()
        return DirectCallback(created, lambda call: self._add(call).outcome())

    def _add(self, call: _Call) -> _Call:
        __tracebackhide__ = True
        self._calls.append(call)
        self._more.set()
        self.drive(lambda: call.is_over)
        return call

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
    """One call on the context, and how it ended the first time; ``latest`` is its value in the latest invocation."""

    def __init__(self, call: Callable[[DurableContext], Any]) -> None:
        self._call = call
        self._value: Any = None
        self._error: Exception | None = None
        self.is_over = False
        self.latest: Any = None

    def make(self, context: DurableContext) -> None:
        """Make the call on an invocation's context; a suspension or a kill passes through."""
        try:
            self.latest = self._call(context)
        except Exception as error:
            if not self.is_over:
                self._error = error
        else:
            if not self.is_over:
                self._value = self.latest
        self.is_over = True

    def outcome(self) -> Any:
        """The value of the call; raises its error."""
        __tracebackhide__ = True
        if self._error is not None:
            raise self._error
        return self._value


class DirectCallback:
    """A callback that a test created itself; as the SDK's, with ``callback_id`` and ``result()``.

    The SDK's own belongs to one invocation: its ``result()`` is called in each of them.
    """

    def __init__(self, created: _Call, add: Callable[[_Call], Any]) -> None:
        self._created = created
        self._add = add
        self.callback_id: str = created.latest.callback_id
        self.operation_id: str = created.latest.operation_id

    def result(self) -> Any:
        """Wait for the answer, in virtual time; see ``Callback.result``."""
        __tracebackhide__ = True
        return self._add(_Call(lambda context: self._created.latest.result()))


class DirectCalls(DurableContext):
    """A ``DurableContext`` each of whose calls is added to a `Script`."""

    @abstractmethod
    def _direct(self) -> Script:
        """The script, started if it was not yet."""

    def step(self, func: Callable[[StepContext], T], name: str | None = None, config: StepConfig | None = None) -> T:
        """Run a step; see ``DurableContext.step``."""
        result: T = self._call("step", func, name, config)
        return result

    def wait(self, duration: Duration, name: str | None = None) -> None:
        """Wait; see ``DurableContext.wait``. Takes no real time."""
        self._call("wait", in_seconds(duration, user_frame(sys._getframe(1))), name)

    def create_callback(self, name: str | None = None, config: CallbackConfig | None = None) -> Any:
        """Create a callback; see ``DurableContext.create_callback``."""
        return self._direct().callback(name, config)

    def wait_for_callback(
        self, submitter: Callable[..., Any], name: str | None = None, config: WaitForCallbackConfig | None = None
    ) -> Any:
        """Submit and wait for the answer; see ``DurableContext.wait_for_callback``."""
        return self._call("wait_for_callback", submitter, name, config)

    def wait_for_condition(
        self,
        check: Callable[[T, WaitForConditionCheckContext], T],
        config: WaitForConditionConfig[T],
        name: str | None = None,
    ) -> T:
        """Poll until a condition holds; see ``DurableContext.wait_for_condition``."""
        result: T = self._call("wait_for_condition", check, config, name)
        return result

    def invoke(
        self, function_name: str, payload: Any, name: str | None = None, config: InvokeConfig[Any, Any] | None = None
    ) -> Any:
        """Invoke another function; see ``DurableContext.invoke``."""
        return self._call("invoke", function_name, payload, name, config)

    def map(
        self,
        inputs: Sequence[U],
        func: Callable[[DurableContext, U, int, Sequence[U]], T],
        name: str | None = None,
        config: MapConfig[Any] | None = None,
    ) -> BatchResult[Any]:  # the SDK annotates it so that the type of its results is anyone's
        """Apply a function to each item; see ``DurableContext.map``."""
        result: BatchResult[Any] = self._call("map", inputs, func, name, config)
        return result

    def parallel(
        self,
        functions: Sequence[Callable[[DurableContext], T] | ParallelBranch[T]],
        name: str | None = None,
        config: ParallelConfig | None = None,
    ) -> BatchResult[T]:
        """Run functions in parallel; see ``DurableContext.parallel``."""
        result: BatchResult[T] = self._call("parallel", functions, name, config)
        return result

    def run_in_child_context(
        self, func: Callable[[DurableContext], T], name: str | None = None, config: ChildConfig[Any] | None = None
    ) -> T:
        """Run a function in a child context; see ``DurableContext.run_in_child_context``."""
        result: T = self._call("run_in_child_context", func, name, config)
        return result

    def set_logger(self, new_logger: Any) -> None:
        """Replace the logger; see ``DurableContext.set_logger``."""
        self._direct().inner.set_logger(new_logger)

    def is_replaying(self) -> bool:
        """Whether the calls made so far are being replayed."""
        return self._direct().inner.is_replaying()

    @property
    def is_virtual(self) -> bool:
        """False: the execution itself is what the calls are made in."""
        return self._direct().inner.is_virtual

    @property
    def logger(self) -> Any:  # type: ignore[override]  # the SDK assigns it, we look it up
        """The SDK's logger of the invocation in flight."""
        return self._direct().inner.logger

    @property
    def execution_context(self) -> Any:  # type: ignore[override]  # as above
        """The SDK's ``ExecutionContext``, with the execution's ARN."""
        return self._direct().inner.execution_context

    @property
    def lambda_context(self) -> Any:  # type: ignore[override]  # as above
        """The Lambda context of the invocation in flight."""
        return self._direct().inner.lambda_context

    @property
    def state(self) -> Any:  # type: ignore[override]  # as above
        """The SDK's ``ExecutionState`` of the invocation in flight."""
        return self._direct().inner.state

    @property
    def execution(self) -> Execution:
        """The execution that the direct calls are the body of."""
        return self._direct().execution

    def _call(self, method: str, *args: Any) -> Any:
        __tracebackhide__ = True
        return self._direct().call(method, args)
