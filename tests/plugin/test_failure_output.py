from __future__ import annotations

import sys

import pytest

from tests.plugin.sources import CHARGES_AGAIN, CHARGES_TWICE


def test_a_violation_shows_what_where_and_how_to_see_it_again(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_orders=CHARGES_AGAIN.format(faults="'charge:stored'"))
    result = pytester.runpytest_inprocess()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "E*StepRanAgain: step 'charge' ran again after it had completed      (1 kill; *",
            "E*  invocation 1   00:00:00   charge   ran        stored",
            "E*                            ✗ killed: charge:stored",
            "E*  invocation 2   00:00:01   charge*",
            "E*RAN AGAIN*<- test_orders.py:*",
            "E*replay: pytest 'test_orders.py::test_order' --durable-replay='charge:stored'",
        ]
    )


def test_a_search_says_both_outcomes_and_how_much_passed_before(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_orders=CHARGES_TWICE)
    result = pytester.runpytest_inprocess()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "E*OutcomeChanged: killed at 'charge' after the body*, the execution gives another result",
            "E*(1 kill; 2 plans passed before)",
            "E*✗ killed: charge:body",
            "E*result is 2, and 1 without faults.",
            "E*The body of 'charge', made at test_orders.py:4, ran 2 times.",
            "E*replay: pytest 'test_orders.py::test_order' --durable-replay='charge:body'",
        ]
    )


AN_ASSERTION = """
import pytest

def declined(step):
    raise ValueError("card declined")

def test_status(durable_ctx):
    execution = durable_ctx.run(lambda event, context: context.step(declined, name="charge"))
    assert execution.status == "SUCCEEDED"

def test_by_hand(durable_ctx):
    assert durable_ctx.step(lambda _: 1, name="price") == 2

def test_no_execution(durable_ctx):
    assert durable_ctx.clock.time() == 0

def test_skipped(durable_ctx):
    durable_ctx.run(lambda event, context: None)
    pytest.skip("not today")

def test_passes(durable_ctx):
    durable_ctx.run(lambda event, context: None)
"""


