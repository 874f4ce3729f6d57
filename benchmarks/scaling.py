"""What one operation, one branch, and one run of a search cost as there are more of them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from benchmarks import handlers
from benchmarks.measure import Scale, Table, Timing, average, side_by_side, verdict
from benchmarks.speed import seconds_per_execution
from pytest_durable import FakeDurableContext, Verification

SIZES = (10, 100, 1_000)
TARGET = 1.3
"""How much more an operation may cost in the longest execution than in the one before."""

KILLS = (1, 2, 3)
EXAMPLES = 100
TITLE = "growth"
COLUMNS = ("", "best", "median", "target", "met")


def measure(scale: Scale) -> Table:
    """Time executions of each size, then searches with more and more kills."""
    rows = [
        *_sizes("{:,} steps, each", handlers.steps, scale, target=TARGET),
        *_sizes("a map over {:,} items, each", handlers.map_of, scale),
        *_kills(scale),
    ]
    return Table(TITLE, COLUMNS, rows, readme=("", "best"))


def _sizes(
    what: str, handler: Callable[[int], handlers.Handler], scale: Scale, target: float | None = None
) -> list[tuple[str, ...]]:
    timings = side_by_side(
        min(scale.batches, 7),
        *(partial(seconds_per_execution, handler(size), _executions(size, scale)) for size in SIZES),
    )
    costs = [_per(timing, size) for timing, size in zip(timings, SIZES, strict=True)]
    rows: list[tuple[str, ...]] = [
        (what.format(size), _micros(cost.best), _micros(cost.median), "", "")
        for size, cost in zip(SIZES, costs, strict=True)
    ]
    if target is not None:
        growth, of_medians = costs[-1].best / costs[-2].best, costs[-1].median / costs[-2].median
        named = f"{SIZES[-1]:,} against {SIZES[-2]}"
        rows.append((named, f"{growth:.2f}x", f"{of_medians:.2f}x", f"<= {target}x", verdict(growth <= target)))
    return rows


def _kills(scale: Scale) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for kills in KILLS:
        runs = _search(kills).runs
        (timing,) = side_by_side(min(scale.batches, 3), partial(average, 1, partial(_search, kills)))
        cost = _per(timing, runs)
        what = f"up to {kills} kill{'s' * (kills > 1)} in 10 operations, {runs} runs, each"
        rows.append((what, _micros(cost.best), _micros(cost.median), "", ""))
    return rows


def _search(kills: int) -> Verification:
    with FakeDurableContext() as context:
        return context.verify(handlers.ten_operations, kills=kills, examples=EXAMPLES)


def _executions(size: int, scale: Scale) -> int:
    return max(1, scale.executions * SIZES[0] // size)


def _per(timing: Timing, count: int) -> Timing:
    return Timing([sample / count for sample in timing.samples])


def _micros(seconds: float) -> str:
    return f"{seconds * 1_000_000:,.0f} µs"
