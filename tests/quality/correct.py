"""Correct handlers of unusual shape."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

from aws_durable_execution_sdk_python import CallbackError, DurableContext, InvokeError, StepError, durable_execution
from aws_durable_execution_sdk_python.config import (
    CompletionConfig,
    ParallelConfig,
    StepConfig,
    WaitForCallbackConfig,
)
from aws_durable_execution_sdk_python.retries import RetryDecision

from tests.durable import ONCE, attempts, fails, returns, seconds
from tests.quality.pair import Handler, World, now

Make = Callable[[World], Handler]

FIRST = ParallelConfig(completion_config=CompletionConfig(min_successful=1))


def coroutine_around_durable_calls(world: World) -> Handler:
    def handler(event: Any, context: DurableContext) -> Any:
        async def flow() -> Any:
            first = context.step(returns(1), name="first")
            await asyncio.sleep(0)
            context.wait(seconds(5), name="pause")
            return [first, context.step(returns(2), name="second")]

        return asyncio.run(flow())

    return handler


def generator_that_is_left_in_the_middle(world: World) -> Handler:
    def handler(event: Any, context: DurableContext) -> Any:
        def pages() -> Iterator[int]:
            number = 0
            while True:
                yield context.step(returns(number), name=f"page {number}")
                context.wait(seconds(5), name=f"rate limit {number}")
                number += 1

        return next(page for page in pages() if page == 2)

    return handler


def durable_call_in_finally_of_what_is_done(world: World) -> Handler:
    """It is not made while the suspension passes through."""

    def handler(event: Any, context: DurableContext) -> Any:
        done = False
        try:
            context.wait(seconds(5), name="pause")
            result = context.step(returns("copied"), name="copy")
            done = True
            return result
        finally:
            if done:
                context.step(lambda step: world.table.pop("lock", None), name="unlock")

    return handler


def retries_by_hand(world: World) -> Handler:
    def handler(event: Any, context: DurableContext) -> Any:
        for number in range(4):
            try:
                body = fails(ConnectionError("down")) if number < 2 else returns(number)
                return context.step(body, name=f"try {number}", config=ONCE)
            except StepError:
                context.wait(seconds(2**number), name=f"back off {number}")

    return handler


def question_asked_until_it_is_answered(world: World) -> Handler:
    world.ctx.callbacks.succeed("ask 1", "yes", after=10)

    def handler(event: Any, context: DurableContext) -> Any:
        config = WaitForCallbackConfig(timeout=seconds(3_600))
        for number in range(3):
            with contextlib.suppress(CallbackError):
                return context.wait_for_callback(lambda callback_id, _: None, name=f"ask {number}", config=config)

    return handler


def first_of_two_callbacks(world: World) -> Handler:
    world.ctx.callbacks.succeed("manager", "yes", after=100)
    world.ctx.callbacks.succeed("deputy", "no", after=10)

    def ask(name: str) -> Any:
        return lambda child: child.wait_for_callback(lambda callback_id, _: None, name=name)

    def handler(event: Any, context: DurableContext) -> Any:
        return context.parallel([ask("manager"), ask("deputy")], name="ask", config=FIRST).get_results()

    return handler


def failure_of_an_invoked_function(world: World) -> Handler:
    @durable_execution
    def pay(event: Any, context: DurableContext) -> Any:
        return context.step(fails(LookupError("no account")), name="charge", config=attempts(2))

    world.ctx.register("pay", pay)

    def handler(event: Any, context: DurableContext) -> Any:
        try:
            return context.invoke("pay", {}, name="payment")
        except InvokeError:
            return context.step(returns("cancelled"), name="cancel")

    return handler


def lock_held_over_a_suspension(world: World) -> Handler:
    lock = threading.Lock()

    def handler(event: Any, context: DurableContext) -> Any:
        with lock:
            context.wait(seconds(5), name="pause")
            return context.step(returns("done"), name="work")

    return handler


def clock_in_a_retry_strategy(world: World) -> Handler:
    """How long a retry waits is asked once, when it fails."""

    def strategy(error: Exception, attempt: int) -> RetryDecision:
        return RetryDecision.retry(seconds(5 + now().second % 7)) if attempt < 3 else RetryDecision.no_retry()

    def flaky(step: Any) -> int:
        if step.attempt < 3:
            raise ConnectionError("down")
        return int(step.attempt)

    return lambda event, context: context.step(flaky, name="call", config=StepConfig(retry_strategy=strategy))


def clock_in_the_log(world: World) -> Handler:
    def handler(event: Any, context: DurableContext) -> Any:
        began = now()
        time.sleep(3)  # noqa: TID251  # virtual: billed, but not wrong
        context.step(returns(1), name="work")
        context.wait(seconds(5), name="pause")
        context.logger.info("took %s", now() - began)
        return "done"

    return handler


def offer_that_may_expire(world: World) -> Handler:
    """Both moments are stored; a kill may make it too late, and that is no error."""

    def handler(event: Any, context: DurableContext) -> Any:
        offered = context.step(now, name="offer")
        context.wait(seconds(299), name="customer thinks")
        in_time = context.step(lambda step: now() - offered < timedelta(seconds=300), name="in time?")
        return "bought" if in_time else context.step(returns("offered again"), name="offer again")

    return handler


def what_exists_is_what_was_wanted(world: World) -> Handler:
    def handler(event: Any, context: DurableContext) -> Any:
        def create(step: Any) -> None:
            if "bucket" in world.table:
                raise FileExistsError("bucket")
            world.table["bucket"] = "empty"

        try:
            context.step(create, name="create", config=ONCE)
        except StepError as error:
            if error.error_type != "FileExistsError":
                raise
        return "created"

    return handler


def race_that_a_kill_decides(world: World) -> Handler:
    """The first answer is as good as any: killed beside it, a branch that waits is overtaken or overtakes."""

    def answer(name: str, pause: int) -> Any:
        def branch(child: DurableContext) -> Any:
            if pause:
                child.wait(seconds(pause), name="pause")
            return child.step(returns(name), name="answer")

        return branch

    def handler(event: Any, context: DurableContext) -> Any:
        branches = [answer("patient", 1), answer("quick", 0)]
        return context.parallel(branches, name="race", config=FIRST).get_results()[0]

    return handler


def number_from_a_sequence(world: World) -> Handler:
    """A database gives each number once; that one is left out harms nobody."""

    def handler(event: Any, context: DurableContext) -> Any:
        return {"order": context.step(lambda step: world.count("sequence"), name="number")}

    return handler


def answer_of_a_scripted_model(world: World) -> Handler:
    """What stands for a language model in a test says the next line each time."""
    lines = ["search", "answer", "anything else?"]

    def handler(event: Any, context: DurableContext) -> Any:
        return context.step(lambda step: lines[world.count("asked") - 1], name="ask")

    return handler


def whether_it_was_there_before(world: World) -> Handler:
    def handler(event: Any, context: DurableContext) -> Any:
        def upsert(step: Any) -> bool:
            return world.count("rows") == 1

        return {"created": context.step(upsert, name="upsert")}

    return handler


def request_id_in_the_result(world: World) -> Handler:
    """As harmless as a random id there, which is left alone."""

    def handler(event: Any, context: DurableContext) -> Any:
        lambda_context: Any = context.lambda_context
        context.step(returns(1), name="work")
        return {"request": lambda_context.aws_request_id}

    return handler


def method_that_replaces_itself(world: World) -> Handler:
    """Loads what it needs when it is first called."""

    class Service:
        loaded: Any = None

        @property
        def charge(self) -> Any:
            return Service.loaded or self.load

        def load(self, step: Any) -> str:
            Service.loaded = returns("charged")
            return "charged"

    def handler(event: Any, context: DurableContext) -> Any:
        charged = context.step(Service().charge, name="charge")
        context.wait(seconds(5), name="pause")
        return charged

    return handler


CORRECT: list[Make] = [
    coroutine_around_durable_calls,
    generator_that_is_left_in_the_middle,
    durable_call_in_finally_of_what_is_done,
    retries_by_hand,
    question_asked_until_it_is_answered,
    first_of_two_callbacks,
    failure_of_an_invoked_function,
    lock_held_over_a_suspension,
    clock_in_a_retry_strategy,
    clock_in_the_log,
    offer_that_may_expire,
    what_exists_is_what_was_wanted,
    race_that_a_kill_decides,
    number_from_a_sequence,
    answer_of_a_scripted_model,
    whether_it_was_there_before,
    request_id_in_the_result,
    method_that_replaces_itself,
]
