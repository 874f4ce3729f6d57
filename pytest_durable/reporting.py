"""The pytest plugin behind ``--durable-report``: it gathers a sheet of each test and writes them as one page.

A sheet is made where the test ran and travels on its report as a line of JSON, so that xdist's workers need nothing
more. The page holds nothing that differs between two runs of the same tests: no times of the machine, no paths of it.
"""

from __future__ import annotations

from collections.abc import Generator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from pytest_durable.context import FakeDurableContext
from pytest_durable.options import checked
from pytest_durable.report.evidence import Album
from pytest_durable.report.page import page
from pytest_durable.report.sheet import Sheet, sheets_of

_SHEETS = "durable_sheets"
"""The attribute of a test's report that holds its sheets, a line each."""


class Reporting:
    """Hooks of one pytest session.

    Args:
        config: of pytest.
        key: where a test's item keeps its context.

    Raises:
        pytest.UsageError: if the file cannot be written, or ``durable_report_all`` is neither true nor false.
    """

    def __init__(self, config: pytest.Config, key: pytest.StashKey[FakeDurableContext]) -> None:
        given, declared = config.getoption("durable_report"), config.getini("durable_report")
        below = config.invocation_params.dir if given else config.rootpath
        self._file = Path(below, given or declared)
        self._shown = given or declared
        self._sheets: list[str] = []
        self._is_worker = hasattr(config, "workerinput")
        self._key = key
        everything = config.getoption("durable_report_all") or config.getini("durable_report_all")
        try:
            self._everything = bool(everything) and checked("report_all", everything)
        except ValueError as error:
            raise pytest.UsageError(str(error)) from None
        if self._file.is_dir():
            raise pytest.UsageError(f"durable_report must be a file, and {self._shown} is a directory")

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Put the sheets of a test on its report."""
        report = yield
        error = None if call.excinfo is None else call.excinfo.value
        if report.skipped or (report.passed and (call.when != "call" or not self._everything)):
            return report
        context = item.stash.get(self._key, None)
        found = context.found if context is not None and error is not None else None
        album = context.album if context is not None and call.when == "call" else None
        around = found if found is not None and not found.violation else None
        sheets = sheets_of(item.nodeid, error, around, album or Album())
        setattr(report, _SHEETS, "\n".join(sheet.to_json() for sheet in sheets))
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Gather the sheets, also from workers."""
        self._sheets += getattr(report, _SHEETS, "").splitlines()

    def pytest_sessionfinish(self) -> None:
        """Write the page; a worker leaves that to whom it works for."""
        if self._is_worker:
            return
        self._file.parent.mkdir(parents=True, exist_ok=True)
        self._file.write_text(
            page(map(Sheet.from_json, self._sheets), version("pytest-durable")), encoding="utf-8", newline="\n"
        )

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Say where the page is."""
        tests = {Sheet.from_json(sheet).test for sheet in self._sheets}
        terminalreporter.write_line(f"durable: report of {len(tests)} test{'s' * (len(tests) != 1)} in {self._shown}")
