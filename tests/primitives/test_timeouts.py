"""Every timeout of every primitive ends exactly when it says, in virtual time."""

from __future__ import annotations

import contextlib
from queue import Empty, Full

import pytest

from pytest_durable.engine import Stop, World
from tests.primitives.blocking import BLOCKING, WITH_TIMEOUT
from tests.simulated import elapsed, simulate, start


@pytest.mark.parametrize("seconds", [0.000_001, 0.1, 0.7, 5, 86_400])
@pytest.mark.parametrize("what", WITH_TIMEOUT)
def test_a_timeout_ends_exactly_when_it_says(world: World, what: str, seconds: float) -> None:
    def main() -> float:
        with contextlib.suppress(Empty, Full, TimeoutError):
            assert not WITH_TIMEOUT[what](seconds) or what == "wait_for_futures"
        return elapsed(world)

    assert simulate(world, main) == seconds


@pytest.mark.parametrize("what", WITH_TIMEOUT)
def test_a_timeout_of_nothing_takes_no_time(world: World, what: str) -> None:
    def main() -> float:
        with contextlib.suppress(Empty, Full, TimeoutError):
            WITH_TIMEOUT[what](0)
        return elapsed(world)

    assert simulate(world, main) == 0


@pytest.mark.parametrize("what", BLOCKING)
def test_without_a_timeout_it_blocks_for_ever(world: World, what: str) -> None:
    process = start(world, lambda: BLOCKING[what](None))
    assert world.run(lambda: process.ended) is Stop.IDLE
    assert elapsed(world) == 0
    assert world.blocked()[0].startswith("p/main waits for ")
