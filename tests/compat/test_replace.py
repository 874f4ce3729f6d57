"""AWS's library by its own name, for the time of a session."""

from __future__ import annotations

import sys
from types import ModuleType

import pytest

from pytest_durable.compat.replace import PACKAGE

USES = """
    from aws_durable_execution_sdk_python_testing import DurableFunctionTestRunner as Short
    from aws_durable_execution_sdk_python_testing.runner import DurableFunctionTestRunner, StepOperation

    def handler(event, context):
        return context.step(lambda _: event, name="one")

    def test_it():
        assert Short is DurableFunctionTestRunner
        assert DurableFunctionTestRunner.__module__ == "pytest_durable.compat.runner"
        with DurableFunctionTestRunner(handler) as runner:
            assert isinstance(runner.run("7").get_step("one"), StepOperation)
"""


@pytest.fixture(autouse=True)
def not_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a new process: other tests import AWS's."""
    for name in [name for name in sys.modules if name.partition(".")[0] == PACKAGE]:
        monkeypatch.delitem(sys.modules, name)


def test_with_the_option_its_name_leads_to_ours(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(USES)
    finders = list(sys.meta_path)
    pytester.runpytest_inprocess("--durable-replace-aws-runner").assert_outcomes(passed=1)
    assert [finder for finder in sys.meta_path if finder not in finders] == []
    assert PACKAGE not in sys.modules


def test_with_the_ini_as_well_also_for_a_conftest(pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\ndurable_replace_aws_runner = true")
    pytester.makeconftest("from aws_durable_execution_sdk_python_testing.runner import WaitOperation")
    pytester.makepyfile(USES)
    pytester.runpytest_inprocess().assert_outcomes(passed=1)


def test_without_either_it_is_awss(pytester: pytest.Pytester) -> None:
    pytest.importorskip(PACKAGE, reason="AWS's runner is not installed")
    pytester.makepyfile(USES)
    result = pytester.runpytest_inprocess()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["E         - pytest_durable.compat.runner", f"E         + {PACKAGE}.runner"])


def test_what_was_imported_before_is_not_replaced(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, PACKAGE, ModuleType(PACKAGE))
    pytester.makepyfile(USES)
    result = pytester.runpytest_inprocess("--durable-replace-aws-runner")
    assert result.ret is pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: --durable-replace-aws-runner: {PACKAGE} was imported before*"])


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("from aws_durable_execution_sdk_python_testing import WebRunner", "*WebRunner is not simulated: it talks to*"),
        (
            "from aws_durable_execution_sdk_python_testing.runner import DurableFunctionCloudTestRunner",
            "*DurableFunctionCloudTestRunner is not simulated: it talks to AWS*without --durable-replace-aws-runner*",
        ),
        (
            "import aws_durable_execution_sdk_python_testing.stores.memory",
            "*aws_durable_execution_sdk_python_testing.stores is not simulated*execution, model, runner*",
        ),
        (
            "from aws_durable_execution_sdk_python_testing.runner import DurableTestRunner",
            "*cannot import name 'DurableTestRunner' from 'aws_durable_execution_sdk_python_testing.runner'*",
        ),
    ],
)
def test_what_is_not_simulated_is_refused_by_name(pytester: pytest.Pytester, statement: str, message: str) -> None:
    pytester.makepyfile(statement)
    result = pytester.runpytest_inprocess("--durable-replace-aws-runner")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([message])
