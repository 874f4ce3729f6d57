"""Chained invokes in the service: which function is reached, with what, and what its end means to the handler."""

from __future__ import annotations

import os
import sys
import time
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from aws_durable_execution_sdk_python import DurableContext, durable_execution
from aws_durable_execution_sdk_python.serdes import PassThroughSerDes
from aws_durable_execution_sdk_python.types import DurableExecutionArn

from pytest_durable import (
    ExecutionStuck,
    FakeDurableContext,
    InvalidHandler,
    OutcomeChanged,
    ReplayDiverged,
    SuspensionSwallowed,
    UnknownOperation,
    UsageError,
)
from tests.durable import awaits, invokes, lasted, reporting, returns, seconds

MIB = 1_048_576
ARN = "arn:aws:lambda:us-east-1:123456789012:function"

Handler = Callable[[Any, Any], Any]


def echo(event: Any, context: Any) -> Any:
    return event


def boom(event: Any, context: Any) -> Any:
    raise LookupError("no stock")


def seen(ctx: FakeDurableContext, handler: Handler, **options: Any) -> tuple[str | None, str]:
    """Type and message of the failure that ``handler`` sees of its invoke."""
    result = ctx.run(reporting(handler), **options).result
    assert result["kind"] == "InvokeError"
    return result["type"], result["message"]


KINDS: dict[str, Callable[[Handler], Handler]] = {"durable": durable_execution, "plain": lambda handler: handler}


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> Callable[[Handler], Handler]:
    """What makes a function durable, or leaves it plain."""
    return KINDS[request.param]


def tenant(event: Any, context: DurableContext) -> Any:
    lambda_context: Any = context.lambda_context
    return lambda_context.tenant_id


# --- what passes ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("payload", [{"order": 7}, [1, None], "ø\n", 0, True, {}, ""])
def test_payload_and_result_pass_as_json(ctx: FakeDurableContext, kind: Any, payload: Any) -> None:
    ctx.register("orders", kind(echo))
    execution = ctx.run(invokes("orders", payload))
    assert (execution.result, execution.operation("call").status) == (payload, "SUCCEEDED")


def test_no_payload_is_null(ctx: FakeDurableContext, kind: Any) -> None:
    """The SDK writes None as ``null``, and that is what the function is given."""
    ctx.register("orders", kind(lambda event, context: repr(event)))
    assert ctx.run(invokes("orders", None)).result == "None"


def test_no_result_is_none(ctx: FakeDurableContext, kind: Any) -> None:
    ctx.register("orders", kind(lambda event, context: None))
    assert ctx.run(invokes("orders", {})).result is None


def test_a_payload_that_is_not_json_fails_the_invoke(ctx: FakeDurableContext, kind: Any) -> None:
    ctx.register("orders", kind(echo))
    raw: Any = PassThroughSerDes()
    error, message = seen(ctx, invokes("orders", "order 7", serdes_payload=raw))
    assert error == "InvalidRequestContentException"
    assert "Could not parse request body into json" in message


def test_serdes_of_the_handlers_own(ctx: FakeDurableContext, kind: Any) -> None:
    ctx.register("orders", kind(echo))
    raw: Any = PassThroughSerDes()
    assert ctx.run(invokes("orders", '{"order":7}', serdes_payload=raw, serdes_result=raw)).result == '{"order": 7}'


def test_a_plain_function_has_a_lambda_context(ctx: FakeDurableContext) -> None:
    def orders(event: Any, context: Any) -> list[Any]:
        return [context.function_name, context.get_remaining_time_in_millis(), context.tenant_id]

    ctx.register("orders", orders, invocation_timeout=30)
    assert ctx.run(invokes("orders", tenant_id="acme")).result == ["orders", 30_000, "acme"]
    assert ctx.run(invokes("orders")).result == ["orders", 30_000, None]


def test_a_durable_function_is_told_its_tenant(ctx: FakeDurableContext) -> None:
    ctx.register("orders", durable_execution(tenant))
    assert ctx.run(invokes("orders", tenant_id="acme")).result == "acme"


