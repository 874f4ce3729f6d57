"""Approvals and polling: what goes wrong while an execution is suspended."""

from __future__ import annotations

import functools
from typing import Any

from aws_durable_execution_sdk_python import CallbackError, DurableContext, StepError, durable_execution
from aws_durable_execution_sdk_python.config import CallbackConfig, WaitForCallbackConfig
from aws_durable_execution_sdk_python.waits import WaitForConditionConfig, WaitForConditionDecision

from pytest_durable import ExecutionStuck, OutcomeChanged, ReplayDiverged, StepRanAgain, SuspensionSwallowed
from tests.durable import ONCE, ONCE_AT_MOST, returns, seconds
from tests.quality.pair import Handler, Table, World, now

PAIRS = Table()

CLEANUP = "Cleanup in finally"
SWALLOWED = "BaseException or bare except swallows suspension"
NESTED = "Durable operation inside a step or submitter"
ANSWERED = "Callback answered before submitter's checkpoint"
SUBMITTER = "Submitter fails"
UNANSWERED = "Callback without timeout"
POLLING = "Closure variable assigned inside a step"
CLOCK = "Wall clock read outside a step"

DAY = 86_400


@PAIRS.add(CLEANUP, StepRanAgain, "")
def lock_released_in_finally(fixed: bool, world: World) -> Handler:
    """The suspension passes through ``finally:`` as well."""

    def handler(event: Any, context: DurableContext) -> Any:
        context.step(lambda step: world.table.update(lock="held"), name="lock")
        try:
            context.wait(seconds(DAY), name="night")
            done = context.step(returns("backed up"), name="back up")
        except Exception:
            if fixed:
                context.step(lambda step: world.table.pop("lock", None), name="unlock after an error")
            raise
        finally:
            if not fixed:
                context.step(lambda step: world.table.pop("lock", None), name="unlock")
        if fixed:
            context.step(lambda step: world.table.pop("lock", None), name="unlock")
        return done

    return handler


@PAIRS.add(CLEANUP, OutcomeChanged, "open:body")
def session_that_a_crash_leaves_open(fixed: bool, world: World) -> Handler:
    """What ``finally:`` would close stays open when the Lambda dies; the twin takes its own session over."""

    def handler(event: Any, context: DurableContext) -> Any:
        owner = context.execution_context.durable_execution_arn

        def enter(step: Any) -> None:
            if "session" in world.table and not (fixed and world.table["session"] == owner):
                raise ConnectionError("somebody has a session")
            world.table["session"] = owner

        context.step(enter, name="open", config=ONCE)
        try:
            copied = context.step(returns("copied"), name="copy")
        except StepError:
            context.step(lambda step: world.table.pop("session", None), name="close after an error")
            raise
        context.step(lambda step: world.table.pop("session", None), name="close")
        return copied

    return handler


@PAIRS.add(SWALLOWED, SuspensionSwallowed, "")
def bare_except_around_an_approval(fixed: bool, world: World) -> Handler:
    world.ctx.callbacks.succeed("approve", "yes", after=DAY)
    caught: type[BaseException] = Exception if fixed else BaseException

    def handler(event: Any, context: DurableContext) -> Any:
        try:
            return context.wait_for_callback(lambda callback_id, _: None, name="approve")
        except caught:
            return "rejected"

    return handler


@PAIRS.add(SWALLOWED, SuspensionSwallowed, "reserve:start")
def bare_except_around_a_step(fixed: bool, world: World) -> Handler:
    """Nothing is suspended here: it is a Lambda's own death that is swallowed."""
    caught: type[BaseException] = Exception if fixed else BaseException

    def handler(event: Any, context: DurableContext) -> Any:
        try:
            context.step(returns("reserved"), name="reserve")
        except caught:
            return "sold out"
        return "reserved"

    return handler


@PAIRS.add(SWALLOWED, SuspensionSwallowed, "")
def bare_except_in_an_item_of_a_map(fixed: bool, world: World) -> Handler:
    caught: type[BaseException] = Exception if fixed else BaseException

    def item(context: DurableContext, order: int, index: int, items: Any) -> Any:
        try:
            context.wait(seconds(order), name="pause")
            return context.step(returns(order), name="ship")
        except caught:
            return None

    return lambda event, context: context.map([10, 20], item, name="orders").get_results()


@PAIRS.add(NESTED, ReplayDiverged, "")
def step_within_a_step(fixed: bool, world: World) -> Handler:
    """The inner step takes a number of the outer context, which is free again on replay."""

    def handler(event: Any, context: DurableContext) -> Any:
        def fulfil(inner: DurableContext) -> Any:
            return inner.step(returns("packed"), name="pack")

        if fixed:
            packed = context.run_in_child_context(fulfil, name="fulfil")
        else:
            packed = context.step(lambda step: fulfil(context), name="fulfil")
        context.step(returns("billed"), name="bill")
        return packed

    return handler


@PAIRS.add(NESTED, ReplayDiverged, "")
def outer_context_used_in_a_child(fixed: bool, world: World) -> Handler:
    """Once the child is stored it is not run again, and the step that it made outside of itself is missing."""

    def handler(event: Any, context: DurableContext) -> Any:
        def fulfil(child: DurableContext) -> Any:
            return (child if fixed else context).step(returns("packed"), name="pack")

        packed = context.run_in_child_context(fulfil, name="fulfil")
        context.step(returns("billed"), name="bill")
        return packed

    return handler


