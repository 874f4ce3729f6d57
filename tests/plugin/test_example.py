"""The lines that a failure offers to be kept: pasted above the test, they fail the same way until the bug is fixed."""

from __future__ import annotations

import re

import pytest

from tests.plugin.sources import AROUND, BEARS_ONE_REPEAT, CHARGES_AGAIN, RACES, SAFE, found, story

IN_A_SEARCH = "import pytest\n" + BEARS_ONE_REPEAT.replace("\n    ", "\n")

AT_ANOTHER_SEED = """
import pytest

done = []

def test_order(durable_ctx):
    def handler(event, context):
        context.step(lambda _: done.append("charge"), name="charge")
        return context.step(lambda _: durable_ctx.seed != 5 or len(done) < 2, name="count")

    durable_ctx.verify(handler, reset=done.clear)
"""


def kept(result: pytest.RunResult) -> list[str]:
    """The lines that are offered."""
    return re.findall(r"^E +(@pytest\.mark\..*)$", result.stdout.str(), re.MULTILINE)


def told(result: pytest.RunResult) -> list[str]:
    """The story without what the added lines change: lines of the file, and what the command line asks for."""
    text = re.sub(r"(test_orders\.py:)\d+", r"\1", "\n".join(story(result)))
    return [line for line in text.splitlines() if not re.match(r"(replay: |@pytest\.mark\.durable\()", line)]


def with_lines(source: str, lines: list[str]) -> str:
    """The test file with ``lines`` right above its test."""
    return source.replace("def test_order", "\n".join([*lines, "def test_order"]), 1)


@pytest.mark.parametrize(
    ("source", "asked", "lines", "repaired"),
    [
        pytest.param(
            IN_A_SEARCH,
            ["--durable-kills=2"],
            ["@pytest.mark.durable_example('charge:body, charge:body')"],
            ("len(done) < 4", "True"),
            id="verify",
        ),
        pytest.param(
            AROUND,
            ["--durable-kills=2"],
            ["@pytest.mark.durable_example('charge:body, charge:body')"],
            ("len(done) < 4", "True"),
            id="durable_faults",
        ),
        pytest.param(
            RACES,
            [],
            ["@pytest.mark.durable_example('', schedule='"],
            ('lambda _: shared["rate"]', "lambda _: 2"),
            id="a schedule",
        ),
        pytest.param(
            AT_ANOTHER_SEED,
            ["--durable-seed=5", "--durable-checks=outcome"],
            ["@pytest.mark.durable_example('charge:body')", "@pytest.mark.durable(seed=5, checks='outcome')"],
            ("len(done) < 2", "True"),
            id="with a seed and checks",
        ),
    ],
)
def test_pasted_above_the_test_they_fail_the_same_way_until_the_bug_is_fixed(
    pytester: pytest.Pytester, source: str, asked: list[str], lines: list[str], repaired: tuple[str, str]
) -> None:
    path = pytester.makepyfile(test_orders=source)
    first = pytester.runpytest_inprocess("-p", "no:cacheprovider", *asked)
    first.assert_outcomes(failed=1)
    offered = kept(first)
    assert [text.startswith(line) for text, line in zip(offered, lines, strict=True)] == [True] * len(lines)

    if asked:
        pytester.runpytest_inprocess("-p", "no:cacheprovider").assert_outcomes(passed=1)
    path.write_text(with_lines(source, offered))
    again = pytester.runpytest_inprocess("-p", "no:cacheprovider")
    again.assert_outcomes(failed=1)
    again.stdout.fnmatch_lines(["E *; 1 plan passed before)"])
    assert told(again) == told(first)

    path.write_text(with_lines(source.replace(*repaired), offered))
    pytester.runpytest_inprocess("-p", "no:cacheprovider", "-W", "error").assert_outcomes(passed=1)


def test_several_are_tried_in_their_order_also_without_a_search(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import pytest

        runs = []

        def handler(event, context):
            return context.step(lambda _: 7, name="charge")

        @pytest.mark.durable(kills=0)
        @pytest.mark.durable_example("charge:stored")
        @pytest.mark.durable_example("charge:body, charge:body")
        def test_it(durable_ctx):
            assert durable_ctx.verify(handler).runs == 3
        """
    )
    result = pytester.runpytest_inprocess("-W", "error")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["durable: 1 test, 3 executions, 3 kills, *"])


def test_nothing_is_offered_where_it_would_be_of_no_use(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(CHARGES_AGAIN.format(faults="'charge:stored'"))
    result = pytester.runpytest_inprocess()
    assert found(result)[0].startswith("StepRanAgain: ")
    assert kept(result) == []


def test_one_that_tests_nothing_any_more_gives_a_warning(pytester: pytest.Pytester) -> None:
    source = "import pytest\n" + SAFE.replace("\n    ", "\n").replace("def test_", MARKS + "def test_")
    pytester.makepyfile(source + "    durable_ctx.verify(lambda event, context: context.step(lambda _: 1, name='x'))\n")
    result = pytester.runpytest_inprocess("-W", "default")
    result.assert_outcomes(passed=1, warnings=1)
    result.stdout.fnmatch_lines(["*'chrage:body' of durable_example happened in no search of this test*"])


MARKS = "@pytest.mark.durable_example('chrage:body')\n@pytest.mark.durable_example('charge:body')\n"


@pytest.mark.parametrize(
    ("marker", "call", "words"),
    [
        ("durable_example()", "verify", "durable_example(): write a plan, *"),
        ("durable_example('charge:body', seed=5)", "verify", "durable_example('charge:body', seed=5): write a plan*"),
        ("durable_example('charge')", "verify", "'charge' is not a fault: write NAME:WHERE*"),
        ("durable_example('charge:body')", "run", "*this one has none: it needs verify or durable_faults"),
    ],
)
def test_one_that_makes_no_sense_is_refused(pytester: pytest.Pytester, marker: str, call: str, words: str) -> None:
    pytester.makepyfile(f"""
        import pytest

        @pytest.mark.{marker}
        def test_it(durable_ctx):
            durable_ctx.{call}(lambda event, context: context.step(lambda _: 7, name="charge"))
    """)
    result = pytester.runpytest_inprocess()
    assert result.parseoutcomes().get("passed", 0) == 0
    result.stdout.fnmatch_lines([words.replace("[", "[[]")])
