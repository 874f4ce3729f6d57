"""Functions and clients whose calls are effects: each is recorded once it has returned."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import WRAPPER_ASSIGNMENTS, partial, update_wrapper
from typing import Any, Protocol

from pytest_durable.errors import UsageError
from pytest_durable.service.effects import POSITIONAL

KeyOf = str | Callable[..., Any] | None
"""The name of a parameter, or a function of the call's arguments; None for no key."""

_SPECIAL = (
    "__aenter__", "__aexit__", "__call__", "__contains__", "__enter__", "__eq__", "__exit__", "__getitem__",
    "__hash__", "__iter__", "__len__", "__next__", "__setitem__",
)  # fmt: skip
"""What Python looks up in the class of an object, so that a stand-in must have it in its own."""

_TWICE = "each of its effects would count twice. Use what the first wrap has returned"


class Ledger(Protocol):
    """The part of the ledger that is needed here."""

    def admit(self) -> bool:
        """See `EffectLedger.admit`."""

    def note(self, name: str, key: Any, details: Mapping[str, Any]) -> None:
        """See `EffectLedger.note`."""


def wrapped(ledger: Ledger, target: Any, name: str | None, key: KeyOf) -> Any:
    """See `EffectLedger.wrap`.

    Raises:
        UsageError: for what cannot be wrapped, or not so.
    """
    __tracebackhide__ = True
    if name is not None and (not isinstance(name, str) or not name):
        raise UsageError(f"wrap: a name is text, such as 'bank.charge', not {name!r}")
    if key is not None and not isinstance(key, str) and not callable(key):
        raise UsageError(f"wrap: key is the name of a parameter or a function of the call's arguments, not {key!r}")
    if _is_wrapped(target):
        raise UsageError(f"{_called(target)} is wrapped already: {_TWICE}")
    if inspect.isclass(target):
        raise UsageError(f"wrap takes a function or a client, not the class {target.__name__}: wrap an instance of it")
    if _is_function(target):
        return _function(ledger, target, name or _called(target), key, _signature(target))
    return _client(ledger, target, name, key)


def _is_function(target: Any) -> bool:
    return inspect.isroutine(target) or isinstance(target, partial)


def _is_wrapped(target: Any) -> bool:
    return isinstance(inspect.getattr_static(type(target), "_is_wrapped_effect", None), bool) or bool(
        getattr(target, "__dict__", {}).get("_is_wrapped_effect", False)
    )


def _called(target: Any) -> str:
    while isinstance(target, partial):
        target = target.func
    name = getattr(target, "__name__", None)
    return name if isinstance(name, str) and name else str(target.__class__.__name__)


def _signature(function: Any) -> inspect.Signature | None:
    try:
        return inspect.signature(function)
    except (TypeError, ValueError):  # a builtin that tells none
        return None


def _takes(signature: inspect.Signature | None, parameter: str) -> bool:
    """Whether a call may have an argument of this name."""
    if signature is None:
        return True
    return parameter in signature.parameters or any(
        one.kind is inspect.Parameter.VAR_KEYWORD for one in signature.parameters.values()
    )


def _is_async(function: Any) -> bool:
    """Whether it is a coroutine function; ``inspect`` takes any method of ``create_autospec`` for one."""
    while isinstance(function, partial):
        function = function.func
    flags = getattr(getattr(function, "__code__", None), "co_flags", 0)  # of such a method they are a mock
    return isinstance(flags, int) and inspect.iscoroutinefunction(function)


