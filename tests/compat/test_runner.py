# ruff: noqa: TID251  # the user's clock is what is tested
"""What is ours alone: time, refusals, the fixture."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aws_durable_execution_sdk_python import DurableContext, durable_execution
from aws_durable_execution_sdk_python.config import CallbackConfig

from pytest_durable import NestedRun, UsageError
from pytest_durable.compat import DurableFunctionsTestError, DurableFunctionTestRunner
from pytest_durable.compat.exceptions import ResourceNotFoundException
from tests.durable import awaits, invokes, seconds, submits

YEAR = timedelta(days=365)


def waits(event: Any, context: DurableContext) -> Any:
    context.wait(seconds(3_600), name="pause")
    return datetime.now(UTC).isoformat()


def test_the_test_sees_virtual_time_until_the_runner_is_closed() -> None:
    real = datetime.now(UTC)
    with DurableFunctionTestRunner(waits) as runner:
        before = datetime.now(UTC)
        runner.run()
        assert timedelta(hours=1) <= datetime.now(UTC) - before < timedelta(hours=2)
    assert before.replace(minute=0, second=0) == datetime(2026, 1, 1, tzinfo=UTC)
    assert abs(datetime.now(UTC) - real) < YEAR / 365


def test_a_test_that_sleeps_lets_time_pass() -> None:
    with DurableFunctionTestRunner(awaits(config=CallbackConfig(timeout=seconds(60)))) as runner:
        arn = runner.run_async()
        callback_id = runner.wait_for_callback(arn)
        time.sleep(59)
        runner.send_callback_heartbeat(callback_id)
        time.sleep(2)
        with pytest.raises(ResourceNotFoundException, match="CallbackTimeoutException"):
            runner.send_callback_success(callback_id)
        with pytest.raises(ValueError, match="non-negative"):
            time.sleep(-1)


def test_time_passes_before_anything_is_run() -> None:
    with DurableFunctionTestRunner(waits) as runner:
        before = time.time()
        time.sleep(100)
        assert time.time() - before == 100
        assert runner.run().result == f'"{datetime(2026, 1, 1, 1, 1, 40, 1000, tzinfo=UTC).isoformat()}"'


def test_a_wait_counts_if_time_is_not_skipped() -> None:
    with DurableFunctionTestRunner(waits, skip_time=False) as runner:
        arn = runner.run_async(execution_timeout=7_200)
        with pytest.raises(TimeoutError):
            runner.wait_for_result(arn, timeout=60)
        assert runner.wait_for_result(arn, timeout=3_600).status.value == "SUCCEEDED"
        status = runner.run(execution_timeout=60).execution_status
        assert status is not None and status.value == "TIMED_OUT"


def test_a_body_that_sleeps_counts() -> None:
    def handler(event: Any, context: DurableContext) -> Any:
        return context.step(lambda _: time.sleep(100), name="slow")

    with DurableFunctionTestRunner(handler) as runner:
        result = runner.run(execution_timeout=60)
        assert result.execution_status is not None and result.execution_status.value == "TIMED_OUT"
        assert runner.run(execution_timeout=200).status.value == "SUCCEEDED"


def test_executions_run_side_by_side() -> None:
    with DurableFunctionTestRunner(submits()) as runner:
        arns = [runner.run_async(execution_name=name) for name in ("one", "two")]
        ids = [runner.wait_for_callback(arn, "approval") for arn in arns]
        for callback_id, answer in reversed(list(zip(ids, (b"1", b"2"), strict=True))):
            runner.send_callback_success(callback_id, answer)
        assert [runner.wait_for_result(arn).result for arn in arns] == ['"1"', '"2"']
        with pytest.raises(DurableFunctionsTestError, match="Callback approval has already completed"):
            runner.wait_for_callback(arns[0], "approval")


def test_the_history_of_what_was_invoked() -> None:
    @durable_execution
    def target(event: Any, context: DurableContext) -> Any:
        return context.step(lambda _: "paid", name="charge")

    with DurableFunctionTestRunner(invokes("target")) as runner:
        arn = runner.register_durable_function("target", target).run_async()
        runner.wait_for_result(arn)
        [invoked] = [
            event.chained_invoke_started_details.durable_execution_arn
            for event in runner.get_execution_history(arn).events
            if event.event_type == "ChainedInvokeStarted"
        ]
        names = [event.name for event in runner.get_execution_history(invoked).events]
    assert "charge" in names


def test_a_run_inside_of_a_run_is_refused() -> None:
    def handler(event: Any, context: DurableContext) -> Any:
        return runner.run()

    with DurableFunctionTestRunner(handler) as runner:
        error = runner.run().error
    assert error is not None
    assert error.type == f"{NestedRun.__module__}.NestedRun"


def test_a_closed_runner_is_refused() -> None:
    runner = DurableFunctionTestRunner(waits)
    runner.close()
    runner.close()
    with runner, pytest.raises(UsageError, match="this runner is closed"):
        runner.run()


def test_what_is_not_simulated_is_refused() -> None:
    with pytest.raises(UsageError, match="store: executions live in memory"):
        DurableFunctionTestRunner(waits, store=object())
    with DurableFunctionTestRunner(waits) as runner:
        for method in (runner.pause_execution, runner.resume_execution):
            with pytest.raises(NotImplementedError, match="pause_execution is not simulated"):
                method("arn")


def test_a_runner_that_is_left_open_shows_real_time_after_the_test(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("""
        import time
        from pytest_durable.compat import DurableFunctionTestRunner

        runner = DurableFunctionTestRunner(lambda event, context: context.step(lambda _: time.time(), name="now"))

        def test_first():
            runner.run()
            assert time.time() < 1767225600 + 60

        def test_between():
            assert time.time() > 1767225600 + 60

        def test_again():
            assert float(runner.run().result) < 1767225600 + 60
    """)
    pytester.runpytest_inprocess().assert_outcomes(passed=3)


# --- the fixture -----------------------------------------------------------------------------------------------------

MARKED = """
    import pytest

    def handler(event, context):
        return context.step(lambda _: event["count"] + 1, name="add")

    @pytest.mark.durable_execution(handler=handler, lambda_function_name="adder")
    def test_it(durable_runner):
        with durable_runner:
            result = durable_runner.run(input={"count": 2}, execution_timeout=10)
        assert result.result == "3"
        assert result.get_step("add").result == "3"
"""


def test_the_fixture_runs_the_handler_of_the_marker(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(MARKED)
    pytester.runpytest_inprocess("--strict-markers").assert_outcomes(passed=1)


def test_a_fixture_of_the_suite_is_used_instead(pytester: pytest.Pytester) -> None:
    pytester.makeconftest("""
        import pytest

        @pytest.fixture
        def durable_runner(request):
            return request.node.get_closest_marker("durable_execution").kwargs["lambda_function_name"]
    """)
    pytester.makepyfile(MARKED + "\n    def test_own(request, durable_runner): pass")
    result = pytester.runpytest_inprocess()
    assert "'str' object" in result.stdout.str()


@pytest.mark.parametrize("mark", ["", "@pytest.mark.durable_execution(1)", "@pytest.mark.durable_execution()"])
def test_the_fixture_needs_the_marker(pytester: pytest.Pytester, mark: str) -> None:
    pytester.makepyfile(f"import pytest\n{mark}\ndef test_it(durable_runner): pass")
    result = pytester.runpytest_inprocess()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["durable_runner needs @pytest.mark.durable_execution(*, handler, *) on the test"])
