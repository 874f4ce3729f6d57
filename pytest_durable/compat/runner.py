"""The runners of AWS's testing library, with its names and arguments, on the simulation.

What differs: no call ever waits in real time, `driving` says what a timeout is then; an execution is driven by the
calls of the test, not by threads; ARNs have the shape of AWS's.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from types import TracebackType
from typing import Any, NoReturn, Self

from aws_durable_execution_sdk_python import durable_execution
from aws_durable_execution_sdk_python.lambda_service import ErrorObject

from pytest_durable.bench import Bench
from pytest_durable.compat.driving import Driver, SkippingExecution
from pytest_durable.compat.exceptions import (
    DurableFunctionsTestError,
    InvalidParameterValueException,
    ResourceNotFoundException,
)
from pytest_durable.compat.model import GetDurableExecutionHistoryResponse
from pytest_durable.compat.result import DurableFunctionTestResult
from pytest_durable.engine import MICROS, VirtualClock, current_task
from pytest_durable.errors import NestedRun, UsageError
from pytest_durable.faults import FaultPlan, Injector
from pytest_durable.seams.userland import Userland
from pytest_durable.service.arguments import check_event_size, check_function_name
from pytest_durable.service.callbacks import names_of
from pytest_durable.service.errors import ServiceError
from pytest_durable.service.handlers import check_plain, resolve
from pytest_durable.service.lifecycle import DurableExecution
from pytest_durable.service.output import RetryPolicy
from pytest_durable.service.outside import Function
from pytest_durable.service.payload import text_of
from pytest_durable.service.service import DurableService
from pytest_durable.tally import Tally

_POLICY = RetryPolicy(gaps=(5, 5, 5, 5))
"""When AWS's runner invokes again what died or raised: five times in all, five seconds apart."""

_open_runners: list[DurableFunctionTestRunner] = []
"""Those that show virtual time now. The time that a process sees is global, and so is who has to give it back."""


def show_real_time() -> None:
    """Have every runner that was left open show real time again; it goes on when it is used again."""
    for runner in list(reversed(_open_runners)):
        runner._rest()


