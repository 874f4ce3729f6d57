"""The same handler on AWS's own local runner ends the same and leaves the same operations."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator

import pytest
from _pytest.mark.structures import ParameterSet
from aws_durable_execution_sdk_python import plugin

from pytest_durable import FakeDurableContext
from tests.parity import (
    handlers_contexts,
    handlers_endings,
    handlers_maps,
    handlers_outside,
    handlers_parallels,
    handlers_plugins,
    handlers_steps,
)
from tests.parity.scenario import ABSENT, Scenario
from tests.parity.sides import Outcome, all_on_the_local_runner, differences, simulated

SCENARIOS = [
    *handlers_steps.TABLE,
    *handlers_contexts.TABLE,
    *handlers_maps.TABLE,
    *handlers_parallels.TABLE,
    *handlers_endings.TABLE,
]

SINCE_3_0 = pytest.mark.skipif(
    not hasattr(plugin, "DurableInstrumentationPluginFactory"), reason="this release of the SDK does not have it"
)


ALL = [*SCENARIOS, *handlers_outside.TABLE, *([] if SINCE_3_0.args[0] else handlers_plugins.TABLE)]
"""Those that the installed SDK can run."""


def parameters(scenarios: Iterable[Scenario], *marks: pytest.MarkDecorator) -> list[ParameterSet]:
    """One for each scenario."""
    return [pytest.param(scenario, marks=marks, id=scenario.name) for scenario in scenarios]


Expected = dict[str, Outcome | Exception]


@pytest.fixture(autouse=True, scope="module")
def silence() -> Iterator[None]:
    """The SDK logs every error that a handler is there to raise."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture(scope="module")
def expected(request: pytest.FixtureRequest) -> Expected:
    """What AWS's local runner makes of the scenarios that are to be tested: all at once, because it is slow."""
    wanted: dict[str, Scenario] = {}
    for item in request.session.items:
        callspec = getattr(item, "callspec", None)
        scenario = None if callspec is None else callspec.params.get("scenario")
        if isinstance(scenario, Scenario) and not _is_skipped(item):
            wanted[scenario.name] = scenario
    return dict(zip(wanted, all_on_the_local_runner(wanted.values()), strict=True))


@pytest.fixture(scope="module")
def virtual_time(expected: Expected) -> Iterator[None]:
    """Shown once for all scenarios, and after those of the local runner, whose time is real."""
    with FakeDurableContext():
        yield


def _is_skipped(item: pytest.Item) -> bool:
    conditions = [mark.args[0] for mark in item.iter_markers("skipif")]
    return item.get_closest_marker("skip") is not None or any(conditions)


@pytest.mark.parametrize(
    "scenario",
    [
        *parameters(SCENARIOS),
        *parameters(handlers_plugins.TABLE, SINCE_3_0),
        *parameters(handlers_outside.TABLE),
    ],
)
@pytest.mark.usefixtures("virtual_time")
def test_both_end_the_same_and_leave_the_same_operations(scenario: Scenario, expected: Expected) -> None:
    theirs = expected[scenario.name]
    if isinstance(theirs, Exception):
        raise theirs
    assert theirs.fields["seen"] or not scenario.plugins
    assert differences(simulated(scenario), theirs) == (scenario.differs.fields if scenario.differs else {})


@pytest.mark.parametrize("what", ["status", "seen", "m.name", "m/map-item-1.status", "m/map-item-1/double.result"])
def test_what_is_changed_on_one_side_is_found(what: str) -> None:
    scenario = next(scenario for scenario in handlers_maps.TABLE if scenario.handler is handlers_maps.mapped)
    ours, theirs = simulated(scenario), simulated(scenario)
    assert differences(ours, theirs) == {}
    path, _, key = what.rpartition(".")
    changed = (
        theirs.operations[next(id for id, found in theirs.paths.items() if found == path)] if path else theirs.fields
    )
    before = ours.flat(ours.paths)[what]
    changed[key] = "changed"
    assert differences(ours, theirs) == {what: (before, "changed")}


def test_an_operation_of_one_side_alone_is_found() -> None:
    scenario = next(scenario for scenario in handlers_maps.TABLE if scenario.handler is handlers_maps.mapped)
    ours, theirs = simulated(scenario), simulated(scenario)
    del theirs.operations[_id_of(theirs, "m/map-item-2")]
    found = differences(ours, theirs)
    assert {key.rpartition(".")[0] for key in found} == {"m/map-item-2"}
    assert {right for _, right in found.values()} == {ABSENT}


def _id_of(outcome: Outcome, wanted: str) -> str:
    return next(operation_id for operation_id, path in outcome.paths.items() if path == wanted)
