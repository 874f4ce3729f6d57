"""What is handed out: the wheel holds the package and nothing else, the source distribution all that a change needs."""

from __future__ import annotations

import re
import subprocess
import sys
import tarfile
import zipfile
from email.message import Message
from email.parser import Parser
from pathlib import Path

import pytest

import pytest_durable

ROOT = Path(__file__).parents[1]
BUILD = "import sys; from hatchling import build; print(build.build_{kind}(sys.argv[1]))"


def built(kind: str, directory: Path) -> Path:
    """The file that the build backend makes of this checkout."""
    command = [sys.executable, "-c", BUILD.format(kind=kind), str(directory)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return directory / done.stdout.strip().splitlines()[-1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """The wheel."""
    return zipfile.ZipFile(built("wheel", tmp_path_factory.mktemp("wheel")))


@pytest.fixture(scope="module")
def metadata(wheel: zipfile.ZipFile) -> Message:
    """What it says of itself."""
    (name,) = (name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
    return Parser().parsestr(wheel.read(name).decode())


def test_the_wheel_holds_every_file_of_the_package_and_no_other(wheel: zipfile.ZipFile) -> None:
    package = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "pytest_durable").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    inside = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert inside == package
    assert {"pytest_durable/py.typed", "pytest_durable/report/page.css"} <= inside
    beside = {name.partition(".dist-info/")[2] for name in wheel.namelist()} - {""}
    assert beside == {"METADATA", "WHEEL", "RECORD", "entry_points.txt", "licenses/LICENSE"}


def test_pytest_finds_the_plugin_in_it(wheel: zipfile.ZipFile) -> None:
    (name,) = (name for name in wheel.namelist() if name.endswith("entry_points.txt"))
    assert wheel.read(name).decode().split() == ["[pytest11]", "durable", "=", "pytest_durable.plugin"]


def test_its_metadata_are_complete(metadata: Message) -> None:
    assert metadata["Name"] == "pytest-durable"
    assert metadata["Version"] == pytest_durable.__version__
    assert metadata["License-Expression"] == "Apache-2.0"
    assert metadata["Requires-Python"] == ">=3.11"
    assert metadata["Description-Content-Type"] == "text/markdown"
    assert str(metadata.get_payload()).startswith("# pytest-durable\n")
    assert {"Framework :: Pytest", "Typing :: Typed"} <= set(metadata.get_all("Classifier", []))


def test_it_requires_what_it_needs_at_run_time_and_no_more(metadata: Message) -> None:
    required = [text for text in metadata.get_all("Requires-Dist", []) if "extra ==" not in text]
    assert {re.split(r"[<>=~!\[ ;]", text)[0] for text in required} == {
        "aws-durable-execution-sdk-python",
        "freezegun",
        "greenlet",
        "hypothesis",
        "pytest",
    }


def test_the_source_distribution_can_be_tested_and_documented(tmp_path: Path) -> None:
    with tarfile.open(built("sdist", tmp_path)) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    kept = {"README.md", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "Makefile", "noxfile.py", "pyproject.toml"}
    kept |= {"tests/test_distribution.py", "docs/conf.py", "examples/etl/test_etl.py", "benchmarks/__main__.py"}
    assert kept - names == set()
    assert [name for name in names if "__pycache__" in name or name.startswith((".venv", "docs/_build", ".ci"))] == []
