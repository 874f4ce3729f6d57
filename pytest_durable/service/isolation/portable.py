"""Values on their way from the child to the parent.

What is plain, or of the SDK, arrives as it is. A function arrives as one of the same code, so that the checks compare
it as they compare any. Objects of the user's classes stay behind: in their place comes a stand-in with the name of
their class. No code of the user's runs on the way, in neither process.
"""

from __future__ import annotations

import copyreg
import functools
import io
import marshal
import pickle
import sys
from enum import Enum
from types import CellType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any

_SDK = "aws_durable_execution_sdk_python"
_TRUSTED = frozenset(
    {
        "_pytest.outcomes",
        "botocore.exceptions",
        "builtins",
        "collections",
        "datetime",
        "decimal",
        "fractions",
        "freezegun.api",
        "functools",
        "pathlib",
        "pytest_durable.errors",
        "pytest_durable.seams.observe",
        "pytest_durable.seams.reads",
        "pytest_durable.service.errors",
        "pytest_durable.service.investigation",
        "pytest_durable.service.isolation.child",
        "pytest_durable.service.outside",
        "re",
        "uuid",
        *(f"{_SDK}.{name}" for name in ("config", "exceptions", "identifier", "lambda_service", "retries", "waits")),
    }
)
"""Modules whose objects are sent as they are: they can be built again anywhere, and their classes do nothing else."""

_BUILDERS = frozenset({__name__, "copyreg", "re", "botocore.exceptions", "freezegun.api"})
"""Modules whose functions are named, not sent: by them values are built again."""

_PLAIN: tuple[Any, ...] = (str, int, float, bytes, list, tuple, dict, set, frozenset)
"""What a user's subclass of it is sent as."""


class StandIn:
    """Stands in for a value that stayed behind, as an instance of a class of the same name.

    Attributes:
        text: what is known of it.
    """

    text = ""

    def __init__(self, text: str = "") -> None:
        self.text = text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, StandIn) and self.text == other.text

    def __hash__(self) -> int:
        return hash(self.text)

    def __repr__(self) -> str:
        return f"<{self.text}>"


def dumps(value: Any) -> bytes:
    """The value as bytes, for `loads` in another process.

    Raises:
        RecursionError: if it is nested too deep.
    """
    buffer = io.BytesIO()
    _Pickler(buffer, pickle.HIGHEST_PROTOCOL).dump(value)
    return buffer.getvalue()


def loads(data: bytes) -> Any:
    """The value that `dumps` was given."""
    return _Unpickler(io.BytesIO(data)).load()


def sendable_key(key: Any, owner: str) -> Any:
    """A key that equals another one, where it arrives, if the key itself did.

    Args:
        key: hashable.
        owner: in whose memory it is: what is equal to itself alone is nothing else's.
    """
    kind = type(key)
    if isinstance(key, tuple):
        return tuple(sendable_key(item, owner) for item in key)
    if key is None or kind.__module__ in _TRUSTED:
        return key
    own = owner if getattr(kind, "__repr__", None) is object.__repr__ else ""
    return f"{kind.__module__}.{kind.__qualname__} {key!r} {own}"


class _Pickler(pickle.Pickler):
    """Sends functions by their code, and strangers by the names of their classes."""

    def reducer_override(self, value: Any) -> Any:
        kind = type(value)
        reduce = _REDUCERS.get(kind)
        if reduce is not None:
            return reduce(value)
        if isinstance(value, type):
            return NotImplemented if _is_found(value) else (_a_class, (value.__module__, value.__qualname__))
        if kind.__module__ in _TRUSTED:
            if _is_verdict(kind):
                return _verdict, (kind.__name__, value.msg, value.pytrace)
            return NotImplemented if _can_be_sent(value) else (_stand_in, (kind.__name__, kind.__qualname__))
        if isinstance(value, BaseException):
            return _error, (_kind_of_error(value), kind.__module__, kind.__qualname__, _text_of(value))
        if isinstance(value, Enum) and not isinstance(value, _PLAIN):
            return _stand_in, (kind.__name__, f"{kind.__qualname__}.{value._name_}")
        for plain in _PLAIN:
            if isinstance(value, plain):
                return plain, (_as_plain(plain, value),)
        if callable(value) and isinstance(kind.__call__, FunctionType):
            return _callable, (kind.__name__, kind.__call__)
        return _stand_in, (kind.__name__, f"{kind.__module__}.{kind.__qualname__}")


class _Unpickler(pickle.Unpickler):
    """Finds what this process has; what only the other one has imported comes as a stand-in."""

    def find_class(self, module: str, name: str) -> Any:
        try:
            return super().find_class(module, name)
        except (ImportError, AttributeError):
            return _a_class(module, name)


