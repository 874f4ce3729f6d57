from __future__ import annotations

from collections.abc import Callable

from pytest_durable.engine import World
from pytest_durable.primitives.event import Event
from pytest_durable.primitives.sleep import sleep
from tests.simulated import elapsed, together

Log = list[tuple[str, float]]


def waiting(world: World, event: Event, log: Log, timeout: float | None = None) -> Callable[[], None]:
    """A body that writes what `Event.wait` returned, and when."""
    return lambda: log.append((str(event.wait(timeout)), elapsed(world)))


def setting(event: Event, seconds: float) -> Callable[[], None]:
    """A body that sets ``event`` after ``seconds``."""

    def target() -> None:
        sleep(seconds)
        event.set()

    return target


def test_everybody_who_waits_goes_on_when_it_is_set(world: World) -> None:
    log: Log = []
    event = Event()
    together(world, waiting(world, event, log), waiting(world, event, log), setting(event, 3))
    assert log == [("True", 3), ("True", 3)]


def test_those_who_wait_go_on_in_the_order_of_waiting(world: World) -> None:
    order: list[int] = []
    event = Event()

    def waiting_as(number: int) -> Callable[[], None]:
        def target() -> None:
            event.wait()
            order.append(number)

        return target

    together(world, *(waiting_as(number) for number in range(4)), event.set)
    assert order == [0, 1, 2, 3]


def test_who_waits_with_a_timeout_goes_on_when_it_is_set_in_time(world: World) -> None:
    log: Log = []
    event = Event()
    together(world, waiting(world, event, log, 5), setting(event, 3))
    assert log == [("True", 3)]


def test_who_waits_with_a_timeout_goes_on_without_it_otherwise(world: World) -> None:
    log: Log = []
    event = Event()
    together(world, waiting(world, event, log, 2), setting(event, 3))
    assert log == [("False", 2)]


def test_who_comes_later_does_not_wait(world: World) -> None:
    log: Log = []
    event = Event()
    event.set()
    together(world, waiting(world, event, log))
    assert log == [("True", 0)]


def test_once_cleared_it_is_waited_for_again(world: World) -> None:
    log: Log = []
    event = Event()
    event.set()
    event.clear()
    together(world, waiting(world, event, log), setting(event, 1))
    assert log == [("True", 1)]


def test_who_was_woken_goes_on_even_if_it_is_cleared_at_once(world: World) -> None:
    log: Log = []
    event = Event()

    def pulse() -> None:
        event.set()
        event.clear()

    together(world, waiting(world, event, log, 5), pulse)
    assert log == [("True", 0)]
