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


"""

TESTS = """
{marker}
class Test{number}:
    def test_outcome(self, durable_ctx):
        durable_ctx.verify(charges_twice, reset=bank.clear)

    def test_replay(self, durable_ctx):
        durable_ctx.verify(asks_for_something_else)

    def test_run(self, durable_ctx):
        durable_ctx.run(asks_for_something_else)
"""

FAIL = {
    "": {"outcome", "replay", "run"},
    "@pytest.mark.durable(checks='-outcome')": {"replay", "run"},
    "@pytest.mark.durable(checks='outcome, progress')": {"outcome"},
    "@pytest.mark.durable(checks=['-outcome', '-replay'])": set(),
}
"""Which of the tests fail, by the marker above them."""


def failed(pytester: pytest.Pytester) -> list[str]:
    reports = pytester.inline_run("-p", "no:cacheprovider").getreports("pytest_runtest_logreport")
    return [report.nodeid.partition("::")[2] for report in reports if report.failed]


def test_a_check_is_switched_off_by_its_name(pytester: pytest.Pytester) -> None:
    tests = [TESTS.format(marker=marker, number=number) for number, marker in enumerate(FAIL)]
    pytester.makepyfile("\n".join([SUITE, *tests]))
    expected = {f"Test{number}::test_{name}" for number, names in enumerate(FAIL.values()) for name in names}
    assert set(failed(pytester)) == expected


AROUND = """
import pytest

@pytest.mark.durable_faults(checks="effects")
def test_effects(durable_ctx):
    durable_ctx.run(mails_twice(durable_ctx))

@pytest.mark.durable_faults(checks="-effects")
def test_all_but_effects(durable_ctx):
    durable_ctx.run(mails_twice(durable_ctx))

@pytest.mark.durable_faults(checks="-outcome")
def test_all_but_outcome(durable_ctx):
    durable_ctx.run(mails_twice(durable_ctx))

def mails_twice(durable_ctx):
    return lambda event, context: context.step(lambda _: durable_ctx.effects.record("mail"), name="mail")
"""


def test_so_it_is_around_a_whole_test(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(AROUND)
    assert failed(pytester) == ["test_effects", "test_all_but_outcome"]


@pytest.mark.parametrize("bad", ["charge", "outcome,-replay", ""])
def test_what_is_no_check_is_refused_with_those_that_are(pytester: pytest.Pytester, bad: str) -> None:
    pytester.makepyfile("def test_nothing(): pass")
    result = pytester.runpytest_inprocess(f"--durable-checks={bad}")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*durable_checks must be some of rerun, replay, outcome, effects, progress*"])
