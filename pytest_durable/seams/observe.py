"""What the handler asks for and which bodies run: methods that tell the invocation and call the SDK's.

Four places are watched, and the SDK does the same with and without that:

* the public methods of ``DurableContext``: what the handler asks for, on first pass and on replay;
* ``DurableContext._create_step_id``: which operation id that call gets;
* ``ExecutionState.wrap_user_function``: the SDK passes every body through it, with the operation's identity;
* ``Callback.result``: suspends as an operation does.
"""

from __future__ import annotations

import functools
import sys
import warnings
from collections.abc import Callable
from types import CodeType, FrameType
from typing import Any, Protocol

from pytest_durable.engine import Task, current_task, user_frame
from pytest_durable.errors import DurableCompatibilityWarning, UnknownPrimitive
from pytest_durable.seams.table import Swap, also

OPERATIONS = (
    "step",
    "wait",
    "create_callback",
    "wait_for_callback",
    "wait_for_condition",
    "invoke",
    "map",
    "parallel",
    "run_in_child_context",
)
"""The methods of ``DurableContext`` that make an operation."""


_PARAMETERS = {
    "step": ("func", "name", "config"),
    "wait": ("duration", "name"),
    "create_callback": ("name", "config"),
    "wait_for_callback": ("submitter", "name", "config"),
    "wait_for_condition": ("check", "config", "name"),
    "invoke": ("function_name", "payload", "name", "config"),
    "map": ("inputs", "func", "name", "config"),
    "parallel": ("functions", "name", "config"),
    "run_in_child_context": ("func", "name", "config"),
}
"""The parameters of each method, in the SDK's order; `tests/seams` holds them against the installed SDK."""

_SUSPENSIONS = ("SuspendExecution", "TimedSuspendExecution")
"""The SDK's classes, by name: they are imported only once the SDK is."""

_BODY = {
    "step": "func",
    "map": "func",
    "run_in_child_context": "func",
    "wait_for_callback": "submitter",
    "wait_for_condition": "check",
}
"""The parameter that is the body, of the methods that have one."""


class Call:
    """One durable call of user code.

    Attributes:
        method: one of `OPERATIONS`.
        operation_id: the id the SDK gave it; None until then.
        context_id: the id of the context that it was made on; None for the root.
        position: its number in that context, from 1.
        code: of the user's function that made the call; None if there is none.
        line: in that function's file.
        by_sdk: whether it is the SDK itself that made it, on the user's behalf.
        inside: the body that made it, if that is not the one that its context belongs to; else None.
    """

    __slots__ = (
        "_given",
        "by_sdk",
        "code",
        "context_id",
        "inside",
        "line",
        "method",
        "operation_id",
        "position",
    )

    def __init__(
        self,
        method: str,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        context_id: str | None,
        frame: FrameType | None,
    ) -> None:
        self.method = method
        self._given = dict(zip(_PARAMETERS[method], args, strict=False), **kwargs) if args else kwargs
        self.context_id = context_id
        self.by_sdk = False
        self.inside: Identifier | None = None
        self.operation_id: str | None = None
        self.position = 0
        self.code: CodeType | None = None if frame is None else frame.f_code
        self.line = 0 if frame is None else frame.f_lineno

    @property
    def place(self) -> tuple[str, int]:
        """File and line of the call."""
        return ("?" if self.code is None else self.code.co_filename, self.line)

    def argument(self, name: str) -> Any:
        """The argument called ``name``, however it was given; None if it was not."""
        return self._given.get(name)

    @property
    def function(self) -> Any:
        """The body it was given; None for an operation without one."""
        return self._given.get(_BODY.get(self.method, ""))


class Identifier(Protocol):
    """The part of the SDK's ``OperationIdentifier`` that is read here."""

    operation_id: str
    parent_id: str | None
    name: str | None
    operation_type: Any


class Trial(Protocol):
    """What is tried in a run: what calls return, and bodies that are run once more."""

    def returned(self, observer: Any, call: Call, value: Any) -> Any:
        """A durable call is about to return ``value`` to the handler, which is given what this returns."""

    def ran(self, observer: Any, run: Any, outcome: Any, again: Callable[[], Any]) -> None:
        """A body has returned or raised ``outcome``; ``again`` runs it once more."""


