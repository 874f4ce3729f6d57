"""Reads every source file of the package and enforces the house rules."""

from __future__ import annotations

import ast
import io
import re
import sys
import tokenize
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import pytest

from tests.source import Resolver, imports, nodes

PACKAGE = "pytest_durable"
ROOT = Path(__file__).parents[1] / PACKAGE

ROOMS = (
    "options",
    "errors",
    "engine",
    "primitives",
    "seams",
    "service",
    "callbacks",
    "between",
    "adapters",
    "effects",
    "faults",
    "report",
    "checks",
    "advice",
    "views",
    "execution",
    "search",
    "tally",
    "histories",
    "direct",
    "bench",
    "context",
    "stage",
    "strategies",
    "compat",
    "reporting",
    "summary",
    "progress",
    "per_test",
    "plugin",
)
"""Every room of the package; each may import those before it, and nothing else of the package."""

ENTRANCES = (f"{PACKAGE}.plugin", f"{PACKAGE}.context", f"{PACKAGE}.strategies")
"""The modules by which pytest and users come in; whatever they do not lead to is dead."""

LONGEST_FUNCTION = 60
LONGEST_MODULE = 420

REAL_WORLD = re.compile(
    r"time\.(time|monotonic|perf_counter|process_time)(_ns)?|time\.(sleep|localtime|gmtime)"
    r"|datetime\.datetime\.(now|utcnow|today)|datetime\.date\.today"
    r"|uuid\.uuid[14]|os\.urandom|secrets\..*"
    r"|random\.(?!Random$).*"
)
"""What no decision may depend on: the machine's clock and its randomness."""

SHOWN = ("plugin", "time.perf_counter")
"""Where real time is read after all: the live line of a long search shows seconds."""

WAIVER = re.compile(r"#\s*(?:ruff:\s*)?(?:noqa\b|type:\s*ignore\b)")
GOOD_WAIVER = re.compile(r"#\s*(?:noqa:\s*[A-Z]+\d+(?:,\s*[A-Z]+\d+)*|type:\s*ignore\[[a-z, -]+\])\s+#?\s*[^\s#].*")


@dataclass(frozen=True)
class Source:
    """One source file of the package.

    Attributes:
        name: full name of the module.
        text: the source.
    """

    name: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        """The source, parsed."""
        return ast.parse(self.text)

    @property
    def room(self) -> str:
        """The part of the package that the module belongs to; empty for the package itself."""
        return self.name.partition(".")[2].partition(".")[0]


@cache
def sources() -> dict[str, Source]:
    """Every source file of the package by the name of its module."""
    found = {}
    for path in sorted(ROOT.rglob("*.py")):
        parts = [PACKAGE, *path.relative_to(ROOT).with_suffix("").parts]
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found[name] = Source(name, path.read_text(encoding="utf-8"))
    return found


Rule = Callable[[Source], Iterator[str]]
"""Yields what is wrong with a source file, each time as a line for the reader."""

RULES: list[Rule] = []


def rule(function: Rule) -> Rule:
    """Enforce a rule on every source file."""
    RULES.append(function)
    return function


@rule
def a_room_imports_only_rooms_before_it(source: Source) -> Iterator[str]:
    allowed = ROOMS[: ROOMS.index(source.room)] if source.room else ()
    for one in imports(source.tree):
        top, _, below = one.full_name.partition(".")
        room = below.partition(".")[0]
        if top == PACKAGE and room != source.room and room not in allowed:
            yield f"line {one.line} imports {room or one.name}"


@rule
def the_first_rooms_import_nothing_of_the_package(source: Source) -> Iterator[str]:
    if source.room in ("", "options", "errors"):
        for one in imports(source.tree):
            if one.module.partition(".")[0] == PACKAGE:
                yield f"line {one.line} imports {one.full_name}"