def test_a_durable_function_is_told_its_tenant_on_every_replay(ctx: FakeDurableContext) -> None:
    ctx.register("orders", durable_execution(tenant))
    ctx.verify(invokes("orders", tenant_id="acme"))


# --- sizes ----------------------------------------------------------------------------------------------------------


def test_a_payload_of_a_mebibyte_passes(ctx: FakeDurableContext, kind: Any) -> None:
    ctx.register("orders", kind(lambda event, context: len(event)))
    assert ctx.run(invokes("orders", "x" * (MIB - 2))).result == MIB - 2


def test_a_payload_above_a_mebibyte_is_refused(ctx: FakeDurableContext, kind: Any) -> None:
    ctx.register("orders", kind(lambda event, context: len(event)))
    execution = ctx.run(invokes("orders", "x" * (MIB - 1)))
    assert execution.status == "FAILED"
    assert execution.error is not None
    assert "CHAINED_INVOKE input payload size must be less than or equal to 1048576 bytes." in str(execution.error)


def test_a_result_of_a_mebibyte_passes(ctx: FakeDurableContext, kind: Any) -> None:
    ctx.register("orders", kind(lambda event, context: "x" * (MIB - 2)))
    assert ctx.run(lambda event, context: len(invokes("orders")(event, context))).result == MIB - 2


def test_a_result_above_a_mebibyte_fails_the_invoke(ctx: FakeDurableContext, kind: Any) -> None:
    ctx.register("orders", kind(lambda event, context: "x" * (MIB - 1)))
    what = "Execution" if kind is durable_execution else "CHAINED_INVOKE"
    message = f"{what} output payload size must be less than or equal to 1048576 bytes."
    assert seen(ctx, invokes("orders"))[1] == message


def test_a_result_that_is_too_large_for_an_answer_is_too_large_for_a_parent_as_well(ctx: FakeDurableContext) -> None:
    ctx.register("orders", durable_execution(lambda event, context: "x" * (6 * MIB)))
    assert "output payload size" in seen(ctx, invokes("orders"))[1]


# --- failures -------------------------------------------------------------------------------------------------------


def test_an_error_is_seen_by_the_handler(ctx: FakeDurableContext, kind: Any) -> None:
    ctx.register("orders", kind(boom))
    assert seen(ctx, invokes("orders")) == ("LookupError", "no stock")


def test_the_trace_of_a_plain_functions_error_is_the_functions_own(ctx: FakeDurableContext) -> None:
    ctx.register("orders", boom)
    execution = ctx.run(invokes("orders"))
    assert execution.error is not None and execution.error.stack_trace is not None
    [frame] = execution.error.stack_trace
    assert frame.splitlines()[0].endswith(", in boom")


def test_a_failure_nobody_catches_fails_the_execution(ctx: FakeDurableContext, kind: Any) -> None:
    ctx.register("orders", kind(boom))
    execution = ctx.run(invokes("orders"))
    assert (execution.status, execution.error and execution.error.message) == ("FAILED", "no stock")
    assert execution.operation("call").status == "FAILED"


def test_a_durable_function_fails_with_all_of_its_error(ctx: FakeDurableContext) -> None:
    error = {"ErrorMessage": "no", "ErrorType": "app.Refused", "ErrorData": '{"code": 7}', "StackTrace": ["a"]}
    ctx.register("orders", durable_execution(awaits()))
    execution = ctx.start(reporting(invokes("orders")))
    execution.invoked("call").stop(error)
    result = execution.run().result
    assert (result["type"], result["message"], result["data"]) == ("app.Refused", "no", '{"code": 7}')
    stored = execution.operation("call").error
    assert stored is not None and stored.to_dict() == error


def test_a_function_nobody_registered_is_not_found(ctx: FakeDurableContext) -> None:
    error = seen(ctx, invokes("nobody"))
    assert error == ("ResourceNotFoundException", f"Function not found: {ARN}:nobody")


