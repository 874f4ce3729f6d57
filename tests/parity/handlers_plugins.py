"""What SDK 3.0 brought: plugins made for each invocation, with their hooks in order, and subtypes of the user's."""

from __future__ import annotations

from functools import partial
from typing import Any

from aws_durable_execution_sdk_python import DurableContext
from aws_durable_execution_sdk_python import plugin as sdk
from aws_durable_execution_sdk_python.config import CallbackConfig, ChildConfig, StepConfig

from tests.durable import ONCE, fails, returns, seconds
from tests.parity.handlers_steps import flaky
from tests.parity.scenario import Table, caught, without_jitter

TABLE = Table()


class Notes(sdk.DurableInstrumentationPlugin):
    """Notes every hook but the one that a thread of its own is called in, whenever that is."""

    def __init__(self, seen: list[Any]) -> None:
        self.seen = seen

    def _note(self, hook: str, info: Any, *more: Any) -> None:
        status = getattr(info, "status", None)
        self.seen.append([hook, getattr(info, "name", None), getattr(status, "value", None), *more])

    def on_invocation_start(self, info: sdk.InvocationStartInfo) -> None:
        updated = sorted(str(operation.name) for operation in info.updated_operations.values())
        self._note("invocation start", info, info.is_first_invocation, updated, info.execution_input)

    def on_invocation_end(self, info: sdk.InvocationEndInfo) -> None:
        self._note("invocation end", info, info.error and info.error.message)

    def on_operation_start(self, info: sdk.OperationStartInfo) -> None:
        self._note("operation start", info, info.is_replayed)

    def on_operation_end(self, info: sdk.OperationEndInfo) -> None:
        self._note("operation end", info, info.is_replayed)

    def on_user_function_start(self, info: sdk.UserFunctionStartInfo) -> None:
        self._note("function start", info, info.attempt, info.is_replay_children)

    def on_user_function_end(self, info: sdk.UserFunctionEndInfo) -> None:
        self._note("function end", info, info.attempt, info.outcome.value)


class Factory:
    """Makes a plugin for each invocation."""

    def __init__(self, plugin: type[Notes], seen: list[Any]) -> None:
        self.plugin = plugin
        self.seen = seen

    def create_plugin(self, info: sdk.InvocationStartInfo) -> Notes:
        self.seen.append("created")
        return self.plugin(self.seen)


class Failing(Notes):
    """Fails in every hook of an operation."""

    def on_operation_start(self, info: sdk.OperationStartInfo) -> None:
        super().on_operation_start(info)
        raise ZeroDivisionError("the plugin fails")

    on_operation_end = on_operation_start  # type: ignore[assignment]  # fails likewise


def observed(plugin: type[Notes] = Notes) -> dict[str, Any]:
    """A world with a plugin."""
    seen: list[Any] = []
    return {"plugins": (Factory(plugin, seen),), "seen": seen}


@TABLE.add(**observed(), event={"order": 7})
def observed_steps(event: Any, context: DurableContext) -> Any:
    config = StepConfig(retry_strategy=without_jitter())
    return [context.step(returns(1), name="a"), context.step(flaky(2), name="b", config=config)]


@TABLE.add(**observed())
def observed_errors(event: Any, context: DurableContext) -> Any:
    context.wait(seconds(1), name="pause")
    caught(lambda: context.step(fails(LookupError("no stock")), name="a", config=ONCE))
    raise ValueError("bad order")


@TABLE.add(**observed())
def observed_contexts(event: Any, context: DurableContext) -> Any:
    def child(inner: DurableContext) -> Any:
        inner.wait(seconds(1), name="pause")
        return inner.step(returns(1), name="a")

    return context.run_in_child_context(child, name="child")


@TABLE.add(**observed(Failing))
def observed_by_one_that_fails(event: Any, context: DurableContext) -> Any:
    context.wait(seconds(1), name="pause")
    return context.step(returns(1), name="a")


@TABLE.add()
def subtypes_of_ones_own(event: Any, context: DurableContext) -> Any:
    def child(inner: DurableContext) -> Any:
        return inner.step(returns(1), name="a", config=StepConfig(sub_type="Charge"))

    result = context.run_in_child_context(child, name="child", config=ChildConfig[Any](sub_type="Order"))
    context.wait(seconds(1), name="pause")
    wrong = [StepConfig, ChildConfig, CallbackConfig]
    return [result, [caught(partial(config, sub_type="no blanks")) for config in wrong]]
