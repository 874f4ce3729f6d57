"""The pytest adapter: options, ini, marker, fixtures, summary line. It imports pytest and the standard library only.

Everything else is imported when a fixture is first used, so a suite that uses none pays nothing.
"""

from __future__ import annotations

import inspect
import os
import sys
import time
from collections.abc import Callable, Generator, Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pytest_durable.between import EnvironmentFaults
    from pytest_durable.compat.runner import DurableFunctionTestRunner
    from pytest_durable.context import FakeDurableContext
    from pytest_durable.effects import EffectLedger
    from pytest_durable.engine import VirtualClock
    from pytest_durable.options import Settings
    from pytest_durable.progress import Progress

_OPTIONS = {
    "kills": ("N", "kills at most in one plan of durable_ctx.verify (default 1: every single kill)"),
    "examples": ("N", "plans of several kills that are drawn, if --durable-kills is more than 1 (default 100)"),
    "seed": ("N", "seed of every run: retry jitter, ids, drawn plans (default 0)"),
    "start": ("DATETIME", "first instant of virtual time (default 2026-01-01T00:00:00+00:00)"),
    "kinds": ("KINDS", "kinds of faults that are tried, as in 'body,stored,throttle' (default: all kills)"),
    "checks": ("CHECKS", "checks that are made, as in 'rerun,replay', or all others, as in '-outcome' (default: all)"),
    "cold": (None, "after each kill, import the handler's module anew, as a cold start does"),
    "isolation": ("thread|process", "process: each invocation in a forked child, killed by SIGKILL (default thread)"),
    "replay": ("PLAN", "run this fault plan alone, as in 'charge:body, ship@2:stored'"),
    "schedule": ("SCHEDULE", "run with this order of threads alone, as in '4>1, 9>2'"),
    "shards": ("N", "split each test that searches into N tests, for pytest-xdist or several machines"),
    "record": ("DIR", "write the history of each execution into this directory, for durable_ctx.replay_all"),
}
_REPORT = {
    "report": "write a page of HTML that shows the executions of every test that fails",
    "report_all": "with --durable-report: of those that pass as well",
}
_REPORTING = "durable-report"
"""Under which name the plugin is registered that writes it."""
_SHARE = "_durable_share"

