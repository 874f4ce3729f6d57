"""Callbacks and invokes: what needs an outside world. Timeouts are short: the runner's are real."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from aws_durable_execution_sdk_python import (
    CallbackError,
    DurableContext,
    InvokeError,
    WithRetryConfig,
    durable_execution,
    durable_wait_for_callback,
    with_retry,
)
from aws_durable_execution_sdk_python.config import (
    CallbackConfig,
    InvokeConfig,
    MapConfig,
    WaitForCallbackConfig,
)
from aws_durable_execution_sdk_python.retries import RetryPresets
from aws_durable_execution_sdk_python.serdes import JsonSerDes

from tests.durable import ONCE, fails, returns, seconds
from tests.parity.handlers_steps import Broken, Reversed, Unreadable
from tests.parity.scenario import Answer, Differs, Function, Table, batch, caught, without_jitter

TABLE = Table()

SHORT = CallbackConfig(timeout=seconds(1))
JSON: JsonSerDes[Any] = JsonSerDes()
CHECKPOINT = "CheckpointDurableExecution"


def refused(message: str) -> Differs:
    """What the runner makes of a request that the service refuses."""
    ours = f"An error occurred (InvalidParameterValueException) when calling the {CHECKPOINT} operation: {message}"
    theirs = "aws_durable_execution_sdk_python_testing.exceptions.InvalidParameterValueException"
    return Differs(
        "the runner raises an error of its own class where AWS answers, and the SDK wraps the answer",
        {
            "error": (
                ["aws_durable_execution_sdk_python.exceptions.CheckpointError", ours, None],
                [theirs, message, None],
            )
        },
    )


def submit(callback_id: str, context: Any) -> None:
    """The request goes out."""


# --- callbacks -------------------------------------------------------------------------------------------------------


@TABLE.add(answers=(Answer("approval", "yes"),))
def callback(event: Any, context: DurableContext) -> Any:
    approval = context.create_callback(name="approval")
    context.step(returns(1), name="sent")
    return [approval.result(), context.step(returns(2), name="after")]


@TABLE.add(answers=(Answer("approval", {"by": "Zoë", "at": [1, None]}),))
def callback_with_json(event: Any, context: DurableContext) -> Any:
    return context.create_callback(name="approval").result()


@TABLE.add(answers=(Answer("approval", {"by": ["Zoë"]}),))
def callback_with_json_that_is_read(event: Any, context: DurableContext) -> Any:
    return context.create_callback(name="approval", config=CallbackConfig(serdes=JSON)).result()


@TABLE.add(answers=(Answer("approval", "ü ✓".encode()),))
def callback_with_bytes(event: Any, context: DurableContext) -> Any:
    return context.create_callback(name="approval").result()


@TABLE.add(answers=(Answer("approval", ""),))
def callback_with_an_empty_text(event: Any, context: DurableContext) -> Any:
    return context.create_callback(name="approval").result()


@TABLE.add(answers=(Answer("approval"),))
def callback_with_nothing(event: Any, context: DurableContext) -> Any:
    return context.create_callback(name="approval").result()


@TABLE.add(answers=(Answer("approval", "cba"), Answer("unread", "cba")))
def callbacks_with_serdes(event: Any, context: DurableContext) -> Any:
    reversed_one = context.create_callback(name="approval", config=CallbackConfig(serdes=Reversed())).result()
    unread = context.create_callback(name="unread", config=CallbackConfig(serdes=Unreadable()))
    return [reversed_one, caught(unread.result)]


@TABLE.add(answers=(Answer(None, "yes"),))
def callback_without_a_name(event: Any, context: DurableContext) -> Any:
    return context.create_callback().result()


@TABLE.add(answers=(Answer("approval", error=("Refused", "not today")),))
def callback_that_fails(event: Any, context: DurableContext) -> Any:
    return context.create_callback(name="approval").result()


@TABLE.add(answers=(Answer("approval", error=("Refused", "not today")),))
def callback_whose_failure_is_caught(event: Any, context: DurableContext) -> Any:
    approval = context.create_callback(name="approval")
    error = caught(approval.result)
    context.wait(seconds(1), name="pause")
    return [error, caught(approval.result), context.step(returns(1), name="after")]


@TABLE.add()
def callback_that_times_out(event: Any, context: DurableContext) -> Any:
    return context.create_callback(name="approval", config=SHORT).result()


@TABLE.add()
def callback_whose_timeout_is_caught(event: Any, context: DurableContext) -> Any:
    approval = context.create_callback(name="approval", config=SHORT)
    try:
        return approval.result()
    except CallbackError as error:
        return [type(error).__name__, str(error), context.step(returns(1), name="after")]


@TABLE.add()
def callback_without_a_heartbeat(event: Any, context: DurableContext) -> Any:
    config = CallbackConfig(timeout=seconds(60), heartbeat_timeout=seconds(1))
    return caught(context.create_callback(name="approval", config=config).result)


@TABLE.add(answers=(Answer("approval", heartbeat=2.4, times=2), Answer("approval", "alive", after=0.4)))
def callback_with_heartbeats(event: Any, context: DurableContext) -> Any:
    config = CallbackConfig(timeout=seconds(60), heartbeat_timeout=seconds(4))
    return context.create_callback(name="approval", config=config).result()


@TABLE.add(answers=(Answer("first", "1"), Answer("second", "2")))
def callbacks_at_once(event: Any, context: DurableContext) -> Any:
    both = [context.create_callback(name=name) for name in ("first", "second")]
    return [one.result() for one in both]


@TABLE.add(answers=(Answer("approval", "yes"),))
def callback_that_nobody_reads(event: Any, context: DurableContext) -> Any:
    context.create_callback(name="approval")
    context.wait(seconds(1), name="pause")
    return "done"


@TABLE.add(answers=(Answer("left", "1"), Answer("right", "2")))
def callbacks_in_a_parallel(event: Any, context: DurableContext) -> Any:
    branches: list[Any] = [
        lambda child: child.create_callback(name="left").result(),
        lambda child: child.create_callback(name="right").result(),
        lambda child: child.step(returns(3), name="a"),
    ]
    return context.parallel(branches, name="p").get_results()


# --- wait for a callback ---------------------------------------------------------------------------------------------


@TABLE.add(answers=(Answer("approval", "yes"),))
def waiting_for_a_callback(event: Any, context: DurableContext) -> Any:
    return [context.wait_for_callback(submit, name="approval"), context.step(returns(1), name="after")]


@TABLE.add(answers=(Answer(None, "yes"),))
def waiting_without_a_name(event: Any, context: DurableContext) -> Any:
    return context.wait_for_callback(submit)


@durable_wait_for_callback
def ask(callback_id: str, context: Any, whom: str) -> None:
    """The request goes out to someone."""


@TABLE.add(answers=(Answer("ask", "yes"), Answer("own", "no")))
def waiting_with_a_durable_submitter(event: Any, context: DurableContext) -> Any:
    return [context.wait_for_callback(ask("Ann")), context.wait_for_callback(ask("Bob"), name="own")]


def _submitter_that_fails_once(seen: list[Any]) -> Any:
    def submitter(callback_id: str, context: Any) -> None:
        seen.append("asked")
        if len(seen) < 2:
            raise ConnectionError("nobody there")

    return submitter


_ASKED: list[Any] = []


@TABLE.add(answers=(Answer("approval", "yes"),), seen=_ASKED)
def submitter_that_is_retried(event: Any, context: DurableContext) -> Any:
    config = WaitForCallbackConfig(retry_strategy=without_jitter())
    return context.wait_for_callback(_submitter_that_fails_once(_ASKED), name="approval", config=config)


def refusing(callback_id: str, context: Any) -> None:
    raise LookupError("nobody to ask")


@TABLE.add()
def submitter_that_fails(event: Any, context: DurableContext) -> Any:
    config = WaitForCallbackConfig(retry_strategy=RetryPresets.none())
    return context.wait_for_callback(refusing, name="approval", config=config)


@TABLE.add()
def submitter_whose_failure_is_caught(event: Any, context: DurableContext) -> Any:
    config = WaitForCallbackConfig(retry_strategy=RetryPresets.none())
    error = caught(lambda: context.wait_for_callback(refusing, name="approval", config=config))
    context.wait(seconds(1), name="pause")
    return error


@TABLE.add(answers=(Answer("approval", error=("Refused", "not today")),))
def waiting_for_a_callback_that_fails(event: Any, context: DurableContext) -> Any:
    error = caught(lambda: context.wait_for_callback(submit, name="approval"))
    context.wait(seconds(1), name="pause")
    return error


@TABLE.add()
def waiting_for_a_callback_that_times_out(event: Any, context: DurableContext) -> Any:
    config = WaitForCallbackConfig(timeout=seconds(1))
    return caught(lambda: context.wait_for_callback(submit, name="approval", config=config))


@TABLE.add()
def waiting_for_a_callback_without_a_heartbeat(event: Any, context: DurableContext) -> Any:
    config = WaitForCallbackConfig(timeout=seconds(60), heartbeat_timeout=seconds(1))
    return context.wait_for_callback(submit, name="approval", config=config)


@TABLE.add(answers=(Answer("approval", [1, "ü"]),))
def waiting_with_a_serdes(event: Any, context: DurableContext) -> Any:
    return context.wait_for_callback(submit, name="approval", config=WaitForCallbackConfig(serdes=JSON))


@TABLE.add(answers=(Answer("ask Ann", "1"), Answer("ask Bob", "2")))
def waiting_in_a_map(event: Any, context: DurableContext) -> Any:
    def item(child: DurableContext, item: str, index: int, items: Sequence[str]) -> Any:
        return child.wait_for_callback(submit, name=f"ask {item}")

    return batch(context.map(["Ann", "Bob"], item, name="m", config=MapConfig[str](max_concurrency=1)))


@TABLE.add(answers=(Answer("ask", error=("Refused", "not today")), Answer("ask again", "yes")))
def waiting_in_a_block_that_is_retried(event: Any, context: DurableContext) -> Any:
    def block(child: Any, attempt: int) -> Any:
        return child.wait_for_callback(submit, name="ask" if attempt == 1 else "ask again")

    return with_retry(context, block, WithRetryConfig[Any](retry_strategy=without_jitter()), name="block")


@TABLE.add(execution_timeout=2)  # real seconds on the runner, which has to come to its callback before
def execution_that_times_out(event: Any, context: DurableContext) -> Any:
    return context.create_callback(name="approval").result()


# --- invoke ----------------------------------------------------------------------------------------------------------


@durable_execution
def durable_target(event: Any, context: DurableContext) -> Any:
    context.wait(seconds(1), name="pause")
    return {"got": event, "stored": context.step(returns(1), name="a")}


@durable_execution
def failing_durable_target(event: Any, context: DurableContext) -> Any:
    context.step(fails(LookupError("no stock")), name="a", config=ONCE)


@durable_execution
def outer_target(event: Any, context: DurableContext) -> Any:
    return context.invoke("inner", event, name="inwards")


@durable_execution
def silent_target(event: Any, context: DurableContext) -> None:
    return None


def plain_target(event: Any, context: Any) -> Any:
    return {"got": event}


def failing_plain_target(event: Any, context: Any) -> Any:
    raise LookupError("no stock")


def tenant_target(event: Any, context: Any) -> Any:
    return context.tenant_id


FUNCTIONS = {
    "durable": Function(durable_target),
    "failing-durable": Function(failing_durable_target),
    "outer": Function(outer_target),
    "inner": Function(durable_target),
    "silent": Function(silent_target),
    "plain": Function(plain_target, durable=False),
    "failing-plain": Function(failing_plain_target, durable=False),
    "tenant": Function(tenant_target, durable=False),
}


@TABLE.add(functions=FUNCTIONS)
def invoke_of_a_durable_function(event: Any, context: DurableContext) -> Any:
    return [context.invoke("durable", {"order": 7}, name="call"), context.step(returns(1), name="after")]


@TABLE.add(functions=FUNCTIONS)
def invoke_of_a_plain_function(event: Any, context: DurableContext) -> Any:
    return [context.invoke("plain", [1, "ü", None], name="call"), context.invoke("plain", "text")]


@TABLE.add(functions=FUNCTIONS)
def invoke_of_what_returns_nothing(event: Any, context: DurableContext) -> Any:
    return [context.invoke("silent", None, name="call"), context.invoke("plain", None)]


@TABLE.add(functions=FUNCTIONS)
def invoke_within_an_invoke(event: Any, context: DurableContext) -> Any:
    return context.invoke("outer", {"depth": 2}, name="outwards")


@TABLE.add(functions=FUNCTIONS)
def invoke_that_fails(event: Any, context: DurableContext) -> Any:
    return context.invoke("failing-durable", {}, name="call")


@TABLE.add(functions=FUNCTIONS)
def invokes_whose_failures_are_caught(event: Any, context: DurableContext) -> Any:
    errors = [
        caught(lambda: context.invoke("failing-durable", {}, name="durable")),
        caught(lambda: context.invoke("failing-plain", {}, name="plain")),
    ]
    context.wait(seconds(1), name="pause")
    return errors


@TABLE.add(functions=FUNCTIONS)
def invoke_of_an_unknown_function(event: Any, context: DurableContext) -> Any:
    """The message is not compared: each side says how a function is made known to it."""
    try:
        context.invoke("nowhere", {}, name="call")
    except InvokeError as error:
        return [type(error).__name__, error.error_type]


@TABLE.add(functions=FUNCTIONS)
def invoke_for_a_tenant(event: Any, context: DurableContext) -> Any:
    return context.invoke("tenant", {}, name="call", config=InvokeConfig[Any, Any](tenant_id="tenant-7"))


@TABLE.add(functions=FUNCTIONS, differs=refused("TenantId must be 1 to 256 characters matching [a-zA-Z0-9._:/=+-@ ]."))
def invoke_for_a_tenant_that_cannot_be(event: Any, context: DurableContext) -> Any:
    return context.invoke("tenant", {}, name="call", config=InvokeConfig[Any, Any](tenant_id="tenant#7"))


@TABLE.add(functions=FUNCTIONS)
def invoke_with_serdes(event: Any, context: DurableContext) -> Any:
    config = InvokeConfig[Any, Any](serdes_result=Unreadable())
    broken = InvokeConfig[Any, Any](serdes_payload=Broken())
    return [
        caught(lambda: context.invoke("plain", {}, name="unread", config=config)),
        caught(lambda: context.invoke("plain", {}, name="broken", config=broken)),
    ]


@TABLE.add(
    functions=FUNCTIONS,
    differs=refused("CHAINED_INVOKE input payload size must be less than or equal to 1048576 bytes."),
)
def invoke_with_too_much(event: Any, context: DurableContext) -> Any:
    return context.invoke("plain", "x" * 1_048_577, name="call")


@TABLE.add(functions=FUNCTIONS)
def invokes_in_a_parallel(event: Any, context: DurableContext) -> Any:
    branches: list[Any] = [
        lambda child: child.invoke("durable", 1, name="durable"),
        lambda child: child.invoke("plain", 2, name="plain"),
        lambda child: child.step(returns(3), name="a"),
    ]
    return context.parallel(branches, name="p").get_results()


@TABLE.add(functions=FUNCTIONS)
def invokes_in_a_map(event: Any, context: DurableContext) -> Any:
    def item(child: DurableContext, item: str, index: int, items: Sequence[str]) -> Any:
        return child.invoke(item, index, name="call")

    config = MapConfig[str](max_concurrency=1)
    return batch(context.map(["plain", "failing-plain", "durable"], item, name="m", config=config))