@rule
def the_plugin_imports_only_pytest_at_once(source: Source) -> Iterator[str]:
    if source.room != "plugin":
        return
    for statement in source.tree.body:
        for one in [] if isinstance(statement, ast.FunctionDef | ast.ClassDef) else imports(statement):
            if one.module.partition(".")[0] not in {"pytest", *sys.stdlib_module_names}:
                yield f"line {one.line} imports {one.module}"


@rule
def the_lowest_rooms_know_greenlet_alone(source: Source) -> Iterator[str]:
    if source.room in ("engine", "primitives"):
        for one in imports(source.tree):
            if one.module.partition(".")[0] not in {PACKAGE, "greenlet", *sys.stdlib_module_names}:
                yield f"line {one.line} imports {one.module}"


def length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function without its decorators and its docstring."""
    lines = (function.end_lineno or 0) - function.lineno + 1
    if ast.get_docstring(function) is not None:
        docstring = function.body[0]
        lines -= (docstring.end_lineno or 0) - docstring.lineno + 1
    return lines


@rule
def a_function_fits_a_screen(source: Source) -> Iterator[str]:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and length(node) > LONGEST_FUNCTION:
            yield f"line {node.lineno}: {node.name} has {length(node)} lines, at most {LONGEST_FUNCTION} are allowed"


@rule
def a_module_holds_one_idea(source: Source) -> Iterator[str]:
    lines = len(source.text.splitlines())
    if lines > LONGEST_MODULE:
        yield f"it has {lines} lines, at most {LONGEST_MODULE} are allowed"


def undocumented(body: list[ast.stmt], prefix: str = "") -> Iterator[str]:
    """The public classes and functions in ``body``, and in its public classes, that have no docstring."""
    for node in body:
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) or node.name.startswith("_"):
            continue
        if ast.get_docstring(node) is None:
            yield f"line {node.lineno}: {prefix}{node.name} has no docstring"
        if isinstance(node, ast.ClassDef):
            yield from undocumented(node.body, f"{node.name}.")


@rule
def whatever_is_public_has_a_docstring(source: Source) -> Iterator[str]:
    if ast.get_docstring(source.tree) is None:
        yield "it has no docstring"
    yield from undocumented(source.tree.body)


@rule
def a_waiver_of_a_lint_has_a_code_and_a_reason(source: Source) -> Iterator[str]:
    for token in tokenize.generate_tokens(io.StringIO(source.text).readline):
        if token.type == tokenize.COMMENT and WAIVER.match(token.string) and not GOOD_WAIVER.match(token.string):
            yield f"line {token.start[0]}: {token.string}"


@rule
def the_real_world_stays_below(source: Source) -> Iterator[str]:
    if source.room in ("primitives", "seams"):
        return
    resolver = Resolver(source.tree)
    for node in nodes(source.tree):
        name = resolver.full_name(node)
        if isinstance(node, ast.Attribute | ast.Name) and REAL_WORLD.fullmatch(name) and (source.room, name) != SHOWN:
            yield f"line {node.lineno} uses {name}"


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: str(rule.__name__))
def test_every_source_file_obeys(rule: Rule) -> None:
    assert [f"{name}: {wrong}" for name, source in sources().items() for wrong in rule(source)] == []


def test_every_module_has_a_room_that_has_its_place() -> None:
    assert {source.room for source in sources().values()} - {"", *ROOMS} == set()


def test_every_module_is_reached_from_an_entrance() -> None:
    reached: set[str] = set()
    ahead = list(ENTRANCES)
    while ahead:
        name = ahead.pop()
        if name in sources() and name not in reached:
            reached.add(name)
            ahead.append(name.rpartition(".")[0])  # importing a module imports its packages
            for one in imports(sources()[name].tree):
                ahead += [one.module, one.full_name]
    assert sources().keys() - reached == set()


OFFENDERS: list[tuple[Rule, str, str]] = [
    (a_room_imports_only_rooms_before_it, "engine.task", "def f():\n    from pytest_durable.service import tokens"),
    (a_room_imports_only_rooms_before_it, "seams.table", "import pytest_durable.faults.plan"),
    (a_room_imports_only_rooms_before_it, "search.draw", "from pytest_durable import context"),
    (the_first_rooms_import_nothing_of_the_package, "options", "from pytest_durable.errors import UsageError"),
    (the_first_rooms_import_nothing_of_the_package, "errors", "import pytest_durable.options"),
    (the_plugin_imports_only_pytest_at_once, "plugin", "import hypothesis"),
    (
        the_plugin_imports_only_pytest_at_once,
        "plugin",
        "try:\n    from pytest_durable import context\nexcept ImportError: ...",
    ),
    (
        the_lowest_rooms_know_greenlet_alone,
        "engine.world",
        "import freezegun.api",
    ),
    (a_function_fits_a_screen, "context", "class C:\n    def f(self):\n" + "        pass\n" * 60),
    (a_module_holds_one_idea, "context", "pass\n" * 421),
    (whatever_is_public_has_a_docstring, "context", "import os"),
    (whatever_is_public_has_a_docstring, "context", '"""Module."""\nclass C:\n    """Class."""\n    def f(self): ...'),
    (a_waiver_of_a_lint_has_a_code_and_a_reason, "context", "x = 1  # noqa: E501"),
    (a_waiver_of_a_lint_has_a_code_and_a_reason, "context", "x = 1  # noqa  # long"),
    (a_waiver_of_a_lint_has_a_code_and_a_reason, "context", "x = 1  # type: ignore[arg-type]"),
    (a_waiver_of_a_lint_has_a_code_and_a_reason, "context", "x = 1  # type: ignore  # why not"),
    (the_real_world_stays_below, "search.draw", "import time as t\nt.monotonic()"),
    (
        the_real_world_stays_below,
        "context",
        "from datetime import datetime\ndatetime.now()",
    ),
    (the_real_world_stays_below, "context", "import datetime\ndatetime.date.today()"),
    (the_real_world_stays_below, "service.tokens", "from uuid import uuid4\nuuid4()"),
    (the_real_world_stays_below, "search.draw", "import random\nrandom.choice('ab')"),
]


@pytest.mark.parametrize(("rule", "name", "text"), OFFENDERS)
def test_a_rule_finds_its_offender(rule: Rule, name: str, text: str) -> None:
    assert len(list(rule(Source(f"{PACKAGE}.{name}", text)))) == 1


LAW_ABIDING: list[tuple[Rule, str, str]] = [
    (a_room_imports_only_rooms_before_it, "service.client", "from pytest_durable.engine import World"),
    (a_room_imports_only_rooms_before_it, "engine.task", "from pytest_durable.engine import clock"),
    (a_room_imports_only_rooms_before_it, "errors", "if TYPE_CHECKING:\n    from pytest_durable.report import failure"),
    (a_function_fits_a_screen, "context", 'def f():\n    """One.\n' + "\n" * 80 + '    """\n' + "    pass\n" * 59),
    (whatever_is_public_has_a_docstring, "context", '"""Module."""\ndef _f(): ...\nclass _C:\n    def g(self): ...'),
    (a_waiver_of_a_lint_has_a_code_and_a_reason, "context", "x = 1  # noqa: E501, B010  # a URL cannot be broken"),
    (a_waiver_of_a_lint_has_a_code_and_a_reason, "context", "x = '# noqa'  # type: ignore[misc]  # as above"),
    (the_real_world_stays_below, "context", "from random import Random\nRandom(1)"),
    (
        the_real_world_stays_below,
        "context",
        "self.clock.time()\nclock.now()\ntime.time()",
    ),
    (the_real_world_stays_below, "primitives.sleep", "import time\ntime.time()"),
]


@pytest.mark.parametrize(("rule", "name", "text"), LAW_ABIDING)
def test_a_rule_leaves_the_law_abiding_alone(rule: Rule, name: str, text: str) -> None:
    assert list(rule(Source(f"{PACKAGE}.{name}", text))) == []
