"""``python -m tests.compat.both DIRECTORY SHARES``: the suite on both runners, in forked processes that import once.

AWS's runner mostly sleeps: so many shares of the suite sleep on it side by side. With none it is left out.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

import pytest_durable.context  # noqa: F401  # with all that each of the processes would import

SUITE = Path(__file__).parent / "suite"


class Share:
    """One of so many: of each so many tests, one."""

    def __init__(self, number: int, of: int) -> None:
        self._number, self._of = number, of

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = items[self._number :: self._of]


def run(output: Path, share: Share, *options: str) -> int:
    """The process, forked, that runs a share and writes what pytest says of it to a file."""
    child = os.fork()
    if child == 0:
        for stream in (1, 2):
            os.dup2(os.open(output, os.O_WRONLY | os.O_CREAT | os.O_APPEND), stream)
        arguments = ["-q", "-c", str(SUITE / "pytest.ini"), "-p", "no:cacheprovider", *options, str(SUITE)]
        code = pytest.main(arguments, plugins=[share])
        sys.stdout.flush()
        os._exit(code)
    return child


def main(directory: str, shares: str) -> None:
    children = [run(Path(directory) / "ours.txt", Share(0, 1), "--durable-replace-aws-runner")]
    of = int(shares)
    children += [run(Path(directory) / f"awss-{number}.txt", Share(number, of)) for number in range(of)]
    sys.exit(max([os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children], key=abs))


if __name__ == "__main__":
    main(*sys.argv[1:])
