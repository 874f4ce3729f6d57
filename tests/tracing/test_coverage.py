"""coverage with its default settings sees of a durable handler exactly what it sees of plain calls."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.others import WITHOUT

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
KILLS = "price:body, charge:start, pack/map-item-1/wrap:stored, ship:body, return"

coverage = pytest.importorskip("coverage")

CORES = [
    "ctrace",
    pytest.param("sysmon", marks=pytest.mark.skipif(sys.version_info < (3, 12), reason="needs sys.monitoring")),
]
BRANCH_CORES = [
    "ctrace",
    pytest.param("sysmon", marks=pytest.mark.skipif(sys.version_info < (3, 14), reason="needs branch events")),
]


def measured(directory: Path, core: str, *command: str) -> dict[str, Any]:
    """What coverage reports about the handler's file after ``coverage run`` of ``command``.

    It runs in an empty directory, so that it finds no configuration.
    """
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    environment |= {"PYTHONPATH": str(ROOT), "COVERAGE_CORE": core, **WITHOUT}
    done = subprocess.run(
        [sys.executable, "-m", "coverage", "run", "--include=*/tracing/orders.py", *command],
        cwd=directory,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Warning" not in done.stderr  # such as: trace function changed, data is likely wrong
    data = coverage.Coverage(data_file=str(directory / ".coverage"), config_file=False)
    data.load()
    data.json_report(outfile=str(directory / "report.json"))
    (seen,) = json.loads((directory / "report.json").read_text(encoding="utf-8"))["files"].values()
    parts = ("executed_lines", "missing_lines", "executed_branches", "missing_branches")
    return {part: seen[part] for part in parts if part in seen}


def script(name: str) -> str:
    return str(HERE / f"{name}.py")


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The lines and branches of plain calls."""
    return measured(tmp_path_factory.mktemp("plain"), "ctrace", "--branch", script("as_plain"))


def test_the_handler_leaves_lines_and_branches_out(plain: dict[str, Any]) -> None:
    assert all(plain.values())


@pytest.mark.parametrize("core", CORES)
def test_the_same_lines_are_executed(core: str, plain: dict[str, Any], tmp_path: Path) -> None:
    lines = {part: plain[part] for part in ("executed_lines", "missing_lines")}
    assert measured(tmp_path, core, script("as_durable")) == lines


@pytest.mark.parametrize("core", BRANCH_CORES)
def test_the_same_branches_are_taken_by_a_test_with_the_fixture(
    core: str, plain: dict[str, Any], tmp_path: Path
) -> None:
    (tmp_path / "test_orders.py").write_text(
        "from tests.tracing.orders import EVENT, handler\n"
        "def test_orders(durable_ctx):\n"
        "    assert durable_ctx.run(handler, EVENT).status == 'SUCCEEDED'\n",
        encoding="utf-8",
    )
    command = ("--branch", "-m", "pytest", "-p", "no:cacheprovider", "test_orders.py")
    assert measured(tmp_path, core, *command) == plain


def test_a_kill_takes_no_branch_that_the_handler_does_not_have(plain: dict[str, Any], tmp_path: Path) -> None:
    assert measured(tmp_path, "ctrace", "--branch", script("as_durable"), KILLS) == plain
