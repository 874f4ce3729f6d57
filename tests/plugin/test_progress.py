"""The live line of a long search."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from contextlib import nullcontext
from io import StringIO

import pytest

from pytest_durable.progress import AFTER, EVERY, Progress
from tests.plugin.sources import SAFE


class Line:
    """What pytest is writing.

    Attributes:
        fullwidth: columns of the terminal.
        width_of_current_line: columns in use.
    """

    fullwidth = 60
    width_of_current_line = 12


class Clock:
    """Real seconds, as a test wants them."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_it_comes_after_a_second_and_is_not_written_at_every_run() -> None:
    stream, clock = StringIO(), Clock()
    progress = Progress(stream, Line(), nullcontext, clock, "tests/test_orders.py::test_order")
    clock.now += AFTER / 2
    progress.ran(1)
    assert stream.getvalue() == ""
    clock.now += AFTER
    progress.ran(0)
    progress.ran(2)
    assert re.findall(r"durable: [^\r]*", stream.getvalue()) == [
        "durable: 2 runs, 1 kills, 2 s  tests/test_orders.py::test_o"
    ]
    clock.now += EVERY
    progress.ran(1)
    assert "durable: 4 runs, 4 kills" in stream.getvalue()


def test_the_cursor_is_back_where_it_was_and_the_line_goes_with_the_search() -> None:
    stream, clock = StringIO(), Clock()
    progress = Progress(stream, Line(), nullcontext, clock, "test_it")
    clock.now += AFTER
    progress.ran(0)
    assert stream.getvalue() == "\n\r\x1b[2Kdurable: 1 runs, 0 kills, 1 s  test_it\r\x1b[1A\x1b[12C"
    progress.end()
    assert stream.getvalue().endswith("\n\r\x1b[2K\r\x1b[1A\x1b[12C")


def test_of_a_short_search_nothing_is_seen() -> None:
    stream = StringIO()
    progress = Progress(stream, Line(), nullcontext, Clock(), "test_it")
    progress.ran(1)
    progress.end()
    assert stream.getvalue() == ""


AT_ONCE = "import pytest_durable.progress\npytest_durable.progress.AFTER = pytest_durable.progress.EVERY = 0\n"


TWICE = "import os, pytest\nassert pytest.main() == 0\nos.environ['CI'] = 'true'\nassert pytest.main() == 0"


def test_it_is_for_terminals_and_not_for_logs(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(AT_ONCE)
    pytester.makepyfile(SAFE)
    ours, theirs = pty.openpty()
    command = [sys.executable, "-c", TWICE]
    with subprocess.Popen(command, cwd=pytester.path, stdout=theirs, stderr=theirs) as process:
        os.close(theirs)
        output = b""
        while chunk := _read(ours):
            output += chunk
    os.close(ours)
    assert process.returncode == 0
    end = b"durable: 1 test, 5 executions, 4 kills, 1 search safe"
    at_a_terminal, in_a_log, _ = output.split(end)
    assert b"durable: 3 runs, 2 kills" in at_a_terminal
    assert b"durable: 3 runs, 2 kills" not in in_a_log


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 1 << 16)
    except OSError:  # Linux's word for the end of a terminal
        return b""
