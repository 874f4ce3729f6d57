"""What one operation costs in executions of different length."""

from __future__ import annotations

from functools import partial

from benchmarks import handlers
from benchmarks.measure import Scale, Table, Timing, side_by_side, verdict
from benchmarks.speed import seconds_per_execution

SIZES = (10, 100, 1_000)
TARGET = 1.3
"""How much more an operation may cost in the longest execution than in the one before."""


def measure(scale: Scale) -> Table:
    """Time executions of each size, in turns."""
    timings = side_by_side(
        scale.batches,
        *(partial(seconds_per_execution, handlers.steps(size), _executions(size, scale)) for size in SIZES),
    )
    costs = [_per_operation(timing, size) for timing, size in zip(timings, SIZES, strict=True)]
    growth = costs[-1].best / costs[-2].best
    rows = [
        (f"{size:,} steps", _micros(cost.best), _micros(cost.median), "", "")
        for size, cost in zip(SIZES, costs, strict=True)
    ]
    what = f"{SIZES[-1]:,} against {SIZES[-2]}"
    of_medians = costs[-1].median / costs[-2].median
    rows.append((what, f"{growth:.2f}x", f"{of_medians:.2f}x", f"<= {TARGET}x", verdict(growth <= TARGET)))
    return Table("Cost of one operation", ("execution", "best", "median", "target", ""), rows)


def _executions(size: int, scale: Scale) -> int:
    return max(1, scale.executions * SIZES[0] // size)


def _per_operation(timing: Timing, size: int) -> Timing:
    return Timing([sample / size for sample in timing.samples])


def _micros(seconds: float) -> str:
    return f"{seconds * 1_000_000:.0f} µs"
