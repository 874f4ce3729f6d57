from __future__ import annotations

import re

import pytest

from tests.plugin.sources import BEARS_ONE_REPEAT, SAFE

COLD = """
    import pytest

    {marker}
    def test_it(durable_ctx):
        assert durable_ctx.cold is {expected}
"""
SETTINGS = """
    import pytest

    {marker}
    def test_it(durable_ctx, durable_clock):
        budget, now = durable_ctx.budget, durable_clock.now()
        shown = (budget.kills, budget.examples, durable_ctx.seed, now.isoformat())
        assert shown == {expected}
"""
START = "2027-02-03T04:05:06+00:00"


def settings(marker: str, *expected: object) -> str:
    return SETTINGS.format(marker=marker, expected=expected)


def test_nothing_set_gives_the_defaults(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(settings("", 1, 100, 0, "2026-01-01T00:00:00+00:00"))
    pytester.runpytest_inprocess().assert_outcomes(passed=1)


def test_each_option_can_be_set_on_the_command_line(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(settings("", 2, 30, 4, START))
    options = ("--durable-kills=2", "--durable-examples=30", "--durable-seed=4", f"--durable-start={START}")
    pytester.runpytest_inprocess(*options).assert_outcomes(passed=1)


def test_each_option_can_be_set_in_the_ini_file(pytester: pytest.Pytester) -> None:
    pytester.makeini(f"""
        [pytest]
        durable_kills = 2
        durable_examples = 30
        durable_seed = 4
        durable_start = {START}
    """)
    pytester.makepyfile(settings("", 2, 30, 4, START))
    pytester.runpytest_inprocess().assert_outcomes(passed=1)


def test_each_option_can_be_set_by_the_marker(pytester: pytest.Pytester) -> None:
    start = "__import__('datetime').datetime(2027, 2, 3, 4, 5, 6)"
    pytester.makepyfile(settings(f"@pytest.mark.durable(kills=2, examples=30, seed=4, start={start})", 2, 30, 4, START))
    pytester.runpytest_inprocess().assert_outcomes(passed=1)


def test_the_marker_takes_the_start_as_text_like_the_ini_file_does(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(settings(f"@pytest.mark.durable(start={START!r})", 1, 100, 0, START))
    pytester.runpytest_inprocess().assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("options", "ini", "marker", "expected"),
    [
        ((), "", "", False),
        (("--durable-cold",), "", "", True),
        ((), "true", "", True),
        ((), "Yes", "", True),
        ((), "1", "", True),
        ((), "false", "", False),
        ((), "0", "", False),
        ((), "", "@pytest.mark.durable(cold=True)", True),
        ((), "on", "@pytest.mark.durable(cold=False)", False),
        (("--durable-cold",), "off", "@pytest.mark.durable(cold=False)", True),
    ],
)
def test_cold_is_set_like_the_others(
    pytester: pytest.Pytester, options: tuple[str, ...], ini: str, marker: str, expected: bool
) -> None:
    pytester.makeini(f"[pytest]\ndurable_cold = {ini}\n")
    pytester.makepyfile(COLD.format(marker=marker, expected=expected))
    pytester.runpytest_inprocess(*options).assert_outcomes(passed=1)


def test_the_start_may_name_another_offset(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(settings("", 1, 100, 0, "2026-06-30T22:00:00+00:00"))
    pytester.runpytest_inprocess("--durable-start=2026-07-01T00:00:00+02:00").assert_outcomes(passed=1)


def test_the_command_line_wins_over_the_marker_and_the_marker_over_the_ini_file(pytester: pytest.Pytester) -> None:
    pytester.makeini("""
        [pytest]
        durable_kills = 3
        durable_examples = 31
        durable_seed = 32
    """)
    pytester.makepyfile(settings("@pytest.mark.durable(kills=2, examples=21)", 1, 21, 32, "2026-01-01T00:00:00+00:00"))
    pytester.runpytest_inprocess("--durable-kills=1").assert_outcomes(passed=1)


def test_zero_on_the_command_line_is_a_value_and_wins(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(settings("@pytest.mark.durable(kills=2, seed=5)", 0, 100, 0, "2026-01-01T00:00:00+00:00"))
    pytester.runpytest_inprocess("--durable-kills=0", "--durable-seed=0").assert_outcomes(passed=1)


def test_the_closest_marker_wins_name_by_name(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("""
        import pytest

        pytestmark = pytest.mark.durable(kills=3, seed=3)

        @pytest.mark.durable(kills=2)
        class TestIt:
            @pytest.mark.durable(examples=1)
            def test_it(self, durable_ctx):
                assert (durable_ctx.budget.kills, durable_ctx.budget.examples, durable_ctx.seed) == (2, 1, 3)
    """)
    pytester.runpytest_inprocess().assert_outcomes(passed=1)


def test_an_argument_of_verify_wins_over_the_command_line(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("""
        def test_it(durable_ctx):
            found = durable_ctx.verify(lambda event, context: context.step(lambda _: 1, name="s"), kills=0)
            assert found.killed == ()
    """)
    pytester.runpytest_inprocess("--durable-kills=1").assert_outcomes(passed=1)


@pytest.mark.parametrize(("kills", "outcome"), [(0, "passed"), (1, "passed"), (2, "failed")])
def test_kills_says_how_many_kills_a_plan_has_at_most(pytester: pytest.Pytester, kills: int, outcome: str) -> None:
    pytester.makepyfile(BEARS_ONE_REPEAT)
    result = pytester.runpytest_inprocess(f"--durable-kills={kills}")
    result.assert_outcomes(**{outcome: 1})
    if outcome == "failed":
        result.stdout.fnmatch_lines(["E*OutcomeChanged: *", "E*(2 kills; *"])


def test_examples_says_how_many_plans_are_drawn(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("""
        def test_it(durable_ctx):
            found = durable_ctx.verify(lambda event, context: context.step(lambda _: 1, name="s"))
            assert found.drawn == 3
    """)
    pytester.runpytest_inprocess("--durable-kills=2", "--durable-examples=3").assert_outcomes(passed=1)


BAD = [
    ("kills", "two"),
    ("kills", "-1"),
    ("kills", "1.5"),
    ("examples", "many"),
    ("seed", "0x1"),
    ("seed", "-3"),
    ("start", "tomorrow"),
    ("start", "2026-13-01"),
]


@pytest.mark.parametrize(("name", "value"), BAD)
def test_a_bad_value_on_the_command_line_is_refused_by_name(pytester: pytest.Pytester, name: str, value: str) -> None:
    pytester.makepyfile(SAFE)
    result = pytester.runpytest_inprocess(f"--durable-{name}={value}")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: *durable*{name} must be a *, not '{value}'"])


@pytest.mark.parametrize(("name", "value"), [*BAD, ("cold", "maybe")])
def test_a_bad_value_in_the_ini_file_is_refused_by_name(pytester: pytest.Pytester, name: str, value: str) -> None:
    pytester.makeini(f"[pytest]\ndurable_{name} = {value}\n")
    pytester.makepyfile(SAFE)
    result = pytester.runpytest_inprocess()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: durable_{name} must be *, not '{value}'"])


BAD_MARKERS = {
    "kills=-1": "*kills must be *, not -1*",
    "kills='two'": "*kills must be *, not 'two'*",
    "examples=1.5": "*examples must be *, not 1.5*",
    "seed='x'": "*seed must be *, not 'x'*",
    "seed=-3": "*seed must be *, not -3*",
    "start='tomorrow'": "*start must be *, not 'tomorrow'*",
    "cold=1": "*cold must be *, not 1*",
    "cold=None": "*cold must be *, not None*",
    "kils=2": "@pytest.mark.durable does not take kils: it is durable([*], kills=1, *cold=False*)",
    "2": "@pytest.mark.durable does not take 2: it is durable(*)",
}


def test_what_a_marker_must_not_hold_is_refused_by_name(pytester: pytest.Pytester) -> None:
    bad = "\n".join(
        f"""
@pytest.mark.durable({arguments})
def test_{number}(durable_ctx):
    durable_ctx.verify(lambda event, context: context.step(lambda _: 1, name="s"))
"""
        for number, arguments in enumerate(BAD_MARKERS)
    )
    pytester.makepyfile(f"import pytest\n{bad}")
    result = pytester.runpytest_inprocess()
    result.assert_outcomes(errors=len(BAD_MARKERS))
    said = re.split(r"(?m)^_+ ERROR at setup of test_\d+ _+$", result.stdout.str())[1:]
    for text, words in zip(said, BAD_MARKERS.values(), strict=True):
        pytest.LineMatcher(text.splitlines()).fnmatch_lines([words])
    result.stdout.no_fnmatch_line("During handling of the above exception*")  # it would be said twice


def test_an_unknown_option_is_refused_by_pytest(pytester: pytest.Pytester) -> None:
    result = pytester.runpytest_inprocess("--durable-kils=2")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
