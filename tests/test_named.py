"""Executions started by name: the name and the payload are the execution, as on AWS."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from aws_durable_execution_sdk_python import DurableContext, durable_execution
from botocore.exceptions import ClientError  # type: ignore[import-untyped]  # botocore ships no types

from pytest_durable import ExecutionStuck, FakeDurableContext, ServiceError, UsageError
from tests.durable import awaits, returns, seconds


@pytest.fixture
def ctx() -> Iterator[FakeDurableContext]:
    with FakeDurableContext() as context:
        yield context


@pytest.fixture
def calls() -> list[Any]:
    return []


@pytest.fixture
def handler(calls: list[Any]) -> Callable[[Any, Any], Any]:
    """Counts its bodies, waits an hour and returns the event."""

    def order(event: Any, context: DurableContext) -> Any:
        context.step(lambda _: calls.append(event), name="charge")
        context.wait(seconds(3_600), name="pause")
        return event

    return order


@pytest.mark.parametrize("first", ["run", "start"])
@pytest.mark.parametrize("second", ["run", "start"])
def test_the_same_name_and_payload_is_the_same_execution(
    ctx: FakeDurableContext, handler: Any, calls: list[Any], first: str, second: str
) -> None:
    one = getattr(ctx, first)(handler, {"order": 7}, name="order-7")
    other = getattr(ctx, second)(handler, {"order": 7}, name="order-7")
    assert (one.arn, one.run().result) == (other.arn, {"order": 7})
    assert (other.result, calls, int(other.elapsed)) == ({"order": 7}, [{"order": 7}], 3_600)


def test_a_running_one_goes_on_where_it_is(ctx: FakeDurableContext, handler: Any, calls: list[Any]) -> None:
    ctx.start(handler, name="order-7").advance(1_800)
    again = ctx.start(handler, name="order-7")
    assert (again.status, again.operation("pause").status) == ("RUNNING", "STARTED")
    assert (int(again.run().elapsed), len(calls)) == (3_600, 1)


def test_one_that_failed_or_was_stopped_is_not_started_again(ctx: FakeDurableContext, handler: Any) -> None:
    def fails(event: Any, context: DurableContext) -> None:
        raise LookupError("no stock")

    assert ctx.run(fails, name="a").status == "FAILED"
    assert len(ctx.run(fails, name="a").invocations) == 1
    ctx.start(handler, name="b").stop("enough")
    assert ctx.run(handler, name="b").status == "STOPPED"


def test_one_that_is_stuck_is_still_stuck(ctx: FakeDurableContext) -> None:
    handler = awaits()
    for _ in range(2):
        with pytest.raises(ExecutionStuck, match="'approval'"):
            ctx.run(handler, name="order-7")
    ctx.callbacks.succeed("approval", "yes")
    assert ctx.run(handler, name="order-7").result == "yes"


@pytest.mark.parametrize("first", ["run", "start"])
@pytest.mark.parametrize("second", ["run", "start"])
def test_another_payload_is_refused_in_the_words_of_aws(
    ctx: FakeDurableContext, handler: Any, calls: list[Any], first: str, second: str
) -> None:
    getattr(ctx, first)(handler, {"order": 7}, name="order-7")
    with pytest.raises(ServiceError, match="has already been started") as caught:
        getattr(ctx, second)(handler, {"order": 8}, name="order-7")
    assert isinstance(caught.value, ClientError)
    assert caught.value.code == "DurableExecutionAlreadyStartedException"
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 409
    assert calls == [{"order": 7}]


def test_no_payload_is_a_payload(ctx: FakeDurableContext, handler: Any) -> None:
    assert ctx.run(handler, name="a").arn == ctx.run(handler, {}, name="a").arn
    with pytest.raises(ServiceError):
        ctx.run(handler, [], name="a")


def test_a_refused_start_counts_for_nothing(ctx: FakeDurableContext, handler: Any) -> None:
    ctx.run(handler, 1, name="a")
    with pytest.raises(ServiceError):
        ctx.run(handler, 2, name="a")
    ctx.run(handler, 1, name="a")
    assert ctx.tally.runs == 1


def test_another_handler_of_that_name_is_another_execution(ctx: FakeDurableContext, handler: Any) -> None:
    def other(event: Any, context: DurableContext) -> Any:
        return context.step(returns("other"), name="step")

    one = ctx.start(handler, 1, name="a")
    assert ctx.run(other, 2, name="a").result == "other"
    assert one.run().result == 1
    assert ctx.run(handler, 1, name="a").arn == one.arn


def test_another_handler_of_that_name_has_callbacks_of_its_own(ctx: FakeDurableContext) -> None:
    one, other = ctx.start(awaits(), name="a"), ctx.start(awaits(), name="a")
    assert one.callback().id != other.callback().id
    one.callback().succeed("for one")
    other.callback().succeed("for the other")
    assert (one.result, other.result) == ("for one", "for the other")


def test_the_same_function_decorated_is_the_same_handler(ctx: FakeDurableContext, calls: list[Any]) -> None:
    def order(event: Any, context: DurableContext) -> Any:
        return context.step(lambda _: calls.append(1), name="charge")

    decorated = durable_execution(order)
    assert ctx.run(decorated, name="a").arn == ctx.run(decorated, name="a").arn == ctx.run(order, name="a").arn
    assert calls == [1]


def test_a_name_is_known_to_its_context_alone(handler: Any, calls: list[Any]) -> None:
    for event in (1, 2):
        with FakeDurableContext() as context:
            assert context.run(handler, event, name="a").result == event
    assert calls == [1, 2]


def test_without_a_name_every_run_is_an_execution(ctx: FakeDurableContext, handler: Any, calls: list[Any]) -> None:
    assert ctx.run(handler, 1).arn != ctx.run(handler, 1).arn
    assert calls == [1, 1]


def test_a_name_is_checked_before_it_is_looked_up(ctx: FakeDurableContext, handler: Any) -> None:
    nothing: Any = ["", " ", 7, b"a", "a\n"]
    for name in nothing:
        with pytest.raises(UsageError, match="name must be"):
            ctx.run(handler, name=name)
