"""Generated handlers end the same on both sides and leave the same operations.

``DURABLE_PARITY_EXAMPLES`` in the environment says how many are generated; 200 without it.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from pytest_durable import FakeDurableContext
from tests.parity.scenario import Scenario
from tests.parity.sides import all_on_the_local_runner, differences, simulated
from tests.programs.language import Program, handler_of
from tests.programs.strategy import programs

AT_ONCE = 20
"""Programs in one example: the runner sleeps most of the time, and so they are run at once."""

EXAMPLES = int(os.environ.get("DURABLE_PARITY_EXAMPLES", "200"))


@pytest.fixture(autouse=True, scope="module")
def silence() -> Iterator[None]:
    """The SDK logs every error that a program is there to raise."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@settings(
    max_examples=max(1, EXAMPLES // AT_ONCE),
    derandomize=True,
    deadline=None,
    database=None,
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
)
@given(st.lists(programs(most_suspensions=6), min_size=AT_ONCE, max_size=AT_ONCE))
def test_generated_handlers_end_the_same_and_leave_the_same_operations(drawn: list[Program]) -> None:
    scenarios = [Scenario(handler_of(program)) for program in drawn]
    outcomes = all_on_the_local_runner(scenarios)
    with FakeDurableContext():  # which shows virtual time once, for all that are opened within it
        for program, scenario, theirs in zip(drawn, scenarios, outcomes, strict=True):
            if isinstance(theirs, Exception):
                raise theirs
            assert differences(simulated(scenario), theirs) == {}, program
