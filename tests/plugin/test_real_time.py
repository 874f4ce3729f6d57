"""Time is virtual for the code under test alone: pytest's own durations and the tests after it see the real one."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

ADVANCES = """
    import time
    from datetime import datetime, timedelta

    from aws_durable_execution_sdk_python.config import Duration

    def handler(event, context):
        context.wait(Duration.from_days(3), name="wait")
        return datetime.now().isoformat()

    def test_advances(durable_ctx, durable_clock):
        execution = durable_ctx.run(handler)
        assert execution.elapsed >= 3 * 86_400
        assert execution.result >= "2026-01-04"
        durable_clock.advance(30 * 86_400)
        assert datetime.now() >= datetime(2026, 2, 3)
        assert time.time() >= datetime(2026, 2, 3).timestamp()
        time.sleep(0.05)
"""

IS_REAL = """

    def test_time_is_real():
        import datetime as module, os
        from time import perf_counter, sleep

        # freezegun does not touch clock_gettime
        assert abs(time.time() - time.clock_gettime(time.CLOCK_REALTIME)) < 60
        assert abs(datetime.now().timestamp() - time.clock_gettime(time.CLOCK_REALTIME)) < 60
        assert abs(module.datetime.now().timestamp() - time.clock_gettime(time.CLOCK_REALTIME)) < 60
        assert datetime is module.datetime
        before = perf_counter()
        sleep(0.01)
        assert 0.01 <= perf_counter() - before < 5
        assert os._exit.__module__ in ("os", "posix", "nt")
"""


def test_durations_are_real_in_the_reports(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(ADVANCES)
    recorder = pytester.inline_run()
    recorder.assertoutcome(passed=1)
    reports = recorder.getreports("pytest_runtest_logreport")
    assert len(reports) == 3
    assert all(0 <= report.duration < 5 for report in reports)
    assert all(report.stop - report.start < 5 for report in reports)
    assert max(report.duration for report in reports) >= 0.05


def test_durations_are_real_in_junit_xml(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(ADVANCES)
    pytester.runpytest_inprocess("--junitxml=report.xml", "--durations=1").assert_outcomes(passed=1)
    root = ElementTree.parse(pytester.path / "report.xml").getroot()
    times = [float(element.attrib["time"]) for element in root.iter() if "time" in element.attrib]
    assert len(times) == 2  # of the suite and of the test
    assert all(0 < seconds < 5 for seconds in times)


def test_a_later_test_sees_real_time(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(ADVANCES + IS_REAL)
    pytester.runpytest_inprocess().assert_outcomes(passed=2)


FAILURES = (
    "durable_ctx.run(handler); assert False",
    "durable_ctx.run(raises); assert False",
    "durable_ctx.run(exits); assert False",
    "durable_ctx.start(handler); assert False",
    "durable_ctx.wait(Duration.from_days(1)); assert False",
    "durable_ctx.step(raises_in_step, name='s')",
    "durable_ctx.run(handler, faults='wait:suspend'); assert False",
    "durable_ctx.verify(diverges)",
    "durable_ctx.start(handler).advance(-1)",
    "durable_ctx.run(handler, faults='nowhere:body')",
)


def test_after_a_failure_in_the_middle_the_next_test_sees_real_time(pytester: pytest.Pytester) -> None:
    pairs = (
        f"\n    def test_fails_{number}(durable_ctx):\n        {body}\n"
        + IS_REAL.replace("time_is_real", f"time_is_real_{number}")
        for number, body in enumerate(FAILURES)
    )
    pytester.makepyfile(
        """
    import sys
    import time
    from datetime import datetime

    from aws_durable_execution_sdk_python.config import Duration

    def handler(event, context):
        context.wait(Duration.from_days(3), name="wait")

    def raises(event, context):
        raise RuntimeError("in the handler")

    def raises_in_step(step):
        raise RuntimeError("in the step")

    def exits(event, context):
        sys.exit(3)

    def diverges(event, context):
        context.wait(Duration.from_seconds(datetime.now().minute + 61), name="wait")
"""
        + "".join(pairs)
    )
    pytester.runpytest_inprocess().assert_outcomes(passed=len(FAILURES), failed=len(FAILURES))


def test_a_failure_in_another_fixture_leaves_real_time(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
    import time
    from datetime import datetime

    import pytest

    @pytest.fixture
    def ran(durable_ctx):
        durable_ctx.run(lambda event, context: 1)
        raise RuntimeError("in the fixture")

    def test_fails(ran):
        pass
"""
        + IS_REAL
    )
    pytester.runpytest_inprocess().assert_outcomes(passed=1, errors=1)


def test_a_second_context_that_closes_leaves_the_time_of_the_first_one_virtual(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("""
        import time
        from datetime import datetime

        from pytest_durable import FakeDurableContext

        def handler(event, context):
            context.step(lambda _: time.sleep(1.5), name="sleeps")

        def test_it(durable_ctx):
            durable_ctx.run(handler)
            with FakeDurableContext() as other:
                other.run(handler)
            assert datetime.now().date().isoformat() == "2026-01-01"
            began = time.clock_gettime(time.CLOCK_MONOTONIC)
            execution = durable_ctx.run(handler)
            assert time.clock_gettime(time.CLOCK_MONOTONIC) - began < 1
            assert execution.elapsed > 1.5
    """)
    pytester.runpytest_inprocess().assert_outcomes(passed=1)
