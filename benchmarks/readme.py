"""Writing what was measured into the README: no figure there is older than the command that measured it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from benchmarks.measure import Table

README = Path(__file__).parent.parent / "README.md"
BEGIN = "<!-- written by: python -m benchmarks --write-readme -->"
END = "<!-- end of what was written -->"


def replaced(text: str, written: str, begin: str = BEGIN) -> str:
    """``text`` with something else between a marker and the next end.

    Raises:
        ValueError: if it has not both of them, in this order, or the marker twice.
    """
    before, found, rest = text.partition(begin)
    _, end, after = rest.partition(END)
    if not found or not end or begin in after:
        raise ValueError(f"the text must have {begin} once and, after it, {END}")
    return f"{before}{begin}\n\n{written.strip()}\n\n{END}{after}"


def write(machine: str, tables: Iterable[Table]) -> None:
    """Write the tables into the README, each with the columns that are meant for it."""
    parts = [table.for_readme() for table in tables if table.readme]
    README.write_text(replaced(README.read_text(), "\n\n".join([f"Measured on {machine}.", *parts])))