def test_an_unknown_function_fails_without_another_invocation(ctx: FakeDurableContext) -> None:
    execution = ctx.run(reporting(invokes("nobody")))
    assert (len(execution.invocations), execution.elapsed < 1) == (1, True)


def test_the_arn_of_an_unknown_function_is_told_as_it_is(ctx: FakeDurableContext) -> None:
    assert seen(ctx, invokes(f"{ARN}:nobody:live"))[1] == f"Function not found: {ARN}:nobody:live"


def test_a_plain_function_that_exits_fails_the_invoke_and_nothing_else(ctx: FakeDurableContext) -> None:
    exits: dict[str, Handler] = {
        "sys.exit": lambda event, context: sys.exit(3),
        "os._exit": lambda event, context: os._exit(3),
    }
    for name, function in exits.items():
        ctx.register("orders", function)
        error, message = seen(ctx, invokes("orders"))
        assert (name, error) == (name, "Runtime.ExitError")
        assert message.startswith("RequestId: ")


class Crash(BaseException):
    """What is no ``Exception``."""


def crash(event: Any, context: Any) -> None:
    raise Crash("gone")


def test_a_plain_function_may_raise_anything(ctx: FakeDurableContext) -> None:
    ctx.register("orders", crash)
    kind, message = seen(ctx, invokes("orders"))
    assert kind == "Runtime.ExitError"
    assert message.endswith("Runtime exited with error: exit status 1 (tests.service.test_invokes.Crash: gone)")


def test_a_keyboard_interrupt_in_a_plain_function_is_the_users(ctx: FakeDurableContext) -> None:
    def interrupted(event: Any, context: Any) -> None:
        raise KeyboardInterrupt

    ctx.register("orders", interrupted)
    with pytest.raises(KeyboardInterrupt):
        ctx.run(invokes("orders"))


def test_a_verdict_of_the_test_in_a_plain_function_is_one(ctx: FakeDurableContext) -> None:
    ctx.register("orders", lambda event, context: pytest.fail("not to be called"))
    with pytest.raises(pytest.fail.Exception, match="not to be called"):
        ctx.run(invokes("orders"))


@pytest.mark.parametrize("result", [{1, 2}, b"bytes", object()], ids=["a set", "bytes", "an object"])
def test_a_plain_result_that_is_not_json_fails_the_invoke(ctx: FakeDurableContext, result: Any) -> None:
    ctx.register("orders", lambda event, context: result)
    error, message = seen(ctx, invokes("orders"))
    assert (error, message[:27]) == ("Runtime.MarshalError", "Unable to marshal response:")


# --- time -----------------------------------------------------------------------------------------------------------


def test_a_durable_function_that_times_out(ctx: FakeDurableContext) -> None:
    ctx.register("orders", durable_execution(awaits()), execution_timeout=60)
    execution = ctx.run(reporting(invokes("orders")))
    assert execution.result["type"] == "ChainedInvoke.Timeout"
    assert execution.result["message"] == "CHAINED_INVOKE timed out after 60 seconds."
    assert (execution.operation("call").status, lasted(execution.operation("call"))) == ("TIMED_OUT", 60)
    assert execution.invoked("call").status == "TIMED_OUT"


def test_a_plain_function_that_times_out_is_not_called_again(ctx: FakeDurableContext) -> None:
    calls: list[Any] = []

    def slow(event: Any, context: Any) -> None:
        calls.append(event)
        time.sleep(100)  # noqa: TID251  # virtual: this is a function

    ctx.register("orders", slow, invocation_timeout=10)
    execution = ctx.run(reporting(invokes("orders", 7)))
    assert (execution.result["type"], calls) == ("Sandbox.Timedout", [7])
    assert execution.result["message"].endswith("Task timed out after 10.00 seconds")
    assert lasted(execution.operation("call")) == 10


