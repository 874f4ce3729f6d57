"""Time moves only when nothing can run, and then exactly to the earliest deadline; ties in creation order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from pytest_durable.engine import MICROS, Stop, Task, World, micros_of, wake
from tests.simulated import START, block, elapsed, new_world, settle, simulate, start

DAY = micros_of(START)


def test_time_does_not_move_while_a_task_can_run(world: World) -> None:
    seen: list[float] = []

    def busy() -> None:
        for _ in range(5):
            world.sleep(0)
            seen.append(elapsed(world))

    start(world, lambda: world.sleep(1))
    simulate(world, busy)
    assert seen == [0, 0, 0, 0, 0]


def test_time_moves_exactly_to_the_earliest_deadline(world: World) -> None:
    seen: list[float] = []

    def sleeper(seconds: float) -> Callable[[], None]:
        def target() -> None:
            world.sleep(seconds)
            seen.append(elapsed(world))

        return target

    for seconds in (0.7, 0.2, 86_400, 0.000_001):
        start(world, sleeper(seconds))
    settle(world)
    assert seen == [0.000_001, 0.2, 0.7, 86_400]


def test_sleepers_with_the_same_deadline_wake_in_the_order_in_which_they_fell_asleep(world: World) -> None:
    woken: list[str] = []

    def sleeper(name: str, first: float, then: float) -> Callable[[], None]:
        def target() -> None:
            world.sleep(first)
            world.sleep(then)
            woken.append(name)

        return target

    start(world, sleeper("late to bed", 2, 1))
    start(world, sleeper("early to bed", 1, 2))
    settle(world)
    assert woken == ["early to bed", "late to bed"]


def test_timers_and_sleepers_with_the_same_deadline_fire_in_creation_order(world: World) -> None:
    fired: list[str] = []

    def sleeper() -> None:
        world.sleep(1)
        fired.append("sleeper")

    world.call_at(DAY + MICROS, lambda: fired.append("before"))
    start(world, sleeper)
    world.run(lambda: False, DAY)
    world.call_at(DAY + MICROS, lambda: fired.append("after"))
    settle(world)
    assert fired == ["before", "sleeper", "after"]


def test_a_timer_in_the_past_fires_as_soon_as_it_can_and_time_does_not_run_backwards(world: World) -> None:
    fired: list[float] = []
    world.clock.advance(10)
    world.call_at(DAY, lambda: fired.append(elapsed(world)))
    settle(world)
    assert fired == [10]


def test_a_timer_may_set_another(world: World) -> None:
    fired: list[float] = []

    def first() -> None:
        fired.append(elapsed(world))
        world.call_at(DAY + 3 * MICROS, lambda: fired.append(elapsed(world)))

    world.call_at(DAY + MICROS, first)
    settle(world)
    assert fired == [1, 3]


def test_a_sleep_of_nothing_lets_everything_that_is_ready_run_first(world: World) -> None:
    order: list[str] = []

    def polite() -> None:
        world.sleep(0)
        order.append("polite")

    start(world, polite)
    start(world, lambda: order.append("second"))
    start(world, lambda: order.append("third"))
    settle(world)
    assert (order, elapsed(world)) == (["second", "third", "polite"], 0)


def test_a_task_that_nobody_wakes_goes_on_at_its_timeout(world: World) -> None:
    waiters: deque[Task] = deque()
    woken = simulate(world, lambda: block(world, waiters, 2.5))
    assert (woken, elapsed(world), list(waiters)) == (False, 2.5, [])


def test_a_task_that_is_woken_goes_on_at_once(world: World) -> None:
    waiters: deque[Task] = deque()

    def waker() -> None:
        world.sleep(1)
        assert wake(waiters)

    start(world, waker)
    assert simulate(world, lambda: block(world, waiters, 60)) is True
    assert elapsed(world) == 1


def test_the_timeout_of_a_task_that_was_woken_moves_no_time(world: World) -> None:
    waiters: deque[Task] = deque()
    process = start(world, lambda: block(world, waiters, 60))
    start(world, lambda: wake(waiters))
    settle(world)
    assert (process.completed, elapsed(world)) == (True, 0)


def test_nobody_is_woken_where_nobody_waits(world: World) -> None:
    waiters: deque[Task] = deque()
    simulate(world, lambda: block(world, waiters, 1))
    assert wake(waiters) is False


def test_those_who_wait_are_woken_longest_first(world: World) -> None:
    waiters: deque[Task] = deque()
    order: list[int] = []

    def waiting(number: int) -> Callable[[], None]:
        def target() -> None:
            block(world, waiters)
            order.append(number)

        return target

    for number in range(4):
        start(world, waiting(number))
    for _ in range(4):
        start(world, lambda: wake(waiters))
    settle(world)
    assert order == [0, 1, 2, 3]


def test_time_does_not_move_once_what_was_waited_for_has_happened(world: World) -> None:
    happened: list[str] = []

    def main() -> None:
        happened.append("it")
        world.sleep(3)

    start(world, main)
    assert world.run(lambda: bool(happened)) is Stop.DONE
    assert elapsed(world) == 0


def test_time_does_not_move_to_the_deadline_of_a_dead_task(world: World) -> None:
    dead = start(world, lambda: world.sleep(1_000))
    start(world, lambda: dead.kill("test"))
    settle(world)
    assert (dead.ended, elapsed(world)) == (True, 0)


@given(st.lists(st.integers(0, 5_000), min_size=1, max_size=8))
def test_sleepers_wake_at_their_deadlines_in_the_order_of_deadline_and_creation(seconds: list[int]) -> None:
    world = new_world()
    woken: list[tuple[float, int]] = []

    def sleeper(number: int) -> Callable[[], None]:
        def target() -> None:
            world.sleep(seconds[number])
            woken.append((elapsed(world), number))

        return target

    for number in range(len(seconds)):
        start(world, sleeper(number))
    settle(world)
    assert woken == sorted((float(delay), number) for number, delay in enumerate(seconds))


@given(st.lists(st.integers(0, 10_000_000), min_size=1, max_size=5))
def test_naps_add_up_to_the_microsecond(naps: list[int]) -> None:
    world = new_world()

    def sleeper() -> None:
        for micros in naps:
            world.sleep(micros / MICROS)

    simulate(world, sleeper)
    assert elapsed(world) == sum(naps) / MICROS


@given(st.floats(0, 1e6), st.floats(0, 1e6))
def test_who_sleeps_until_a_moment_read_off_the_clock_never_wakes_before_it(earlier: float, seconds: float) -> None:
    world = new_world()

    def sleeper() -> float:
        world.sleep(earlier)
        deadline = world.clock.time() + seconds
        world.sleep(deadline - world.clock.time())
        return world.clock.time() - deadline

    assert 0 <= simulate(world, sleeper) < 3 / MICROS
