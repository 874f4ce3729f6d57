"""Writing what was measured into the README: no figure there is older than the command that measured it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from benchmarks.measure import Table

README = Path(__file__).parent.parent / "README.md"
BEGIN = "<!-- written by: python -m benchmarks --write-readme -->"
END = "<!-- end of what was written -->"


def replaced(text: str, written: str) -> str:
    """``text`` with something else between its two markers.

    Raises:
        ValueError: if it has not both of them, in this order, once.
    """
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end or BEGIN in after or END in after:
        raise ValueError(f"the text must have {BEGIN} and, after it, {END}, once each")
    return f"{before}{BEGIN}\n\n{written.strip()}\n\n{END}{after}"


def write(machine: str, tables: Iterable[Table]) -> None:
    """Write the tables into the README, each with the columns that are meant for it."""
    parts = [table.for_readme() for table in tables if table.readme]
    README.write_text(replaced(README.read_text(), "\n\n".join([f"Measured on {machine}.", *parts])))
