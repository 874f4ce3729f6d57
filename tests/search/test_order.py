"""Thread schedules: bugs that only another order of the threads shows."""

from __future__ import annotations

from typing import Any

import pytest
from aws_durable_execution_sdk_python import DurableContext
from aws_durable_execution_sdk_python.config import CompletionConfig, Duration, ParallelConfig

from pytest_durable import DurabilityViolation, FakeDurableContext, OutcomeChanged, ReplayDiverged, UsageError


def races(event: Any, context: DurableContext) -> Any:
    """The second branch relies on what the first, which is open for longer, has left in a dict that they share.

    No kill shows it: whenever the second is run, the first is run before it.
    """
    shared: dict[str, int] = {}

    def first(branch: DurableContext) -> Any:
        shared["rate"] = 2
        branch.wait(Duration.from_minutes(1), name="w")
        return branch.step(lambda _: 1, name="a")

    def second(branch: DurableContext) -> Any:
        rate = shared["rate"]
        return branch.step(lambda _: rate, name="b")

    batch = context.parallel([first, second], name="p")
    batch.throw_if_error()
    return batch.get_results()


def passes_it_on(event: Any, context: DurableContext) -> Any:
    """The repaired twin: what the branches need is made before them."""
    rate = context.step(lambda _: 2, name="rate")
    batch = context.parallel(
        [lambda branch: branch.step(lambda _: 1, name="a"), lambda branch: branch.step(lambda _: rate, name="b")],
        name="p",
    )
    batch.throw_if_error()
    return batch.get_results()


def takes_the_first(event: Any, context: DurableContext) -> Any:
    """Correct: which branch is first decides on the result, as it shall."""
    config = ParallelConfig(completion_config=CompletionConfig(min_successful=1))
    branches = [lambda branch, name=name: branch.step(lambda _: name, name=name) for name in "abc"]
    return context.parallel(branches, name="p", config=config).get_results()[0]


@pytest.mark.parametrize("seed", range(4))
def test_a_race_between_branches_is_found_with_the_smallest_schedule(seed: int) -> None:
    with FakeDurableContext(seed=seed) as context, pytest.raises(OutcomeChanged) as found:
        context.verify(races)
    failure = found.value.failure
    assert failure.plan == ""
    assert len(failure.schedule.split(",")) == 1
    assert failure.reproduced
    assert failure.summary == "with its threads in another order, the execution ends FAILED instead of SUCCEEDED"
    assert f"threads in the order {failure.schedule}" in failure.render()


def test_the_schedule_that_is_reported_fails_the_same_way() -> None:
    with FakeDurableContext() as context:
        with pytest.raises(DurabilityViolation) as found:
            context.verify(races)
        assert context.run(races).status == "SUCCEEDED"
        assert context.run(races, schedule=found.value.failure.schedule).status == "FAILED"


@pytest.mark.parametrize("handler", [passes_it_on, takes_the_first])
def test_what_no_order_breaks_is_left_alone(handler: Any) -> None:
    with FakeDurableContext() as context:
        found = context.verify(handler)
    assert found.schedules > 0


def test_a_handler_without_branches_is_run_in_one_order() -> None:
    with FakeDurableContext() as context:
        assert context.verify(lambda event, inner: inner.step(lambda _: 1, name="a")).schedules == 0


def test_a_schedule_is_for_a_world_of_its_own() -> None:
    def waits(event: Any, context: DurableContext) -> Any:
        return context.create_callback(name="a").result()

    with FakeDurableContext() as context:
        context.start(waits)
        with pytest.raises(UsageError, match="a schedule orders the threads of a whole world"):
            context.run(passes_it_on, schedule="1>1")


class Both:
    """A bug that takes a fault and an order: ``charge`` ran twice, and the second branch was before the first."""

    def __init__(self) -> None:
        self.charged: list[int] = []

    def handler(self, event: Any, context: DurableContext) -> Any:
        context.step(lambda _: "k", name="key")
        context.step(lambda _: self.charged.append(1), name="charge")
        seen: list[str] = []

        def branch(name: str) -> Any:
            def body(inner: DurableContext) -> Any:
                seen.append(name)
                return inner.step(lambda _: name, name=name)

            return body

        context.parallel([branch("a"), branch("b")], name="p")
        broken = seen == ["b", "a"] and len(self.charged) == 2
        return context.step(lambda _: 1, name="late" if broken else "final")


@pytest.mark.parametrize("seed", range(2))
def test_a_bug_that_takes_a_fault_and_an_order_shrinks_to_one_of_each(seed: int) -> None:
    both = Both()
    with FakeDurableContext(seed=seed) as context, pytest.raises(ReplayDiverged) as found:
        context.verify(both.handler, kills=2, examples=80, reset=both.charged.clear)
    failure = found.value.failure
    assert (failure.plan, failure.kills, failure.reproduced) == ("charge:body", 1, True)
    assert len(failure.schedule.split(",")) == 1
    assert "1 kill; threads in the order" in failure.render()