def _function(
    ledger: Ledger, function: Any, name: str, key: KeyOf, signature: inspect.Signature | None
) -> Callable[..., Any]:
    __tracebackhide__ = True
    if isinstance(key, str) and not _takes(signature, key):
        assert signature is not None
        known = ", ".join(signature.parameters) or "none"
        raise UsageError(f"wrap: {name} has no parameter {key!r} to be its key; it has: {known}")

    def note(args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        details = _details(signature, args, kwargs)
        found = None
        if isinstance(key, str):
            found = details.pop(key, None)
        elif key is not None:
            found = key(*args, **kwargs)
        ledger.note(name, found, details)

    def call(*args: Any, **kwargs: Any) -> Any:
        if not ledger.admit():
            return function(*args, **kwargs)
        result = function(*args, **kwargs)
        note(args, kwargs)
        return result

    async def call_async(*args: Any, **kwargs: Any) -> Any:
        if not ledger.admit():
            return await function(*args, **kwargs)
        result = await function(*args, **kwargs)
        note(args, kwargs)
        return result

    outer: Any = call_async if _is_async(function) else call
    is_named = isinstance(getattr(function, "__name__", ""), str)  # of what create_autospec makes it is a mock
    update_wrapper(outer, function, WRAPPER_ASSIGNMENTS if is_named else ())
    outer._is_wrapped_effect = True
    return outer  # type: ignore[no-any-return]  # one of the two


def _details(signature: inspect.Signature | None, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    """The arguments of a call by the names of their parameters; those without a name stand together."""
    if signature is None:
        return {**({POSITIONAL: args} if args else {}), **kwargs}
    bound = signature.bind(*args, **kwargs)
    bound.apply_defaults()
    details: dict[str, Any] = {}
    for parameter, value in bound.arguments.items():
        kind = signature.parameters[parameter].kind
        if kind is inspect.Parameter.VAR_KEYWORD:
            details.update(value)
        elif kind is not inspect.Parameter.VAR_POSITIONAL:
            details[parameter] = value
        elif value:
            details[POSITIONAL] = value
    return details


def _client(ledger: Ledger, target: Any, name: str | None, key: KeyOf) -> Any:
    """A stand-in for ``target``, all of whose public methods are effects; whatever else it has is its own."""
    __tracebackhide__ = True
    public = [one for one in dir(target) if not one.startswith("_")]
    methods = {one: method for one in public if callable(method := inspect.getattr_static(target, one, None))}
    twice = [one for one, method in methods.items() if _is_wrapped(method)]
    if twice:
        raise UsageError(f"{_called(target)}.{twice[0]} is wrapped already: {_TWICE}")
    if not methods and not callable(target):
        raise UsageError(f"wrap takes a function, a method or a client with public methods, not {target!r}")
    if isinstance(key, str) and not callable(target):
        taking = [one for one in methods if _takes(_signature(getattr(target, one)), key)]
        if not taking:
            raise UsageError(f"wrap: no method of {_called(target)} has a parameter {key!r} to be its key")
    made: dict[str, Any] = {}

    def look_up(attribute: str) -> Any:
        value = getattr(target, attribute)
        if attribute.startswith("_") or not callable(value) or inspect.isclass(value):
            return value
        signature = _signature(value)
        of_this = None if isinstance(key, str) and not _takes(signature, key) else key
        if attribute not in made or made[attribute].__wrapped__ != value:
            effect = attribute if name is None else f"{name}.{attribute}"
            made[attribute] = _function(ledger, value, effect, of_this, signature)
        return made[attribute]

    def special(method: str) -> Callable[..., Any]:
        if method == "__call__":
            effect = name or _called(target)
            return lambda self, *args, **kwargs: _function(ledger, target, effect, key, _signature(target))(
                *args, **kwargs
            )
        return lambda self, *args: getattr(target, method)(*(look_through(one) for one in args))

    def look_through(value: Any) -> Any:
        return target if type(value) is type(stand_in) else value

    body: dict[str, Any] = {one: special(one) for one in _SPECIAL if hasattr(type(target), one)}
    body |= {
        "_is_wrapped_effect": True,
        "__class__": property(lambda self: type(target)),
        "__getattr__": lambda self, attribute: look_up(attribute),
        "__setattr__": lambda self, attribute, value: setattr(target, attribute, value),
        "__delattr__": lambda self, attribute: delattr(target, attribute),
        "__repr__": lambda self: f"<effects of {target!r}>",
        "__dir__": lambda self: dir(target),
        "__slots__": (),
    }
    stand_in = type(f"Wrapped{type(target).__name__}", (), body)()
    return stand_in