def test_a_plain_function_that_swallows_its_death_is_dead_all_the_same(ctx: FakeDurableContext) -> None:
    def stubborn(event: Any, context: Any) -> None:
        while True:
            try:
                time.sleep(100)  # noqa: TID251  # virtual: this is a function
            except BaseException:
                calls.append(1)

    calls: list[int] = []
    ctx.register("orders", stubborn, invocation_timeout=10)
    assert seen(ctx, invokes("orders"))[0] == "Sandbox.Timedout"
    assert calls


def test_a_handler_is_not_billed_for_what_it_invokes(ctx: FakeDurableContext) -> None:
    ctx.register("orders", lambda event, context: time.sleep(100))  # noqa: TID251  # virtual: this is a function
    execution = ctx.run(invokes("orders"))
    assert execution.billed < 1 <= 100 <= execution.elapsed


def test_a_durable_function_waits_beside_the_handler(ctx: FakeDurableContext) -> None:
    def orders(event: Any, context: DurableContext) -> Any:
        context.wait(seconds(300), name="pause")
        return context.step(returns("done"), name="ship")

    ctx.register("orders", durable_execution(orders))
    execution = ctx.run(invokes("orders"))
    assert (execution.result, int(execution.elapsed), len(execution.invocations)) == ("done", 300, 2)
    child = execution.invoked("call")
    assert [operation.path for operation in child.operations] == ["call/pause", "call/ship"]
    assert execution.body_runs("call/ship") == 1


def test_a_callback_of_an_invoked_function_is_answered_by_name(ctx: FakeDurableContext) -> None:
    ctx.callbacks.succeed("approval", "yes", after=50)
    ctx.register("orders", durable_execution(awaits()))
    execution = ctx.run(invokes("orders"))
    assert (execution.result, int(execution.elapsed)) == ("yes", 50)


def test_a_callback_of_an_invoked_function_is_answered_by_hand(ctx: FakeDurableContext) -> None:
    ctx.register("orders", durable_execution(awaits()))
    execution = ctx.start(invokes("orders"))
    assert execution.callbacks == ()
    execution.invoked("call").callback().succeed("yes")
    assert execution.invoked("call").status == "SUCCEEDED"
    assert execution.run().result == "yes"


def test_an_answer_to_an_invoked_function_is_felt_by_who_invoked_it(ctx: FakeDurableContext) -> None:
    ctx.register("orders", durable_execution(awaits()))
    execution = ctx.start(invokes("orders"))
    execution.invoked("call").callback().succeed("yes")
    assert (execution.status, execution.result) == ("SUCCEEDED", "yes")


def test_a_callback_of_an_invoked_function_nobody_answers_is_named(ctx: FakeDurableContext) -> None:
    ctx.register("orders", durable_execution(awaits()))
    with pytest.raises(ExecutionStuck) as caught:
        ctx.run(invokes("orders"))
    failure = caught.value.failure
    assert failure.summary == "the execution is suspended on 'call/approval', and nothing will wake it"
    assert "durable_ctx.callbacks.succeed('approval', result)" in failure.explanation[0]


# --- stop -----------------------------------------------------------------------------------------------------------


def test_a_stopped_function_fails_the_invoke_with_the_error_of_the_stop(ctx: FakeDurableContext) -> None:
    ctx.register("orders", durable_execution(awaits()))
    execution = ctx.start(reporting(invokes("orders")))
    execution.invoked("call").stop("enough")
    assert (execution.run().result["message"], execution.operation("call").status) == ("enough", "STOPPED")


def test_a_stop_of_the_handler_leaves_what_it_invoked_alone(ctx: FakeDurableContext) -> None:
    ctx.register("orders", durable_execution(awaits()))
    execution = ctx.start(invokes("orders"))
    execution.stop("enough")
    child = execution.invoked("call")
    assert (execution.status, child.status) == ("STOPPED", "RUNNING")
    child.callback().succeed("yes")
    assert (execution.status, child.status, child.result) == ("STOPPED", "SUCCEEDED", "yes")


