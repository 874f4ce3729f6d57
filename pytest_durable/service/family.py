"""Executions that invoked one another: a test starts one, which invokes others, each with a journal of its own."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from typing import Self


class Relative:
    """An execution among those that invoked it and those that it invokes.

    Attributes:
        parent: the execution that invoked this one; None if a test started it.
        invoked: the durable executions that it invoked, in order.
    """

    parent: Self | None
    invoked: list[Self]

    @property
    def root(self) -> Self:
        """The execution that a test started, of which this one is part."""
        return self if self.parent is None else self.parent.root

    @property
    def depth(self) -> int:
        """How many executions have invoked one another to come to this one."""
        return 0 if self.parent is None else self.parent.depth + 1

    def family(self) -> Iterator[Self]:
        """This execution, and every one that it or one of those invoked."""
        yield self
        for execution in self.invoked:
            yield from execution.family()

    @property
    @abstractmethod
    def is_busy(self) -> bool:
        """Whether the handler runs, or is about to be invoked without time passing."""

    @property
    def is_family_busy(self) -> bool:
        """Whether this one is busy, or any that it or one of those invoked."""
        return any(execution.is_busy for execution in self.family())
