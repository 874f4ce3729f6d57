"""What may be run as a durable function, and how to call it."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from importlib.machinery import ModuleSpec
from types import CellType, FunctionType
from typing import Any, NamedTuple

from aws_durable_execution_sdk_python import execution as sdk_execution

from pytest_durable.errors import InvalidHandler
from pytest_durable.seams.observe import watch_handler, watched_by

_SDK_WRAPPER = "durable_execution.<locals>.wrapper"


class Home(NamedTuple):
    """Where a handler is found: what its module is imported by, and its path in there."""

    spec: ModuleSpec
    path: str


class Handler(NamedTuple):
    """A durable function, ready to be invoked.

    Attributes:
        invoke: what Lambda calls, with the invocation input and the Lambda context.
        function: the user's own function, for its name and its source line.
        name: the function's name, as Lambda would have it.
        home: where it is found when it starts cold after a death; None if it never does.
    """

    invoke: Callable[[Any, Any], Any]
    function: Callable[..., Any]
    name: str
    home: Home | None = None

    @property
    def place(self) -> tuple[str, int]:
        """File and line of the user's function."""
        code = getattr(self.function, "__code__", None)
        return ("?", 0) if code is None else (code.co_filename, code.co_firstlineno)


def resolve(handler: Any) -> Handler:
    """The durable function that ``handler`` is: decorated with ``@durable_execution``, or a plain ``(event, context)``.

    Raises:
        InvalidHandler: if it cannot be called with an event and a context.
    """
    __tracebackhide__ = True
    if not callable(handler):
        raise InvalidHandler(
            f"the handler is {handler!r}, which cannot be called: pass the function itself, "
            "decorated with @durable_execution or plain, as in run(handler, event)"
        )
    if isinstance(handler, functools.partial) and handler.func is sdk_execution.durable_execution:
        raise InvalidHandler(
            "the handler is durable_execution(...) that was given no function: apply it to one, as in "
            "durable_execution(plugins=[...])(handler)"
        )
    _check_signature(handler)
    durable = _sdk_wrapper(handler)
    function = handler if durable is None else _user_function(durable)
    name = getattr(function, "__name__", type(function).__name__)
    if durable is None:
        return Handler(sdk_execution.durable_execution(watch_handler(handler)), function, name)
    if durable is not handler:  # something is wrapped around the SDK's decorator, which must run as well
        _cell_of(durable).cell_contents = watch_handler(function)
        # It logs the event or looks into it, so it is given the dict that Lambda gives.
        return Handler(lambda event, context: handler(event.to_json_dict(), context), function, name)
    return Handler(_watched(durable), function, name)


def is_durable(handler: Any) -> bool:
    """Whether the SDK's decorator is somewhere around the function."""
    return _sdk_wrapper(handler) is not None


def check_plain(handler: Any) -> None:
    """Refuse what Lambda could not call as a plain function.

    Raises:
        InvalidHandler: saying why.
    """
    __tracebackhide__ = True
    if not callable(handler):
        raise InvalidHandler(f"the handler is {handler!r}, which cannot be called: pass the function itself")
    _check_signature(handler)


def _check_signature(handler: Callable[..., Any]) -> None:
    __tracebackhide__ = True
    try:
        signature = inspect.signature(handler)
    except (TypeError, ValueError):  # a builtin that does not tell
        return
    try:
        signature.bind("event", "context")
    except TypeError as error:
        name = getattr(handler, "__name__", repr(handler))
        shown = signature.replace(return_annotation=signature.empty)
        raise InvalidHandler(
            f"{name}{shown} cannot be called as a Lambda handler, with (event, context): {error}. "
            "Bind further arguments with functools.partial or a closure"
        ) from None
    if inspect.iscoroutinefunction(handler):
        raise InvalidHandler(
            f"{getattr(handler, '__name__', handler)!s} is a coroutine function: the SDK calls the handler without "
            "awaiting it. Use a plain function; asyncio.run inside a step is fine"
        )


def _sdk_wrapper(handler: Callable[..., Any]) -> Callable[..., Any] | None:
    """The SDK's wrapper in a chain of decorators; None if the function is not decorated."""
    link: Any = handler
    while link is not None:
        code = getattr(link, "__code__", None)
        if code is not None and code.co_qualname == _SDK_WRAPPER and link.__globals__ is vars(sdk_execution):
            return link  # type: ignore[no-any-return]  # it has a __code__, so it is a function
        link = getattr(link, "__wrapped__", None)
    return None


def _user_function(wrapper: Any) -> Callable[..., Any]:
    """What was decorated: SDK 3 keeps it in ``__wrapped__``, every release in the closure."""
    return watched_by(_cell_of(wrapper).cell_contents)


def _cell_of(wrapper: Any) -> CellType:
    """Where the SDK's wrapper keeps what was decorated."""
    cell: CellType = wrapper.__closure__[wrapper.__code__.co_freevars.index("func")]
    return cell


def _watched(wrapper: Any) -> Callable[[Any, Any], Any]:
    """The SDK's wrapper as it is, but around the watched form of the user's function."""
    cells = list(wrapper.__closure__)
    cells[wrapper.__code__.co_freevars.index("func")] = CellType(watch_handler(_user_function(wrapper)))
    return FunctionType(wrapper.__code__, wrapper.__globals__, wrapper.__name__, wrapper.__defaults__, tuple(cells))
