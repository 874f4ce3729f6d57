"""What the handler asks for and which bodies run: wrappers that tell the invocation and call the SDK.

Three places are wrapped, and the SDK does the same with and without them:

* the public methods of ``DurableContext``: what the handler asks for, on first pass and on replay;
* ``DurableContext._create_step_id``: which operation id that call gets;
* ``ExecutionState.wrap_user_function``: the SDK passes every body through it, with the operation's identity.
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
        arguments: by name, as given.
        function: the body it was given; None for an operation without one.
        name: what the operation is called: as given, else what a ``@durable_step`` left on its function.
        operation_id: the id the SDK gave it; None until then, and for a call refused before it got one.
        context_id: the id of the context that it was made on; None for the root.
        position: its number in that context, from 1.
        place: ``(file, line)`` of the user's code.
    """

    __slots__ = (
        "arguments",
        "context_id",
        "frame_code",
        "function",
        "line",
        "method",
        "name",
        "operation_id",
        "position",
    )

    def __init__(self, method: str, arguments: dict[str, Any], context_id: str | None, frame: FrameType | None) -> None:
        self.method = method
        self.arguments = arguments
        self.context_id = context_id
        self.operation_id: str | None = None
        self.position = 0
        self.frame_code: CodeType | None = None if frame is None else frame.f_code
        self.line = 0 if frame is None else frame.f_lineno
        body = _BODY.get(method)
        self.function: Any = None if body is None else arguments.get(body)
        self.name: str | None = arguments.get("name") or getattr(self.function, "_original_name", None)

    @property
    def place(self) -> tuple[str, int]:
        """File and line of the user's code that made the call."""
        return ("?" if self.frame_code is None else self.frame_code.co_filename, self.line)


class Identifier(Protocol):
    """The part of the SDK's ``OperationIdentifier`` that is read here."""

    operation_id: str
    parent_id: str | None
    name: str | None
    operation_type: Any


class Observer(Protocol):
    """Who is told: the invocation that owns the process of the current task."""

    def called(self, call: Call) -> None:
        """A durable call got its operation id."""

    def body_started(self, identifier: Identifier, function: Any, again: bool, attempt: int | None) -> Any:
        """A body is about to run; ``again`` if the SDK re-runs a finished context over its children.

        The value returned is handed to `body_ended`.
        """

    def body_ended(self, run: Any, error: BaseException | None) -> None:
        """The body returned, or raised ``error``."""


def _observer(task: Task) -> Observer:
    return task.process.owner  # type: ignore[no-any-return]


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


def _watch(method: str, original: Callable[..., Any]) -> Callable[..., Any]:
    parameters = _PARAMETERS[method]

    @functools.wraps(original)
    def watched(self: Any, *args: Any, **kwargs: Any) -> Any:
        task = current_task()
        if task is None:
            return original(self, *args, **kwargs)
        if task.process.cause is not None:
            task.process.refuse(task)
        frame = user_frame(sys._getframe(1))
        arguments = dict(zip(parameters, args, strict=False))
        arguments.update(kwargs)
        if method == "wait":
            args, kwargs = _wait_in_seconds(args, kwargs, frame)
        call = Call(method, arguments, self._step_id_prefix, frame)
        outer, task.data = task.data, call
        try:
            return original(self, *args, **kwargs)
        finally:
            task.data = outer

    return watched


def _wait_in_seconds(
    args: tuple[Any, ...], kwargs: dict[str, Any], frame: FrameType | None
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Accept ``context.wait(300)``, which early material of AWS prints and the installed SDK rejects."""
    duration: Any = args[0] if args else kwargs.get("duration")
    if type(duration) not in (int, float):
        return args, kwargs
    from aws_durable_execution_sdk_python.config import Duration

    place = (frame.f_code.co_filename, frame.f_lineno) if frame is not None else ("?", 1)
    warnings.warn_explicit(
        f"context.wait({duration!r}): the installed SDK takes a Duration and would raise AttributeError on AWS. "
        f"Taken as seconds here; write context.wait(Duration.from_seconds({duration!r})).",
        DurableCompatibilityWarning,
        *place,
    )
    accepted = Duration.from_seconds(duration)
    return ((accepted, *args[1:]), kwargs) if args else (args, {**kwargs, "duration": accepted})


def _watch_ids(original: Callable[..., str]) -> Callable[..., str]:
    @functools.wraps(original)
    def watched(self: Any) -> str:
        operation_id = original(self)
        task = current_task()
        if task is not None:
            call: Call | None = task.data
            if call is not None and call.operation_id is None:
                call.operation_id = operation_id
                call.position = self._step_counter.get_current()
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
            outer, task.data = task.data, None
            run = observer.body_started(operation_identifier, user_function, is_replay_children, attempt)
            try:
                result = user_function(*args, **kwargs)
            except BaseException as error:
                observer.body_ended(run, error)
                raise
            finally:
                task.data = outer
            observer.body_ended(run, None)
            return result

        return original(self, body, operation_identifier, is_replay_children, attempt)

    return watched


@also
def wrappers() -> list[Swap]:
    """The wrappers, to be installed with the primitives.

    Raises:
        UnknownPrimitive: if the SDK lacks a place that must be wrapped; a newer release has moved it.
    """
    from aws_durable_execution_sdk_python.context import DurableContext
    from aws_durable_execution_sdk_python.state import ExecutionState

    places: list[tuple[type, str, Callable[..., Any]]] = [
        *((DurableContext, method, functools.partial(_watch, method)) for method in OPERATIONS),
        (DurableContext, "_create_step_id", _watch_ids),
        (ExecutionState, "wrap_user_function", _watch_bodies),
    ]
    swaps = []
    for owner, name, watch in places:
        if name not in vars(owner):
            raise UnknownPrimitive(f"the SDK has no {owner.__name__}.{name} to observe")
        swaps.append(Swap(owner, name, watch(vars(owner)[name])))
    return swaps
