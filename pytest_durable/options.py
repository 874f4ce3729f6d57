"""The settings of a test run: command line over marker over ini; every bad value is refused here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

DEFAULT_KILLS = 1
DEFAULT_EXAMPLES = 100
DEFAULT_SEED = 0


@dataclass(frozen=True)
class Settings:
    """What a `FakeDurableContext` of a test starts with.

    Attributes:
        kills: at most in one plan of a search.
        examples: drawn plans of several kills.
        seed: of every run.
        start: first instant of virtual time; None for the default.
        replay: run this plan instead of searching; None to search.
    """

    kills: int = DEFAULT_KILLS
    examples: int = DEFAULT_EXAMPLES
    seed: int = DEFAULT_SEED
    start: datetime | None = None
    replay: str | None = None


def merged(cli: Mapping[str, str | None], ini: Mapping[str, str]) -> Settings:
    """The settings from the command line's values and the ini file's, by the names of `Settings`.

    Raises:
        ValueError: saying which option has which bad value, and what is legal.
    """
    texts = {name: cli.get(name) if cli.get(name) is not None else ini.get(name) or None for name in _READERS}
    values: dict[str, Any] = {name: _READERS[name](name, text) for name, text in texts.items() if text is not None}
    return Settings(**values)


def _whole_number(name: str, text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        number = -1
    if number < 0:
        raise ValueError(f"durable_{name} must be a whole number from 0, not {text!r}")
    return number


def _instant(name: str, text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(
            f"durable_{name} must be a date and time such as 2026-03-29T01:30:00+00:00, not {text!r}"
        ) from None


def _text(name: str, text: str) -> str:
    return text


_READERS: Mapping[str, Callable[[str, str], Any]] = {
    "kills": _whole_number,
    "examples": _whole_number,
    "seed": _whole_number,
    "start": _instant,
    "replay": _text,
}
