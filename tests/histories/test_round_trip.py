"""A history says what was in the journal: both are the same, there and back, for every handler of the parity tests."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from dataclasses import replace

import pytest
from aws_durable_execution_sdk_python.lambda_service import Operation

from pytest_durable import Execution, FakeDurableContext
from pytest_durable.histories.past import moments, past_of
from pytest_durable.histories.reading import read
from pytest_durable.service.lifecycle import DurableExecution
from tests.parity import handlers_outside, handlers_plugins
from tests.parity.scenario import Scenario
from tests.parity.sides import carry_out
from tests.parity.test_parity import SCENARIOS, SINCE_3_0, parameters

ON_ANY_SDK = [*SCENARIOS, *handlers_outside.TABLE]
ALL = [*parameters(ON_ANY_SDK), *parameters(handlers_plugins.TABLE, SINCE_3_0)]
BY_NAME = [one for one in ON_ANY_SDK if all(answer.name is not None for answer in one.answers)]
"""Whose callbacks have a name to be answered by."""


@pytest.fixture(autouse=True)
def silence() -> Iterator[None]:
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def family(execution: Execution) -> list[DurableExecution]:
    return list(execution._execution.family())


def read_back(execution: DurableExecution) -> list[Operation]:
    """The operations, from the history as JSON."""
    events = json.loads(json.dumps(execution.history.events()))
    return list(past_of(read(events).events).operations.values())


def stored(execution: DurableExecution) -> list[Operation]:
    """The operations in the journal; a history does not say that a result is the user's own summary."""
    operations = list(execution.journal.operations.values())[1:]
    return [_without_summary(execution, operation) for operation in operations]


def _without_summary(execution: DurableExecution, operation: Operation) -> Operation:
    details = operation.context_details
    asked = execution.asked.get(operation.operation_id)
    is_batch = asked is not None and asked.method in ("map", "parallel")
    if details is None or is_batch or getattr(asked and asked.config, "summary_generator", None) is None:
        return operation
    return replace(operation, context_details=replace(details, replay_children=False))


@pytest.mark.parametrize("scenario", ALL)
def test_the_journal_is_read_back_and_its_own_code_replays_it(scenario: Scenario) -> None:
    scenario.seen.clear()
    with FakeDurableContext() as context:
        for execution in family(carry_out(context, scenario)):
            assert read_back(execution) == stored(execution)
            before = len(scenario.seen)
            recorded = {"Events": execution.history.events()}
            replayed = context.replay(execution.handler.function, recorded)
            assert replayed.changes == ()
            assert replayed.moments == len(list(moments(read(recorded).events)))
            assert len(scenario.seen) >= before


@pytest.mark.parametrize("plan", ["*:body, *:suspend, *@2:stored, *@4:start, *:return"])
@pytest.mark.parametrize("scenario", parameters(BY_NAME[::6]))
def test_what_was_killed_is_read_back_as_well(scenario: Scenario, plan: str) -> None:
    scenario.seen.clear()
    with FakeDurableContext() as context:
        for name, function in scenario.functions.items():
            context.register(name, function.handler)
        for answer in scenario.answers:
            if answer.name is not None and answer.heartbeat is None:
                context.callbacks.succeed(answer.name, answer.result, after=answer.after)
        execution = context.start(scenario.decorated(), scenario.event, faults=plan)
        while execution.status == "RUNNING":
            execution.advance(60)
        for one in family(execution):
            assert read_back(one) == stored(one)
            assert context.replay(one.handler.function, one.history.events()).changes == ()
