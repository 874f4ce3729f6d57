"""The summary that pytest shows at its end: what is advised, and how much was run and killed.

What a test has done travels on the report of its teardown, as a JSON string: under pytest-xdist the test has run in
another process than this.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from pytest_durable.tally import Tally, unpacked

if TYPE_CHECKING:
    from pytest_durable.report.failure import Failure

MOST_ADVICE = 10
"""Lines of advice, without ``-v``."""

_ATTRIBUTE = "durable_tally"


def put_on(report: pytest.TestReport, tally: Tally) -> None:
    """Let the report of a test's teardown carry what the test has done."""
    setattr(report, _ATTRIBUTE, tally.packed())


def properties(tally: Tally, failure: Failure | None) -> list[tuple[str, object]]:
    """What junit's XML says of a test: counts, and the plan and schedule that it failed under."""
    counts = {"executions": tally.runs, "killed": tally.killed.total(), "places": tally.places.total()}
    found = {} if failure is None else {"plan": failure.plan, "schedule": failure.schedule}
    said = {**counts, **{name: text for name, text in found.items() if text}}
    return [(f"durable_{name}", value) for name, value in said.items()]


class Summary:
    """The plugin that collects what all tests have done, and writes it."""

    def __init__(self) -> None:
        self._tallies: list[tuple[str, dict[str, Any]]] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep what a test has done."""
        packed = getattr(report, _ATTRIBUTE, None)
        if packed is not None:
            self._tallies.append((report.nodeid, unpacked(packed)))

    def pytest_terminal_summary(self, terminalreporter: Any, config: pytest.Config) -> None:
        """Say what is advised, how much was run and killed, and with ``-v`` what fails anyway or was not killed."""
        if not self._tallies:
            return
        self._tallies.sort(key=lambda item: item[0])  # the workers of pytest-xdist finish in any order
        in_full = config.option.verbose > 0
        for line in self._advice(in_full):
            terminalreporter.write_line(line)
        if in_full:
            for test, tally in self._tallies:
                if tally["failing"]:
                    terminalreporter.write_line(f"durable: does not succeed without faults either: {test}")
                if tally["missed"]:
                    terminalreporter.write_line(f"durable: never killed in {test}: {', '.join(tally['missed'])}")
        terminalreporter.write_line(self._totals())

    def _totals(self) -> str:
        tallies = [tally for _, tally in self._tallies]
        names = ("runs", "kills", "searches", "safe", "failing", "schedules")
        runs, kills, searches, safe, failing, schedules = (sum(tally[name] for tally in tallies) for name in names)
        parts = [_count(len(tallies), "test"), _count(runs, "execution")]
        if kills:
            parts.append(_count(kills, "kill"))
        if safe:
            killed, places = (_added(tally[name] for tally in tallies) for name in ("killed", "places"))
            kinds = ", ".join(f"{kind} {killed[kind]}/{count}" for kind, count in places.items())
            counted = f"killed at {killed.total()} of {places.total()} places"
            what = f" ({failing} where it does not succeed without faults either)" if failing else ""
            parts.append(f"{_count(safe, 'search', 'es')} safe{what}, {counted}{f' ({kinds})' if kinds else ''}")
        if schedules:
            parts.append(_count(schedules, "thread schedule"))
        if searches > safe:
            parts.append(f"{_count(searches - safe, 'search', 'es')} with a violation")
        return f"durable: {', '.join(parts)}"

    def _advice(self, in_full: bool) -> list[str]:
        """What is seldom meant in the handlers of all tests, each once."""
        advice = list(dict.fromkeys(text for _, tally in self._tallies for text in tally["advice"]))
        if not advice:
            return []
        shown = advice if in_full or len(advice) <= MOST_ADVICE else advice[: MOST_ADVICE - 1]
        more = len(advice) - len(shown)
        return [
            "durable: advice, none of it a failure",
            *(f"  {text}" for text in shown),
            *([f"  and {more} more, which -v shows"] if more else []),
        ]


def _added(counts: Any) -> Counter[str]:
    total: Counter[str] = Counter()
    for one in counts:
        total.update(one)
    return total


def _count(number: int, noun: str, plural: str = "s") -> str:
    return f"{number} {noun}{plural * (number != 1)}"
