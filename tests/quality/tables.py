"""All pairs."""

from __future__ import annotations

from tests.quality import (
    pairs_agents,
    pairs_approvals,
    pairs_effects,
    pairs_of_order,
    pairs_of_two,
    pairs_orders,
    pairs_payments,
    pairs_pipelines,
    pairs_surroundings,
    pairs_unfound,
    pairs_values,
)

FOUND = [
    *pairs_orders.PAIRS,
    *pairs_payments.PAIRS,
    *pairs_approvals.PAIRS,
    *pairs_pipelines.PAIRS,
    *pairs_agents.PAIRS,
    *pairs_effects.PAIRS,
    *pairs_surroundings.PAIRS,
    *pairs_values.PAIRS,
    *pairs_of_two.PAIRS,
    *pairs_of_order.PAIRS,
]
"""Pairs of which the bug is found."""

UNFOUND = [*pairs_unfound.PAIRS]
"""Pairs of which it is not yet."""
