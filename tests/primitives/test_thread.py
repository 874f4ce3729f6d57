from __future__ import annotations

from collections.abc import Callable

import pytest

from pytest_durable.engine import World
from pytest_durable.primitives.sleep import sleep
from pytest_durable.primitives.thread import Thread, current_thread, get_ident, local
from tests.simulated import elapsed, simulate


def test_a_thread_runs_beside_who_started_it(world: World) -> None:
    log: list[tuple[str, float]] = []

    def beside() -> None:
        log.append(("begins", elapsed(world)))
        sleep(2)
        log.append(("ends", elapsed(world)))

    def main() -> None:
        thread = Thread(target=beside)
        thread.start()
        sleep(1)
        log.append(("main", elapsed(world)))
        thread.join()

    simulate(world, main)
    assert log == [("begins", 0), ("main", 1), ("ends", 2)]


def test_join_waits_for_the_end(world: World) -> None:
    def main() -> float:
        thread = Thread(target=sleep, args=(3,))
        thread.start()
        thread.join()
        return elapsed(world)

    assert simulate(world, main) == 3


def test_join_gives_up_at_its_timeout(world: World) -> None:
    def main() -> tuple[float, bool]:
        thread = Thread(target=sleep, kwargs={"seconds": 3})
        thread.start()
        thread.join(1)
        return elapsed(world), thread.is_alive()

    assert simulate(world, main) == (1, True)


def test_join_of_a_thread_that_raised_returns(world: World) -> None:
    def failing() -> None:
        sleep(1)
        raise LookupError("lost")

    def main() -> float:
        thread = Thread(target=failing)
        thread.start()
        thread.join()
        return elapsed(world)

    assert simulate(world, main) == 1


def test_a_thread_is_alive_from_its_start_to_its_end(world: World) -> None:
    def main() -> list[bool]:
        thread = Thread(target=sleep, args=(1,))
        alive = [thread.is_alive()]
        thread.start()
        alive.append(thread.is_alive())
        thread.join()
        return [*alive, thread.is_alive()]

    assert simulate(world, main) == [False, True, False]


def test_its_ident_is_none_before_it_starts_and_what_get_ident_says_within(world: World) -> None:
    seen: list[int] = []

    def main() -> tuple[int | None, int | None, int]:
        thread = Thread(target=lambda: seen.append(get_ident()))
        before = thread.ident
        thread.start()
        thread.join()
        return before, thread.ident, get_ident()

    before, ident, mine = simulate(world, main)
    assert before is None
    assert seen == [ident]
    assert ident != mine


def test_a_subclass_may_override_what_it_does(world: World) -> None:
    class Greeting(Thread):
        def run(self) -> None:
            sleep(1)
            self.greeted = elapsed(world)

    def main() -> float:
        thread = Greeting(name="greeting")
        thread.start()
        thread.join()
        return thread.greeted

    assert simulate(world, main) == 1


def test_the_current_thread_has_the_name_and_the_ident_of_the_one_that_was_started(world: World) -> None:
    seen: list[tuple[str, int | None]] = []

    def beside() -> None:
        seen.append((current_thread().name, current_thread().ident))

    def main() -> tuple[str, int | None]:
        thread = Thread(target=beside, name="worker")
        thread.start()
        thread.join()
        return thread.name, thread.ident

    assert simulate(world, main) == seen[0]
    assert seen[0][0] == "worker"


def test_a_thread_dies_with_the_process_of_who_started_it(world: World) -> None:
    log: list[str] = []

    def beside() -> None:
        try:
            sleep(60)
        finally:
            log.append("unwound")

    def main() -> None:
        Thread(target=beside, daemon=True).start()
        sleep(1)

    simulate(world, main)
    assert (log, elapsed(world)) == (["unwound"], 1)


def each_in_its_own_thread(*bodies: Callable[[], object]) -> None:
    """Run ``bodies`` in simulated threads beside each other."""
    threads = [Thread(target=body) for body in bodies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_the_attributes_of_a_local_are_each_tasks_own(world: World) -> None:
    mine = local()
    seen: list[int] = []

    def body(number: int) -> Callable[[], None]:
        def target() -> None:
            mine.value = number
            sleep(1)
            seen.append(mine.value)

        return target

    simulate(world, lambda: each_in_its_own_thread(body(1), body(2), body(3)))
    assert seen == [1, 2, 3]


def test_a_local_does_not_show_what_another_task_wrote(world: World) -> None:
    mine = local()

    def main() -> bool:
        mine.value = 1
        seen: list[bool] = []
        each_in_its_own_thread(lambda: seen.append(hasattr(mine, "value")))
        return seen[0]

    assert simulate(world, main) is False


def test_two_locals_of_one_task_do_not_mix(world: World) -> None:
    one, two = local(), local()

    def main() -> tuple[int, int]:
        one.value, two.value = 1, 2
        return one.value, two.value

    assert simulate(world, main) == (1, 2)


def test_an_attribute_of_a_local_can_be_deleted_once(world: World) -> None:
    mine = local()

    def main() -> None:
        mine.value = 1
        del mine.value
        del mine.value

    with pytest.raises(AttributeError, match="value"):
        simulate(world, main)
