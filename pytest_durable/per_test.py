"""The context of one test: with its settings, the plans that it tries first, and what it failed under the last time."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pytest_durable.context import FakeDurableContext
from pytest_durable.errors import FaultNotReached, InvalidPlan
from pytest_durable.faults import FaultPlan, Schedule
from pytest_durable.options import MARKERS, PER_TEST, Settings, checked, example
from pytest_durable.report.timeline import on_one_screen

_FAILURES = "durable/failures"
"""Where pytest's cache keeps, for each test, what it failed under."""

_SHARD = re.compile(r"\[(?:(?P<rest>.*)-)?shard \d+ of \d+\]$")
"""The end of the id of a test that is one share of a search."""


def context_for(
    request: pytest.FixtureRequest, settings: Settings, share: tuple[int, int] | None
) -> FakeDurableContext:
    """The context of one test, with its settings; of one share of its search, if that is split.

    Raises:
        ValueError: for a setting or a plan that makes no sense.
    """
    config, own = request.config, _settings_for(request, settings)
    examples = [example(marker.args, marker.kwargs) for marker in request.node.iter_markers("durable_example")]
    context = FakeDurableContext(**{name: own[name] for name in ("seed", "start", "cold", "isolation")})
    context.budget = replace(
        context.budget,
        kills=own["kills"],
        examples=own["examples"],
        kinds=own["kinds"] or context.budget.kinds,
        checks=own["checks"],
        share=share,
        pinned=tuple((FaultPlan.parse(plan), Schedule.parse(order)) for plan, order in examples),
    )
    if settings.replay is not None or settings.schedule is not None:
        only = (FaultPlan.parse(settings.replay or ""), Schedule.parse(settings.schedule or ""))
        context.budget = replace(context.budget, only=only[0], schedule=only[1])
    saved = _failures(config).get(request.node.nodeid)
    if saved is not None:
        plans = (FaultPlan.parse(saved["plan"]), Schedule.parse(saved["schedule"]))
        context.budget = replace(context.budget, saved=plans)
    context.test = name_of(request.node)
    context.settings = tuple(_given(config))
    context.tally.advice = {}
    return context


def _settings_for(request: pytest.FixtureRequest, settings: Settings) -> dict[str, Any]:
    """The settings of one test by name: command line over the closest marker over ini.

    Raises:
        ValueError: for what a marker must not hold.
    """
    values = {name: getattr(settings, name) for name in PER_TEST}
    markers = [marker for marker in request.node.iter_markers() if marker.name in ("durable", "durable_faults")]
    for marker in reversed(markers):
        unknown = marker.kwargs.keys() - values.keys()
        if unknown or marker.args:
            wrong = ", ".join(sorted(unknown) or map(repr, marker.args))
            signature = MARKERS[marker.name].partition(": ")[0]
            raise ValueError(f"@pytest.mark.{marker.name} does not take {wrong}: it is {signature}")
        free = {name for name in marker.kwargs if request.config.getoption(f"durable_{name}") is None}
        values.update({name: checked(name, marker.kwargs[name]) for name in free})
    return values


def _given(config: pytest.Config) -> Iterator[tuple[str, str]]:
    """What the command line, and nothing else, says of how a plan is run: a replay needs it as well."""
    overridden = dict(text.partition("=")[::2] for text in config.getoption("override_ini") or ())
    for name in ("seed", "start", "cold", "isolation", "checks"):
        given = config.getoption(f"durable_{name}")
        text = overridden.get(f"durable_{name}", "") if given is None else given
        if text:
            yield name, text


def name_of(item: pytest.Item) -> str:
    """What pytest calls the test from the directory that it was started in, for a command to be pasted there."""
    name = _SHARD.sub(lambda end: f"[{end['rest']}]" if end["rest"] else "", item.nodeid.partition("::")[2])
    path = os.path.relpath(item.path, item.config.invocation_params.dir)
    return f"{Path(path).as_posix()}::{name}" if name else item.nodeid


def keep(item: pytest.Item, context: FakeDurableContext) -> None:
    """Keep what the test failed under, or forget what it no longer fails under."""
    failures, found = _failures(item.config), context.found
    before = failures.pop(item.nodeid, None)
    if found is not None and (found.plan or found.schedule):
        failures[item.nodeid] = {"plan": found.plan, "schedule": found.schedule}
    cache = getattr(item.config, "cache", None)
    if cache is not None and failures.get(item.nodeid) != before:
        cache.set(_FAILURES, failures)


def check_plans(item: pytest.Item, context: FakeDurableContext) -> None:
    """Fail a test that had nothing to try its plans on; warn of plans that tested nothing."""
    try:
        context.check_replay()
    except InvalidPlan as error:
        raise pytest.fail.Exception(str(error), pytrace=False) from None
    if context.budget.pinned and not context.tally.searches:
        what = f"@pytest.mark.{MARKERS['durable_example']}"
        pytest.fail(f"{what}; this one has none: it needs verify or durable_faults", pytrace=False)
    for fault in context.tally.idle:
        item.warn(
            FaultNotReached(f"'{fault}' of durable_example happened in no search of this test, and tests nothing")
        )


def show_latest(report: pytest.TestReport, context: FakeDurableContext) -> None:
    """Beneath an assertion that failed, show how the execution went that was run last; a violation has shown it."""
    if context.found is None and context.latest is not None:
        execution = context.latest
        report.sections.append(
            ("the latest durable execution", f"{execution!r}\n{on_one_screen(execution._execution)}")
        )


def _failures(config: pytest.Config) -> dict[str, dict[str, str]]:
    """What tests failed under the last time, by node id; empty without pytest's cache."""
    cache = getattr(config, "cache", None)
    found = None if cache is None else cache.get(_FAILURES, None)
    return found if isinstance(found, dict) else {}
