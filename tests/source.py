"""Python source as a tree: what a file imports, and what its names stand for."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Import:
    """One imported module, or one name imported from a module.

    Attributes:
        module: full name of the module.
        name: what is taken from it; empty for the whole module.
        local: the name that it has in the file.
        line: in the file.
    """

    module: str
    name: str
    local: str
    line: int

    @property
    def full_name(self) -> str:
        """Module and name, joined."""
        return f"{self.module}.{self.name}" if self.name else self.module


def is_for_types_only(node: ast.AST) -> bool:
    """Whether ``node`` is an ``if TYPE_CHECKING:``."""
    return isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")


def nodes(tree: ast.AST) -> Iterator[ast.AST]:
    """Every node that can be reached when the program runs."""
    yield tree
    if isinstance(tree, ast.If) and is_for_types_only(tree):
        for statement in tree.orelse:
            yield from nodes(statement)
        return
    for child in ast.iter_child_nodes(tree):
        yield from nodes(child)


def imports(tree: ast.AST) -> list[Import]:
    """Every absolute import that happens when the program runs, wherever it stands."""
    found = []
    for node in nodes(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                local = alias.asname or alias.name.partition(".")[0]
                found += [Import(alias.name, "", local, node.lineno)]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            module = node.module or ""
            found += [Import(module, alias.name, alias.asname or alias.name, node.lineno) for alias in node.names]
    return found


def dotted(node: ast.AST) -> str | None:
    """``a.b.c`` as text, or None if ``node`` is anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        below = dotted(node.value)
        return None if below is None else f"{below}.{node.attr}"
    return None


class Resolver:
    """What the imported names of a file stand for."""

    def __init__(self, tree: ast.AST) -> None:
        self._names: dict[str, str] = {}
        for one in imports(tree):
            # ``import a.b`` binds ``a``, ``import a.b as c`` binds ``a.b``.
            is_outermost = not one.name and one.local == one.module.partition(".")[0]
            self._names[one.local] = one.local if is_outermost else one.full_name

    def full_name(self, node: ast.AST) -> str:
        """The full name of the imported thing that ``node`` refers to; empty if it is none."""
        first, dot, rest = (dotted(node) or "").partition(".")
        return f"{self._names[first]}{dot}{rest}" if first in self._names else ""
