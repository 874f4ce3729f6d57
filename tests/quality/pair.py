"""A planted bug and its repaired twin, the outside world they act on, and what a search says of them."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from pytest_durable import DurabilityViolation, Failure, FakeDurableContext, Verification
from pytest_durable.faults import Schedule
from pytest_durable.search.quiet import silence
from pytest_durable.service.points import KILLS
from pytest_durable.stage import run_around

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
        deviations: of the thread schedule that it must be found with, at most.
        missing: why the search cannot find the bug; empty if it finds it.
        result: that the test asserts, if the violation is an ``AssertionError``: the whole test is searched then.
        kinds: of the faults that are tried.
        cold: whether an invocation starts cold after a death.
    """

    pattern: str
    violation: type[AssertionError]
    plan: str
    make: Make
    event: Any = None
    endless: bool = False
    deviations: int = 0
    missing: str = ""
    result: Any = None
    kinds: tuple[str, ...] = KILLS
    cold: bool = False

    @property
    def name(self) -> str:
        """What the pair is called."""
        return self.make.__name__.replace("_", " ")

    @property
    def faults(self) -> int:
        """How many faults it takes to break it."""
        return len(self.plan.split(", ")) if self.plan else 0

    @property
    def kills(self) -> int:
        """How many the search is asked for: two where it takes more than one fault, or a certain order."""
        return 2 if self.faults > 1 or self.deviations else 1


class Table(list[Pair]):
    """Pairs, each added by the decorator of what makes it."""

    def add(self, pattern: str, violation: type[AssertionError], plan: str, **more: Any) -> Callable[[Make], Make]:
        """Decorate what makes a handler; the arguments are the attributes of `Pair`."""

        def decorate(make: Make) -> Make:
            self.append(Pair(pattern, violation, plan, make, **more))
            return make

        return decorate


def search(pair: Pair, fixed: bool, seeds: range) -> dict[int, Failure | Verification | None]:
    """What the search says, for each seed: each time of a new handler, in a new world; None if it has passed a test."""
    said: dict[int, Failure | Verification | None] = {}
    with silence(), FakeDurableContext():  # which shows virtual time once, for all that are opened within it
        for seed in seeds:
            with FakeDurableContext(seed=seed, cold=pair.cold) as ctx:
                ctx.budget = replace(ctx.budget, kinds=pair.kinds, kills=pair.kills, seed=seed)
                said[seed] = _searched(pair, fixed, ctx)
    return said


def _searched(pair: Pair, fixed: bool, ctx: FakeDurableContext) -> Failure | Verification | None:
    world = World(ctx)
    handler = pair.make(fixed, world)

    def body() -> None:
        world.reset()
        assert ctx.run(handler, pair.event).result == pair.result

    try:
        if pair.violation is not AssertionError:
            return ctx.verify(handler, pair.event, reset=world.reset)
        run_around(ctx, body)
    except DurabilityViolation as violation:
        return violation.failure
    except AssertionError as error:
        return replace(ctx.found or Failure("", str(error), ""), violation="AssertionError")
    return None


def on_the_bug(pair: Pair, seeds: range) -> dict[int, str]:
    """For each seed at which the search does not find what it must: what it says instead."""
    said = search(pair, False, seeds)
    return {seed: str(one) for seed, one in said.items() if not _is_found(pair, one)}


def on_the_twin(pair: Pair, seeds: range) -> dict[int, str]:
    """For each seed at which the search has something to say against the twin: what it says."""
    return _objections(search(pair, True, seeds))


def against(make: Callable[[World], Handler], seeds: range) -> dict[int, str]:
    """For each seed at which the search has something to say against a handler: what it says."""
    return _objections(search(Pair("", DurabilityViolation, "", lambda fixed, world: make(world)), True, seeds))


def _objections(said: dict[int, Failure | Verification | None]) -> dict[int, str]:
    """A handler that fails without any fault is none that a search can say something about."""
    return {
        seed: one.render() if isinstance(one, Failure) else str(one)
        for seed, one in said.items()
        if isinstance(one, Failure) or (one is not None and one.outcome is not None)
    }


def _is_found(pair: Pair, said: Failure | Verification | None) -> bool:
    if not isinstance(said, Failure):
        return False
    named = pair.violation is DurabilityViolation or said.violation == pair.violation.__name__
    deviations = len(Schedule.parse(said.schedule))
    in_order = bool(deviations) == bool(pair.deviations) and deviations <= pair.deviations
    return named and in_order and (said.plan, said.reproduced) == (pair.plan, True)
