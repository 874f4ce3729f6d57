"""The documentation can be built, without a warning, and every public name is in it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import pytest_durable
from pytest_durable import compat

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The documentation, as one page of HTML: with the navigation of many it takes half as long again."""
    pytest.importorskip("sphinx", reason="the documentation is built with Sphinx")
    page = tmp_path_factory.mktemp("docs")
    options = ["-W", "--keep-going", "-q", "-b", "singlehtml"]
    command = [sys.executable, "-m", "sphinx", *options, str(ROOT / "docs"), str(page)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    return page / "index.html"


def test_every_public_name_is_in_the_reference(built: Path) -> None:
    reference = built.read_text(encoding="utf-8")
    assert [name for name in pytest_durable.__all__ if f'.{name}"' not in reference] == []
    there = {name for name in compat.__all__ if f'"pytest_durable.compat.{name}"' in reference}
    assert set(compat.__all__) - there == {"ExecutionStatus"}  # which is that of the package
    for name in ("fault_plans", "schedules"):
        assert f'"pytest_durable.strategies.{name}"' in reference
