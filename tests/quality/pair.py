"""A planted bug and its repaired twin, the outside world they act on, and what a search says of them."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pytest_durable import DurabilityViolation, Failure, FakeDurableContext, Verification
from pytest_durable.faults import Schedule
from pytest_durable.search.runner import silence

Handler = Callable[[Any, Any], Any]

SEEDS = range(20)
"""Under which ``python -m tests.quality`` searches."""

FEW = range(2)
"""Under which the tests do: what a search tries hardly depends on the seed."""

ONE = range(1)
"""Under which they do where it takes long."""


def now(step: Any = None) -> datetime:
    return datetime.now(UTC)  # noqa: TID251  # as a user would


def new_id(step: Any = None) -> str:
    return str(uuid.uuid4())  # noqa: TID251  # as a user would


class Bank:
    """Takes money; a charge under a key that it knows is the charge it made before."""

    def __init__(self) -> None:
        self.booked: list[int] = []
        self.keys: list[str] = []

    def charge(self, amount: int, key: str | None = None) -> int:
        """Book ``amount``, unless it was booked under this key; return it."""
        if key is None or key not in self.keys:
            self.booked.append(amount)
            self.keys += [] if key is None else [key]
        return amount

    @property
    def balance(self) -> int:
        """All that was ever booked."""
        return sum(self.booked)


class World:
    """The outside world of a pair: as new before each run, but for what was declared to ``ctx``.

    Attributes:
        ctx: callbacks are answered and functions registered here.
        bank: as it says.
        sent: messages that were sent, in order.
        table: a database.
        pay: charges ``bank``, and the ledger sees it; so it does what is done by ``mail`` and ``put``.
    """

    def __init__(self, ctx: FakeDurableContext) -> None:
        self.ctx = ctx
        self.pay = ctx.effects.wrap(self._pay, "charge", key="key")
        self.mail = ctx.effects.wrap(self.send, "mail", key="key")
        self.put = ctx.effects.wrap(self._put, "put", key="row")
        self.reset()

    def reset(self) -> None:
        """Restore the state before the first run."""
        self.bank = Bank()
        self.sent: list[str] = []
        self.table: dict[str, Any] = {}

    def count(self, name: str, by: int = 1) -> int:
        """Add to a number in the database; return the new one."""
        self.table[name] = self.table.get(name, 0) + by
        return int(self.table[name])

    def send(self, text: str, key: str | None = None) -> str:
        """Send a message."""
        self.sent.append(text)
        return text

    def _pay(self, amount: int, key: str | None = None) -> int:
        return self.bank.charge(amount, key)

    def _put(self, row: str, value: Any) -> Any:
        self.table[row] = value
        return value


Make = Callable[[bool, World], Handler]
"""Given whether to repair it, and the world it acts on, makes the handler."""


@dataclass(frozen=True, eq=False)
class Pair:
    """A planted bug and its repaired twin.

    Attributes:
        pattern: which kind of bug it is.
        violation: what the search must find.
        plan: the smallest that breaks it; empty if the fault-free run does.
        make: the bug, or its twin.
        event: that both are run with.
        endless: whether the bug is an execution that never ends: it takes the search so long that it does it once.
        deviations: of the smallest thread schedule that breaks it.
        missing: why the search cannot find the bug; empty if it finds it.
    """

    pattern: str
    violation: type[DurabilityViolation]
    plan: str
    make: Make
    event: Any = None
    endless: bool = False
    deviations: int = 0
    missing: str = ""

    @property
    def name(self) -> str:
        """What the pair is called."""
        return self.make.__name__.replace("_", " ")

    @property
    def faults(self) -> int:
        """How many faults it takes to break it."""
        return len(self.plan.split(", ")) if self.plan else 0


class Table(list[Pair]):
    """Pairs, each added by the decorator of what makes it."""

    def add(self, pattern: str, violation: type[DurabilityViolation], plan: str, **more: Any) -> Callable[[Make], Make]:
        """Decorate what makes a handler; the arguments are the attributes of `Pair`."""

        def decorate(make: Make) -> Make:
            self.append(Pair(pattern, violation, plan, make, **more))
            return make

        return decorate


def search(
    make: Callable[[World], Handler], seeds: range, *, event: Any = None, kills: int = 1
) -> dict[int, Failure | Verification]:
    """What the search says of a handler, for each seed: each time of a new one, in a new world."""
    said: dict[int, Failure | Verification] = {}
    with silence(), FakeDurableContext():  # which shows virtual time once, for all that are opened within it
        for seed in seeds:
            with FakeDurableContext(seed=seed) as ctx:
                world = World(ctx)
                try:
                    said[seed] = ctx.verify(make(world), event, kills=kills, reset=world.reset)
                except DurabilityViolation as violation:
                    said[seed] = violation.failure
    return said


def on_the_bug(pair: Pair, seeds: range) -> dict[int, str]:
    """For each seed at which the search does not find what it must: what it says instead."""
    said = search(lambda world: pair.make(False, world), seeds, event=pair.event, kills=max(1, pair.faults))
    return {seed: str(one) for seed, one in said.items() if not _is_found(pair, one)}


def on_the_twin(pair: Pair, seeds: range) -> dict[int, str]:
    """For each seed at which the search has something to say against the twin: what it says."""
    return against(lambda world: pair.make(True, world), seeds, event=pair.event, kills=max(1, pair.faults))


def against(make: Callable[[World], Handler], seeds: range, *, event: Any = None, kills: int = 1) -> dict[int, str]:
    """For each seed at which the search has something to say against a handler: what it says.

    A handler that fails without any fault is none that a search can say something about.
    """
    said = search(make, seeds, event=event, kills=kills)
    return {
        seed: one.render() if isinstance(one, Failure) else str(one)
        for seed, one in said.items()
        if isinstance(one, Failure) or one.outcome is not None
    }


def _is_found(pair: Pair, said: Failure | Verification) -> bool:
    if not isinstance(said, Failure):
        return False
    named = pair.violation is DurabilityViolation or said.violation == pair.violation.__name__
    deviations = len(Schedule.parse(said.schedule))
    return named and (said.plan, deviations, said.reproduced) == (pair.plan, pair.deviations, True)
