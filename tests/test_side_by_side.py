"""Several executions in one world: each ends as it does alone, however they are interleaved."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from aws_durable_execution_sdk_python import DurableContext, durable_execution
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_durable import Execution, FakeDurableContext, Operation
from tests.durable import attempts, awaits, gaps, returns, seconds


@pytest.fixture
def ctx() -> Iterator[FakeDurableContext]:
    with FakeDurableContext() as context:
        yield context


def price(event: Any, context: DurableContext) -> Any:
    context.wait(seconds(45), name="think")
    return context.step(returns(event * 100), name="price")


def second_try(step: Any) -> str:
    if step.attempt == 1:
        raise ConnectionError("busy")
    return "reserved"


def order(event: Any, context: DurableContext) -> list[Any]:
    """A little of everything, without a word about the time."""

    def item(inner: DurableContext, number: int, index: int, items: Any) -> Any:
        inner.wait(seconds(10 * number), name="pause")
        return inner.step(returns(number * event), name="double")

    first = context.step(second_try, name="reserve", config=attempts(2, delay=20))
    second = context.create_callback(name="approval").result()
    third: list[Any] = context.map([1, 2], item, name="items").get_results()
    fourth: Any = context.invoke("price", event, name="price")
    fifth = context.wait_for_callback(lambda id_, _: None, name="delivery")
    return [first, second, third, fourth, fifth]


def journal_of(execution: Execution) -> list[Any]:
    """What is in the journal, and in those of the functions it invoked, without the times."""

    def contents(operations: tuple[Operation, ...]) -> Any:
        return [
            (one.path, one.id, one.type, one.status, one.result, one.error, one.callback_id, contents(one.children))
            for one in operations
        ]

    return [contents(execution.operations), contents(execution.invoked("price").operations)]


def begin(context: FakeDurableContext, number: int) -> Execution:
    return context.start(order, number, name=f"order-{number}")


def go_on(execution: Execution, answer: bool, time_passes: int) -> None:
    """Answer what is open, or let time pass."""
    if answer and execution.callbacks:
        execution.callback().succeed(f"{execution.callback().name} of {execution.name}")
    else:
        execution.advance(time_passes)


@cache
def alone(number: int) -> tuple[Any, list[Any]]:
    """Result and journal of an order with nothing beside it."""
    with FakeDurableContext() as context:
        context.register("price", durable_execution(price))
        execution = begin(context, number)
        while execution.status == "RUNNING":
            go_on(execution, True, 30)
        return execution.result, journal_of(execution)


MOVES = st.lists(st.tuples(st.integers(1, 3), st.booleans(), st.integers(0, 40)), max_size=40)


@settings(max_examples=40)
@given(moves=MOVES)
def test_each_has_the_result_and_the_journal_it_has_alone(moves: list[tuple[int, bool, int]]) -> None:
    with FakeDurableContext() as context:
        context.register("price", durable_execution(price))
        executions: dict[int, Execution] = {}
        for number, answer, time_passes in moves:
            if number not in executions:
                executions[number] = begin(context, number)
            elif executions[number].status == "RUNNING":
                go_on(executions[number], answer, time_passes)
        for execution in executions.values():
            while execution.status == "RUNNING":
                go_on(execution, True, 30)
        found = {number: (execution.result, journal_of(execution)) for number, execution in executions.items()}
        assert found == {number: alone(number) for number in executions}


def test_time_is_the_same_for_all(ctx: FakeDurableContext) -> None:
    def waits(event: Any, context: DurableContext) -> Any:
        context.wait(seconds(event), name="pause")
        return event

    short, long = ctx.start(waits, 60), ctx.start(waits, 300)
    long.advance(100)
    assert (short.status, short.result, long.status) == ("SUCCEEDED", 60, "RUNNING")
    assert (int(short.elapsed), int(long.run().elapsed)) == (60, 300)


def test_what_is_run_beside_an_open_one_takes_it_along(ctx: FakeDurableContext) -> None:
    open_one = ctx.start(awaits(), name="open")
    ctx.callbacks.succeed("approval", "yes", after=50)
    assert ctx.run(lambda event, context: context.wait(seconds(60))).status == "SUCCEEDED"
    assert (open_one.status, open_one.result) == ("SUCCEEDED", "yes")


def test_one_answers_the_callback_of_the_other(ctx: FakeDurableContext) -> None:
    first = ctx.start(awaits(), name="first")

    def answers(event: Any, context: DurableContext) -> None:
        context.step(lambda _: first.callback().succeed("from the other"), name="answer")

    ctx.run(answers)
    assert first.run().result == "from the other"


def test_a_callback_found_by_its_id_drives_its_own_execution(ctx: FakeDurableContext) -> None:
    first, second = ctx.start(awaits(), name="first"), ctx.start(awaits(), name="second")
    first.callback(id=second.callback().id).succeed("yes")
    assert (first.status, second.status, second.result) == ("RUNNING", "SUCCEEDED", "yes")


def test_the_death_of_one_is_not_the_death_of_the_other(ctx: FakeDurableContext) -> None:
    def slow(event: Any, context: DurableContext) -> Any:
        context.step(lambda _: time.sleep(5), name="slow")  # noqa: TID251  # virtual: this is a step
        return event

    first = ctx.start(awaits(), name="first")
    second = ctx.run(slow, "done", faults="slow:body")
    first.callback().succeed("yes")
    assert ([len(one.invocations) for one in (first, second)], gaps(second)) == ([2, 2], [1])
    assert (first.result, second.result) == ("yes", "done")


def test_a_stop_of_one_leaves_the_other_alone(ctx: FakeDurableContext) -> None:
    first, second = ctx.start(awaits(), name="first"), ctx.start(awaits(), name="second")
    first.stop()
    second.callback().succeed("yes")
    assert (first.status, second.result) == ("STOPPED", "yes")


def test_a_verification_does_not_touch_what_is_open(ctx: FakeDurableContext) -> None:
    first = ctx.start(awaits(), name="first")
    ctx.verify(lambda event, context: context.step(returns(1), name="a"))
    before = ctx.clock.now()
    first.callback().succeed("yes")
    assert first.result == "yes"
    assert (ctx.clock.now() - before).total_seconds() < 1
