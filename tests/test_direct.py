"""Callbacks and invokes called on `FakeDurableContext` itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from aws_durable_execution_sdk_python import (
    CallbackError,
    CallbackTimeoutError,
    DurableContext,
    InvokeError,
    durable_execution,
)
from aws_durable_execution_sdk_python.config import CallbackConfig, InvokeConfig
from aws_durable_execution_sdk_python.exceptions import CallbackExternalError, CallbackSubmitterError
from aws_durable_execution_sdk_python.serdes import JsonSerDes

from pytest_durable import ExecutionStuck, FakeDurableContext, ServiceError, UsageError
from tests.durable import Flaky, awaits, lasted, returns, seconds, timeouts


@pytest.fixture
def ctx() -> Iterator[FakeDurableContext]:
    with FakeDurableContext() as context:
        yield context


def approve(context: DurableContext, order: int) -> Any:
    """Code of the user's that takes a context."""
    callback = context.create_callback(name="approval", config=CallbackConfig(timeout=seconds(600)))
    context.step(returns(callback.callback_id), name="ask")
    answer = callback.result()
    return context.invoke("ship", {"order": order, "answer": answer}, name="ship")


def test_code_with_callbacks_and_invokes_takes_it(ctx: FakeDurableContext) -> None:
    ctx.callbacks.succeed("approval", "yes", after=300)
    ctx.register("ship", lambda event, context: [event, "shipped"])
    assert approve(ctx, 7) == [{"order": 7, "answer": "yes"}, "shipped"]
    assert ctx.execution.body_runs("ask") == 1


# --- callbacks ------------------------------------------------------------------------------------------------------


def test_it_is_no_virtual_context(ctx: FakeDurableContext) -> None:
    assert ctx.is_virtual is False


def test_a_callback_has_the_ids_that_the_service_gave_it(ctx: FakeDurableContext) -> None:
    callback = ctx.create_callback("approval")
    operation = ctx.execution.operation("approval")
    assert (callback.callback_id, callback.operation_id) == (operation.callback_id, operation.id)
    assert callback.callback_id != ctx.create_callback("approval").callback_id


def test_its_result_takes_virtual_time(ctx: FakeDurableContext) -> None:
    ctx.callbacks.succeed("approval", "yes", after=3_600)
    assert ctx.create_callback("approval").result() == "yes"
    assert lasted(ctx.execution.operation("approval")) == 3_600


def test_an_answer_may_be_declared_after_its_creation(ctx: FakeDurableContext) -> None:
    callback = ctx.create_callback("approval")
    ctx.callbacks.succeed("approval", "yes", after=5)
    assert callback.result() == "yes"


def test_an_answer_may_be_given_by_the_id(ctx: FakeDurableContext) -> None:
    callback = ctx.create_callback()
    ctx.callbacks.succeed(callback.callback_id, "yes")
    assert callback.result() == "yes"


def test_a_result_may_be_asked_for_again_and_later(ctx: FakeDurableContext) -> None:
    ctx.callbacks.succeed("approval", "yes", after=5)
    callback = ctx.create_callback("approval")
    ctx.wait(seconds(60), name="pause")
    assert [callback.result(), callback.result()] == ["yes", "yes"]
    ctx.wait(seconds(60), name="another")
    assert callback.result() == "yes"
    assert [operation.path for operation in ctx.execution.operations] == ["approval", "pause", "another"]


def test_callbacks_may_be_waited_for_in_any_order(ctx: FakeDurableContext) -> None:
    ctx.callbacks.succeed("a", "A", after=60)
    ctx.callbacks.succeed("b", "B", after=30)
    first, second = ctx.create_callback("a"), ctx.create_callback("b")
    assert (second.result(), first.result()) == ("B", "A")


def test_a_result_is_decoded_by_the_serdes_of_the_config(ctx: FakeDurableContext) -> None:
    ctx.callbacks.succeed("approval", {"order": 7})
    assert ctx.create_callback("approval", CallbackConfig(serdes=JsonSerDes())).result() == {"order": 7}


def test_a_failure_is_raised_to_the_test_as_often_as_it_asks(ctx: FakeDurableContext) -> None:
    ctx.callbacks.fail("approval", {"ErrorMessage": "no", "ErrorData": "7"})
    callback = ctx.create_callback("approval")
    for _ in range(2):
        with pytest.raises(CallbackExternalError, match="no") as caught:
            callback.result()
        assert caught.value.data == "7"
    assert ctx.step(returns("refunded"), name="refund") == "refunded"


