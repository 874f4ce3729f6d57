"""The command in a failure's last line is pasted into a shell: it must fail the same way until the bug is fixed."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.plugin.sources import (
    AROUND,
    BEARS_ONE_REPEAT,
    CHARGES_AGAIN,
    CHARGES_ONCE,
    CHARGES_TWICE,
    RACES,
    all_found,
    found,
    pasted,
    story,
)


def test_it_fails_the_same_way_until_the_bug_is_fixed(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=":")
    pytester.makepyfile(test_orders=CHARGES_TWICE)
    first = found(pytester.runpytest_inprocess())
    assert first[0].startswith("OutcomeChanged: ")
    assert first[1] == "pytest 'test_orders.py::test_order' --durable-replay='charge:body'"

    again = pytester.run("/bin/sh", "-c", first[1])
    again.assert_outcomes(failed=1)
    assert found(again) == first

    pytester.makepyfile(test_orders=CHARGES_ONCE)
    pasted(pytester, first[1]).assert_outcomes(passed=1)


def test_it_runs_its_plan_alone(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("""
        def test_it(durable_ctx):
            found = durable_ctx.verify(lambda event, context: context.step(lambda _: 7, name="charge"))
            assert found.killed == ("charge:body",)
            assert found.runs == 2
    """)
    pytester.runpytest_inprocess("--durable-replay=charge:body").assert_outcomes(passed=1)


def test_the_empty_plan_is_the_run_without_kills(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("""
        def test_it(durable_ctx):
            assert durable_ctx.verify(lambda event, context: context.step(lambda _: 7, name="charge")).killed == ()
    """)
    pytester.runpytest_inprocess("--durable-replay=").assert_outcomes(passed=1)


def test_it_replays_a_plan_of_several_kills(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_orders=BEARS_ONE_REPEAT)
    first = found(pytester.runpytest_inprocess("--durable-kills=2"))
    assert first[1].endswith("--durable-replay='charge:body, charge:body'")
    assert found(pasted(pytester, first[1])) == first


def test_it_replays_a_single_run_too(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_orders=CHARGES_AGAIN.format(faults="None"))
    pytester.runpytest_inprocess().assert_outcomes(passed=1)
    first = found(pytester.runpytest_inprocess("--durable-replay=charge:stored"))
    assert first[0].startswith("StepRanAgain: ")
    assert found(pasted(pytester, first[1])) == first


@pytest.mark.parametrize("mode", ["prepend", "importlib"])
def test_it_starts_cold_if_the_failure_did(pytester: pytest.Pytester, mode: str) -> None:
    pytester.makepyfile(test_orders=KEEPS_IN_THE_MODULE)
    pytester.runpytest_inprocess(f"--import-mode={mode}").assert_outcomes(passed=1)
    first = pytester.runpytest_inprocess("--durable-cold", f"--import-mode={mode}")
    header, command = found(first)
    assert header.startswith("OutcomeChanged: ")
    assert command == "pytest 'test_orders.py::test_order' --durable-cold --durable-replay='price:stored'"
    assert story(pasted(pytester, command)) == story(first)


KEEPS_IN_THE_MODULE = """
    cache = {}

    def handler(event, context):
        context.step(lambda _: cache.update(price=100), name="price")
        return context.step(lambda _: cache.get("price"), name="charge")

    def test_order(durable_ctx):
        durable_ctx.verify(handler, reset=cache.clear)
