"""`EffectLedger`: what a test reads of what its handlers did to the outside world, and where that is written down."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, Final, TypeVar

from pytest_durable.engine import Task, current_task
from pytest_durable.errors import UsageError
from pytest_durable.service.effects import Effect, happened
from pytest_durable.service.outside import Outside

if TYPE_CHECKING:
    from pytest_durable.adapters import Watch

Client = TypeVar("Client")


class _Any:
    def __repr__(self) -> str:
        return "any"


ANY_KEY: Final[Any] = _Any()
"""Stands for effects under whatever key, and without one."""


class EffectLedger:
    """What was done to the outside world, in order; iterate over it for each `Effect`.

    It is emptied before every run of ``verify`` and of a test with the marker ``durable_faults``; with ``run`` and
    ``start`` it grows until the test is over.

    Args:
        outside: where what was done is kept.
    """

    def __init__(self, outside: Outside) -> None:
        self._outside = outside
        self._watch: Watch | None = None

    def record(self, name: str, /, key: Any = None, **details: Any) -> None:
        """Say that the code which runs has just done something to the outside world.

        Args:
            name: of the effect.
            key: the idempotency key that the world was given; None for none. Under one key the world does it once.
            details: what else is known of it.

        Raises:
            UsageError: outside of a run, or for a name or a key that makes no sense.
        """
        __tracebackhide__ = True
        task = current_task()
        if task is None:
            raise UsageError(
                f"the effect {name!r} was recorded outside of a run: the ledger holds what a durable function does. "
                "Record it in code that a durable function calls; ask EffectLedger.admit() where both may be the case"
            )
        if task.process.cause is not None:
            task.process.refuse(task)
        if not isinstance(name, str) or not name:
            raise _told(task, UsageError(f"an effect has a name, as in record('bank.charge'), not {name!r}"))
        try:
            hash(key)
        except TypeError:
            raise _told(
                task,
                UsageError(
                    f"the key of the effect {name!r} is not hashable: {key!r}. A key is what the world tells two calls "
                    "apart by: text, a number, or a tuple of these"
                ),
            ) from None
        happened(task, name, key, details)

    def admit(self) -> bool:
        """Whether what the calling code is about to do will be an effect: whether it runs in a durable function.

        For code that does something before it records it, so that nothing which a dead invocation does in ``finally:``
        reaches the world. Threads that user code has started itself are not known to be in a run.

        Raises:
            Killed: if its invocation is dead; nothing must reach the world then.
        """
        task = current_task()
        if task is None:
            return False
        if task.process.cause is not None:
            task.process.refuse(task)
        return True

    def watch(self, client: Client, *, ignore: str | Iterable[str] = ()) -> Client:
        """Record the calls of a real client that change the world, as effects, until the context is closed.

        Args:
            client: a boto3 client or resource, an httpx or requests client, or a connection of a database (PEP 249).
            ignore: patterns of names that are no effects, as ``"POST https://search.example/*"``.

        Returns:
            What is to be used in its place: itself, or a proxy of a connection.

        Raises:
            UsageError: for anything else, or if it is watched already.
        """
        __tracebackhide__ = True
        from pytest_durable.adapters import Watch

        if self._watch is None:
            self._watch = Watch(self)
        return self._watch.add(client, ignore)

    @property
    def watched(self) -> int:
        """How many clients are watched; connections, which are by their proxy, do not count."""
        return 0 if self._watch is None else len(self._watch)

    def unwatch(self, keep: int = 0) -> None:
        """Leave every client as it was, but for the first ``keep``."""
        if self._watch is not None:
            self._watch.close(keep)

    def count(self, name: str, key: Hashable = ANY_KEY) -> int:
        """How often the world saw the effect: what happened under one key again counts once.

        Args:
            name: of the effect.
            key: only under this one; None for those without a key.
        """
        found = [one for one in self._outside.effects if one.name == name and key in (ANY_KEY, one.key)]
        return sum(one.key is None for one in found) + len({one.key for one in found if one.key is not None})

    def __iter__(self) -> Iterator[Effect]:
        return iter(tuple(self._outside.effects))

    def __len__(self) -> int:
        return len(self._outside.effects)

    def __repr__(self) -> str:
        return f"<EffectLedger of {len(self)} effect{'s' * (len(self) != 1)}>"


def _told(task: Task, misuse: UsageError) -> UsageError:
    """The error, told to the test as well: a step's failure is the SDK's to handle."""
    task.process.owner.execution.refused = misuse
    return misuse