class Observer(Protocol):
    """Who is told: the invocation that owns the process of the current task.

    Attributes:
        trial: what is tried in this run; None for nothing, as in any run but those of a search that is in doubt.
    """

    trial: Trial | None

    def called(self, call: Call) -> None:
        """A durable call got its operation id."""

    def refused(self, call: Call) -> None:
        """The SDK refused a durable call before it became an operation; the next call may take its id."""

    def suspended(self, call: Call) -> None:
        """A durable call suspends its context: the SDK's suspension passes through the caller's code from now on."""

    def body_started(self, identifier: Identifier, function: Any, again: bool, attempt: int | None) -> Any:
        """A body is about to run; ``again`` if the SDK re-runs a finished context over its children.

        The value returned is handed to `body_ended`.
        """

    def body_ended(self, run: Any, error: BaseException | None) -> None:
        """The body returned, or raised ``error``."""

    def handler_ended(self, error: BaseException | None) -> None:
        """The handler itself returned, or raised ``error``."""


def _observer(task: Task) -> Observer:
    return task.process.owner  # type: ignore[no-any-return]  # the engine keeps any owner


def _watch(method: str, original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def watched(self: Any, *args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True
        task = current_task()
        if task is None:  # a thread that the user's code started: real, and not ours to schedule
            self.state._service_client.refuse_thread(method)
            return original(self, *args, **kwargs)
        if task.process.cause is not None:
            task.process.refuse(task)
        outer = task.data
        if type(outer) is Call and outer.operation_id is None:
            return original(self, *args, **kwargs)  # by which the SDK carries out another of these methods
        caller = sys._getframe(1)
        frame = user_frame(caller)
        if method == "wait":
            if args:
                args = (in_seconds(args[0], frame), *args[1:])
            elif "duration" in kwargs:
                kwargs["duration"] = in_seconds(kwargs["duration"], frame)
        call = Call(method, args, kwargs, self._step_id_prefix, frame)
        call.by_sdk = caller is not frame
        task.data = call
        if outer is not None and type(outer) is not Call and outer.operation_id != call.context_id:
            call.inside = outer
        try:
            result = original(self, *args, **kwargs)
            observer = _observer(task)
            return result if observer.trial is None else observer.trial.returned(observer, call, result)
        except Exception:
            if call.operation_id is None:
                call.operation_id = self._peek_next_operation_id()
                call.position = self._step_counter._counter + 1
                _observer(task).refused(call)
            raise
        except BaseException as error:
            if type(error).__name__ in _SUSPENSIONS:
                _observer(task).suspended(call)
            raise
        finally:
            task.data = outer

    return watched


def in_seconds(duration: Any, frame: FrameType | None) -> Any:
    """Accept ``context.wait(300)``, which early material of AWS prints and the installed SDK rejects."""
    if type(duration) not in (int, float):
        return duration
    from aws_durable_execution_sdk_python.config import Duration

    place = (frame.f_code.co_filename, frame.f_lineno) if frame is not None else ("?", 1)
    warnings.warn_explicit(
        f"context.wait({duration!r}): the installed SDK takes a Duration and would raise AttributeError on AWS. "
        f"Taken as seconds here; write context.wait(Duration.from_seconds({duration!r})).",
        DurableCompatibilityWarning,
        *place,
    )
    return Duration.from_seconds(duration)


def _watch_ids(original: Callable[..., str]) -> Callable[..., str]:
    @functools.wraps(original)
    def watched(self: Any) -> str:
        operation_id = original(self)
        task = current_task()
        if task is not None:
            call: Call | Identifier | None = task.data
            if type(call) is Call and call.operation_id is None:
                call.operation_id = operation_id
                call.position = self._step_counter._counter  # without its lock, which nobody holds here
                _observer(task).called(call)
        return operation_id

    return watched


def _watch_bodies(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def watched(
        self: Any,
        user_function: Callable[..., Any],
        operation_identifier: Identifier,
        is_replay_children: bool = False,
        attempt: int | None = None,
    ) -> Any:
        def body(*args: Any, **kwargs: Any) -> Any:
            __tracebackhide__ = True
            task = current_task()
            if task is None:
                return user_function(*args, **kwargs)
            observer = _observer(task)
            outer, task.data = task.data, operation_identifier
            run = observer.body_started(operation_identifier, user_function, is_replay_children, attempt)
            try:
                result = user_function(*args, **kwargs)
            except BaseException as error:
                _let_quit(error)
                if observer.trial is not None:
                    observer.trial.ran(observer, run, error, lambda: user_function(*args, **kwargs))
                observer.body_ended(run, error)
                raise
            finally:
                task.data = outer
            if observer.trial is not None:
                observer.trial.ran(observer, run, result, lambda: user_function(*args, **kwargs))
            observer.body_ended(run, None)
            return result

        return original(self, body, operation_identifier, is_replay_children, attempt)

    return watched


def _watch_result(original: Callable[..., Any]) -> Callable[..., Any]:
    """``Callback.result``, by which a context is suspended without a durable call of its own."""

    @functools.wraps(original)
    def watched(self: Any) -> Any:
        try:
            return original(self)
        except BaseException as error:
            task = current_task()
            if task is not None and type(error).__name__ in _SUSPENSIONS:
                context_id = None if task.data is None else task.data.operation_id
                call = Call("create_callback", (), {}, context_id, user_frame(sys._getframe(1)))
                _observer(task).suspended(call)
            raise

    return watched


def watch_handler(function: Callable[..., Any]) -> Callable[[Any, Any], Any]:
    """The user's handler, telling the invocation how it ended."""

    def handler(event: Any, context: Any) -> Any:
        __tracebackhide__ = True
        task = current_task()
        try:
            result = function(event, context)
        except BaseException as error:
            _let_quit(error)
            if task is not None:
                _observer(task).handler_ended(error)
            raise
        if task is not None:
            _observer(task).handler_ended(None)
        return result

    setattr(handler, _WATCHED, function)
    return handler


_QUITS = frozenset({("_pytest.outcomes", "Exit"), ("bdb", "BdbQuit")})
"""What ``pytest.exit`` and leaving the debugger raise: an ``Exception``, which the SDK would take for the step's."""


def _let_quit(error: BaseException) -> None:
    """Let who wants to leave leave, as by control-C."""
    if (type(error).__module__, type(error).__qualname__) in _QUITS:
        raise KeyboardInterrupt(str(error) or "the debugger was left") from error


_WATCHED = "_pytest_durable_watched"


def watched_by(function: Callable[..., Any]) -> Callable[..., Any]:
    """The user's handler, of what `watch_handler` made of it; anything else as it is."""
    return getattr(function, _WATCHED, function)


@also
def observed() -> list[Swap]:
    """Subclasses of the SDK's three classes, with the wrapped methods, to be built by the SDK in their place.

    Swapping the names that the SDK builds them by leaves the classes alone: setting attributes on a class throws away
    what the interpreter has learnt about it, each time.

    Raises:
        UnknownPrimitive: if the SDK lacks a place that must be wrapped; a newer release has moved it.
    """
    from aws_durable_execution_sdk_python import context, execution
    from aws_durable_execution_sdk_python.state import ExecutionState

    watch_context = {method: functools.partial(_watch, method) for method in OPERATIONS}
    seen_context = _subclass(context.DurableContext, {**watch_context, "_create_step_id": _watch_ids})
    seen_state = _subclass(ExecutionState, {"wrap_user_function": _watch_bodies})
    return [
        Swap(context, "Callback", _subclass(context.Callback, {"result": _watch_result})),
        Swap(context, "DurableContext", seen_context),
        Swap(execution, "DurableContext", seen_context),
        Swap(execution, "ExecutionState", seen_state),
    ]


def _subclass(base: type, watches: dict[str, Callable[[Callable[..., Any]], Callable[..., Any]]]) -> type:
    """A subclass of ``base``, of the same name, with each method replaced by its watched form."""
    for name in watches:
        if name not in vars(base):
            raise UnknownPrimitive(f"the SDK has no {base.__name__}.{name} to observe")
    methods = {name: watch(vars(base)[name]) for name, watch in watches.items()}
    return type(base.__name__, (base,), {**methods, "__module__": base.__module__, "__doc__": base.__doc__})
