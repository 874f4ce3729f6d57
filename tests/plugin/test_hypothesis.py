"""The strategies go with what Hypothesis has for tests: settings, seeds, examples, profiles, failures that are kept."""

from __future__ import annotations

import re

import pytest

SUITE = """
import hypothesis, pytest
from hypothesis import HealthCheck, example, given, seed, settings, strategies as st
from pytest_durable import FakeDurableContext, FaultPlan
from pytest_durable.faults import Schedule
from pytest_durable.strategies import fault_plans, schedules

settings.register_profile("ci", derandomize=True, max_examples=5, deadline=None, database=None)
settings.load_profile("ci")


def total(amounts, charges):
    def handler(event, context):
        for number, amount in enumerate(amounts):
            context.step(lambda step, amount=amount: charges.append(amount), name=f"charge {number}")
        return sum(charges)
    return handler


def ends_well(plan=None, schedule=None, amounts=(1, 2)):
    with FakeDurableContext() as context:
        return context.run(total(amounts, []), faults=plan, schedule=schedule).status == "SUCCEEDED"
"""

GREEN = """
@given(fault_plans(), schedules(), st.lists(st.integers(), max_size=2))
@example(FaultPlan.parse("charge 1:body"), Schedule.parse("2>1"), [1, 2])
def test_example_and_profile(plan, schedule, amounts):
    assert ends_well(plan, schedule, amounts)


@seed(7)
@settings(max_examples=3)
@given(fault_plans(total([1, 2], [])))
def test_seed_and_settings(plan):
    assert ends_well(plan)


@given(schedules())
def test_schedules_alone(schedule):
    assert ends_well(schedule=schedule)


@pytest.mark.durable_faults(kinds=["body"])
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=2)
@given(amount=st.integers())
def test_marker(durable_ctx, amount):
    charges = []
    assert durable_ctx.run(total([amount], charges)).result == sum(charges)
"""

RED = """
@settings({settings})
@given(fault_plans())
{above}def test_once(plan):
    charges = []
    with FakeDurableContext() as context:
        context.run(total([100], charges), faults=plan)
    assert charges == [100], str(plan)
"""


def run(pytester: pytest.Pytester, tests: str) -> pytest.RunResult:
    pytester.makepyfile(SUITE + tests)
    return pytester.runpytest("-p", "no:cacheprovider", "-p", "no:randomly")


def test_they_compose_with_examples_seeds_profiles_and_the_marker(pytester: pytest.Pytester) -> None:
    run(pytester, GREEN).assert_outcomes(passed=4)


def test_a_failure_is_shrunk_and_reproduced_by_what_hypothesis_prints(pytester: pytest.Pytester) -> None:
    first = run(pytester, RED.format(settings="print_blob=True, max_examples=200", above=""))
    first.assert_outcomes(failed=1)
    said = "\n".join(first.outlines)
    assert re.search(r"AssertionError: \*:body\b", said)
    blob = re.search(r"@reproduce_failure\(.*\)", said)
    assert blob is not None
    again = run(pytester, RED.format(settings="", above=f"@hypothesis.{blob[0][1:]}\n"))
    again.assert_outcomes(failed=1)
    assert re.search(r"AssertionError: \*:body\b", "\n".join(again.outlines))


def test_derandomized_it_fails_the_same_way_each_time(pytester: pytest.Pytester) -> None:
    said = [
        [line for line in run(pytester, RED.format(settings="max_examples=200", above="")).outlines if "plan=" in line]
        for _ in range(2)
    ]
    assert said[0]
    assert said[0] == said[1]
