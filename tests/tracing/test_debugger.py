"""A debugger stops in the bodies of a durable handler, and its variables can be looked at there."""

from __future__ import annotations

import bdb
import os
import subprocess
import sys
import threading
from pathlib import Path
from types import FrameType

from pytest_durable import FakeDurableContext
from tests.tracing import orders

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


def line_of(text: str, script: str = "orders.py") -> int:
    """The number of the only line of a script that consists of ``text``."""
    lines = (HERE / script).read_text(encoding="utf-8").splitlines()
    (number,) = (number for number, line in enumerate(lines, start=1) if line.strip() == text)
    return number


def typed_into(commands: list[str], *arguments: str) -> str:
    """What a Python program prints when the commands are typed into its debugger."""
    done = subprocess.run(
        [sys.executable, *arguments],
        input="\n".join([*commands, ""]),
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return done.stdout


def test_pdb_stops_at_a_breakpoint_in_a_step_and_in_the_handler_once_for_each_invocation() -> None:
    with FakeDurableContext() as context:
        invocations = len(context.run(orders.handler, orders.EVENT).invocations)
    step, handler = (f"{HERE / 'orders.py'}:{line_of(text)}" for text in ("total += 200", "if total > 1_000:"))
    in_step = [f"break {step}", "continue", "p 'item', item", "next", "p 'total', total"]
    in_handler = [f"break {handler}", *["continue"] * (invocations + 1), "quit"]
    said = typed_into([*in_step, *in_handler], "-m", "pdb", str(HERE / "as_durable.py"))
    assert "-> total += 200" in said
    assert "('item', 'desk')" in said
    assert "('total', 220)" in said
    assert said.count("-> if total > 1_000:") == invocations


def test_a_call_of_breakpoint_in_a_step_opens_the_debugger_there_which_goes_on_to_the_handler() -> None:
    there, later = (
        f"{HERE / 'with_breakpoint.py'}:{line_of(text, 'with_breakpoint.py')}"
        for text in ("return count", "doubled = 2 * count")
    )
    said = typed_into(
        ["p 'count', count", f"break {there}", f"break {later}", *["continue", "p 'count', count"] * 2, "continue"],
        str(HERE / "with_breakpoint.py"),
    )
    assert "('count', 1)" in said
    assert "-> return count" in said
    assert "-> doubled = 2 * count" in said
    assert said.count("('count', 2)") == 2
    assert "result 4" in said


class Recorder(bdb.Bdb):
    """A debugger that traces all threads, as those of editors do, and goes on wherever it stops."""

    def __init__(self) -> None:
        super().__init__()
        self.reset()
        self.stops: list[tuple[str, int]] = []

    def user_line(self, frame: FrameType) -> None:
        if self.break_here(frame):
            self.stops.append((frame.f_code.co_name, frame.f_lineno))
        self.set_continue()


def test_a_debugger_that_traces_all_threads_stops_in_steps_and_branches() -> None:
    places = [
        ("price", "total += 200"),
        ("pack", 'box = "large"'),
        ("wrap", "return item"),
        ("lines", 'yield "thank you"'),
    ]
    expected = [(function, line_of(text)) for function, text in places]
    recorder = Recorder()
    for _, line in expected:
        assert recorder.set_break(orders.__file__, line) is None
    before, before_in_threads = sys.gettrace(), threading.gettrace()
    threading.settrace(recorder.trace_dispatch)
    try:
        with FakeDurableContext() as context:
            context.run(orders.handler, orders.EVENT)
    finally:
        sys.settrace(before)
        threading.settrace(before_in_threads)
    assert set(recorder.stops) == set(expected)
