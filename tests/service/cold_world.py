"""The outside world of `cold_handlers`: a module that it imports, which is never imported again."""

from __future__ import annotations

imports: list[str] = []
seen: list[tuple[int, bool]] = []
ended: list[str] = []
broken: list[int] = []
hidden: list[int] = []


def reset() -> None:
    for one in (imports, seen, ended, broken, hidden):
        one.clear()
