"""The time functions are the real ones outside of the simulation and virtual within."""

from __future__ import annotations

import time as real
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_durable.engine import World
from pytest_durable.primitives import jitter, sleep
from tests.simulated import START, elapsed, new_world, simulate, start

CLOCKS: dict[str, Callable[[], float]] = {
    name: getattr(sleep, name) for name in ("time", "monotonic", "perf_counter", "time_ns", "monotonic_ns")
}


@pytest.mark.parametrize("name", CLOCKS)
def test_a_clock_outside_of_the_simulation_is_the_real_one(name: str) -> None:
    before = getattr(real, name)()
    shown = CLOCKS[name]()
    assert before <= shown <= getattr(real, name)()


@pytest.mark.parametrize("name", ["time", "monotonic", "perf_counter"])
def test_a_clock_in_seconds_shows_virtual_time_within(world: World, name: str) -> None:
    assert simulate(world, CLOCKS[name]) == START.timestamp()


@pytest.mark.parametrize("name", ["time_ns", "monotonic_ns"])
def test_a_clock_in_nanoseconds_shows_virtual_time_within(world: World, name: str) -> None:
    assert simulate(world, CLOCKS[name]) == int(START.timestamp()) * 10**9


@pytest.mark.parametrize("name", CLOCKS)
def test_a_clock_within_moves_with_the_virtual_clock_alone(world: World, name: str) -> None:
    clock = CLOCKS[name]

    def main() -> tuple[float, float]:
        first = clock()
        standing = clock() - first
        world.sleep(2)
        return standing, clock() - first

    second = 10**9 if name.endswith("_ns") else 1
    assert simulate(world, main) == (0, 2 * second)


def test_a_sleep_within_takes_virtual_time_only(world: World) -> None:
    begun = real.perf_counter()
    simulate(world, lambda: sleep.sleep(86_400))
    assert elapsed(world) == 86_400
    assert real.perf_counter() - begun < 60


def test_a_sleep_outside_takes_real_time() -> None:
    begun = real.perf_counter()
    sleep.sleep(0.01)
    assert real.perf_counter() - begun >= 0.009


def test_a_negative_sleep_is_refused_within_as_it_is_outside(world: World) -> None:
    with pytest.raises(ValueError, match="sleep length must be non-negative"):
        sleep.sleep(-1)
    with pytest.raises(ValueError, match="sleep length must be non-negative"):
        simulate(world, lambda: sleep.sleep(-1))


def test_others_run_while_one_sleeps(world: World) -> None:
    log: list[float] = []

    def beside() -> None:
        for _ in range(3):
            sleep.sleep(1)
            log.append(elapsed(world))

    start(world, beside)
    simulate(world, lambda: sleep.sleep(2.5))
    assert log == [1, 2]


@given(st.integers(0, 1_000))
def test_jitter_within_comes_from_the_seed_of_the_world(seed: int) -> None:
    drawn = [simulate(new_world(seed=seed), lambda: [jitter.random() for _ in range(3)]) for _ in range(2)]
    assert drawn[0] == drawn[1]
    assert all(0 <= number < 1 for number in drawn[0])


def test_jitter_of_another_seed_is_another(world: World) -> None:
    assert simulate(new_world(seed=1), jitter.random) != simulate(new_world(seed=2), jitter.random)


def test_jitter_outside_of_the_simulation_is_the_real_one() -> None:
    assert jitter.random() != jitter.random()
