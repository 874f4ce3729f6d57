"""What pytest's terminal summary says."""

from __future__ import annotations

from itertools import takewhile

import pytest

UNNAMED = """
    def handler(event, context):
        for call in calls:
            call(context)

    calls = [
{calls}
    ]
"""


def handler_with(unnamed: int) -> str:
    """A handler with so many unnamed steps, each on a line of its own."""
    return UNNAMED.format(calls="\n".join("        lambda context: context.step(lambda _: 1)," for _ in range(unnamed)))


def lines_of(result: pytest.RunResult) -> list[str]:
    """The lines of advice."""
    lines = result.outlines
    if HEAD not in lines:
        return []
    start = lines.index(HEAD) + 1
    return [line.strip() for line in takewhile(lambda line: line.startswith("  "), lines[start:])]


HEAD = "durable: advice, none of it a failure"
TEST = """
    def test_{number}(durable_ctx):
        durable_ctx.{call}
"""


@pytest.mark.parametrize(
    "call",
    [
        "run(handler)",
        "verify(handler)",
        "start(handler)",
        "run(handler, faults='[1]:body')",
    ],
)
def test_it_is_shown_at_the_end_and_fails_nothing(pytester: pytest.Pytester, call: str) -> None:
    pytester.makepyfile(handler_with(1) + TEST.format(number=1, call=call))
    result = pytester.runpytest_inprocess()
    result.assert_outcomes(passed=1)
    (line,) = lines_of(result)
    assert "test_it_is_shown_at_the_end_and_fails_nothing.py:6  [1]: context.step has no name=" in line


def test_that_about_a_run_which_fails_is_shown_as_well(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("""
        passes = []

        def handler(event, context):
            passes.append(1)
            return context.step(lambda _: 1, name=None if passes else "never") and len(passes)

        def test_it(durable_ctx):
            durable_ctx.verify(handler, reset=passes.clear)
    """)
    result = pytester.runpytest_inprocess()
    result.assert_outcomes(failed=1)
    assert len(lines_of(result)) == 1


def test_the_same_of_several_tests_and_runs_is_shown_once(pytester: pytest.Pytester) -> None:
    tests = TEST.format(number=1, call="run(handler)") + TEST.format(number=2, call="verify(handler)")
    pytester.makepyfile(handler_with(2) + tests)
    assert len(lines_of(pytester.runpytest_inprocess())) == 2


def test_that_of_every_execution_of_a_test_is_shown(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("""
        def test_it(durable_ctx):
            durable_ctx.run(lambda event, context: context.step(lambda _: 1))
            durable_ctx.run(lambda event, context: context.step(lambda _: 1))
            durable_ctx.start(lambda event, context: context.step(lambda _: 1))
    """)
    assert len(lines_of(pytester.runpytest_inprocess())) == 3


@pytest.mark.parametrize(("number", "shown"), [(10, 10), (11, 10), (30, 10)])
def test_ten_lines_are_shown_and_the_rest_is_counted(pytester: pytest.Pytester, number: int, shown: int) -> None:
    pytester.makepyfile(handler_with(number) + TEST.format(number=1, call="run(handler)"))
    lines = lines_of(pytester.runpytest_inprocess())
    assert len(lines) == shown
    assert lines[-1].startswith("and ") == (number > shown)
    if number > shown:
        assert lines[-1] == f"and {number - shown + 1} more, which -v shows"


def test_all_are_shown_when_it_is_to_be_verbose(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(handler_with(30) + TEST.format(number=1, call="run(handler)"))
    assert len(lines_of(pytester.runpytest_inprocess("-v"))) == 30


def test_nothing_is_said_where_there_is_nothing_to_say(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("""
        def test_it(durable_ctx):
            durable_ctx.run(lambda event, context: context.step(lambda _: 1, name="s"))
    """)
    assert "advice" not in pytester.runpytest_inprocess().stdout.str()


def test_the_calls_of_a_test_itself_are_no_handler_to_be_advised_about(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("""
        def test_it(durable_ctx):
            assert durable_ctx.step(lambda _: 1) == 1
            durable_ctx.step(lambda _: 1)
    """)
    result = pytester.runpytest_inprocess()
    result.assert_outcomes(passed=1)
    assert "advice" not in result.stdout.str()