_settings_key: pytest.StashKey[Settings] = pytest.StashKey()
_clock_key: pytest.StashKey[Callable[[], float]] = pytest.StashKey()
_watched_key: pytest.StashKey[bool] = pytest.StashKey()
_context_key: pytest.StashKey[FakeDurableContext] = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options and their ini twins."""
    from pytest_durable.options import PER_TEST

    group = parser.getgroup("durable", "AWS Lambda durable functions")
    for name, (metavar, text) in _OPTIONS.items():
        if metavar is None:
            group.addoption(f"--durable-{name}", action="store_const", const="true", default=None, help=text)
        else:
            group.addoption(f"--durable-{name}", metavar=metavar, default=None, help=text)
        if name in PER_TEST:
            parser.addini(f"durable_{name}", text, default="")
    for name, text in _REPORT.items():
        flag = {"action": "store_const", "const": "true"} if name == "report_all" else {"metavar": "FILE"}
        group.addoption(f"--durable-{name.replace('_', '-')}", default=None, help=text, **flag)
        parser.addini(f"durable_{name}", text, default="")
    text = "import AWS's aws_durable_execution_sdk_python_testing as pytest_durable.compat, which takes no real time"
    group.addoption("--durable-replace-aws-runner", action="store_true", help=text)
    parser.addini("durable_replace_aws_runner", text, type="bool", default=False)


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Take the name of AWS's testing library before anything imports it, if that is wanted."""
    if not (
        early_config.known_args_namespace.durable_replace_aws_runner
        or early_config.getini("durable_replace_aws_runner")
    ):
        return
    from pytest_durable.compat.replace import install, remove

    try:
        install()
    except ImportError as error:
        raise pytest.UsageError(str(error)) from None
    early_config.add_cleanup(remove)


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker; read the settings and refuse bad ones."""
    from pytest_durable.options import MARKERS, PER_TEST, merged
    from pytest_durable.summary import Summary

    for marker in MARKERS.values():
        config.addinivalue_line("markers", marker)
    config.stash[_clock_key] = time.perf_counter  # taken before any test shows virtual time
    config.pluginmanager.register(Summary(), "durable-summary")
    cli = {name: config.getoption(f"durable_{name}") for name in _OPTIONS}
    ini = {name: config.getini(f"durable_{name}") for name in PER_TEST}
    try:
        config.stash[_settings_key] = merged(cli, ini)
    except ValueError as error:
        raise pytest.UsageError(str(error)) from None
    if config.getoption("durable_report") or config.getini("durable_report"):
        from pytest_durable.reporting import Reporting

        config.pluginmanager.register(Reporting(config, _context_key), _REPORTING)


def pytest_sessionstart(session: pytest.Session) -> None:
    """Find out, while nothing is captured yet, whether somebody watches the terminal."""
    config = session.config
    reporter = config.pluginmanager.getplugin("terminalreporter")
    is_log = hasattr(config, "workerinput") or os.environ.get("CI") or config.getoption("capture") == "no"
    config.stash[_watched_key] = reporter is not None and not is_log and config.get_terminal_writer()._file.isatty()


def _check_around(item: pytest.Item) -> None:
    """Refuse the marker ``durable_faults`` where it would do nothing."""
    marker = item.get_closest_marker("durable_faults")
    if marker is not None and isinstance(item, pytest.Function):
        from pytest_durable.stage import why_not_around

        why = why_not_around(item.obj, item.cls, "durable_ctx" in item.fixturenames, marker in item.own_markers)
        if why:
            pytest.fail(f"@pytest.mark.durable_faults is {why}", pytrace=False)


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run a test with the marker ``durable_faults`` again and again."""
    if pyfuncitem.get_closest_marker("durable_faults") is None or "durable_ctx" not in pyfuncitem.fixturenames:
        return None
    from pytest_durable.stage import run_around

    arguments = {name: pyfuncitem.funcargs[name] for name in pyfuncitem._fixtureinfo.argnames}
    run_around(pyfuncitem.stash[_context_key], lambda: pyfuncitem.obj(**arguments))
    return True


