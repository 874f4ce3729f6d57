"""``execution.callbacks`` and ``execution.callback``: answering a started execution from the test."""

from __future__ import annotations

from typing import Any

import pytest
from aws_durable_execution_sdk_python import DurableContext

from pytest_durable import FakeDurableContext, ServiceError, UnknownOperation, UsageError
from tests.durable import awaits, reporting, seconds, submits, timeouts


def two(event: Any, context: DurableContext) -> list[Any]:
    """Two callbacks of one name, and one of another."""
    callbacks = [context.create_callback(name=name) for name in ("a", "b", "a")]
    return [callback.result() for callback in callbacks]


def test_the_open_ones_in_order_of_creation(ctx: FakeDurableContext) -> None:
    execution = ctx.start(two)
    assert [callback.name for callback in execution.callbacks] == ["a", "b", "a"]
    assert [callback.id for callback in execution.callbacks] == [one.callback_id for one in execution.operations]
    execution.callbacks[1].succeed("second")
    assert [callback.name for callback in execution.callbacks] == ["a", "a"]


def test_of_several_of_one_name_the_first_open_one(ctx: FakeDurableContext) -> None:
    execution = ctx.start(two)
    for result in ("first", "third"):
        execution.callback("a").succeed(result)
    with pytest.raises(ServiceError, match="CallbackTimeoutException"):
        execution.callback("a").succeed("fourth")
    execution.callback().succeed("second")
    assert execution.result == ["first", "second", "third"]


def test_the_only_open_one_needs_no_name(ctx: FakeDurableContext) -> None:
    execution = ctx.start(submits())
    callback = execution.callback()
    assert (callback.name, repr(callback)) == ("approval", "<Callback approval>")
    callback.succeed("yes")
    assert (execution.status, execution.result, execution.callbacks) == ("SUCCEEDED", "yes", ())


def test_one_of_several_needs_a_name(ctx: FakeDurableContext) -> None:
    execution = ctx.start(two)
    with pytest.raises(UsageError, match=r"say which callback: 3 are open, 'a', 'b', 'a'"):
        execution.callback()


def test_none_is_not_one(ctx: FakeDurableContext) -> None:
    execution = ctx.run(lambda event, context: None)
    with pytest.raises(UsageError, match="say which callback: 0 are open, none"):
        execution.callback()


@pytest.mark.parametrize("name", ["approval", "approval/approval create callback id", "approval create callback id"])
def test_a_callback_is_found_by_its_names_and_its_paths(ctx: FakeDurableContext, name: str) -> None:
    execution = ctx.start(submits())
    execution.callback(name).succeed("yes")
    assert execution.result == "yes"


def test_an_unnamed_one_is_found_by_its_path(ctx: FakeDurableContext) -> None:
    execution = ctx.start(awaits(None))
    assert execution.callback("[1]").name is None
    assert execution.callback().id in repr(execution.callback())


def test_a_name_there_is_not_is_answered_with_those_there_are(ctx: FakeDurableContext) -> None:
    execution = ctx.start(two)
    with pytest.raises(UnknownOperation, match="no callback is named 'c'; the execution has made: 'a', 'b', 'a'"):
        execution.callback("c")


def test_a_callback_is_found_by_its_id(ctx: FakeDurableContext) -> None:
    sent: list[str] = []
    execution = ctx.start(lambda event, context: context.wait_for_callback(lambda id_, _: sent.append(id_), name="a"))
    execution.callback(id=sent[0]).succeed("yes")
    assert execution.result == "yes"


def test_a_callback_has_its_name_however_it_was_found(ctx: FakeDurableContext) -> None:
    execution = ctx.start(awaits())
    assert execution.callback(id=execution.callback().id).name == "approval"


def test_no_callback_of_an_execution_that_is_over_is_open(ctx: FakeDurableContext) -> None:
    execution = ctx.start(awaits())
    execution.stop()
    assert execution.callbacks == ()


def test_an_answer_drives_the_execution_as_far_as_it_goes_without_time(ctx: FakeDurableContext) -> None:
    def handler(event: Any, context: DurableContext) -> Any:
        first = context.create_callback(name="first").result()
        second = context.wait_for_callback(lambda id_, _: None, name="second")
        context.wait(seconds(60), name="pause")
        return [first, second]

    execution = ctx.start(handler)
    execution.callback("first").succeed(1)
    assert [callback.name for callback in execution.callbacks] == ["second"]
    execution.callback("second").succeed(2)
    assert (execution.status, execution.operation("pause").status) == ("RUNNING", "STARTED")
    assert execution.run().result == ["1", "2"]


def test_a_failure_drives_the_execution_as_well(ctx: FakeDurableContext) -> None:
    execution = ctx.start(reporting(awaits()))
    execution.callback().fail("no")
    assert execution.result["message"] == "no"


def test_heartbeats_by_hand_keep_it_alive(ctx: FakeDurableContext) -> None:
    execution = ctx.start(reporting(awaits(config=timeouts(heartbeat=30))))
    for _ in range(4):
        execution.advance(29).callback().heartbeat()
    assert (execution.status, len(execution.invocations)) == ("RUNNING", 1)
    execution.advance(29.999_999)
    assert execution.status == "RUNNING"
    execution.advance(0.000_001)
    assert execution.result["message"] == "Callback timed out on heartbeat"


def test_a_callback_answered_in_branches_by_hand(ctx: FakeDurableContext) -> None:
    def item(inner: DurableContext, name: str, index: int, items: Any) -> Any:
        return awaits(name)(None, inner)

    execution = ctx.start(lambda event, context: context.map(["a", "b"], item, name="m").get_results())
    execution.callback("b").succeed("B")
    assert (execution.status, execution.operation("m/map-item-1").status) == ("RUNNING", "SUCCEEDED")
    execution.callback("m/map-item-0/a").succeed("A")
    assert execution.result == ["A", "B"]


def test_code_under_test_may_answer_by_hand(ctx: FakeDurableContext) -> None:
    """It does not drive the world, which runs already."""

    def handler(event: Any, context: DurableContext) -> Any:
        callback = context.create_callback(name="approval")
        context.step(lambda _: held[0].callback(id=callback.callback_id).succeed("yes"), name="answer")
        return callback.result()

    held = [ctx.start(awaits("other"))]
    execution = ctx.run(handler)
    assert (execution.result, len(execution.invocations)) == ("yes", 1)


def test_an_error_that_the_answer_brings_about_is_raised_to_the_test(ctx: FakeDurableContext) -> None:
    def handler(event: Any, context: DurableContext) -> None:
        context.create_callback(name="approval").result()
        pytest.fail("not to be reached")

    execution = ctx.start(handler)
    with pytest.raises(pytest.fail.Exception, match="not to be reached"):
        execution.callback().succeed()


def test_a_closed_context_is_of_no_use_to_its_callbacks() -> None:
    with FakeDurableContext() as context:
        execution = context.start(awaits())
    with pytest.raises(UsageError):
        execution.callback().succeed("yes")
