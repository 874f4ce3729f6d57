"""Tests whose invocations are processes, beside what else looks at a test: workers, coverage, output, reports."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import pytest

HANDLERS = """
    import sys

    def order(event, context):
        print("begins")
        context.step(charge, name="charge")
        print("charged", file=sys.stderr)
        if event:
            return unreached()
        return context.step(lambda _: 7, name="ship")

    def charge(step):
        print("charges")

    def killed(event, context):
        context.step(last, name="last")

    def last(step):
        print("the last words")

    def unreached():
        return 8
"""

SUITE = """
    import pytest
    from handlers import killed, order

    pytestmark = pytest.mark.durable(isolation="process")

    def test_safe(durable_ctx):
        print("the test")
        assert durable_ctx.run(order).result == 7
        durable_ctx.verify(order)

    def test_killed(durable_ctx):
        print("the test")
        assert durable_ctx.start(killed, faults="last:body").status == "SUCCEEDED"
"""
ITS_LINES = ["the test", "the last words"]


@pytest.fixture
def suite(pytester: pytest.Pytester) -> pytest.Pytester:
    """One test that passes, and one that fails after a kill."""
    pytester.makepyfile(handlers=HANDLERS, test_suite=SUITE)
    return pytester


def lines_between(result: pytest.RunResult, begin: str, end: str) -> list[str]:
    text = result.stdout.str()
    return re.split(end, text.partition(begin)[2])[0].splitlines()[1:]


def test_by_workers_with_coverage_and_reports(suite: pytest.Pytester) -> None:
    options = ["--cov=handlers", "--cov-branch", "--cov-report=term-missing", "--junitxml=junit.xml"]
    result = suite.runpytest_subprocess("-n2", "-p", "no:cacheprovider", *options, "--durable-report=page.html")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.re_match_lines([r"handlers.py\s+16\s+2\s+2\s+1\s+83%\s+8, 21"])  # those of killed children included
    result.stdout.fnmatch_lines(["*killed at 7 of 7 places*"])
    assert lines_between(result, "Captured stdout call", "(?m)^[-=]") == ITS_LINES
    cases = ET.parse(suite.path / "junit.xml").iter("testcase")
    killed = {case.get("name"): {one.get("name"): one.get("value") for one in case.iter("property")} for case in cases}
    assert killed["test_safe"]["durable_killed"] == "7"
    page = (suite.path / "page.html").read_text(encoding="utf-8")
    assert "test_killed" in page and "last:body" in page


def test_output_that_is_not_captured_appears_once_and_in_order(suite: pytest.Pytester) -> None:
    result = suite.runpytest_subprocess("-s", "-k", "killed", "-p", "no:cacheprovider")
    assert [line for line in result.outlines if line.endswith(tuple(ITS_LINES))] == [
        "test_suite.py the test",
        "the last words",
    ]


@pytest.mark.parametrize("capture", ["fd", "sys", "tee-sys"])
def test_output_that_is_captured_appears_once_and_in_order(suite: pytest.Pytester, capture: str) -> None:
    suite.makepyfile(
        """
        import pytest
        from handlers import order

        @pytest.mark.durable(isolation="process")
        def test_it(durable_ctx, {fixture}):
            print("the test")
            durable_ctx.run(order, faults="charge:stored")
            out, err = {fixture}.readouterr()
            assert out.split("\\n") == ["the test", "begins", "charges", "begins", ""]
            assert err == "charged\\n"
    """.replace("{fixture}", "capfd" if capture == "fd" else "capsys")
    )
    suite.runpytest_inprocess("-k", "test_it", f"--capture={capture}").assert_outcomes(passed=1, deselected=2)