def test_a_timeout_is_raised_to_the_test(ctx: FakeDurableContext) -> None:
    with pytest.raises(CallbackTimeoutError, match="Callback timed out"):
        ctx.create_callback("approval", config=timeouts(60)).result()
    assert lasted(ctx.execution.operation("approval")) == 60


def test_a_callback_nobody_answers_is_named(ctx: FakeDurableContext) -> None:
    callback = ctx.create_callback("approval")
    with pytest.raises(ExecutionStuck, match="suspended on 'approval'"):
        callback.result()


def test_an_answer_may_be_given_by_hand(ctx: FakeDurableContext) -> None:
    callback = ctx.create_callback("approval")
    ctx.execution.callback("approval").succeed("yes")
    assert callback.result() == "yes"


def test_a_stop_ends_the_calls(ctx: FakeDurableContext) -> None:
    callback = ctx.create_callback("approval")
    open_one = ctx.execution.callback()
    ctx.execution.stop("enough")
    with pytest.raises(ServiceError, match="CallbackTimeoutException"):
        open_one.heartbeat()
    with pytest.raises(UsageError, match="the execution ended STOPPED instead: enough"):
        callback.result()


# --- wait_for_callback ----------------------------------------------------------------------------------------------


def test_a_submitter_runs_once_whatever_comes_after_it(ctx: FakeDurableContext) -> None:
    sent: list[str] = []
    ctx.callbacks.succeed("approval", "yes", after=60)
    assert ctx.wait_for_callback(lambda callback_id, context: sent.append(callback_id), "approval") == "yes"
    ctx.wait(seconds(60))
    assert sent == [ctx.execution.operation("approval/approval create callback id").callback_id]


def test_a_submitter_may_answer_by_the_id(ctx: FakeDurableContext) -> None:
    for number in range(2):
        assert ctx.wait_for_callback(lambda id_, _, number=number: ctx.callbacks.succeed(id_, number)) == str(number)


def test_a_submitter_that_fails_is_raised_to_the_test(ctx: FakeDurableContext) -> None:
    flaky = Flaky(100)
    with pytest.raises(CallbackSubmitterError, match="call 6"):
        ctx.wait_for_callback(lambda callback_id, context: flaky(None), name="approval")
    assert issubclass(CallbackSubmitterError, CallbackError)
    assert flaky.calls == 6, "the SDK's own default"


# --- invoke ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("durable", [False, True])
def test_a_direct_invoke(ctx: FakeDurableContext, durable: bool) -> None:
    def double(event: Any, context: Any) -> Any:
        return {"doubled": event["number"] * 2}

    ctx.register("double", durable_execution(double) if durable else double)
    assert ctx.invoke("double", {"number": 3}) == {"doubled": 6}
    assert ctx.invoke("double", payload={"number": 4}, name="again") == {"doubled": 8}
    assert [operation.path for operation in ctx.execution.operations] == ["[1]", "again"]


def test_a_direct_invoke_for_a_tenant(ctx: FakeDurableContext) -> None:
    ctx.register("who", lambda event, context: context.tenant_id)
    assert ctx.invoke("who", None, config=InvokeConfig(tenant_id="acme")) == "acme"


def test_a_function_is_invoked_once_whatever_comes_after_it(ctx: FakeDurableContext) -> None:
    calls: list[Any] = []
    ctx.register("count", lambda event, context: calls.append(event))
    ctx.invoke("count", 1)
    ctx.wait(seconds(60))
    ctx.invoke("count", 2)
    assert calls == [1, 2]


def test_a_direct_invoke_that_fails(ctx: FakeDurableContext) -> None:
    with pytest.raises(InvokeError, match="Function not found") as caught:
        ctx.invoke("nobody", {})
    assert caught.value.error_type == "ResourceNotFoundException"
    assert ctx.step(returns(1)) == 1


def test_a_function_that_waits_takes_virtual_time(ctx: FakeDurableContext) -> None:
    def slow(event: Any, context: DurableContext) -> str:
        context.wait(seconds(3_600), name="pause")
        return "done"

    ctx.register("slow", durable_execution(slow))
    assert ctx.invoke("slow", {}, "call") == "done"
    assert ctx.execution.invoked("call").operation("call/pause").status == "SUCCEEDED"


def test_a_callback_of_an_invoked_function(ctx: FakeDurableContext) -> None:
    ctx.callbacks.succeed("approval", "yes", after=60)
    ctx.register("asks", durable_execution(awaits()))
    assert ctx.invoke("asks", {}) == "yes"
    with pytest.raises(ExecutionStuck, match=r"suspended on '\[2\]/other'"):
        ctx.register("asks", durable_execution(awaits("other")))
        ctx.invoke("asks", {})