@pytest.hookimpl(trylast=True)
def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Split each test that searches into as many as ``--durable-shards`` says."""
    shards = metafunc.config.stash[_settings_key].shards
    if shards > 1 and _SHARE in metafunc.fixturenames and _searches(metafunc.definition):
        shares = [(number, shards) for number in range(1, shards + 1)]
        ids = [f"shard {number} of {shards}" for number, _ in shares]
        metafunc.parametrize(_SHARE, shares, ids=ids, indirect=True)


def _searches(definition: pytest.Function) -> bool:
    """Whether there is anything in a test to be split: it has the marker, or speaks of ``verify`` itself."""
    if definition.get_closest_marker("durable_faults") is not None:
        return True
    codes = [inspect.unwrap(definition.obj).__code__]
    for code in codes:
        codes += [constant for constant in code.co_consts if inspect.iscode(constant)]
    return any("verify" in code.co_names for code in codes)


@pytest.fixture
def _durable_share(request: pytest.FixtureRequest) -> tuple[int, int] | None:
    """Which of how many shares of its search a test is; None if it is not split."""
    share: tuple[int, int] | None = getattr(request, "param", None)
    return share


@pytest.fixture
def durable_ctx(request: pytest.FixtureRequest, _durable_share: tuple[int, int] | None) -> Iterator[FakeDurableContext]:
    """A `FakeDurableContext`, fresh for this test: the real SDK in a simulated world."""
    from pytest_durable.errors import UsageError
    from pytest_durable.per_test import context_for

    settings = request.config.stash[_settings_key]
    try:
        context = context_for(request, settings, _durable_share)
    except (ValueError, UsageError) as error:
        raise pytest.fail.Exception(str(error), pytrace=False) from None
    if request.config.pluginmanager.has_plugin(_REPORTING):
        from pytest_durable.report.evidence import Album

        context.album = Album()
    progress = _progress_for(request)
    if progress is not None:
        context.progress = progress.ran
        request.addfinalizer(progress.end)
    with context:
        request.node.stash[_context_key] = context
        context.recorded = None if settings.record is None else []
        recorded = context.recorded
        yield context
    if settings.record is not None and recorded:
        from pytest_durable.histories.writing import write

        write(request.config.invocation_params.dir / settings.record, request.node.nodeid, recorded)


def _progress_for(request: pytest.FixtureRequest) -> Progress | None:
    """The live line of a test; None where nobody would see it, or where it would get in the way."""
    config = request.config
    if not config.stash[_watched_key]:
        return None
    from pytest_durable.per_test import name_of
    from pytest_durable.progress import Progress

    terminal = config.get_terminal_writer()
    capture: Any = config.pluginmanager.getplugin("capturemanager")
    return Progress(
        terminal._file,
        terminal,
        capture.global_and_fixture_disabled,
        config.stash[_clock_key],
        name_of(request.node),
    )


@pytest.fixture
def durable_clock(durable_ctx: FakeDurableContext) -> VirtualClock:
    """The virtual clock of `durable_ctx`."""
    return durable_ctx.clock


@pytest.fixture
def durable_faults(durable_ctx: FakeDurableContext) -> EnvironmentFaults:
    """The environment faults of `durable_ctx`: what changes between invocations."""
    return durable_ctx.faults


@pytest.fixture
def durable_effects(durable_ctx: FakeDurableContext) -> EffectLedger:
    """The effect ledger of `durable_ctx`: what the outside world saw."""
    return durable_ctx.effects


@pytest.fixture
def durable_runner(request: pytest.FixtureRequest) -> Iterator[DurableFunctionTestRunner]:
    """A `DurableFunctionTestRunner` for the handler that the marker ``durable_execution`` names."""
    marker = request.node.get_closest_marker("durable_execution")
    if marker is None or marker.args or "handler" not in marker.kwargs:
        from pytest_durable.options import MARKERS

        signature = MARKERS["durable_execution"].partition(":")[0]
        pytest.fail(f"durable_runner needs @pytest.mark.{signature} on the test", pytrace=False)
    from pytest_durable.compat.runner import DurableFunctionTestRunner

    runner = DurableFunctionTestRunner(marker.kwargs["handler"])
    yield runner
    runner.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown() -> Iterator[None]:
    """After a test, and its fixtures, show real time again, also where it left a runner open."""
    yield
    runners = sys.modules.get("pytest_durable.compat.runner")
    if runners is not None:
        runners.show_real_time()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, Any, Any]:
    """Let a test's context go with the test: what it has run would be kept until the session ends."""
    result = yield
    if _context_key in item.stash:
        del item.stash[_context_key]
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """After the test itself, keep what it failed under, and say whether the plan of ``--durable-replay`` happened."""
    _check_around(item)
    try:
        yield
    except BaseException:
        context = item.stash.get(_context_key, None)
        if context is not None:
            from pytest_durable.per_test import keep

            keep(item, context)
        raise
    context = item.stash.get(_context_key, None)
    if context is not None:
        from pytest_durable.per_test import check_plans, keep

        context.found = None  # whatever was found, the test expects it
        keep(item, context)
        check_plans(item, context)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
    """Let a report say what the test has run: a failure's the latest execution, the teardown's all, see `summary`."""
    context = item.stash.get(_context_key, None)
    if context is None or not context.tally.runs:
        return (yield)
    if call.when == "teardown":
        from pytest_durable.summary import properties, put_on

        item.user_properties += properties(context.tally, context.found)
        report = yield
        put_on(report, context.tally)
        return report
    report = yield
    if report.failed:
        from pytest_durable.per_test import show_latest

        show_latest(report, context)
    return report