class DurableFunctionTestRunner:
    """Runs a durable function, in the simulation.

    Until `close`, or the end of its ``with`` block or of the test, the test sees virtual time as well; sleeping lets it
    pass.

    Args:
        handler: decorated with ``@durable_execution``, or plain.
        poll_interval: accepted; nothing is polled for.
        max_invocation_page_bytes: accepted; the state is paged by operations.
        execution_timeout: seconds after which an execution is TIMED_OUT, if the call says nothing else.
        invocation_timeout: seconds of virtual time after which an invocation is killed.
        store: None; executions live in memory.
        skip_time: whether timeouts count the seconds of waits and retries, which take no time anyway.
        region: accepted.

    Raises:
        UsageError: for a handler that cannot be one, or a store.
    """

    def __init__(
        self,
        handler: Callable[..., Any],
        poll_interval: float = 1.0,
        max_invocation_page_bytes: int | None = None,
        execution_timeout: int = 300,
        invocation_timeout: int = 900,
        store: Any = None,
        skip_time: bool = True,
        region: str = "us-west-2",
    ) -> None:
        if store is not None:
            raise UsageError("store: executions live in memory here. Leave it out, or use AWS's own runner for it")
        self.poll_interval = poll_interval
        self._handler = resolve(handler)
        self._execution_timeout = execution_timeout
        self._invocation_timeout = invocation_timeout
        self._skips = skip_time
        self._clock = VirtualClock()
        self._bench = Bench(self._clock, 0, Tally())
        self._userland = Userland(self._clock, self._sleep)
        self._service: DurableService | None = None
        self._executions: dict[str, DurableExecution] = {}
        self._closed = False

    def register_durable_function(
        self,
        function_name: str,
        handler: Callable[..., Any],
        execution_timeout: int = 120,
        retention_period_days: int = 1,
    ) -> Self:
        """Let ``context.invoke`` reach a durable function; what it invokes is an execution of its own."""
        check_function_name(function_name)
        self._bench.outside.functions[function_name] = Function(
            function_name, resolve(handler), handler, execution_timeout, self._invocation_timeout
        )
        return self

    def register_function(self, function_name: str, handler: Callable[..., Any]) -> Self:
        """Let ``context.invoke`` reach a plain function, which is called once."""
        check_function_name(function_name)
        check_plain(handler)
        self._bench.outside.functions[function_name] = Function(
            function_name, None, handler, None, self._invocation_timeout
        )
        return self

    # --- running --------------------------------------------------------------------------------------------------

    def run(
        self,
        input: Any = None,
        execution_timeout: int | None = None,
        timeout: int | None = None,
        function_name: str = "test-function",
        execution_name: str = "execution-name",
        account_id: str = "123456789012",
        tenant_id: str | None = None,
    ) -> DurableFunctionTestResult:
        """Run an execution to its end; arguments as of `run_async`.

        Raises:
            TimeoutError: if it has not ended after ``execution_timeout`` seconds.
        """
        __tracebackhide__ = True
        if timeout is not None and execution_timeout is None:
            message = "timeout on run() is deprecated. Use execution_timeout instead."
            warnings.warn(message, DeprecationWarning, stacklevel=2)
            execution_timeout = timeout
        seconds = self._execution_timeout if execution_timeout is None else execution_timeout
        arn = self.run_async(input, seconds, None, function_name, execution_name, account_id, tenant_id)
        return self.wait_for_result(arn, seconds)

    def run_async(
        self,
        input: Any = None,
        execution_timeout: int | None = None,
        timeout: int | None = None,
        function_name: str = "test-function",
        execution_name: str = "execution-name",
        account_id: str = "123456789012",
        tenant_id: str | None = None,
    ) -> str:
        """Start an execution; it runs when the test waits for something, or sleeps.

        Args:
            input: JSON text; any other text is passed as a JSON string, any other value as JSON.
            execution_timeout: seconds until it is TIMED_OUT.
            timeout: the same, by its former name.
            function_name: that the Lambda context shows.
            execution_name: the same one may be used again.
            account_id: accepted.
            tenant_id: that the Lambda context shows.

        Returns:
            the ARN of the execution.
        """
        __tracebackhide__ = True
        self._enter("run_async")
        payload = _normalized(input)
        check_event_size(payload)
        seconds = next((one for one in (execution_timeout, timeout) if one is not None), self._execution_timeout)
        service = self._service = self._bench.service_for(None, Injector(FaultPlan()))
        kind = SkippingExecution if self._skips else DurableExecution
        execution = kind(
            service=service,
            handler=self._handler._replace(name=function_name),
            name=execution_name,
            copy=sum(other.name == execution_name for other in self._executions.values()),
            payload=payload,
            invocation_timeout=self._invocation_timeout * MICROS,
            execution_timeout=seconds * MICROS,
            policy=_POLICY,
            tenant_id=tenant_id,
        )
        service.executions.append(execution)
        self._bench.keep_open(execution)
        self._executions[execution.arn] = execution
        return execution.arn

    def wait_for_result(self, execution_arn: str, timeout: float = 60) -> DurableFunctionTestResult:
        """Drive an execution to its end.

        Raises:
            ResourceNotFoundException: if there is none of that ARN.
            TimeoutError: if it has not ended after ``timeout`` seconds.
        """
        __tracebackhide__ = True
        execution = self._find(execution_arn)
        if execution is None:
            raise ResourceNotFoundException("execution does not exist.")
        if not self._drive(lambda: execution.is_over, timeout):
            raise TimeoutError("Execution did not complete within timeout")
        return DurableFunctionTestResult.create(execution)

    def wait_for_callback(self, execution_arn: str, name: str | None = None, timeout: float = 60) -> str:
        """Drive an execution until a callback is open, and the invocation that made it has ended.

        Args:
            execution_arn: of the execution.
            name: of the callback, or of the ``wait_for_callback``; None for the latest one.
            timeout: seconds.

        Returns:
            the id of the callback.

        Raises:
            DurableFunctionsTestError: if the callback of that name is closed already.
            TimeoutError: if there is none after ``timeout`` seconds.
        """
        __tracebackhide__ = True
        execution = self._find(execution_arn)
        if execution is not None and self._drive(lambda: bool(_callbacks(execution, name)), timeout):
            operation = _callbacks(execution, name)[-1 if name is None else 0]
            if operation.end_timestamp is not None:
                raise DurableFunctionsTestError(f"Callback {name} has already completed (succeeded/failed/timed out)")
            callback_id: str = operation.callback_details.callback_id
            return callback_id
        raise TimeoutError(f"Callback did not become available within {timeout}s.")

    # --- the outside world ----------------------------------------------------------------------------------------

    def send_callback_success(self, callback_id: str, result: bytes | None = None) -> None:
        """Answer a callback.

        Raises:
            InvalidParameterValueException: without an id.
            ResourceNotFoundException: if it is unknown, or closed.
        """
        __tracebackhide__ = True
        self._answer("success", callback_id, lambda desk: desk.succeed(callback_id, text_of(result)))

    def send_callback_failure(self, callback_id: str, error: ErrorObject | None = None) -> None:
        """Answer a callback with a failure; errors as of `send_callback_success`."""
        __tracebackhide__ = True
        stored = ErrorObject(None, None, None, None) if error is None else error
        self._answer("failure", callback_id, lambda desk: desk.fail(callback_id, stored))

    def send_callback_heartbeat(self, callback_id: str) -> None:
        """Start the heartbeat timeout of a callback again; errors as of `send_callback_success`."""
        __tracebackhide__ = True
        self._answer("heartbeat", callback_id, lambda desk: desk.beat(callback_id))

    def _answer(self, what: str, callback_id: str, answer: Callable[[Any], None]) -> None:
        __tracebackhide__ = True
        if not callback_id:
            raise InvalidParameterValueException("callback_id is required")
        if self._service is None:
            raise ResourceNotFoundException(f"Failed to process callback {what}: nothing was run yet")
        if current_task() is None:
            self._enter("send_callback")
        try:
            answer(self._service.callbacks)
        except ServiceError as error:
            raise ResourceNotFoundException(f"Failed to process callback {what}: {error}") from error

    def get_execution_history(
        self, execution_arn: str, include_execution_data: bool = False
    ) -> GetDurableExecutionHistoryResponse:
        """The events of an execution, or of one that it invoked, so far.

        Raises:
            ResourceNotFoundException: if there is none of that ARN.
        """
        family = [one for root in self._executions.values() for one in root.family()]
        for execution in family:
            if execution.arn == execution_arn:
                events = execution.history.events(include_execution_data)
                return GetDurableExecutionHistoryResponse.from_dict({"Events": events})
        raise ResourceNotFoundException("Durable Execution does not exist")

    def pause_execution(self, execution_arn: str, timeout: float = 60) -> NoReturn:
        """Not simulated.

        Raises:
            NotImplementedError: always.
        """
        raise NotImplementedError(
            "pause_execution is not simulated; the plan 'invocation:revoke' of durable_ctx.run takes the token back "
            "as a pause does. Or use AWS's own runner for this test"
        )

    def resume_execution(self, execution_arn: str) -> NoReturn:
        """Not simulated; see `pause_execution`."""
        self.pause_execution(execution_arn)

    # --- its life -------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """End everything that is open, and show real time again."""
        if not self._closed:
            self._closed = True
            try:
                self._bench.end()
            finally:
                self._clock.world = None
                self._rest()

    def __enter__(self) -> Self:
        if not self._closed:
            self._enter("with")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _enter(self, what: str) -> None:
        __tracebackhide__ = True
        if self._closed:
            raise UsageError(f"{what}: this runner is closed; use it before close(), or within its with block")
        if current_task() is not None:
            raise NestedRun(f"{what} was called from inside a run. Start an execution from the test")
        if self not in _open_runners:
            _open_runners.append(self)
        self._userland.open()

    def _rest(self) -> None:
        self._userland.close()
        if self in _open_runners:
            _open_runners.remove(self)

    def _find(self, execution_arn: str) -> DurableExecution | None:
        return self._executions.get(execution_arn)

    def _drive(self, done: Callable[[], bool], seconds: float) -> bool:
        __tracebackhide__ = True
        if done():
            return True
        self._enter("waiting")
        assert self._service is not None
        return Driver(self._service, self._skips).drive(done, seconds)

    def _sleep(self, seconds: float) -> None:
        """The test sleeps, while this runner is open: virtual time passes."""
        if seconds < 0:
            raise ValueError("sleep length must be non-negative")
        if self._service is None or self._service.closed:
            self._clock.advance(seconds)
        else:
            Driver(self._service, self._skips).pass_time(seconds)


