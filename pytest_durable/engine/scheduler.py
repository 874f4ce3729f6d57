"""Which of the tasks that can run runs next: a scheduler is an oracle of three methods.

The engine asks only where there is a choice. ``0`` always means "nothing unusual happens": the task that has been
ready longest runs, the usual outcome is taken. So the empty schedule is the plain run, and shrinking walks towards it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pytest_durable.engine.task import Task


class Scheduler(Protocol):
    """The oracle; one instance may serve many runs."""

    def begin(self) -> None:
        """Start a run: forget the one before."""

    def pick(self, ready: Sequence[Task]) -> int:
        """Index of the task to run among ``ready``, which holds at least two, longest ready first."""

    def choose(self, options: int) -> int:
        """One of ``options`` outcomes of a chance event, from 0, which is the usual one."""


class FirstInFirstOut:
    """The default: tasks run in the order in which they became ready, and nothing unusual happens."""

    def begin(self) -> None:
        """Start a run; there is nothing to forget."""

    def pick(self, ready: Sequence[Task]) -> int:
        """Take the task that has been ready longest."""
        return 0

    def choose(self, options: int) -> int:
        """Take the usual outcome."""
        return 0
