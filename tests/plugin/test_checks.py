"""Checks are switched off by name."""

from __future__ import annotations

import pytest

SUITE = """
import pytest
from datetime import datetime
from aws_durable_execution_sdk_python.config import Duration

bank = []


def charges_twice(event, context):
    context.step(lambda _: bank.append(100), name="charge")
    return context.step(lambda _: sum(bank), name="read")


def asks_for_something_else(event, context):
    context.wait(Duration.from_seconds(60 + datetime.now().minute), name="pause")
    context.wait(Duration.from_seconds(60), name="again")


{marker}
def test_outcome(durable_ctx):
    durable_ctx.verify(charges_twice, reset=bank.clear)


{marker}
def test_replay(durable_ctx):
    durable_ctx.verify(asks_for_something_else)


{marker}
def test_run(durable_ctx):
    durable_ctx.run(asks_for_something_else)
"""


@pytest.mark.parametrize(
    ("marker", "failed"),
    [
        ("", {"outcome", "replay", "run"}),
        ("@pytest.mark.durable(checks='-outcome')", {"replay", "run"}),
        ("@pytest.mark.durable(checks='outcome, progress')", {"outcome"}),
        ("@pytest.mark.durable(checks=['-outcome', '-replay'])", set()),
    ],
)
def test_a_check_is_switched_off_by_its_name(pytester: pytest.Pytester, marker: str, failed: set[str]) -> None:
    pytester.makepyfile(SUITE.format(marker=marker))
    reports = pytester.inline_run("-p", "no:cacheprovider").getreports("pytest_runtest_logreport")
    names = {report.nodeid.partition("test_")[2].partition("::test_")[2] for report in reports if report.failed}
    assert names == failed


AROUND = """
import pytest

{marker}
def test_around(durable_ctx):
    def handler(event, context):
        context.step(lambda _: durable_ctx.effects.record("mail"), name="mail")

    durable_ctx.run(handler)
"""


@pytest.mark.parametrize(("checks", "failed"), [("effects", 1), ("-effects", 0), ("-outcome", 1)])
def test_so_it_is_around_a_whole_test(pytester: pytest.Pytester, checks: str, failed: int) -> None:
    pytester.makepyfile(AROUND.format(marker=f"@pytest.mark.durable_faults(checks={checks!r})"))
    pytester.runpytest("-p", "no:cacheprovider").assert_outcomes(failed=failed, passed=1 - failed)


@pytest.mark.parametrize("bad", ["charge", "outcome,-replay", ""])
def test_what_is_no_check_is_refused_with_those_that_are(pytester: pytest.Pytester, bad: str) -> None:
    pytester.makepyfile("def test_nothing(): pass")
    result = pytester.runpytest(f"--durable-checks={bad}")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*durable_checks must be some of rerun, replay, outcome, effects, progress*"])