class DurableChildContextTestRunner(DurableFunctionTestRunner):
    """Runs a function that is decorated with ``@durable_with_child_context``, as the body of an execution.

    Args:
        context_function: as decorated.
        *args: that it is called with.
        skip_time: as of `DurableFunctionTestRunner`.
        **kwargs: that it is called with.
    """

    def __init__(self, context_function: Callable[..., Any], *args: Any, skip_time: bool = True, **kwargs: Any) -> None:
        @durable_execution
        def handler(event: Any, context: Any) -> Any:
            return context_function(*args, **kwargs)(context)

        super().__init__(handler, skip_time=skip_time)


def _normalized(input: Any) -> str:
    """The event as JSON: text that is JSON is taken as it is."""
    try:
        json.loads(input)
    except (TypeError, ValueError):
        return json.dumps(input)
    text: str = input if isinstance(input, str) else input.decode()
    return text


def _callbacks(execution: DurableExecution, name: str | None) -> list[Any]:
    """The callbacks of that name, or those that are open: as soon as their ids have been handed out.

    Of several of one name the open ones are first.
    """
    if execution.in_flight is not None:
        return []
    made = [one for one in execution.journal.operations.values() if one.callback_details is not None]
    open_ones = [one for one in made if one.end_timestamp is None and not execution.is_over]
    if name is None:
        return open_ones
    named = [one for one in made if name in names_of(execution, one.operation_id)]
    return [*(one for one in named if one in open_ones), *(one for one in named if one not in open_ones)]
