"""Who runs next: first in, first out, or whatever the scheduler says where there is a choice."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from hypothesis import given
from hypothesis import strategies as st

from pytest_durable.engine import FirstInFirstOut, Process, Scheduler, Task, Trace, World
from tests.simulated import new_world, nobody, settle, simulate, start


class Recording:
    """A scheduler that keeps every question; answers with the first task, or what `answer` says."""

    def __init__(self, answer: Callable[[Sequence[Task]], int] = lambda ready: 0) -> None:
        self.answer = answer
        self.begun = 0
        self.asked: list[list[str]] = []

    def begin(self) -> None:
        self.begun += 1

    def pick(self, ready: Sequence[Task]) -> int:
        self.asked.append([task.name for task in ready])
        return self.answer(ready)

    def choose(self, options: int) -> int:
        raise AssertionError("there was no chance event")


def last_in_first_out() -> Recording:
    return Recording(lambda ready: len(ready) - 1)


def napping(world: World, log: list[str], name: str, naps: int = 2) -> Callable[[], None]:
    """A body that writes its name before, between and after ``naps`` moments in which others may run."""

    def target() -> None:
        log.append(name)
        for _ in range(naps):
            world.sleep(0)
            log.append(name)

    return target


def run_three(world: World) -> str:
    """Three tasks of one process beside each other; the order of their turns as letters."""
    log: list[str] = []

    def main() -> None:
        for name in "abc":
            world.spawn(process, name, napping(world, log, name))
        world.sleep(1)

    process = start(world, main)
    settle(world)
    return "".join(log)


def test_tasks_run_in_the_order_in_which_they_were_started(world: World) -> None:
    order: list[int] = []
    for number in range(5):
        start(world, lambda number=number: order.append(number))  # type: ignore[misc]  # bound to this turn of the loop
    settle(world)
    assert order == [0, 1, 2, 3, 4]


def test_tasks_take_turns(world: World) -> None:
    assert run_three(world) == "abcabcabc"


def test_a_task_runs_on_until_it_blocks(world: World) -> None:
    log: list[str] = []

    def main() -> None:
        for name in "xy":
            world.spawn(process, name, napping(world, log, name, naps=0))
            log.append("main")
        world.sleep(0)

    process = start(world, main)
    settle(world)
    assert log == ["main", "main", "x", "y"]


def test_tasks_are_numbered_from_one_in_the_order_of_creation(world: World) -> None:
    def main() -> list[int]:
        return [world.spawn(process, "more", lambda: None).number for _ in range(3)]

    process = start(world, main)
    settle(world)
    assert process.main is not None
    assert (process.main.number, process.main.result) == (1, [2, 3, 4])


def test_the_default_scheduler_takes_the_first_and_the_usual() -> None:
    scheduler: Scheduler = FirstInFirstOut()
    scheduler.begin()
    assert (scheduler.pick(()), scheduler.choose(7)) == (0, 0)


def test_a_scheduler_is_told_once_that_a_run_begins() -> None:
    scheduler = Recording()
    world = new_world(scheduler)
    run_three(world)
    run_three(world)
    assert scheduler.begun == 1


def test_a_scheduler_decides_who_runs_next() -> None:
    assert run_three(new_world(last_in_first_out())) == "cbacbacba"


def test_a_scheduler_that_always_says_zero_gives_the_default_run() -> None:
    world, default = new_world(Recording()), new_world()
    assert run_three(world) == run_three(default)
    assert world.trace.digest() == default.trace.digest()


def test_a_scheduler_is_asked_only_where_there_is_a_choice() -> None:
    scheduler = Recording()
    world = new_world(scheduler)
    simulate(world, napping(world, [], "alone"))
    assert scheduler.asked == []


def test_a_scheduler_sees_the_ready_tasks_longest_ready_first() -> None:
    scheduler = Recording()
    run_three(new_world(scheduler))
    assert scheduler.asked[0] == ["a", "b", "c"]


@given(st.lists(st.integers(0, 9), max_size=30))
def test_whatever_a_scheduler_answers_every_task_runs_to_its_end(answers: list[int]) -> None:
    remaining = iter(answers)
    scheduler = Recording(lambda ready: next(remaining, 0) % len(ready))
    assert sorted(run_three(new_world(scheduler))) == list("aaabbbccc")
    assert all(len(ready) >= 2 for ready in scheduler.asked)


def test_a_scheduler_is_not_offered_the_tasks_of_a_dead_process() -> None:
    scheduler = Recording()
    world = new_world(scheduler)

    def dying() -> None:
        for name in ("dead 1", "dead 2"):
            world.spawn(process, name, lambda: None)
        process.kill("test")

    process = start(world, dying)
    log: list[str] = []
    start(world, napping(world, log, "alive"))
    settle(world)
    assert [name for ready in scheduler.asked for name in ready if name.startswith("dead")] == []


def test_equal_runs_have_equal_traces() -> None:
    first, second = new_world(), new_world()
    run_three(first)
    run_three(second)
    assert first.trace.lines() == second.trace.lines()
    assert first.trace.digest() == second.trace.digest()


def test_different_schedules_have_different_traces() -> None:
    plain, reversed_ = new_world(), new_world(last_in_first_out())
    run_three(plain)
    run_three(reversed_)
    assert plain.trace.digest() != reversed_.trace.digest()


def test_different_delays_have_different_traces() -> None:
    def digest(seconds: float) -> str:
        world = new_world()
        simulate(world, lambda: world.sleep(seconds))
        return world.trace.digest()

    assert digest(1) != digest(2)


def test_what_was_noted_is_in_the_trace_with_its_virtual_time(world: World) -> None:
    def main() -> None:
        world.sleep(1)
        world.note("charged", 100)

    simulate(world, main)
    assert f"{world.clock.now().timestamp() * 1_000_000:.0f} charged 100" in world.trace.lines()


def test_the_digest_of_a_trace_is_the_same_in_any_process() -> None:
    trace = Trace()
    trace.entries.extend([(1, "spawn", 2), (3, "exit", "p")])
    assert (len(trace), trace.digest()) == (2, "ac681925440b020464fa8be22e6544cc")


def test_the_trace_never_runs_back_in_time(world: World) -> None:
    run_three(world)
    stamps = [int(line.split()[0]) for line in world.trace.lines()]
    assert stamps == sorted(stamps)


def lucky(world: World, luck: str) -> Process:
    """A process with this luck."""
    return world.process("p", lambda: None, None, nobody, luck)


def drawn(seed: int, luck: str) -> float:
    """The first number that a process with this luck draws in a world of this seed."""
    return lucky(new_world(seed=seed), luck).random.random()


def test_the_randomness_of_a_process_comes_from_the_seed_of_its_world_and_its_luck() -> None:
    assert drawn(0, "a") == drawn(0, "a")
    assert len({drawn(seed, luck) for seed in (0, 1) for luck in ("a", "b")}) == 4


def test_a_process_draws_the_same_whatever_runs_beside_it(world: World) -> None:
    beside, process = lucky(world, "b"), lucky(world, "a")
    beside.random.random()
    assert process.random.random() == drawn(0, "a")
