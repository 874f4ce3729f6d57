"""The tests on every Python and SDK that are supported, with the oldest and newest dependencies; docs; the wheel."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import nox

SDK = "aws-durable-execution-sdk-python"
LOCAL_RUNNER = f"{SDK}-testing"
PYTHONS = ["3.11", "3.12", "3.13"]
SDKS = ["2.1.0", "3.0.0"]

nox.needs_version = ">=2024.10"
nox.options.sessions = ["tests", "lowest", "newest", "docs", "wheel"]
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.error_on_missing_interpreters = False  # they are reported as skipped
if hasattr(nox.options, "download_python"):  # newer releases would fetch one
    nox.options.download_python = "never"
PROJECT: dict[str, Any] = nox.project.load_toml("pyproject.toml")["project"]


def _works(command: str) -> bool:
    """Whether a command starts: a shim of pyenv's is there for every version, and fails for those not selected."""
    return shutil.which(command) is not None and not subprocess.run([command, "-V"], capture_output=True).returncode


def _pyenv_root() -> Path:
    if shutil.which("pyenv") is None:
        return Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    return Path(subprocess.run(["pyenv", "root"], capture_output=True, text=True, check=True).stdout.strip())


def _find_in_pyenv(python: str) -> None:
    """Put the newest interpreter of that version which pyenv has on the path, unless one is there already."""
    if _works(f"python{python}"):
        return
    found = _pyenv_root().glob(f"versions/{python}.*/bin/python{python}")
    newest = max(found, key=lambda path: [int(part) for part in re.findall(r"\d+", path.parts[-3])], default=None)
    if newest is not None:
        os.environ["PATH"] = os.pathsep.join([os.environ["PATH"], str(newest.parent)])


for _python in PYTHONS:
    _find_in_pyenv(_python)


def _development() -> list[str]:
    """The development dependencies, with whichever release of AWS's local runner goes with the SDK.

    Each release of it requires the SDK of its day: 1.4 requires 3.0, 1.3 is content with 2.1.
    """
    wanted: list[str] = PROJECT["optional-dependencies"]["dev"]
    return [LOCAL_RUNNER if requirement.startswith(LOCAL_RUNNER) else requirement for requirement in wanted]


def _lowest() -> list[str]:
    """The direct dependencies, each pinned to the lowest version that it is allowed to have."""
    wanted: list[str] = PROJECT["dependencies"]
    return [re.sub(r">=\s*([^,]+).*", r"==\1", requirement) for requirement in wanted]


@nox.session(python=PYTHONS)
@nox.parametrize("sdk", SDKS)
def tests(session: nox.Session, sdk: str) -> None:
    """Run every test."""
    session.install("--editable", ".", f"{SDK}=={sdk}", *_development())
    session.run("python", "-m", "pytest", "-q", "-p", "no:cacheprovider", *session.posargs)


@nox.session(python=PYTHONS[0])
def lowest(session: nox.Session) -> None:
    """Run every test with the oldest dependencies."""
    session.install("--editable", ".", *_lowest(), *_development())
    session.run("python", "-m", "pytest", "-q", "-p", "no:cacheprovider", *session.posargs)


@nox.session(python=PYTHONS[-1])
def newest(session: nox.Session) -> None:
    """Run every test with the newest dependencies that there are, pre-releases included, as far as they are allowed."""
    session.install("--upgrade", "--pre", "--editable", ".", *_development())
    session.run("python", "-m", "pytest", "-q", "-p", "no:cacheprovider", *session.posargs)


@nox.session(python=PYTHONS[0])
def docs(session: nox.Session) -> None:
    """Build the documentation; a warning is an error."""
    session.install("--editable", ".[docs]")
    session.run("sphinx-build", "-W", "--keep-going", "-q", "docs", f"{session.create_tmp()}/pages")


@nox.session(python=PYTHONS)
def wheel(session: nox.Session) -> None:
    """Install the wheel as a user would, and run the first test of the README in an empty directory, as printed."""
    directory = Path(session.create_tmp())
    session.run("python", "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(directory), ".")
    (built,) = directory.glob("pytest_durable-*.whl")
    session.install(str(built))
    readme = Path("README.md").read_text(encoding="utf-8")
    shown = re.search(r"```python\n# (test_\w+\.py)\n.*?```", readme, re.DOTALL)
    assert shown is not None, "the README shows no test file"
    tests = directory / "tests"
    shutil.rmtree(tests, ignore_errors=True)
    tests.mkdir()
    (tests / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")  # not the settings of this project
    (tests / shown[1]).write_text(shown[0].removeprefix("```python\n").removesuffix("```"), encoding="utf-8")
    session.chdir(tests)
    printed = session.run("python", "-m", "pytest", "-q", silent=True, success_codes=[1])
    assert "--durable-replay='charge:body'" in str(printed), printed