# --- names ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "target",
    ["orders", "orders:live", "orders:$LATEST", "orders:7", f"{ARN}:orders", f"{ARN}:orders:live", "function:orders"],
)
def test_a_function_is_found_by_every_form_of_its_name(ctx: FakeDurableContext, kind: Any, target: str) -> None:
    ctx.register("orders", kind(lambda event, context: "found"))
    assert ctx.run(invokes(target)).result == "found"


def test_a_qualifier_may_name_another_function(ctx: FakeDurableContext, kind: Any) -> None:
    ctx.register("orders", kind(lambda event, context: "any"))
    ctx.register("orders:live", kind(lambda event, context: "live"))
    targets = ("orders", "orders:7", "orders:live", f"{ARN}:orders:live")
    assert [ctx.run(invokes(target)).result for target in targets] == ["any", "any", "live", "live"]


def test_a_function_of_a_qualifier_alone_is_not_found_without(ctx: FakeDurableContext) -> None:
    ctx.register("orders:live", echo)
    assert seen(ctx, invokes("orders"))[0] == "ResourceNotFoundException"


def test_the_last_registered_counts(ctx: FakeDurableContext) -> None:
    ctx.register("orders", boom)
    ctx.register("orders", durable_execution(echo))
    assert ctx.run(invokes("orders", 7)).result == 7


def parsed(event: Any, context: DurableContext) -> Any:
    """What the SDK reads in the ARN of its execution."""
    arn = DurableExecutionArn.from_arn(context.execution_context.durable_execution_arn)
    return None if arn is None else arn.function_name


@pytest.mark.parametrize(
    "registered",
    [
        "orders",
        "orders:live",
        f"{ARN}:orders",
    ],
)
def test_an_invoked_execution_has_an_arn_that_the_sdk_can_read(ctx: FakeDurableContext, registered: str) -> None:
    ctx.register(registered, durable_execution(parsed))
    assert ctx.run(invokes(registered)).result == "orders"


@pytest.mark.parametrize("name", ["", "a b", "ø", "x" * 257, None, 3, "orders:", "orders:live:7"])
def test_what_is_no_name_of_a_function_is_not_registered(ctx: FakeDurableContext, name: Any) -> None:
    with pytest.raises(UsageError, match="a function's name"):
        ctx.register(name, echo)


@pytest.mark.parametrize("handler", [None, "orders", lambda event: event])
def test_what_is_no_function_is_not_registered(ctx: FakeDurableContext, handler: Any) -> None:
    with pytest.raises(InvalidHandler):
        ctx.register("orders", handler)


@pytest.mark.parametrize("timeout", ["execution_timeout", "invocation_timeout"])
@pytest.mark.parametrize("value", [0, -1, float("nan"), "60", True])
def test_what_is_no_timeout_is_not_registered(ctx: FakeDurableContext, timeout: str, value: Any) -> None:
    with pytest.raises(UsageError, match=timeout):
        ctx.register("orders", echo, **{timeout: value})


def test_an_operation_that_invoked_nothing_durable_has_no_execution(ctx: FakeDurableContext) -> None:
    ctx.register("orders", echo)
    execution = ctx.run(invokes("orders"))
    with pytest.raises(UnknownOperation, match="invoked no durable function"):
        execution.invoked("call")
    with pytest.raises(UnknownOperation, match="no operation at 'nowhere'"):
        execution.invoked("nowhere")


# --- several --------------------------------------------------------------------------------------------------------


def test_functions_are_invoked_side_by_side(ctx: FakeDurableContext) -> None:
    def item(context: DurableContext, number: int, index: int, items: Any) -> Any:
        return context.invoke("wait", number, name="call")

    def wait(event: Any, context: DurableContext) -> Any:
        context.wait(seconds(event), name="pause")
        return event

    ctx.register("wait", durable_execution(wait))
    execution = ctx.run(lambda event, context: context.map([100, 300, 200], item, name="m").get_results())
    assert (execution.result, int(execution.elapsed)) == ([100, 300, 200], 300)
    assert execution.invoked("m/map-item-1/call").result == 300


