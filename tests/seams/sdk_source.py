"""The installed SDK's source, parsed: which names of which standard library modules it uses, and where."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import aws_durable_execution_sdk_python

from tests.source import Resolver, imports

ROOT = Path(aws_durable_execution_sdk_python.__file__).parent


@dataclass(frozen=True)
class Use:
    """One use of a name of a library module.

    Attributes:
        file: path below the SDK's root.
        library: full name of the module.
        name: of what is used; empty for the import of the whole module.
        line: in the file.
    """

    file: str
    library: str
    name: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.library}.{self.name}"


@cache
def trees() -> dict[str, ast.Module]:
    """Every source file of the SDK by its path below the root."""
    return {
        path.relative_to(ROOT).as_posix(): ast.parse(path.read_text(encoding="utf-8"))
        for path in sorted(ROOT.rglob("*.py"))
    }


def module_name(file: str) -> str:
    """The full name of the module in ``file``."""
    parts = [ROOT.name, *Path(file).with_suffix("").parts]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def uses_in(file: str, libraries: frozenset[str]) -> Iterator[Use]:
    """Every use of a name of one of ``libraries`` in a file of the SDK."""
    tree = trees()[file]
    for one in imports(tree):
        if one.module in libraries:
            yield Use(file, one.module, one.name, one.line)
        elif one.full_name in libraries:
            yield Use(file, one.full_name, "", one.line)
    resolver = Resolver(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            library, _, name = resolver.full_name(node).rpartition(".")
            if library in libraries:
                yield Use(file, library, name, node.lineno)


@cache
def uses(libraries: frozenset[str]) -> list[Use]:
    """Every use of a name of one of ``libraries`` anywhere in the SDK."""
    return [use for file in trees() for use in uses_in(file, libraries)]
