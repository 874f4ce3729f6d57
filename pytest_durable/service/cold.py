"""Cold starts: a handler's module imported anew, for the invocations that follow one that died.

An `Environment` is what Lambda keeps between two invocations of a function: here the module of its handler. The first
one of an execution is the test's own, with whatever the module holds. It dies with a process; the next is a new module
object, executed from the same source. Only that module is imported again, not what it imports: the outside world of a
test, and its fakes, live in other modules, or in what the handler is given.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType, TracebackType
from typing import Any

from pytest_durable.errors import InvalidHandler, NotSimulated
from pytest_durable.service.handlers import Handler, Home, resolve


def resolve_for(handler: Any, cold: bool) -> Handler:
    """As `resolve`; ``cold`` if it is to start cold after each death of an invocation.

    Raises:
        InvalidHandler: if it cannot be called as a handler, or cannot be found again.
    """
    __tracebackhide__ = True
    found = resolve(handler)
    return found._replace(home=home_of(handler, found.function)) if cold else found


def home_of(handler: Any, function: Any) -> Home:
    """Where a handler can be found again after its module was imported anew.

    Args:
        handler: as it was given.
        function: the user's function in it.

    Raises:
        InvalidHandler: if it cannot be; the message says why, and the way out.
    """
    __tracebackhide__ = True
    module_name = str(getattr(function, "__module__", None))
    path = str(getattr(function, "__qualname__", repr(function)))
    module = sys.modules.get(module_name)
    problem = None
    if module_name == "__main__":
        problem = "it is in __main__, which is not imported"
    elif "<lambda>" in path:
        problem = "it is a lambda, which has no name to find it by"
    elif "<locals>" in path:
        problem = "it is made inside of a function"
    elif module is None or getattr(module.__spec__, "loader", None) is None:
        problem = f"its module {module_name} cannot be imported"
    elif _at(module, path) is not handler:
        name = _name_in(module, handler)
        if name is None:
            problem = f"it is not what {module_name} has by that name"
        else:
            path = name
    if problem is not None:
        raise InvalidHandler(
            f"{path} cannot start cold: {problem}. Define the handler at the top level of a module, "
            "or leave out cold=True (--durable-cold, durable_cold)"
        )
    assert module is not None and module.__spec__ is not None
    return Home(module.__spec__, path)


def _at(module: ModuleType, path: str) -> Any:
    """What the module has at a dotted path; None if it has nothing there."""
    found: Any = module
    for name in path.split("."):
        found = getattr(found, name, None)
    return found


def _name_in(module: ModuleType, handler: Any) -> str | None:
    """The name by which a module has a handler that is not called so itself: ``handler = durable_execution(work)``."""
    return next((name for name, value in vars(module).items() if value is handler), None)


class Shelf:
    """Which modules stand in ``sys.modules`` while a world runs.

    That of the invocation which began last, of those that run, stands there: code that looks a name or a class up by
    its module finds the invocation's own. Whenever the world stands still the original is back.
    """

    def __init__(self) -> None:
        self._shown: list[ModuleType] = []
        self._originals: dict[str, ModuleType | None] = {}

    @contextmanager
    def standing(self, module: ModuleType) -> Iterator[None]:
        """Have ``module`` stand there while an invocation runs in it."""
        self._shown.append(module)
        self._arrange()
        try:
            yield
        finally:
            self._shown.remove(module)
            self._arrange()

    def __enter__(self) -> None:
        """The world runs: what has to stand there does."""
        self._arrange()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._put_back()

    def _arrange(self) -> None:
        self._put_back()
        for module in self._shown:
            name = module.__name__
            self._originals.setdefault(name, sys.modules.get(name))
            sys.modules[name] = module

    def _put_back(self) -> None:
        for name, original in self._originals.items():
            if original is None:
                sys.modules.pop(name, None)
            else:
                sys.modules[name] = original
        self._originals.clear()


class Environment:
    """What is kept between invocations of one execution.

    Args:
        handler: of the execution.
        shelf: of its world.
        is_cold: whether the handler's module is to be imported anew first.
    """

    def __init__(self, handler: Handler, shelf: Shelf, is_cold: bool = False) -> None:
        self._handler = handler
        self._shelf = shelf
        self._invoke: Callable[[Any, Any], Any] | None = None
        self._module: ModuleType | None = None
        self._is_cold = is_cold and handler.home is not None

    def successor(self) -> Environment:
        """The environment of the next invocation, after this one has died."""
        return Environment(self._handler, self._shelf, is_cold=True)

    def invoke(self, event: Any, context: Any) -> Any:
        """Call the handler, in its module of this environment."""
        __tracebackhide__ = True
        if not self._is_cold:
            return self._handler.invoke(event, context)
        home = self._handler.home
        assert home is not None
        if self._module is None:
            self._module = importlib.util.module_from_spec(home.spec)
        with self._shelf.standing(self._module):
            if self._invoke is None:
                self._invoke = _executed(self._module, home)
            return self._invoke(event, context)


def _executed(module: ModuleType, home: Home) -> Callable[[Any, Any], Any]:
    """Execute the module; what Lambda calls then.

    Raises:
        NotSimulated: if the module cannot be executed twice in one process.
    """
    assert home.spec.loader is not None
    try:
        home.spec.loader.exec_module(module)
    except Exception as error:
        raise NotSimulated(
            f"{home.spec.name} cannot be imported a second time, for a cold start: {type(error).__name__}: {error}. "
            "What it imports is not imported again, so what it registers there is there already. Move the handler to a "
            "module that can be, or leave out cold=True (--durable-cold, durable_cold)"
        ) from error
    handler = _at(module, home.path)
    if handler is None:
        raise NotSimulated(f"{home.spec.name}, imported a second time for a cold start, has no {home.path}")
    return resolve(handler).invoke
