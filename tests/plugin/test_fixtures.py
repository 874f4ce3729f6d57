from __future__ import annotations

import pytest

from tests.others import WITHOUT
from tests.plugin.sources import SAFE


def test_the_fixtures_give_a_context_and_its_clock(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("""
        from pytest_durable import FakeDurableContext, VirtualClock

        def test_it(durable_ctx, durable_clock):
            assert isinstance(durable_ctx, FakeDurableContext)
            assert isinstance(durable_clock, VirtualClock)
            assert durable_ctx.clock is durable_clock
    """)
    pytester.runpytest_inprocess().assert_outcomes(passed=1)


def test_each_test_has_a_fresh_context_whose_clock_is_at_the_start(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("""
        from datetime import UTC, datetime

        import pytest

        from aws_durable_execution_sdk_python.config import Duration

        seen = []

        @pytest.mark.parametrize("days", [1, 2])
        def test_it(durable_ctx, durable_clock, days):
            assert durable_clock.now() == datetime(2026, 1, 1, tzinfo=UTC)
            durable_ctx.wait(Duration.from_days(days), name="wait")
            durable_ctx.step(lambda _: seen.append(days), name="step")
            assert len(durable_ctx.execution.operations) == 2
            assert durable_clock.now() >= datetime(2026, 1, 1 + days, tzinfo=UTC)

        def test_each_ran_its_own_step():
            assert seen == [1, 2]
    """)
    pytester.runpytest_inprocess().assert_outcomes(passed=3)


def test_without_the_plugin_there_are_no_fixtures(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in WITHOUT:
        monkeypatch.delenv(name)
    pytester.makepyfile(SAFE)
    result = pytester.runpytest_inprocess("-p", "no:durable", "-p", "no:asyncio")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*fixture 'durable_ctx' not found"])


def test_it_works_without_the_cache(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(SAFE)
    pytester.runpytest_inprocess("-p", "no:cacheprovider").assert_outcomes(passed=1)


def test_it_works_in_a_test_class_and_in_a_fixture(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("""
        import pytest

        @pytest.fixture
        def execution(durable_ctx):
            return durable_ctx.run(lambda event, context: context.step(lambda _: event, name="s"), 7)

        class TestOrder:
            def test_it(self, execution, durable_ctx):
                assert execution.result == 7
                assert durable_ctx.run(lambda event, context: 8).result == 8
    """)
    pytester.runpytest_inprocess().assert_outcomes(passed=1)


def test_the_context_cannot_be_used_after_its_test(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("""
        kept = []

        def test_keeps_it(durable_ctx):
            kept.append(durable_ctx)

        def test_uses_it():
            kept[0].run(lambda event, context: 1)
    """)
    result = pytester.runpytest_inprocess()
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["E*UsageError: run: this durable context is closed; use it within its test*"])


def test_the_summary_says_of_how_many_safe_searches_the_execution_fails_anyway(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("""
        def test_fails(durable_ctx):
            durable_ctx.verify(lambda event, context: context.step(lambda _: 1, name="a") / 0)

        def test_succeeds(durable_ctx):
            durable_ctx.verify(lambda event, context: context.step(lambda _: 1, name="a"))
    """)
    result = pytester.runpytest_inprocess("-v")
    result.assert_outcomes(passed=2)
    lines = [
        "durable: does not succeed without faults either: *::test_fails",
        "*2 searches safe (1 where it does not succeed without faults either), killed at 8 of 8 places*",
    ]
    result.stdout.fnmatch_lines(lines)


def test_markers_and_help_show_ours(pytester: pytest.Pytester) -> None:
    markers = pytester.runpytest_inprocess("--markers")
    lines = [
        "@pytest.mark.durable(*, kills=1, examples=100, seed=0, start=None, kinds=None, checks=None, cold=False, *): *"
    ]
    markers.stdout.fnmatch_lines(lines)

    text = pytester.runpytest_inprocess("--help").stdout
    text.fnmatch_lines(["AWS Lambda durable functions:"])
    for option in ("kills=N", "examples=N", "seed=N", "start=DATETIME", "replay=PLAN"):
        text.fnmatch_lines([f"*--durable-{option}*"])
    for ini in ("kills", "examples", "seed", "start"):
        text.fnmatch_lines([f"*durable_{ini} (string):*"])


def test_the_marker_is_known_to_strict_markers(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("""
        import pytest

        @pytest.mark.durable(seed=3)
        def test_it(durable_ctx):
            assert durable_ctx.seed == 3
    """)
    pytester.runpytest_inprocess("--strict-markers").assert_outcomes(passed=1)


def test_the_kills_of_an_upgrade_are_counted(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("""
        def handler(event, context):
            return context.step(lambda _: 7, name="charge")

        def test_upgrade(durable_ctx):
            durable_ctx.upgrade(handler, handler)
    """)
    result = pytester.runpytest_inprocess()
    result.stdout.fnmatch_lines(["durable: 1 test, 6 executions, 4 kills, 1 search safe, killed at 4 of 4 places (*)"])
