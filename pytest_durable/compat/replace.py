"""AWS's testing library by its own name, for a test session: importing it gives ours, whether it is installed or not.

A finder on the meta path rather than entries in ``sys.modules``: what nobody imports is not made, and what is not
simulated can be refused where it is imported.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

PACKAGE = "aws_durable_execution_sdk_python_testing"

_HOMES = {
    "": "pytest_durable.compat",
    "runner": "pytest_durable.compat",
    "exceptions": "pytest_durable.compat.exceptions",
    "model": "pytest_durable.compat.model",
    "execution": "pytest_durable.compat",
}
"""What stands for which module of the package."""


class _Finder(MetaPathFinder, Loader):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        package, _, name = fullname.partition(".")
        if package != PACKAGE:
            return None
        if name not in _HOMES:
            raise ModuleNotFoundError(
                f"{fullname} is not simulated: with --durable-replace-aws-runner there are "
                f"{', '.join(sorted(_HOMES)[1:])} of {PACKAGE}. Run what needs it without the option",
                name=fullname,
            )
        return ModuleSpec(fullname, self, is_package=not name)

    def exec_module(self, module: ModuleType) -> None:
        home = importlib.import_module(_HOMES[module.__name__.partition(".")[2]])
        module.__doc__ = home.__doc__
        for name in home.__all__:
            setattr(module, name, getattr(home, name))
        refuse = getattr(home, "__getattr__", None)
        if refuse is not None:
            module.__getattr__ = refuse  # type: ignore[method-assign]  # a function of the module, not a method


def install() -> None:
    """Have the package's name lead here, until `remove`.

    Raises:
        ImportError: if AWS's own was imported before: whoever did that would keep it.
    """
    if PACKAGE in sys.modules:
        raise ImportError(
            f"--durable-replace-aws-runner: {PACKAGE} was imported before pytest-durable could replace it. "
            "Something that pytest loads earlier imports it, such as a plugin given by -p: import it there "
            "when a test needs it, or change the imports of the tests to pytest_durable.compat"
        )
    sys.meta_path.insert(0, _Finder())


def remove() -> None:
    """Give the name back; does nothing if it was not taken."""
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        return
    sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, _Finder)]
    for name in [name for name in sys.modules if name.partition(".")[0] == PACKAGE]:
        del sys.modules[name]
