"""Any program of tasks runs the same way twice, never back in time, and leaves nothing behind."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from queue import Empty, Full

from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_durable.engine import Process, Stop, Task, World
from pytest_durable.primitives.event import Event
from pytest_durable.primitives.lock import Lock
from pytest_durable.primitives.queue import Queue
from tests.simulated import new_world, start

Operation = tuple[str, int, float | None]
"""What is done, to which of the things or with which of the bodies, and for how long; None for ever."""

Program = list[list[Operation]]
"""The bodies of the tasks; the first is the main task's, the others run when they are spawned."""

operations = st.tuples(
    st.sampled_from(["sleep", "spawn", "lock", "put", "get", "set", "clear", "wait", "kill"]),
    st.integers(0, 3),
    st.sampled_from([None, 0, 0.001, 1, 2.5]),
)
programs = st.lists(st.lists(operations, max_size=6), min_size=1, max_size=4)
schedules = st.lists(st.integers(0, 5), max_size=20)


class Drawn:
    """A scheduler that follows a list, and then says 0."""

    def __init__(self, picks: Sequence[int]) -> None:
        self.picks = iter(picks)

    def begin(self) -> None: ...

    def pick(self, ready: Sequence[Task]) -> int:
        assert len(ready) >= 2
        return next(self.picks, 0) % len(ready)

    def choose(self, options: int) -> int:
        return 0


@dataclass
class Run:
    """One run of a program, closed."""

    program: Program
    picks: Sequence[int]
    tasks: list[Task] = field(default_factory=list)
    stamps: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.world: World = new_world(Drawn(self.picks))
        self.locks = [Lock(), Lock()]
        self.queues: list[Queue[int]] = [Queue(), Queue(1)]
        self.events = [Event(), Event()]
        self.process: Process = start(self.world, self.body(0))
        assert self.process.main is not None
        self.tasks.append(self.process.main)
        self.stop = self.world.run(lambda: self.process.ended)
        self.digest = self.world.trace.digest()
        self.world.close()

    def body(self, index: int) -> Callable[[], None]:
        def target() -> None:
            for operation in self.program[index]:
                self.stamps.append(self.world.clock.time())
                self.do(index, *operation)
                self.stamps.append(self.world.clock.time())

        return target

    def do(self, index: int, what: str, which: int, seconds: float | None) -> None:
        if what == "sleep":
            self.world.sleep(seconds or 0)
        elif what == "spawn" and index < which < len(self.program):
            self.tasks.append(self.world.spawn(self.process, f"body {which}", self.body(which)))
        elif what == "lock":
            with self.locks[which % 2]:
                self.world.sleep(seconds or 0)
        elif what == "kill":
            self.process.kill("by the program")
        elif what in ("put", "get"):
            self.queue(what, self.queues[which % 2], seconds)
        else:
            self.event(what, self.events[which % 2], seconds)

    def queue(self, what: str, queue: Queue[int], seconds: float | None) -> None:
        try:
            if what == "put":
                queue.put(1, timeout=seconds)
            else:
                queue.get(timeout=seconds)
        except (Empty, Full):
            pass

    def event(self, what: str, event: Event, seconds: float | None) -> None:
        if what == "set":
            event.set()
        elif what == "clear":
            event.clear()
        elif what == "wait":
            event.wait(seconds)


@given(programs, schedules)
def test_a_program_runs_the_same_way_twice(program: Program, picks: list[int]) -> None:
    first, second = Run(program, picks), Run(program, picks)
    assert first.digest == second.digest
    assert first.stamps == second.stamps


@given(programs, schedules)
def test_a_program_never_sees_time_run_backwards(program: Program, picks: list[int]) -> None:
    run = Run(program, picks)
    assert run.stamps == sorted(run.stamps)


@given(programs, schedules)
def test_a_program_ends_or_waits_for_ever_and_leaves_no_task(program: Program, picks: list[int]) -> None:
    run = Run(program, picks)
    assert run.stop in (Stop.DONE, Stop.IDLE)
    assert [task for task in run.tasks if task] == []


@given(programs)
@settings(max_examples=50)
def test_the_empty_schedule_is_the_plain_run(program: Program) -> None:
    plain = Run(program, [])
    world = plain.world
    assert plain.digest == Run(program, [0, 0, 0, 0]).digest
    assert world.blocked() == []