@PAIRS.add(NESTED, ReplayDiverged, "")
def callback_made_by_a_step(fixed: bool, world: World) -> Handler:
    world.ctx.callbacks.succeed("approve", "yes", after=60)

    def handler(event: Any, context: DurableContext) -> Any:
        def ask(step: Any = None) -> Any:
            callback = context.create_callback(name="approve")
            world.send(callback.callback_id)
            return callback

        if fixed:
            callback = context.create_callback(name="approve")
            context.step(lambda step: world.send(callback.callback_id), name="ask")
            return callback.result()
        context.step(lambda step: ask().callback_id, name="ask")
        return context.step(returns("asked"), name="note")

    return handler


@PAIRS.add(ANSWERED, OutcomeChanged, "approve/approve submitter:body")
def request_sent_twice_by_a_submitter(fixed: bool, world: World) -> Handler:
    world.ctx.callbacks.succeed("approve", "yes", after=DAY)

    def handler(event: Any, context: DurableContext) -> Any:
        def submit(callback_id: str, _: Any) -> None:
            if not (fixed and callback_id in world.sent):
                world.send(callback_id)

        answer = context.wait_for_callback(submit, name="approve")
        return context.step(lambda step: [answer, len(world.sent)], name="file")

    return handler


@PAIRS.add(SUBMITTER, ExecutionStuck, "ask:start")
def request_that_was_never_sent(fixed: bool, world: World) -> Handler:
    """An at-most-once step may fail without having run; then nobody knows of the callback."""

    def handler(event: Any, context: DurableContext) -> Any:
        config = CallbackConfig(timeout=seconds(7 * DAY)) if fixed else None
        callback: Any = context.create_callback(name="approve", config=config)

        def ask(step: Any) -> None:
            world.ctx.callbacks.succeed(callback.callback_id, "yes", after=60)

        try:
            context.step(ask, name="ask", config=ONCE_AT_MOST)
        except StepError:
            world.send("could not ask")
        try:
            return callback.result()
        except CallbackError:
            return "nobody answered"

    return handler


@PAIRS.add(UNANSWERED, ExecutionStuck, "")
def approval_that_nobody_gives(fixed: bool, world: World) -> Handler:
    def handler(event: Any, context: DurableContext) -> Any:
        config = WaitForCallbackConfig(timeout=seconds(2 * DAY)) if fixed else None
        try:
            return context.wait_for_callback(lambda callback_id, _: None, name="approve", config=config)
        except CallbackError:
            return context.step(returns("escalated"), name="escalate")

    return handler


@PAIRS.add(UNANSWERED, ExecutionStuck, "")
def approval_of_the_second_of_two(fixed: bool, world: World) -> Handler:
    """One of two branches is never answered."""
    world.ctx.callbacks.succeed("manager", "yes", after=60)

    def ask(name: str) -> Any:
        def branch(child: DurableContext) -> Any:
            config = WaitForCallbackConfig(timeout=seconds(DAY)) if fixed else None
            try:
                return child.wait_for_callback(lambda callback_id, _: None, name=name, config=config)
            except CallbackError:
                return f"{name} did not answer"

        return branch

    def handler(event: Any, context: DurableContext) -> Any:
        return context.parallel([ask("manager"), ask("auditor")], name="branches").get_results()

    return handler


@PAIRS.add(POLLING, ExecutionStuck, "", endless=True)
def polls_counted_in_a_variable(fixed: bool, world: World) -> Handler:
    """Every poll suspends, and the count begins anew; the twin counts in the state of the operation."""

    def handler(event: Any, context: DurableContext) -> Any:
        polls = 0

        def strategy(state: int, attempt: int) -> WaitForConditionDecision:
            if (state if fixed else polls) >= 3:
                return WaitForConditionDecision.stop_polling()
            return WaitForConditionDecision.continue_waiting(seconds(600))

        def poll(state: int, check: Any) -> int:
            nonlocal polls
            polls += 1
            return state + 1

        return context.wait_for_condition(poll, WaitForConditionConfig(strategy, 0), name="parcel")

    return handler


@PAIRS.add(CLOCK, ReplayDiverged, "")
def reminder_at_five(fixed: bool, world: World) -> Handler:
    """The twin reads the clock in its body, too: a callback's timeout counts only when the callback is made."""

    def handler(event: Any, context: DurableContext) -> Any:
        left = int((now().replace(hour=17, minute=0, second=0, microsecond=0) - now()).total_seconds())
        if not fixed:
            context.wait(seconds(left), name="until five")
            return context.step(returns("reminded"), name="remind")
        try:
            config = WaitForCallbackConfig(timeout=seconds(max(left, 60)))
            return context.wait_for_callback(lambda callback_id, _: None, name="approve", config=config)
        except CallbackError:
            return context.step(returns("reminded"), name="remind")

    return handler


@PAIRS.add(SWALLOWED, SuspensionSwallowed, "")
def bare_except_around_the_result_of_a_callback(fixed: bool, world: World) -> Handler:
    """Making the callback suspends nothing: reading it does."""
    world.ctx.callbacks.succeed("approve", "yes", after=DAY)
    caught: type[BaseException] = Exception if fixed else BaseException

    def handler(event: Any, context: DurableContext) -> Any:
        approval: Any = context.create_callback(name="approve")
        try:
            return approval.result()
        except caught:
            return "rejected"

    return handler


@PAIRS.add(SWALLOWED, SuspensionSwallowed, "")
def bare_except_beneath_a_decorator(fixed: bool, world: World) -> Handler:
    """The decorator stands around the SDK's, as those of a library for logs or metrics do."""
    caught: type[BaseException] = Exception if fixed else BaseException

    def logged(function: Handler) -> Handler:
        @functools.wraps(function)
        def wrapper(event: Any, context: Any) -> Any:
            return function(event, context)

        return wrapper

    def handler(event: Any, context: DurableContext) -> Any:
        try:
            context.wait(seconds(60), name="cool off")
        except caught:
            return "not waited"
        return "waited"

    return logged(durable_execution(handler))
