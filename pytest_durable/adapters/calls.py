"""What every adapter does with a call: ask before it goes out, record it when it has arrived."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Any, Protocol


class Ledger(Protocol):
    """Where effects are recorded."""

    def record(self, name: str, /, key: str | None = None, **details: Any) -> None:
        """Record an effect that the outside world has seen."""

    def admit(self) -> bool:
        """Whether what is about to be done is an effect; refuse it if the invocation is dead."""


class Calls:
    """The calls of one client.

    Args:
        ledger: where they are recorded.
        ignore: patterns of names that are no effects.

    Attributes:
        are_over: whether they are recorded no longer.
    """

    def __init__(self, ledger: Ledger, ignore: tuple[str, ...]) -> None:
        self._ledger = ledger
        self._ignore = ignore
        self.are_over = False

    def begins(self, name: str) -> bool:
        """Whether the call that is about to go out is an effect; not if the test itself makes it, outside of a run.

        Raises:
            Killed: if the invocation that makes it is dead. Nothing may go out then.
        """
        if self.are_over:
            return False
        return self._ledger.admit() and not any(fnmatchcase(name, pattern) for pattern in self._ignore)

    def arrived(self, name: str, key: str | None, /, **details: Any) -> None:
        """Record a call that the outside world has accepted.

        Raises:
            Killed: if the invocation is to die after this effect.
        """
        self._ledger.record(name, key, **details)
