"""What each invocation is given: its pages of the state, what has changed, and nothing it need not know."""

from __future__ import annotations

import functools
import json
from typing import Any

import pytest
from aws_durable_execution_sdk_python import DurableContext, durable_execution
from aws_durable_execution_sdk_python.config import NestingType, ParallelConfig

from pytest_durable import FakeDurableContext
from pytest_durable.service.lifecycle import DurableExecution
from tests.durable import Flaky, attempts, returns, seconds
from tests.service.functions import finish, watched


def shapes(ran: list[str]) -> Any:
    """A handler with some of everything, with replays in between; its steps write their values into ``ran``."""

    def noted(value: Any) -> Any:
        def body(step: Any) -> Any:
            ran.append(str(value))
            return value

        return body

    def item(context: DurableContext, number: int, index: int, items: Any) -> Any:
        context.wait(seconds(number), name="pause")
        return context.step(noted(number * 2), name="double")

    def child(name: str) -> Any:
        def body(context: DurableContext) -> Any:
            context.wait(seconds(5), name="pause")
            return context.step(noted(name), name="step")

        return body

    def handler(event: Any, context: DurableContext) -> Any:
        first = context.step(noted("first"), name="first")
        context.wait(seconds(5), name="pause")
        mapped: list[int] = context.map([1, 2, 3], item, name="m").get_results()
        nested = context.run_in_child_context(child("child"), name="child")
        context.wait(seconds(5), name="another")
        config = ParallelConfig(nesting_type=NestingType.FLAT)
        flat: list[str] = context.parallel([child("a"), child("b")], name="p", config=config).get_results()
        return [first, mapped, nested, flat, context.step(noted("last"), name="last")]

    return handler


def stored(execution: DurableExecution) -> list[tuple[str, str]]:
    """Path and status of every operation."""
    operations = list(execution.journal.operations.values())[1:]
    return [(execution.path_of(operation.operation_id), operation.status.value) for operation in operations]


@pytest.mark.parametrize("page_size", [1, 2, 3, 7])
def test_a_handler_replays_the_same_from_pages_of_any_size(page_size: int) -> None:
    ran: list[str] = []
    execution = finish(shapes(ran), page_size=page_size)
    assert sorted(ran) == ["2", "4", "6", "a", "b", "child", "first", "last"]
    whole = finish(shapes([]))
    assert execution.result == whole.result == '["first", [2, 4, 6], "child", ["a", "b"], "last"]'
    assert sorted(stored(execution)) == sorted(stored(whole))


@pytest.mark.parametrize("page_size", [1, 2, 3])
def test_the_first_page_is_no_larger_than_a_page(page_size: int) -> None:
    seen: list[tuple[int, bool]] = []

    def watch(event: Any) -> None:
        state = event.initial_execution_state
        seen.append((len(state.operations), bool(state.next_marker)))

    finish(watched(shapes([]), watch), page_size=page_size)
    assert seen[0] == (1, False)
    assert all(count <= page_size for count, _ in seen)
    assert all(more for _, more in seen[1:]) or page_size == 3


def test_what_is_below_a_finished_context_is_not_sent_again() -> None:
    seen: list[set[str | None]] = []

    def watch(event: Any) -> None:
        seen.append({operation.name for operation in event.initial_execution_state.operations[1:]})

    def child(context: DurableContext) -> Any:
        context.step(returns(1), name="in child")
        return context.run_in_child_context(lambda inner: inner.step(returns(2), name="deep"), name="inner")

    def handler(event: Any, context: DurableContext) -> None:
        context.run_in_child_context(child, name="child")
        context.wait(seconds(5), name="pause")

    finish(watched(handler, watch))
    assert seen == [set(), {"child", "pause"}]


def test_what_is_below_an_open_context_is_sent_again() -> None:
    seen: list[set[str | None]] = []

    def watch(event: Any) -> None:
        seen.append({operation.name for operation in event.initial_execution_state.operations[1:]})

    def child(context: DurableContext) -> None:
        context.step(returns(1), name="in child")
        context.wait(seconds(5), name="pause")

    finish(watched(lambda event, context: context.run_in_child_context(child, name="child"), watch))
    assert seen == [set(), {"child", "in child", "pause"}]


