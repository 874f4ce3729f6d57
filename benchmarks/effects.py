"""What the effect ledger and its adapters cost: an effect, and a run and a search that have none."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from typing import Any
from unittest.mock import patch

import httpx

from benchmarks import handlers
from benchmarks.measure import Scale, Table, average, side_by_side, verdict
from pytest_durable import FakeDurableContext
from pytest_durable.checks import effects as outside_of_steps
from pytest_durable.search import effects as against_the_calm_run

TARGET = 1.05
"""How much longer a run may take for a ledger that nobody uses."""

EFFECTS = 100
"""In the step of one execution."""

TITLE = "effects"
COLUMNS = ("", "best", "median", "target", "met")


def measure(scale: Scale) -> Table:
    """Time runs with and without the ledger in turns, then each kind of effect against the same call without it."""
    rows = [*_unused(scale), *(_row(name, *_cost(make, scale)) for name, make in KINDS.items())]
    return Table(TITLE, COLUMNS, rows, ("Of a call it is what the ledger adds to it: processor time.",))


def _unused(scale: Scale) -> Iterator[tuple[str, ...]]:
    with FakeDurableContext() as context:
        for name, count, act in (
            ("a run of 10 steps", scale.executions, partial(context.run, handlers.steps(10))),
            ("a search of 3 steps", 3, partial(context.verify, handlers.steps(3))),
        ):
            ratios = _ratios(scale, partial(_fastest, count, act), partial(_without_checks, count, act))
            yield _of_ratio(f"{name}, with the checks of effects against without", *ratios)
    with FakeDurableContext() as bare, FakeDurableContext() as watching:
        for library in (sqlite3, httpx):
            watching.effects.watch(library)
        sides = [partial(_fastest, scale.executions, partial(one.run, handlers.steps(10))) for one in (watching, bare)]
        yield _of_ratio(
            "a run of 10 steps, sqlite3 and httpx watched against not, neither used", *_ratios(scale, *sides)
        )


def _fastest(count: int, act: Callable[[], object]) -> float:
    """Seconds of the fastest call: these ratios are so near to 1 that whatever else the machine does would show."""
    return min(average(1, act) for _ in range(count))


def _without_checks(count: int, act: Callable[[], object]) -> float:
    """As a release would be that has no ledger."""
    with (
        patch.object(outside_of_steps, "check", lambda *_: None),
        patch.object(against_the_calm_run, "compare", lambda *_: None),
    ):
        return _fastest(count, act)


def _ratios(scale: Scale, *sides: Callable[[], float]) -> tuple[float, float]:
    used, bare = side_by_side(scale.batches, *sides)
    return used.best / bare.best, used.median / bare.median


def _of_ratio(name: str, best: float, median: float) -> tuple[str, ...]:
    return name, f"{best:.3f}x", f"{median:.3f}x", f"<= {TARGET}x", verdict(best <= TARGET)


Calls = tuple[Callable[[], Any], Callable[[], Any]]
"""The same thing done, once as an effect and once not."""


@contextmanager
def _recorded(context: FakeDurableContext) -> Iterator[Calls]:
    yield lambda: context.effects.record("mail", "order 7", to="a@example.com"), lambda: None


@contextmanager
def _wrapped(context: FakeDurableContext) -> Iterator[Calls]:
    def mail(to: str, key: str) -> None: ...

    wrapped = context.effects.wrap(mail, key="key")
    yield lambda: wrapped("a@example.com", key="order 7"), lambda: mail("a@example.com", key="order 7")


@contextmanager
def _committed(context: FakeDurableContext) -> Iterator[Calls]:
    with closing(sqlite3.connect(":memory:")) as one, closing(sqlite3.connect(":memory:")) as other:
        for connection in (one, other):
            connection.execute("CREATE TABLE lines (item)")

        def write(connection: Any) -> None:
            with connection:
                connection.execute("UPDATE lines SET item = 7")
                connection.execute("INSERT INTO lines VALUES (?)", ("A1",))
                connection.execute("DELETE FROM lines")

        yield partial(write, context.effects.watch(one)), partial(write, other)


@contextmanager
def _posted(context: FakeDurableContext) -> Iterator[Calls]:
    answer = httpx.MockTransport(lambda request: httpx.Response(201))
    with httpx.Client(transport=answer) as one, httpx.Client(transport=answer) as other:
        headers, url = {"Idempotency-Key": "order 7"}, "https://bank.example/charges"
        watched = context.effects.watch(one)
        yield lambda: watched.post(url, headers=headers), lambda: other.post(url, headers=headers)


KINDS = {
    "a recorded effect": _recorded,
    "a call of a wrapped function": _wrapped,
    "a commit of a watched sqlite3 connection, 3 statements": _committed,
    "a POST of a watched httpx client": _posted,
}


def _cost(make: Callable[[FakeDurableContext], Any], scale: Scale) -> tuple[float, float]:
    """Seconds that the ledger adds to a call, best and median."""
    with FakeDurableContext() as context, make(context) as calls:

        def run(call: Callable[[], Any]) -> None:
            def body(step: Any) -> None:
                for _ in range(EFFECTS):
                    call()

            context.run(lambda event, durable: durable.step(body, name="step"))

        sides = [partial(average, 3, partial(run, call)) for call in calls]
        effect, plain = side_by_side(scale.batches, *sides)
    return (effect.best - plain.best) / EFFECTS, (effect.median - plain.median) / EFFECTS


def _row(name: str, best: float, median: float) -> tuple[str, ...]:
    return name, f"+{best * 1e6:.0f} µs", f"+{median * 1e6:.0f} µs", "", ""