def _is_found(kind: type) -> bool:
    """Whether a class can be named, instead of sent."""
    found: Any = sys.modules.get(kind.__module__)
    for name in kind.__qualname__.split("."):
        found = getattr(found, name, None)
    return found is kind


def _is_verdict(kind: type) -> bool:
    """Whether it is what ``pytest.fail`` or ``pytest.skip`` raises: classes that say that they are builtins."""
    outcomes = sys.modules.get("_pytest.outcomes")
    if outcomes is None or not issubclass(kind, outcomes.OutcomeException):
        return False
    return getattr(outcomes, kind.__name__, None) is kind


def _can_be_sent(value: Any) -> bool:
    """Whether an object of a trusted class can be taken apart: a generator, say, cannot."""
    if type(value) in copyreg.dispatch_table:
        return True
    try:
        value.__reduce_ex__(pickle.HIGHEST_PROTOCOL)
    except Exception:
        return False
    return True


def _as_plain(plain: type, value: Any) -> Any:
    """The plain value that a user's subclass adds to."""
    if plain is dict:
        return dict(dict.items(value))
    if plain in (list, tuple, set, frozenset):
        return list(plain.__iter__(value))
    if plain is str:
        return str.__str__(value)
    nothing: Any = plain()
    return nothing + value  # as a number, or bytes, of that class itself


def _text_of(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:
        return "<no text>"


def _kind_of_error(error: BaseException) -> type[BaseException]:
    for kind in (SystemExit, KeyboardInterrupt, Exception):
        if isinstance(error, kind):
            return kind
    return BaseException


# --- functions and code, taken apart and put together ---------------------------------------------------------------


def _reduce_function(function: FunctionType) -> Any:
    if function.__module__ in _BUILDERS:
        return NotImplemented
    state = (function.__defaults__, function.__kwdefaults__, [_contents(one) for one in function.__closure__ or ()])
    name = function.__globals__.get("__name__")
    extra = {key: value for key, value in vars(function).items() if key == "_original_name"}
    return _a_function, (function.__code__, str(name), function.__name__), (*state, extra), None, None, _fill


def _contents(cell: CellType) -> tuple[Any, ...]:
    try:
        return (cell.cell_contents,)
    except ValueError:  # not bound yet
        return ()


def _a_function(code: CodeType, module: str, name: str) -> FunctionType:
    found = sys.modules.get(module)
    names = {"__name__": module} if found is None else vars(found)
    return FunctionType(code, names, name, None, tuple(CellType() for _ in code.co_freevars))


def _fill(function: FunctionType, state: tuple[Any, ...]) -> None:
    """Bind what the function was bound to; after it was made, as it may be bound to itself."""
    function.__defaults__, function.__kwdefaults__, contents, extra = state
    vars(function).update(extra)
    for cell, value in zip(function.__closure__ or (), contents, strict=True):
        if value:
            cell.cell_contents = value[0]


def _reduce_code(code: CodeType) -> Any:
    return _a_code, (marshal.dumps(code),)


def _a_code(data: bytes) -> CodeType:
    code: CodeType = marshal.loads(data)
    return _the_one(code.co_filename, code)


@functools.lru_cache(maxsize=4096)
def _the_one(file: str, code: CodeType) -> CodeType:
    """Of equal codes always the same object: it is compared by identity."""
    return code


def _reduce_method(method: MethodType) -> Any:
    return _a_method, (method.__func__, method.__self__)


def _a_method(function: Any, owner: Any) -> MethodType:
    return MethodType(function, owner)


def _reduce_module(module: ModuleType) -> Any:
    return _a_module, (module.__name__,)


def _a_module(name: str) -> Any:
    return sys.modules.get(name) or _stand_in("module", name)


_REDUCERS: dict[type, Any] = {
    FunctionType: _reduce_function,
    CodeType: _reduce_code,
    MethodType: _reduce_method,
    ModuleType: _reduce_module,
}


# --- stand-ins --------------------------------------------------------------------------------------------------------


@functools.cache
def _a_class(module: str, name: str) -> type:
    return type(name.rpartition(".")[2], (StandIn,), {"__module__": module, "__qualname__": name})


def _stand_in(name: str, text: str) -> StandIn:
    stand_in: StandIn = _a_class("", name)(text)
    return stand_in


def _callable(name: str, call: FunctionType) -> Any:
    kind = type(name, (StandIn,), {"__call__": call})
    return kind(name)


def _verdict(name: str, text: str, pytrace: bool) -> Any:
    return getattr(sys.modules["_pytest.outcomes"], name)(text, pytrace)


def _error(kind: type[BaseException], module: str, name: str, text: str) -> BaseException:
    """An error of the user's, by its name and what it says."""
    members = {"__module__": module, "__qualname__": name}
    made: BaseException = type(name.rpartition(".")[2], (kind,), members)(text)
    return made
