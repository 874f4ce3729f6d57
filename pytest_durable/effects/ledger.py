"""`EffectLedger`: what a test reads of what its handlers did to the outside world, and where that is written down."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from copy import deepcopy
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from pytest_durable.effects import asserts
from pytest_durable.effects.asserts import ANY_KEY, selected
from pytest_durable.effects.wrap import wrapped
from pytest_durable.engine import Task, current_task
from pytest_durable.errors import UsageError
from pytest_durable.service.effects import Effect, happened
from pytest_durable.service.outside import Outside

if TYPE_CHECKING:
    from pytest_durable.adapters import Watch

Client = TypeVar("Client")


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
        self.note(name, key, details)

    def note(self, name: str, key: Any, details: Mapping[str, Any]) -> None:
        """`record`, with the details as a mapping: one of them may be called ``key``."""
        __tracebackhide__ = True
        task = current_task()
        if task is None:
            raise UsageError(
                f"the effect {name!r} was recorded outside of a run: the ledger holds what a durable function does. "
                "Record it in code that a durable function calls, in no thread that it starts itself; ask "
                "EffectLedger.admit() where both may be the case"
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
        happened(task, name, key, {detail: _kept(value) for detail, value in details.items()})

    def wrap(self, target: Any, name: str | None = None, key: str | Callable[..., Any] | None = None) -> Any:
        """A stand-in for a function, a method or a client, each of whose calls is recorded when it has returned.

        A call that raises is not recorded: the world has refused it. What it is given, returns and raises is passed
        on. Calls that are made outside of a run, by the test itself, are not recorded either.

        Args:
            target: the function or method; or an object, all of whose public methods are effects then.
            name: of the effect; that of the function by default. For an object ``name`` is put before the name of the
                method, as in ``bank.charge``.
            key: the name of the parameter that holds the idempotency key, or a function that is called with the
                arguments of the call and returns it. Methods without that parameter have no key.

        Raises:
            UsageError: for what is wrapped or watched already, is a class, or has no such parameter.
        """
        __tracebackhide__ = True
        try:
            if self._watch is not None:
                self._watch.refuse_to_wrap(target)
            return wrapped(self, target, name, key)
        except UsageError as misuse:
            task = current_task()
            raise (misuse if task is None else _told(task, misuse)) from None

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
        return len(selected(self._outside.effects, name, key))

    def assert_exactly_once(self, name: str, key: Hashable = ANY_KEY) -> None:
        """Assert that the world saw the effect once; arguments as of `count`.

        Raises:
            AssertionError: with who did it when, and which kills there were.
        """
        __tracebackhide__ = True
        asserts.between(self._outside, name, key, 1, 1)

    def assert_at_most_once(self, name: str, key: Hashable = ANY_KEY) -> None:
        """Assert that the world saw the effect once or not at all; else as `assert_exactly_once`."""
        __tracebackhide__ = True
        asserts.between(self._outside, name, key, 0, 1)

    def assert_at_least_once(self, name: str, key: Hashable = ANY_KEY) -> None:
        """Assert that the world saw the effect; else as `assert_exactly_once`."""
        __tracebackhide__ = True
        asserts.between(self._outside, name, key, 1, None)

    def assert_none_after(self, when: datetime | str, name: str | None = None) -> None:
        """Assert that nothing was done to the world after ``when``.

        Args:
            when: a moment of virtual time, naive means UTC; or the name of an effect, the first of which it is.
            name: of the effects that must not happen then; any by default.

        Raises:
            AssertionError: with what was done, by whom and when, and which kills there were.
            UsageError: if there is no effect of the name ``when``, or it is something else.
        """
        __tracebackhide__ = True
        asserts.none_after(self._outside, when, name)

    def __iter__(self) -> Iterator[Effect]:
        return iter(tuple(self._outside.effects))

    def __len__(self) -> int:
        return len(self._outside.effects)

    def __repr__(self) -> str:
        return f"<EffectLedger of {len(self)} effect{'s' * (len(self) != 1)}>"


def _kept(value: Any) -> Any:
    """The value as it is now, if it is a container that may change later."""
    if not isinstance(value, dict | list | set | bytearray):
        return value
    try:
        return deepcopy(value)
    except Exception:  # it holds what cannot be copied
        return value


def _told(task: Task, misuse: UsageError) -> UsageError:
    """The error, told to the test as well: a step's failure is the SDK's to handle."""
    task.process.owner.execution.refused = misuse
    return misuse
