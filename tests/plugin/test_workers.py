"""One suite by several workers with every other plugin: they say of it what one process alone says."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from tests.others import WITHOUT
from tests.plugin.sources import CHARGES_AGAIN, CHARGES_TWICE, FAILS_AROUND, KILLED

THREADS = """
    from aws_durable_execution_sdk_python.config import Duration

    def order(event, context):
        context.step(lambda _: 7, name="charge")
        context.wait(Duration.from_days(1), name="pause")
        return context.map([1, 2], lambda child, item, *_: child.step(lambda _: item, name="pack")).get_results()

    def pay(event, context):
        return context.step(lambda _: 7, name="charge")
"""

TESTS_OF_THREADS = """
    import asyncio
    import unittest

    import pytest
    from threads import order, pay

    def test_search(durable_ctx):
        durable_ctx.verify(order)

    @pytest.mark.parametrize("number", [1, 2])
    def test_run(durable_ctx, number):
        assert durable_ctx.run(pay, number).result == 7

    @pytest.mark.durable_faults
    def test_around(durable_ctx):
        assert durable_ctx.run(pay).result == 7

    @pytest.mark.asyncio
    async def test_in_a_loop(durable_ctx):
        await asyncio.sleep(0.01)
        assert durable_ctx.run(pay).result == 7
        await asyncio.sleep(0.01)

    class TestInAClass(unittest.TestCase):
        @pytest.fixture(autouse=True)
        def _context(self, durable_ctx):
            self.context = durable_ctx

        def test_it(self):
            self.context.verify(pay)
"""

PROCESSES = (
    """
    import sys

    def order(event, context):
        context.step(charge, name="charge")
        if event:
            return unreached()
        return "charged"

    def charge(step):
        print("charges")

"""
    + KILLED
    + """
    def unreached():
        return 8
"""
)

TESTS_OF_PROCESSES = """
    import pytest
    from processes import killed, order

    pytestmark = pytest.mark.durable(isolation="process")

    def test_safe(durable_ctx):
        durable_ctx.verify(order)

    def test_killed(durable_ctx):
        print("the test")
        assert durable_ctx.start(killed, faults="last:body").status == "SUCCEEDED"
"""

OUTCOMES = {"passed": 8, "failed": 3}


def test_they_say_what_one_process_alone_says(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    pytester.makeini("[pytest]\nasyncio_default_fixture_loop_scope = function\nasyncio_mode = strict\n")
    pytester.makepyfile(threads=THREADS, test_threads=TESTS_OF_THREADS)
    pytester.makepyfile(processes=PROCESSES, test_processes=TESTS_OF_PROCESSES)
    pytester.makepyfile(test_twice=CHARGES_TWICE, test_around=FAILS_AROUND)
    pytester.makepyfile(test_again=CHARGES_AGAIN.format(faults="None"))
    pytester.syspathinsert()
    options = ("-p", "no:cacheprovider", "--durable-report-all")
    # In a process of its own, with which the event loop ends that pytest-asyncio 0.23 leaves open.
    alone = pytester.runpytest_subprocess(*options, "-p", "asyncio", "--durable-report=alone.html")
    alone.assert_outcomes(**OUTCOMES)
    for name in WITHOUT:
        monkeypatch.delenv(name)
    reports = ("--durable-report=together.html", "--junitxml=junit.xml", "--cov-report=term-missing")
    coverage = ("--cov=threads", "--cov=processes", "--cov-branch")
    together = pytester.runpytest_subprocess(
        *options, "-n", "2", "-v", "-p", "randomly", "--timeout=60", *coverage, *reports
    )
    together.assert_outcomes(**OUTCOMES)

    assert "killed at 33 of 33 places" in summary(alone)
    assert summary(together) == summary(alone)
    pages = [(pytester.path / f"{name}.html").read_text(encoding="utf-8") for name in ("together", "alone")]
    assert pages[0] == pages[1]
    assert "test_killed" in pages[0] and "last:body" in pages[0]
    told = properties(pytester.path / "junit.xml")
    assert (told["test_search"]["durable_killed"], told["test_safe"]["durable_killed"]) == ("21", "4")
    assert told["test_run[1]"] == {"durable_executions": "1", "durable_killed": "0", "durable_places": "0"}
    together.stdout.re_match_lines([r"processes.py\s+14\s+2\s+2\s+1\s+81%\s+6, 19"])  # with those of killed children
    together.stdout.re_match_lines([r"threads.py\s+\d+\s+0\s+\d+\s+0\s+100%"])
    assert captured(together, "test_killed") == ["the test", "the last words"]


def summary(result: pytest.RunResult) -> str:
    (line,) = [line for line in result.outlines if line.startswith("durable: ") and "executions" in line]
    return line


def properties(path: Path) -> dict[str | None, dict[str | None, str | None]]:
    """What junit's XML says of each test."""
    cases = ET.parse(path).iter("testcase")
    return {case.get("name"): {one.get("name"): one.get("value") for one in case.iter("property")} for case in cases}


def captured(result: pytest.RunResult, test: str) -> list[str]:
    """The lines that a failing test has printed."""
    text = re.split(rf"(?m)^_+ {test} _+$", result.stdout.str())[1].partition("Captured stdout call")[2]
    return re.split("(?m)^[-=_]", text)[0].splitlines()[1:]
