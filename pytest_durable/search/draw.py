"""Plans of several kills, drawn by Hypothesis from the places that the fault-free run came to, and shrunk by it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import hypothesis
from hypothesis import strategies as st

from pytest_durable.faults import Fault, FaultPlan

if TYPE_CHECKING:
    from pytest_durable.search.campaign import Search


def plans(search: Search, places: Sequence[Fault], kills: int, examples: int, seed: int) -> int:
    """Try drawn plans of 2 to ``kills`` kills; return how many were tried.

    Raises:
        DurabilityViolation: for the smallest plan that breaks the handler: fewest kills, then earliest places.
    """
    __tracebackhide__ = True
    if len(places) < 2:
        return 0
    sparse = st.lists(st.sampled_from(places), min_size=2, max_size=max(2, kills), unique=True)
    tried = 0
    smallest: FaultPlan | None = None

    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=[hypothesis.Phase.generate, hypothesis.Phase.shrink],
        suppress_health_check=list(hypothesis.HealthCheck),
        report_multiple_bugs=False,
        verbosity=hypothesis.Verbosity.quiet,
    )
    @hypothesis.given(sparse)
    def breaks(faults: list[Fault]) -> None:
        nonlocal tried, smallest
        tried += 1
        plan = FaultPlan(faults)
        if search.probe(plan)[1] is not None:
            smallest = plan
            raise _Broken

    try:
        breaks()
    except _Broken:
        assert smallest is not None
        search.attempt(smallest)
    return tried


class _Broken(Exception):
    """The plan broke the handler; Hypothesis shrinks it."""