def test_branches_of_a_parallel_invoke(ctx: FakeDurableContext, kind: Any) -> None:
    ctx.register("orders", kind(echo))
    branches = [lambda context: context.invoke("orders", "a"), lambda context: context.invoke("orders", "b")]
    execution = ctx.run(lambda event, context: context.parallel(branches, name="p").get_results())
    assert execution.result == ["a", "b"]


def test_one_invokes_another_invokes_another(ctx: FakeDurableContext) -> None:
    ctx.register("a", durable_execution(invokes("b", name="to b")))
    ctx.register("b", durable_execution(invokes("c", name="to c")))
    ctx.register("c", boom)
    execution = ctx.run(reporting(invokes("a", name="to a")))
    assert execution.result["message"] == "no stock"
    assert execution.invoked("to a/to b").operation("to a/to b/to c").status == "FAILED"


def countdown(levels: int) -> Handler:
    """A function that invokes itself as often as it is told, below so many child contexts."""

    def below(context: DurableContext, number: int, left: int) -> Any:
        if left:
            return context.run_in_child_context(lambda inner: below(inner, number, left - 1), name="deeper")
        return context.invoke("countdown", number, name="again")

    def handler(event: Any, context: DurableContext) -> Any:
        return 0 if event == 0 else 1 + below(context, event - 1, levels)

    return handler


@pytest.mark.parametrize(
    ("depth", "levels"),
    [
        (30, 0),
        (30, 2),
    ],
)
def test_recursion_that_ends_is_nobodys_business(ctx: FakeDurableContext, depth: int, levels: int) -> None:
    handler = countdown(levels)
    ctx.register("countdown", durable_execution(handler))
    assert ctx.run(handler, depth).result == depth


def test_recursion_without_end_is_stuck(ctx: FakeDurableContext) -> None:
    ctx.register("orders", durable_execution(invokes("orders", name="again")))
    with pytest.raises(ExecutionStuck) as caught:
        ctx.run(invokes("orders", name="again"))
    assert caught.value.failure.summary == "functions invoke one another without end: 64 executions deep"
    assert caught.value.failure.explanation == ("The last is 'orders', invoked by 'again'.",)


# --- kills ----------------------------------------------------------------------------------------------------------


class Bank:
    """The outside world: charges, and those that came with a key."""

    def __init__(self) -> None:
        self.charges: dict[str, int] = {}

    def charge(self, key: str | None) -> int:
        self.charges[key or f"charge {len(self.charges)}"] = 100
        return sum(self.charges.values())

    def function(self, repaired: bool) -> Handler:
        @durable_execution
        def payments(event: Any, context: DurableContext) -> Any:
            context.step(lambda _: self.charge("7" if repaired else None), name="charge")
            return context.step(lambda _: sum(self.charges.values()), name="balance")

        return payments


def test_a_function_that_charges_twice_is_found_in_whoever_invokes_it(ctx: FakeDurableContext) -> None:
    bank = Bank()
    ctx.register("payments", bank.function(repaired=False))
    with pytest.raises(OutcomeChanged) as caught:
        ctx.verify(invokes("payments", name="pay"), reset=bank.charges.clear)
    assert caught.value.failure.plan == "pay/charge:body"
    assert caught.value.failure.explanation[0] == "result is 200, and 100 without faults."


def test_a_function_that_charges_by_a_key_is_left_alone(ctx: FakeDurableContext) -> None:
    bank = Bank()
    ctx.register("payments", bank.function(repaired=True))
    found = ctx.verify(invokes("payments", name="pay"), reset=bank.charges.clear)
    assert set(found.killed) == {
        "pay:suspend",
        "pay/charge:start",
        "pay/charge:body",
        "pay/charge:stored",
        "pay/balance:start",
        "pay/balance:body",
        "pay/balance:stored",
        "pay/invocation:return",
        "invocation:return",
        "invocation@2:return",
    }


def minute() -> int:
    return int(time.time()) // 60 % 60  # noqa: TID251  # as a user would


