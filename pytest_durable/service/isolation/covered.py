"""Which lines a child has run, for coverage.py in the parent.

A child that is killed saves no data, and one that leaves as ours do saves none either. So it measures by itself, in
memory, with the options of the measurement that it was forked from, and the parent asks for its lines before its end.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

Lines = dict[str, list[Any]]
"""By file its lines, or pairs of lines where branches are measured."""

_OPTIONS = ("branch", "source", "source_pkgs", "source_dirs", "include", "omit", "relative_files", "core", "timid")


def measuring() -> Any:
    """The measurement that goes on in this process; None if there is none. coverage.py is not imported for it."""
    coverage = sys.modules.get("coverage")
    return None if coverage is None else coverage.Coverage.current()


def start() -> Any:
    """In the child: begin to measure what it runs; returned is what `lines_of` takes, None if nobody measures."""
    outer = measuring()
    if outer is None:
        return None
    coverage = sys.modules["coverage"]
    with _quiet():
        inner = coverage.Coverage(data_file=None, config_file=False)
        for option in _OPTIONS:
            try:
                inner.set_option(f"run:{option}", outer.get_option(f"run:{option}"))
            except coverage.CoverageException:  # a release that has no such option
                continue
        inner.start()
    return inner


def lines_of(inner: Any) -> Lines:
    """In the child: stop measuring; what it has run."""
    if inner is None:
        return {}
    with _quiet():
        inner.stop()
        data = inner.get_data()
        read = data.arcs if data.has_arcs() else data.lines
        return {file: list(read(file)) for file in data.measured_files()}


def add(lines: Lines) -> None:
    """In the parent: what a child has run was run here."""
    outer = measuring()
    if outer is None or not lines:
        return
    with _quiet():
        data = outer.get_data()
        (data.add_arcs if outer.get_option("run:branch") else data.add_lines)(lines)


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the warnings of coverage.py: that nothing was run, for instance, is no wonder in the middle of a test."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
