"""The pytest adapter: options, ini, marker, fixtures, summary line. It imports pytest and the standard library only.

Everything else is imported when a fixture is first used, so a suite that uses none pays nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pytest_durable.context import FakeDurableContext, Tally
    from pytest_durable.engine import VirtualClock
    from pytest_durable.options import Settings

_OPTIONS = {
    "kills": ("N", "kills at most in one plan of durable_ctx.verify (default 1: every single kill)"),
    "examples": ("N", "plans of several kills that are drawn, if --durable-kills is more than 1 (default 100)"),
    "seed": ("N", "seed of every run: retry jitter, ids, drawn plans (default 0)"),
    "start": ("DATETIME", "first instant of virtual time (default 2026-01-01T00:00:00+00:00)"),
    "replay": ("PLAN", "run this fault plan alone, as in 'charge:body, ship@2:stored'"),
}
_MARKER = "durable(*, kills=1, examples=100, seed=0, start=None): settings of durable_ctx for this test"

_settings_key: pytest.StashKey[Settings] = pytest.StashKey()
_tallies_key: pytest.StashKey[list[Tally]] = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options and their ini twins."""
    group = parser.getgroup("durable", "AWS Lambda durable functions")
    for name, (metavar, text) in _OPTIONS.items():
        group.addoption(f"--durable-{name}", metavar=metavar, default=None, help=text)
        if name != "replay":
            parser.addini(f"durable_{name}", text, default="")


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker; read the settings and refuse bad ones."""
    config.addinivalue_line("markers", _MARKER)
    config.stash[_tallies_key] = []
    cli = {name: config.getoption(f"durable_{name}") for name in _OPTIONS}
    ini = {name: config.getini(f"durable_{name}") for name in _OPTIONS if name != "replay"}
    from pytest_durable.options import merged

    try:
        config.stash[_settings_key] = merged(cli, ini)
    except ValueError as error:
        raise pytest.UsageError(str(error)) from None


def _settings_for(request: pytest.FixtureRequest) -> dict[str, Any]:
    """The settings of one test by name: command line over the closest marker over ini."""
    settings = request.config.stash[_settings_key]
    values = {name: getattr(settings, name) for name in ("kills", "examples", "seed", "start")}
    for marker in reversed(list(request.node.iter_markers("durable"))):
        unknown = marker.kwargs.keys() - values.keys()
        if unknown or marker.args:
            wrong = ", ".join(sorted(unknown) or map(repr, marker.args))
            raise pytest.UsageError(f"@pytest.mark.{_MARKER} does not take {wrong}")
        free = {name for name in marker.kwargs if request.config.getoption(f"durable_{name}") is None}
        values.update({name: marker.kwargs[name] for name in free})
    return values


@pytest.fixture
def durable_ctx(request: pytest.FixtureRequest) -> Iterator[FakeDurableContext]:
    """A `FakeDurableContext`, fresh for this test: the real SDK in a simulated world."""
    from pytest_durable.context import FakeDurableContext
    from pytest_durable.errors import UsageError
    from pytest_durable.faults import FaultPlan

    settings = _settings_for(request)
    replay = request.config.stash[_settings_key].replay
    try:
        plan = None if replay is None else FaultPlan.parse(replay)
        context = FakeDurableContext(seed=settings["seed"], start=settings["start"])
    except UsageError as error:
        raise pytest.UsageError(str(error)) from None
    with context:
        context.test = request.node.nodeid
        context.kills = settings["kills"]
        context.examples = settings["examples"]
        context.only = plan
        request.config.stash[_tallies_key].append(context.tally)
        yield context


@pytest.fixture
def durable_clock(durable_ctx: FakeDurableContext) -> VirtualClock:
    """The virtual clock of `durable_ctx`."""
    return durable_ctx.clock


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Say how much was run and killed."""
    tallies = [tally for tally in config.stash.get(_tallies_key, []) if tally.runs]
    if not tallies:
        return
    runs, verified, killed, places = (
        sum(getattr(tally, name) for tally in tallies) for name in ("runs", "verified", "killed", "places")
    )
    searched = f"; {verified} searches killed at {killed} of {places} places, every replay safe" if verified else ""
    terminalreporter.write_line(f"durable: {len(tallies)} tests, {runs} executions{searched}")
