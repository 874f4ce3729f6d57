"""The plugin beside others, and beside whoever else has something to say about time."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from tests.plugin.sources import CHARGES_TWICE


def test_the_plan_that_a_test_failed_under_is_in_junits_xml(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(CHARGES_TWICE)
    pytester.runpytest_inprocess("--junitxml=junit.xml").assert_outcomes(failed=1)
    (case,) = ET.parse(pytester.path / "junit.xml").iter("testcase")
    assert {one.get("name"): one.get("value") for one in case.iter("property")}["durable_plan"] == "charge:body"


@pytest.mark.skipif(int(pytest.__version__.partition(".")[0]) < 9, reason="subtests came with pytest 9")
def test_subtests(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("""
        def test_it(durable_ctx, subtests):
            for number in range(3):
                with subtests.test(number=number):
                    assert durable_ctx.run(lambda event, context: event, number).result != 1
    """)
    result = pytester.runpytest_inprocess()
    result.stdout.fnmatch_lines(["*number=1*", "durable: 1 test, 3 executions"])


TIME = """from datetime import UTC, datetime

        import freezegun
        import pytest
        from pytest_durable import UsageError

        def year(event, context):
            return datetime.now(UTC).year

        @pytest.fixture
        def frozen():
            with freezegun.freeze_time("2020-02-29"):
                yield
"""


def test_a_context_that_is_made_in_frozen_time_starts_there(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(f"""
        {TIME}
        def test_it(frozen, durable_ctx):
            assert durable_ctx.clock.now() == datetime(2020, 2, 29, tzinfo=UTC)
            assert durable_ctx.run(year).result == 2020

        @pytest.mark.durable(start="2030-01-01")
        def test_that_says_when_it_starts(frozen, durable_ctx):
            assert durable_ctx.run(year).result == 2030

        def test_the_next(durable_ctx):
            assert durable_ctx.run(year).result == 2026
    """)
    pytester.runpytest_inprocess().assert_outcomes(passed=3)


def test_time_that_is_frozen_over_it_is_refused(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(f"""
        {TIME}
        @freezegun.freeze_time("2020-02-29")
        def test_it(durable_ctx):
            for use in (durable_ctx.run, durable_ctx.verify):
                with pytest.raises(UsageError, match="freezegun was started after .* Set durable_clock instead"):
                    use(year)

        def test_by_a_fixture(durable_ctx, frozen):
            with pytest.raises(UsageError, match="2020-02-29"):
                durable_ctx.step(lambda _: 1)
    """)
    pytester.runpytest_inprocess().assert_outcomes(passed=2)


def test_time_machine_goes_on_showing_its_time_to_the_test_and_the_simulation_its_own(
    pytester: pytest.Pytester,
) -> None:
    pytester.makepyfile(f"""
        {TIME}
        import time_machine

        @pytest.fixture
        def travelled():
            with time_machine.travel("2020-02-29"):
                yield

        def test_it(travelled, durable_ctx):
            assert durable_ctx.run(year).result == 2026

        def test_over_it(durable_ctx):
            with pytest.raises(RuntimeError, match="freezegun is active"):
                time_machine.travel("2020-02-29").start()
    """)
    pytester.runpytest_inprocess().assert_outcomes(passed=2)
