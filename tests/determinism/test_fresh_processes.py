"""Same plan, same seed: the same trace in any process, on every Python and every SDK."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.determinism import reference

ROOT = Path(__file__).parents[2]

PINNED = "41a2279ad4fe4a6f49aa91e231eb85bc"
"""The trace hash of the reference, on Python 3.11 to 3.13 and SDK 2.1 and 3.0 alike.

It changes only when the rules of the simulated world do: who runs when, how much virtual time a thing takes, what is
written into the trace. An optimisation that changes it has changed a rule.
"""


def hash_in_a_fresh_process(script: Path, directory: Path, **environment: str) -> str:
    """Run the reference as a script, from ``directory``."""
    done = subprocess.run(
        [sys.executable, str(script)],
        cwd=directory,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_reference_run_has_the_trace_hash_it_always_had() -> None:
    assert reference.trace_hash() == PINNED, "\n".join(reference.trace_lines())


def moved_to(directory: Path) -> Path:
    """The reference in another file, on other lines."""
    moved = directory / "moved_elsewhere.py"
    original = Path(reference.__file__).read_text(encoding="utf-8")
    docstring, future, rest = original.partition("from __future__ import annotations\n")
    moved.write_text(docstring + future + "\n" * 200 + rest, encoding="utf-8")
    return moved


@pytest.mark.parametrize(
    ("hash_seed", "zone", "is_moved", "optimised"),
    [("0", "UTC", False, "0"), ("1", "America/St_Johns", True, "0"), ("4242", "Asia/Kathmandu", False, "2")],
)
def test_the_process_and_its_surroundings_do_not_matter(
    hash_seed: str, zone: str, is_moved: bool, optimised: str, tmp_path: Path
) -> None:
    """The hash seed, the time zone, the working directory, the handler's file and lines, optimised bytecode."""
    script = moved_to(tmp_path) if is_moved else Path(reference.__file__)
    environment = {"PYTHONHASHSEED": hash_seed, "TZ": zone, "PYTHONOPTIMIZE": optimised}
    assert hash_in_a_fresh_process(script, tmp_path, **environment) == PINNED