"""


def test_a_violation_that_takes_no_kill_is_replayed_without_a_plan(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        test_orders="""
        from datetime import datetime

        from aws_durable_execution_sdk_python.config import Duration

        def handler(event, context):
            context.wait(Duration.from_seconds(60 + datetime.now().minute), name="pause")

        def test_order(durable_ctx):
            durable_ctx.verify(handler)
        """
    )
    first = found(pytester.runpytest_inprocess())
    assert first[0].startswith("ReplayDiverged: wait 'pause'")
    assert first[1] == "pytest 'test_orders.py::test_order'"
    assert found(pasted(pytester, first[1])) == first


NAMES = ["it's", "a, b", "a:b@2", "$HOME `x`", "back\\slash", 'quo"te', "!~%^&*(){}|;<>?", "--flag"]


def test_it_survives_the_shell_whatever_the_names(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        test_orders=f"""
        import pytest

        charges = []

        @pytest.mark.parametrize("name", {NAMES!r})
        def test_order(durable_ctx, name):
            def handler(event, context):
                context.step(lambda _: charges.append(1), name=name)
                return context.step(lambda _: len(charges), name="count")

            durable_ctx.verify(handler, reset=charges.clear)
        """
    )
    first = all_found(pytester.runpytest_inprocess())
    assert len(first) == len(NAMES)
    for header, command in first:
        assert found(pasted(pytester, command)) == (header, command)


def test_it_works_in_the_directory_that_pytest_was_started_in(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytester.makeini("[pytest]")
    pytester.mkdir("suite").joinpath("test_orders.py").write_text(
        "charges = []\n"
        "def handler(event, context):\n"
        "    context.step(lambda _: charges.append(1), name='charge')\n"
        "    return context.step(lambda _: len(charges), name='count')\n"
        "def test_order(durable_ctx):\n"
        "    durable_ctx.verify(handler, reset=charges.clear)\n"
    )
    monkeypatch.chdir(pytester.path / "suite")
    first = found(pytester.runpytest_inprocess())
    assert found(pasted(pytester, first[1])) == first


SETTINGS = {
    "seed": ("durable_ctx.seed == 5", ["--durable-seed=5"]),
    "start": ("durable_clock.now().month == 12", ["--durable-start=2026-12-31T12:00:00+00:00"]),
    "isolation": ("os.getpid() != parent", ["--durable-isolation=process"]),
    "checks": ("True", ["--durable-checks=outcome"]),
    "overridden": ("durable_ctx.seed == 5", ["-o", "durable_seed=5"]),
}
"""What a search is to be asked for to find a bug that only shows under that condition."""


@pytest.mark.parametrize(("condition", "asked"), SETTINGS.values(), ids=list(SETTINGS))
def test_it_repeats_what_the_command_line_asked_for_when_it_was_found(
    pytester: pytest.Pytester, condition: str, asked: list[str]
) -> None:
    pytester.makepyfile(
        test_orders=f"""
        import os
        from pathlib import Path

        parent, log = os.getpid(), Path("log")

        def charge(_):
            with log.open("a") as lines:
                lines.write("charged\\n")

        def test_order(durable_ctx, durable_clock):
            def handler(event, context):
                context.step(charge, name="charge")
                return context.step(lambda _: log.read_text().count("charged") if {condition} else 1, name="count")

            durable_ctx.verify(handler, reset=lambda: log.write_text(""))
        """
    )
    first = pytester.runpytest_inprocess(*asked)
    again = pasted(pytester, found(first)[1])
    again.assert_outcomes(failed=1)
    assert story(again) == story(first)
    assert asked[-1].removeprefix("durable_") in found(first)[1]


@pytest.mark.parametrize(
    ("source", "asked", "option"),
    [
        (RACES, [], "--durable-schedule='"),
        (AROUND, ["--durable-kills=2"], "--durable-replay='charge:body, charge:body'"),
    ],
    ids=["a schedule", "a whole test"],
)
def test_all_that_is_said_of_it_is_said_again(
    pytester: pytest.Pytester, source: str, asked: list[str], option: str
) -> None:
    pytester.makepyfile(test_orders=source)
    first = pytester.runpytest_inprocess(*asked)
    (line,) = [line for line in first.outlines if "replay: pytest " in line]
    assert option in line
    again = pasted(pytester, line.partition("replay: ")[2])
    again.assert_outcomes(failed=1)
    assert story(again) == story(first)


def test_it_reaches_the_second_handler_of_a_test(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        test_orders="""
        charges = []

        def greet(event, context):
            return context.step(lambda _: "hello", name="greet")

        def handler(event, context):
            context.step(lambda _: charges.append(1), name="charge")
            return context.step(lambda _: len(charges), name="count")

        def test_order(durable_ctx):
            durable_ctx.verify(greet)
            durable_ctx.verify(handler, reset=charges.clear)
        """
    )
    first = found(pytester.runpytest_inprocess())
    assert found(pasted(pytester, first[1])) == first


# --- plans that make no sense -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("plan", "line"),
    [
        ("charge:bodi", "in 'charge:bodi': 'bodi' is no place where a kill can land, did you mean 'body'[?] *"),
        ("charge", "'charge' is not a fault: write NAME:WHERE or NAME@N:WHERE, as in *"),
        ("charge@0:body", "in 'charge@0:body': @N must be a whole number from 1, as in 'charge@2:body'"),
        ("chrage:body", "'chrage:body': no operation is named 'chrage'; did you mean 'charge:body'[?] *: *charge*"),
    ],
    ids=["unknown place", "no place", "zeroth time", "unknown operation"],
)
@pytest.mark.parametrize("method", ["run", "verify"])
def test_a_plan_that_makes_no_sense_is_refused_in_one_line(
    pytester: pytest.Pytester, plan: str, line: str, method: str
) -> None:
    pytester.makepyfile(f"""
        def test_it(durable_ctx):
            durable_ctx.{method}(lambda event, context: context.step(lambda _: 7, name="charge"))
    """)
    result = pytester.runpytest_inprocess(f"--durable-replay={plan}")
    assert result.parseoutcomes().get("passed", 0) == 0
    assert len([text for text in result.outlines if text.startswith("E  ")]) <= 1
    result.stdout.fnmatch_lines([f"*{line}"])


@pytest.mark.parametrize("call", ["run(handler)", "verify(handler)", "start(handler).run()"])
def test_a_place_that_is_never_reached_gives_a_warning(pytester: pytest.Pytester, call: str) -> None:
    pytester.makepyfile(f"""
        def handler(event, context):
            return context.step(lambda _: 7, name="charge")

        def test_it(durable_ctx):
            durable_ctx.{call}
    """)
    result = pytester.runpytest_inprocess("--durable-replay=charge@7:body", "-W", "default")
    result.assert_outcomes(passed=1, warnings=1)
    result.stdout.fnmatch_lines(
        ["*test_it", "*FaultNotReached: the fault 'charge@7:body' did not happen: *It came to: charge:body*"]
    )


def test_the_warning_points_at_the_line_of_the_test(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        test_orders="""
        def test_it(durable_ctx):
            durable_ctx.run(lambda event, context: context.step(lambda _: 7, name="charge"), faults="charge@7:body")
        """
    )
    result = pytester.runpytest_inprocess("-W", "default")
    result.stdout.fnmatch_lines(["*test_orders.py:2: FaultNotReached: *"])
