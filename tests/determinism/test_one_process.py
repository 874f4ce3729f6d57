"""Same plan, same seed: the same trace, whatever else the process has done."""

from __future__ import annotations

import gc
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from pytest_durable import FakeDurableContext
from pytest_durable.search.quiet import silence
from tests.determinism.reference import PLAN, REGIONS, handler, prepared, region, run, trace_hash, trace_lines

RUNS = 100


def test_the_same_plan_and_seed_give_the_same_trace_every_time() -> None:
    first = trace_hash()
    with silence(), FakeDurableContext():  # which shows virtual time once, for all that are opened within it
        assert {trace_hash() for _ in range(RUNS)} == {first}


def test_a_second_run_has_the_same_trace_line_by_line() -> None:
    assert trace_lines() == trace_lines()


def test_the_reference_does_what_it_is_there_for() -> None:
    execution = run()
    reports = [[name, index / 3] for index, name in enumerate(REGIONS)]
    assert execution.result[1:] == ["quoted", reports, "label sent", "yes", [7, "mail to A"]]
    assert execution.operation("quote").attempts == 4
    invocations = [*execution.invocations, *execution.invoked("invoice").invocations]
    assert ", ".join(i.killed for i in invocations if i.killed) == PLAN


def test_another_seed_gives_other_retry_delays_and_so_another_trace() -> None:
    assert len({trace_hash(seed=seed) for seed in range(4)}) == 4


def test_another_plan_gives_another_trace() -> None:
    assert len({trace_hash(plan) for plan in ("", "reserve:body", "reserve:stored", PLAN)}) == 4


def test_runs_of_other_handlers_before_it_leave_no_mark() -> None:
    before = trace_hash()
    with FakeDurableContext(seed=9) as context:
        context.run(lambda event, ctx: ctx.map([1, 2], region, name="m").get_results(), faults="m:body")
        context.start(handler)
        context.step(lambda _: "left open", name="direct")
    assert trace_hash() == before


def test_where_objects_lie_in_memory_does_not_matter() -> None:
    before = trace_hash()
    ballast = [[object() for _ in range(size)] for size in range(1_000)]
    del ballast[::2]
    assert trace_hash() == before


def test_garbage_collection_does_not_matter() -> None:
    before = trace_hash()
    thresholds = gc.get_threshold()
    try:
        gc.set_threshold(1, 1, 1)
        eager = trace_hash()
        gc.disable()
        never = trace_hash()
    finally:
        gc.enable()
        gc.set_threshold(*thresholds)
    assert [eager, never] == [before, before]


@contextmanager
def tracer() -> Iterator[set[str]]:
    """Trace every line in every thread, as a debugger would; yields the names of the functions that were traced."""
    seen: set[str] = set()

    def trace(frame: FrameType, kind: str, argument: Any) -> Any:
        seen.add(frame.f_code.co_name)
        return trace

    before, before_in_threads = sys.gettrace(), threading.gettrace()
    threading.settrace(trace)
    sys.settrace(trace)
    try:
        yield seen
    finally:
        sys.settrace(before)
        threading.settrace(before_in_threads)


def test_a_tracer_does_not_change_the_trace() -> None:
    with tracer() as seen:
        traced = trace_hash()
    assert {"handler", "region", "dispatch", "quote"} <= seen
    assert traced == trace_hash()


def test_kills_at_places_of_every_kind_give_the_same_trace_twice() -> None:
    with prepared(FakeDurableContext()) as context:
        places = context.verify(handler, {"order": 7}, kills=0).places[::7]
        assert {place.rpartition(":")[2] for place in places} == {"start", "body", "stored", "suspend", "return"}
        with silence():
            first = {place: trace_hash(place) for place in places}
            assert {place: trace_hash(place) for place in places} == first
    assert len(set(first.values())) == len(places)