def test_an_assertion_that_fails_is_shown_with_how_the_execution_went(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(AN_ASSERTION)
    result = pytester.runpytest_inprocess()
    result.assert_outcomes(failed=3, skipped=1, passed=1)
    result.stdout.fnmatch_lines(
        [
            "*- the latest durable execution -*",
            "<Execution execution-1 FAILED, 6 invocations: *StepError: card declined>",
            "*invocation 6 * charge * failed",
            "*- the latest durable execution -*",
            "<Execution direct RUNNING, 1 invocation>",
            "invocation 1 * price * stored",
        ]
    )
    assert result.stdout.str().count("the latest durable execution") == 2


def test_a_violation_has_shown_its_execution(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_orders=CHARGES_AGAIN.format(faults="'charge:stored'"))
    pytester.runpytest_inprocess().stdout.no_fnmatch_line("*the latest durable execution*")


def test_none_of_our_own_frames_are_shown(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_orders=CHARGES_TWICE)
    result = pytester.runpytest_inprocess()
    result.stdout.no_fnmatch_line("*pytest_durable/*.py*")
    result.stdout.fnmatch_lines([">       durable_ctx.verify(handler, reset=charges.clear)"])


INTERRUPTED = """
from concurrent.futures import ThreadPoolExecutor

import pytest


def handler(event, context):
    context.step(lambda _: pytest.fail("in its middle"), name="charge")


def from_a_thread(event, context):
    with ThreadPoolExecutor(1) as executor:
        return executor.submit(lambda: context.step(lambda _: 1, name="charge")).result()


def test_a_verdict(durable_ctx):
    durable_ctx.run(handler)


def test_a_thread(durable_ctx):
    durable_ctx.run(from_a_thread)
"""


def test_the_way_to_where_a_test_was_ended_is_that_of_the_users_code_and_the_sdk(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_orders=INTERRUPTED)
    result = pytester.runpytest_inprocess()
    result.assert_outcomes(failed=2)
    result.stdout.no_fnmatch_line("*pytest_durable/*.py*")
    result.stdout.fnmatch_lines(
        ["*Failed: in its middle", ">*executor.submit(lambda*", "*NotSimulated: step was called from*"]
    )


@pytest.mark.parametrize(
    ("plan", "calls"),
    [
        (
            "",
            {
                "run(handler)": ("durable(kils=2)", "durable(2)"),
                "verify(handler)": ("durable(kills=-1)",),
                "run(handler, {1, 2})": ("durable",),
                "run(7)": ("durable",),
                "verify(handler, reset=7)": ("durable",),
            },
        ),
        ("charge:bodi", {"run(handler)": ("durable",)}),
        ("chrage:body", {"run(handler)": ("durable",), "verify(handler)": ("durable",)}),
    ],
)
def test_a_refusal_shows_the_line_of_the_test_and_none_of_our_source(
    pytester: pytest.Pytester, plan: str, calls: dict[str, tuple[str, ...]]
) -> None:
    tests = [
        f"@pytest.mark.{marker}\ndef test_{number}_{at}(durable_ctx):\n    durable_ctx.{call}\n"
        for number, (call, markers) in enumerate(calls.items())
        for at, marker in enumerate(markers)
    ]
    handler = "def handler(event, context):\n    return context.step(lambda _: 7, name='charge')\n"
    pytester.makepyfile("\n".join(["import pytest", handler, *tests]))
    result = pytester.runpytest_inprocess(f"--durable-replay={plan}")
    outcomes = result.parseoutcomes()
    assert outcomes.keys() <= {"failed", "errors", "error"}
    assert sum(outcomes.values()) == len(tests)
    result.stdout.no_fnmatch_line("*pytest_durable/*.py*")


def test_the_short_summary_names_the_violation(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_orders=CHARGES_TWICE)
    result = pytester.runpytest_inprocess()
    result.stdout.fnmatch_lines(["FAILED test_orders.py::test_order - *OutcomeChanged: *"])


@pytest.mark.parametrize("style", ["short", "line", "native", "long"])
def test_the_replay_command_is_shown_in_every_traceback_style(pytester: pytest.Pytester, style: str) -> None:
    pytester.makepyfile(test_orders=CHARGES_TWICE)
    result = pytester.runpytest_inprocess(f"--tb={style}")
    result.assert_outcomes(failed=1)
    if style == "line":  # pytest prints the first line of the message only
        result.stdout.fnmatch_lines(["*OutcomeChanged: *"])
    else:
        result.stdout.fnmatch_lines(["*replay: pytest 'test_orders.py::test_order' --durable-replay='charge:body'"])


def test_the_summary_counts_tests_executions_searches_kills_and_places(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("""
        def handler(event, context):
            return context.step(lambda _: 7, name="charge")

        def test_one_run(durable_ctx):
            durable_ctx.run(handler)

        def test_two_searches(durable_ctx):
            durable_ctx.verify(handler)
            durable_ctx.verify(handler)

        def test_uses_it_for_nothing(durable_ctx):
            pass

        def test_does_not_use_it():
            pass
    """)
    result = pytester.runpytest_inprocess()
    result.assert_outcomes(passed=4)
    places = "killed at 8 of 8 places (start 2/2, body 2/2, stored 2/2, return 2/2)"
    result.stdout.fnmatch_lines([f"durable: 2 tests, 11 executions, 8 kills, 2 searches safe, {places}"])


def test_the_summary_of_runs_alone_speaks_of_no_search(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("""
        def test_it(durable_ctx):
            durable_ctx.run(lambda event, context: 1)
            durable_ctx.run(lambda event, context: 2)
    """)
    result = pytester.runpytest_inprocess()
    result.stdout.fnmatch_lines(["durable: 1 test*, 2 executions"])


def test_the_summary_does_not_call_a_search_safe_that_failed(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(CHARGES_TWICE)
    result = pytester.runpytest_inprocess()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["durable: 1 test, * executions, * kills, 1 search with a violation"])


def test_a_suite_without_the_fixtures_has_no_summary_line(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_plain(): pass")
    pytester.runpytest_inprocess().stdout.no_fnmatch_line("durable: *")


CHARGES_ALOUD = """
    import pytest

    charges = []

    def handler(event, context):
        context.logger.warning("in the handler")

        def charge(step):
            step.logger.warning("in the step")
            charges.append(1)

        context.step(charge, name="charge")
        return context.step(lambda _: len(charges), name="count")

    def test_verified(durable_ctx):
        durable_ctx.verify(handler, reset=charges.clear)

    @pytest.mark.durable_faults
    def test_around(durable_ctx):
        charges.clear()
        assert durable_ctx.run(handler).result == 1
"""


@pytest.mark.parametrize("test", ["test_verified", "test_around"])
def test_the_log_is_that_of_the_reported_run_alone(pytester: pytest.Pytester, test: str) -> None:
    pytester.makepyfile(test_orders=CHARGES_ALOUD)
    result = pytester.runpytest_inprocess("-k", test, "--log-level=INFO")
    result.assert_outcomes(failed=1, deselected=1)
    result.stdout.fnmatch_lines(["*Captured log call*"])
    # Killed once, it has two invocations, and the body runs in each: to be logged again is the SDK's to prevent.
    assert sum("WARNING" in line and "in the step" in line for line in result.outlines) == 2
    assert sum("WARNING" in line and "in the handler" in line for line in result.outlines) == 2


def test_a_failure_of_the_run_without_faults_is_logged_once(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("""
        import pytest

        def handler(event, context):
            context.logger.warning("in the handler")

        @pytest.mark.durable_faults
        def test_around(durable_ctx):
            assert durable_ctx.run(handler).result == 1
    """)
    result = pytester.runpytest_inprocess()
    result.assert_outcomes(failed=1)
    assert sum("WARNING" in line and "in the handler" in line for line in result.outlines) == 1


MANY_THINGS = """
    import random
    import pytest
    from aws_durable_execution_sdk_python.config import Duration

    def handler(event, context):
        names = {"ann", "bob", "cid", "dora"}
        total = context.map(sorted(names), lambda child, name, *_: child.step(lambda _: len(name), name=name), name="m")
        context.wait(Duration.from_seconds(random.randrange(1, 10**6)), name="pause")
        return sum(total.get_results())

    charges = []

    def charges_twice(event, context):
        context.step(lambda _: charges.append({"a", "b", "c"}), name="charge")
        return context.step(lambda _: len(charges), name="count")

    def test_verified(durable_ctx):
        durable_ctx.verify(charges_twice, reset=charges.clear)

    def test_diverges(durable_ctx):
        durable_ctx.verify(handler)

    @pytest.mark.durable_faults
    def test_around(durable_ctx, durable_effects):
        charges.clear()
        charge = durable_effects.wrap(charges.append, name="charge")
        durable_ctx.run(lambda event, context: context.step(lambda _: charge(7), name="charge"))
"""


def test_the_same_failure_is_the_same_text_in_every_process_and_a_hundred_columns_wide(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytester.makepyfile(test_orders=MANY_THINGS)
    here = pytester.runpytest_inprocess("-p", "no:cacheprovider")
    here.assert_outcomes(failed=3)
    monkeypatch.setenv("PYTHONHASHSEED", "0" if sys.flags.hash_randomization else "1")
    there = pytester.runpytest_subprocess("-p", "no:cacheprovider")
    assert there.outlines[:-1] == here.outlines[:-1]  # the last line says how long it took
    # All but its summary and its command.
    lines = [line for line in here.outlines if line.startswith("E  ") and "errors." not in line]
    assert [line for line in lines if len(line) > 100 and "replay: " not in line] == []


@pytest.mark.parametrize("options", [[], ["-q"], ["-q", "-q"]])
def test_the_summary_is_the_same_however_it_is_run(pytester: pytest.Pytester, options: list[str]) -> None:
    pytester.makepyfile("""
        def handler(event, context):
            return context.step(lambda _: 7, name="charge")

        def test_some(durable_ctx):
            durable_ctx.verify(handler)

        def test_more(durable_ctx):
            durable_ctx.run(handler, faults="charge:body")
    """)
    result = pytester.runpytest_inprocess("-p", "no:randomly", *options)
    assert result.ret == 0
    places = "killed at 4 of 4 places (start 1/1, body 1/1, stored 1/1, return 1/1)"
    result.stdout.fnmatch_lines([f"durable: 2 tests, 6 executions, 5 kills, 1 search safe, {places}"])


def test_the_places_at_which_nothing_was_killed_are_named_if_asked(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        test_orders="""
        import pytest

        @pytest.mark.durable(kills=0)
        def test_some(durable_ctx):
            durable_ctx.verify(lambda event, context: context.step(lambda _: 7, name="charge"))
        """
    )
    line = "durable: never killed in test_orders.py::test_some: charge:start, charge:body, charge:stored, *return"
    pytester.runpytest_inprocess("-v").stdout.fnmatch_lines([line])
    pytester.runpytest_inprocess().stdout.no_fnmatch_line("durable: never killed in *")
