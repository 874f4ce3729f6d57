"""Everything of the standard library that blocks or reads a clock, wherever the installed SDK uses it, is simulated."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator

import pytest

from pytest_durable.seams import table
from tests.seams.sdk_source import module_name, trees, uses, uses_in
from tests.source import Resolver, imports

LIBRARIES = frozenset(table.libraries())


def at_import(body: list[ast.stmt]) -> Iterator[ast.expr]:
    """Every expression that is evaluated when the module is imported, annotations aside."""
    for statement in body:
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
            defaults = [default for default in statement.args.kw_defaults if default is not None]
            yield from [*statement.decorator_list, *statement.args.defaults, *defaults]
        elif isinstance(statement, ast.ClassDef):
            yield from [*statement.decorator_list, *statement.bases]
            yield from at_import(statement.body)
        elif isinstance(statement, ast.AnnAssign):
            yield from [] if statement.value is None else [statement.value]
        else:
            yield from [node for node in ast.iter_child_nodes(statement) if isinstance(node, ast.expr)]
            for name in ("body", "orelse", "finalbody"):
                yield from at_import(getattr(statement, name, []))


def captured_at_import() -> list[str]:
    """Every primitive that the SDK makes, inherits from or keeps a reference to while it is imported."""
    found = []
    for file, tree in trees().items():
        resolver = Resolver(tree)
        for expression in at_import(tree.body):
            for node in ast.walk(expression):
                library, _, name = resolver.full_name(node).rpartition(".")
                if library in LIBRARIES - {"datetime"}:
                    found.append(f"{file}: {library}.{name}")
    return found


def test_the_scan_sees_what_the_sdk_is_known_to_use() -> None:
    seen = {(use.file, use.library, use.name) for use in uses(LIBRARIES)}
    assert {
        ("state.py", "queue", "Queue"),
        ("state.py", "queue", "Empty"),
        ("state.py", "time", "time"),
        ("state.py", "threading", "Event"),
        ("state.py", "threading", "Lock"),
        ("execution.py", "concurrent.futures", "wait"),
        ("config.py", "random", "random"),
        ("suspend.py", "datetime", "datetime"),
    } <= seen


def test_every_name_that_the_sdk_uses_is_in_the_table() -> None:
    unknown = [str(use) for use in uses(LIBRARIES) if use.name and not table.knows(use.library, use.name)]
    assert unknown == []


def test_the_table_knows_nothing_of_other_libraries() -> None:
    assert not table.knows("json", "dumps")
    assert not table.knows("threading", "Barrier")
    assert "json" not in table.libraries()


@pytest.mark.parametrize(
    "library",
    ["_thread", "_queue", "asyncio", "multiprocessing", "sched", "select", "selectors", "signal", "subprocess"],
)
def test_the_sdk_imports_nothing_else_that_blocks(library: str) -> None:
    found = [
        f"{file}:{one.line}"
        for file, tree in trees().items()
        for one in imports(tree)
        if one.module.partition(".")[0] == library
    ]
    assert found == []


def test_the_sdk_reads_the_date_through_now_alone() -> None:
    readings = [
        f"{file}:{node.lineno}"
        for file, tree in trees().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr in ("today", "utcnow", "localtime", "gmtime", "strftime")
    ]
    assert readings == []


def test_the_sdk_asks_for_now_through_the_module_which_is_swapped() -> None:
    bare = [
        f"{file}:{node.lineno}"
        for file, tree in trees().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr == "now" and isinstance(node.value, ast.Name)
    ]
    assert bare == []


def test_every_module_that_uses_a_primitive_is_loaded_with_the_sdk_and_not_within_a_run() -> None:
    using = {module_name(use.file) for use in uses(LIBRARIES - {"datetime"})}
    assert using - sys.modules.keys() == set()


def test_one_primitive_is_captured_at_import_where_no_swap_reaches_it() -> None:
    assert captured_at_import() == ["state.py: threading.Event"]


def test_the_primitive_captured_at_import_is_the_flag_of_a_scheduled_refresh() -> None:
    fields = [
        node
        for node in ast.walk(trees()["state.py"])
        if isinstance(node, ast.AnnAssign) and "default_factory=threading.Event" in ast.unparse(node)
    ]
    assert [ast.unparse(field.target) for field in fields] == ["cancelled"]


def test_nobody_ever_waits_for_the_primitive_captured_at_import() -> None:
    tree = trees()["state.py"]
    accesses = [node for node in ast.walk(tree) if isinstance(node, ast.Attribute) and node.attr == "cancelled"]
    calls = [
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Attribute) and node.value.attr == "cancelled"
    ]
    assert len(calls) == len(accesses)
    assert set(calls) == {"set", "is_set"}


def test_the_primitive_captured_at_import_is_handed_to_nobody_outside_of_its_module() -> None:
    elsewhere = [
        f"{file}:{node.lineno}"
        for file, tree in trees().items()
        for node in ast.walk(tree)
        if file != "state.py" and isinstance(node, ast.Attribute) and node.attr == "cancelled"
    ]
    assert elsewhere == []


def test_the_scan_of_a_file_finds_imports_under_other_names(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [
        "import threading as t",
        "from concurrent import futures",
        "import concurrent.futures",
        "from queue import Queue as Q",
        "t.Barrier(2)",
        "futures.as_completed([])",
        "concurrent.futures.wait([])",
    ]
    monkeypatch.setitem(trees(), "made_up.py", ast.parse("\n".join(lines)))
    assert [(use.library, use.name) for use in uses_in("made_up.py", LIBRARIES)] == [
        ("threading", ""),
        ("concurrent.futures", ""),
        ("concurrent.futures", ""),
        ("queue", "Queue"),
        ("threading", "Barrier"),
        ("concurrent.futures", "as_completed"),
        ("concurrent.futures", "wait"),
    ]