def updated_names(handler: Any) -> list[list[str]]:
    """For each invocation, the names of the operations it is told have changed."""
    seen: list[list[str]] = []

    def watch(event: Any) -> None:
        names = {found.operation_id: found.name or "" for found in event.initial_execution_state.operations}
        seen.append([names[operation_id] for operation_id in event.updated_operation_ids])

    execution = finish(watched(handler, watch))
    assert execution.status == "SUCCEEDED", execution.error
    return seen


def test_an_invocation_is_told_which_wait_is_over() -> None:
    def handler(event: Any, context: DurableContext) -> None:
        context.step(returns(1), name="step")
        context.wait(seconds(5), name="one")
        context.wait(seconds(5), name="two")

    assert updated_names(handler) == [[], ["one"], ["two"]]


def test_an_invocation_is_told_which_retry_is_due() -> None:
    flaky = Flaky(2)
    assert updated_names(lambda event, context: context.step(flaky, name="a", config=attempts(3))) == [[], ["a"], ["a"]]


def test_an_invocation_is_told_of_every_timer_that_fired_since_the_last_one() -> None:
    def pause(duration: int) -> Any:
        return lambda context: context.wait(seconds(duration), name=f"{duration} s")

    def handler(event: Any, context: DurableContext) -> None:
        context.parallel([pause(10), pause(20), pause(10)], name="p")

    assert updated_names(handler) == [[], ["10 s", "10 s"], ["20 s"]]


def test_what_the_handler_changed_itself_is_no_news_to_it() -> None:
    def handler(event: Any, context: DurableContext) -> None:
        context.run_in_child_context(lambda child: child.step(returns(1), name="step"), name="child")
        context.wait(seconds(5), name="pause")

    assert updated_names(handler) == [[], ["pause"]]


def test_the_execution_operation_is_the_last_segment_of_the_arn_and_carries_the_event() -> None:
    seen: list[tuple[str, Any]] = []

    def watch(event: Any) -> None:
        execution = event.initial_execution_state.operations[0]
        assert event.durable_execution_arn.rsplit("/", 1)[1] == execution.operation_id
        seen.append((execution.operation_type.value, execution.execution_details.input_payload))

    finish(watched(lambda event, context: context.wait(seconds(1)), watch), payload='{"order": 7}')
    assert seen == [("EXECUTION", '{"order": 7}')] * 2


def test_what_is_wrapped_around_the_sdks_decorator_sees_the_dict_that_lambda_gives() -> None:
    events: list[Any] = []

    def logs_the_event(function: Any) -> Any:
        @functools.wraps(function)
        def logged(event: Any, context: Any) -> Any:
            assert type(event) is dict  # of anything else the SDK is all that knows what it is
            events.append(json.loads(json.dumps(event)))
            return function(event, context)

        return logged

    @logs_the_event
    @durable_execution
    def handler(event: Any, context: DurableContext) -> Any:
        context.wait(seconds(5), name="pause")
        return event

    execution = finish(handler, '{"order": 7}')
    assert execution.result == '{"order": 7}'
    assert [len(event["InitialExecutionState"]["Operations"]) for event in events] == [1, 2]
    assert {event["DurableExecutionArn"] for event in events} == {execution.arn}
    first = events[0]["InitialExecutionState"]["Operations"][0]
    assert first["ExecutionDetails"] == {"InputPayload": '{"order": 7}'}


@pytest.mark.parametrize("isolation", ["thread", "process"])
def test_what_is_wrapped_around_may_pass_on_a_copy(isolation: str) -> None:
    def tells_the_tenant(function: Any) -> Any:
        @functools.wraps(function)
        def telling(event: Any, context: Any) -> Any:
            return function({**event, "Tenant": "acme"}, context)

        return telling

    @tells_the_tenant
    @durable_execution
    def handler(event: Any, context: DurableContext) -> Any:
        paid = context.step(returns("paid"), name="pay")
        context.wait(seconds(5), name="pause")
        return [paid, context.map([1, 2], lambda inner, item, index, items: inner.step(returns(item))).get_results()]

    with FakeDurableContext(isolation=isolation) as ctx:
        execution = ctx.run(handler, faults="pay:stored")
    assert (execution.result, execution.body_runs("pay")) == (["paid", [1, 2]], 1)