def function_with_a_clock(repaired: bool) -> Handler:
    def orders(event: Any, context: DurableContext) -> None:
        stamp = context.step(lambda _: minute(), name="stamp") if repaired else minute()
        context.wait(seconds(61 + stamp), name="pause")
        context.wait(seconds(61), name="rest")

    return durable_execution(orders)


def test_the_clock_in_an_invoked_function_is_found(ctx: FakeDurableContext) -> None:
    ctx.register("orders", function_with_a_clock(repaired=False))
    with pytest.raises(ReplayDiverged, match="wait 'call/pause' is asked for with"):
        ctx.run(invokes("orders"))


def test_the_clock_in_a_step_of_an_invoked_function_is_left_alone(ctx: FakeDurableContext) -> None:
    ctx.register("orders", function_with_a_clock(repaired=True))
    assert ctx.verify(invokes("orders")).killed


def payload_with_a_clock(repaired: bool) -> Handler:
    def handler(event: Any, context: DurableContext) -> None:
        payload = context.step(lambda _: minute(), name="stamp") if repaired else minute()
        context.invoke("slow", payload, name="call")

    return handler


def slow(event: Any, context: DurableContext) -> None:
    context.wait(seconds(90), name="pause")


def test_another_payload_on_replay_is_found(ctx: FakeDurableContext) -> None:
    ctx.register("slow", durable_execution(slow))
    with pytest.raises(ReplayDiverged, match="invoke 'call' is asked for with slow with payload 1 on replay"):
        ctx.run(payload_with_a_clock(repaired=False))


def test_a_payload_from_a_step_is_left_alone(ctx: FakeDurableContext) -> None:
    ctx.register("slow", durable_execution(slow))
    assert ctx.verify(payload_with_a_clock(repaired=True)).killed


def catches(kind: type[BaseException]) -> Handler:
    def handler(event: Any, context: DurableContext) -> Any:
        try:
            return context.invoke("slow", {}, name="call")
        except kind:
            return "failed"

    return handler


def test_a_handler_that_swallows_its_suspension_on_an_invoke_is_found(ctx: FakeDurableContext) -> None:
    ctx.register("slow", durable_execution(slow))
    with pytest.raises(SuspensionSwallowed, match="its own suspension"):
        ctx.run(catches(BaseException))


def test_a_handler_that_catches_exceptions_of_an_invoke_is_left_alone(ctx: FakeDurableContext) -> None:
    ctx.register("slow", durable_execution(slow))
    assert ctx.verify(catches(Exception)).killed


def test_a_handler_that_dies_while_its_function_runs_hears_of_it_later(ctx: FakeDurableContext) -> None:
    calls: list[Any] = []

    def orders(event: Any, context: Any) -> str:
        calls.append(event)
        time.sleep(0.5)  # noqa: TID251  # virtual: this is a function
        return "done"

    ctx.register("orders", orders)
    execution = ctx.run(invokes("orders", 7), faults="call:suspend")
    assert (execution.result, calls) == ("done", [7])
    assert [invocation.killed for invocation in execution.invocations] == ["call:suspend", None]


def test_an_invoked_function_may_be_random_by_design_as_well(ctx: FakeDurableContext) -> None:
    function = durable_execution(lambda event, context: str(uuid.uuid4()))  # noqa: TID251  # as a user would
    assert ctx.verify(function).killed, "by itself it is left alone"
    ctx.register("random", function)

    def handler(event: Any, context: DurableContext) -> str:
        context.invoke("random", {}, name="call")
        return "done"

    assert ctx.verify(handler).killed


def test_a_handler_may_deal_with_a_function_that_never_fits(ctx: FakeDurableContext) -> None:
    function = durable_execution(lambda event, context: time.sleep(100))  # noqa: TID251  # virtual
    ctx.register("slow", function, invocation_timeout=10)
    assert ctx.run(reporting(invokes("slow"))).result["type"] == "Sandbox.Timedout"
