"""Each check can be switched off by its name: then it finds nothing, whatever others may say."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pytest_durable import (
    DurabilityViolation,
    EffectLost,
    EffectRepeated,
    ExecutionStuck,
    FakeDurableContext,
    OutcomeChanged,
    ReplayDiverged,
    StepRanAgain,
    SuspensionSwallowed,
)
from pytest_durable.options import CHECKS
from tests.quality.pair import World
from tests.quality.tables import FOUND

FINDS: dict[str, list[type[DurabilityViolation]]] = {
    "rerun": [StepRanAgain],
    "replay": [ReplayDiverged],
    "outcome": [OutcomeChanged],
    "effects": [EffectRepeated, EffectLost],
    "progress": [ExecutionStuck],
    "suspension": [SuspensionSwallowed],
}


def found(violation: type[AssertionError], checks: tuple[str, ...]) -> type[BaseException] | None:
    """What a search with these checks alone finds in the first planted bug of that kind that ends; None for nothing."""
    pair = next(pair for pair in FOUND if pair.violation is violation and not pair.endless and pair.kills == 1)
    with FakeDurableContext(cold=pair.cold) as ctx:
        world = World(ctx)
        ctx.budget = replace(ctx.budget, kinds=pair.kinds, checks=checks)
        try:
            ctx.verify(pair.make(False, world), pair.event, reset=world.reset)
        except DurabilityViolation as error:
            return type(error)
    return None


def test_every_check_is_there() -> None:
    assert set(FINDS) == set(CHECKS)


@pytest.mark.parametrize("check", CHECKS)
def test_it_finds_its_bug_alone_and_nothing_when_it_is_off(check: str) -> None:
    for violation in FINDS[check]:
        assert found(violation, (check,)) is violation
        assert found(violation, tuple(one for one in CHECKS if one != check)) is not violation
