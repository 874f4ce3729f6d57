"""Child contexts, conditions and blocks that are retried."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from aws_durable_execution_sdk_python import (
    DurableContext,
    InvocationError,
    WithRetryConfig,
    durable_with_child_context,
    with_retry,
)
from aws_durable_execution_sdk_python.config import ChildConfig, JitterStrategy, StepConfig
from aws_durable_execution_sdk_python.retries import RetryDecision, RetryPresets
from aws_durable_execution_sdk_python.waits import (
    WaitForConditionConfig,
    WaitForConditionDecision,
    WaitStrategyConfig,
    create_wait_strategy,
)

from tests.durable import ONCE, fails, returns, seconds
from tests.parity.handlers_steps import LARGE, Broken, OutOfStock, Reversed, flaky
from tests.parity.scenario import Table, caught, until, without_jitter

TABLE = Table()
ONE_TRY = WithRetryConfig[Any](retry_strategy=RetryPresets.none())


@TABLE.add()
def child_context(event: Any, context: DurableContext) -> Any:
    return context.run_in_child_context(lambda child: child.step(returns(1), name="a"), name="child")


@TABLE.add()
def child_contexts_without_a_name(event: Any, context: DurableContext) -> Any:
    return [context.run_in_child_context(lambda child: child.step(returns(1))) for _ in range(2)]


@TABLE.add()
def nested_children(event: Any, context: DurableContext) -> Any:
    def inner(child: DurableContext) -> Any:
        child.wait(seconds(1), name="pause")
        return child.step(returns("deep"), name="deep")

    def outer(child: DurableContext) -> Any:
        return [child.step(returns(1), name="a"), child.run_in_child_context(inner, name="inner")]

    return [context.run_in_child_context(outer, name="outer"), context.step(returns(2), name="a")]


@durable_with_child_context
def fulfil(child: DurableContext, order: int, *, gift: bool = False) -> Any:
    return [child.step(returns(order), name="pick"), gift]


@TABLE.add()
def durable_child_contexts(event: Any, context: DurableContext) -> Any:
    return [context.run_in_child_context(fulfil(1)), context.run_in_child_context(fulfil(2, gift=True), name="own")]


@TABLE.add()
def virtual_child(event: Any, context: DurableContext) -> Any:
    def inner(child: DurableContext) -> Any:
        child.step(returns(1), name="in the inner")
        child.wait(seconds(1), name="pause")
        return child.is_virtual

    def outer(child: DurableContext) -> Any:
        config = ChildConfig[Any](is_virtual=True)
        return [child.run_in_child_context(inner, name="inner", config=config), child.step(returns(2), name="after")]

    config = ChildConfig[Any](is_virtual=True)
    return [
        context.run_in_child_context(inner, name="virtual", config=config),
        context.run_in_child_context(outer, name="outer"),
        caught(lambda: context.run_in_child_context(_refusing, name="failing", config=config)),
    ]


def _refusing(child: DurableContext) -> None:
    child.step(returns(1), name="a")
    raise LookupError("no stock")


@TABLE.add()
def child_failing(event: Any, context: DurableContext) -> Any:
    return context.run_in_child_context(_refusing, name="child")


@TABLE.add()
def child_whose_error_is_caught(event: Any, context: DurableContext) -> Any:
    def own(child: DurableContext) -> None:
        raise OutOfStock("A1")

    def step(child: DurableContext) -> None:
        child.step(fails(OutOfStock("B2")), name="a", config=ONCE)

    def deep(child: DurableContext) -> None:
        child.run_in_child_context(step, name="deep")

    children: list[Callable[[DurableContext], None]] = [_refusing, own, step, deep]
    errors = [caught(partial(context.run_in_child_context, function, name=function.__name__)) for function in children]
    context.wait(seconds(1), name="pause")
    return [errors, context.step(returns("after"), name="after")]


@TABLE.add()
def child_with_a_large_result(event: Any, context: DurableContext) -> Any:
    def child(inner: DurableContext) -> str:
        return str(inner.step(returns("b"), name="a")) + LARGE

    first = context.run_in_child_context(child, name="child")
    context.wait(seconds(1), name="pause")
    return [len(first), context.step(returns(1), name="after")]


@TABLE.add()
def child_with_a_summary(event: Any, context: DurableContext) -> Any:
    def child(inner: DurableContext) -> list[str]:
        return [inner.run_in_child_context(lambda deep: deep.step(returns(LARGE), name="a"), name="deep")]

    config = ChildConfig[list[str]](summary_generator=lambda result: f"{len(result[0])} long")
    first = context.run_in_child_context(child, name="child", config=config)
    context.wait(seconds(1), name="pause")
    return [len(first[0]), context.step(returns(1), name="after")]


@TABLE.add()
def child_with_a_summary_that_fails(event: Any, context: DurableContext) -> Any:
    def summary(result: str) -> str:
        raise ZeroDivisionError("no summary")

    config = ChildConfig[str](summary_generator=summary)
    return caught(lambda: context.run_in_child_context(lambda child: LARGE, name="child", config=config))


@TABLE.add()
def child_with_a_serdes(event: Any, context: DurableContext) -> Any:
    first = context.run_in_child_context(
        lambda child: "abc", name="reversed", config=ChildConfig[str](serdes=Reversed())
    )
    broken = ChildConfig[str](serdes=Broken())
    error = caught(lambda: context.run_in_child_context(lambda child: "abc", name="broken", config=broken))
    context.wait(seconds(1))
    return [first, error]


@TABLE.add()
def child_that_nothing_happens_in(event: Any, context: DurableContext) -> Any:
    return context.run_in_child_context(lambda child: None, name="child")


@TABLE.add()
def child_with_a_step_that_is_retried(event: Any, context: DurableContext) -> Any:
    config = StepConfig(retry_strategy=without_jitter())
    return context.run_in_child_context(lambda child: child.step(flaky(2), name="a", config=config), name="child")


@TABLE.add()
def invocation_error_in_a_child(event: Any, context: DurableContext) -> Any:
    """Every invocation fails until the service gives up."""

    def child(inner: DurableContext) -> None:
        inner.step(returns(1), name="a")
        raise InvocationError("try again")

    return context.run_in_child_context(child, name="child")


# --- conditions ------------------------------------------------------------------------------------------------------


def count(state: Any, check: Any) -> Any:
    return state + 1


@TABLE.add()
def condition_that_is_met_at_once(event: Any, context: DurableContext) -> Any:
    return context.wait_for_condition(count, until(1), name="ready")


@TABLE.add()
def condition_that_is_met_later(event: Any, context: DurableContext) -> Any:
    return [context.wait_for_condition(count, until(3), name="ready"), context.wait_for_condition(count, until(2))]


@TABLE.add()
def condition_that_is_met_in_the_last_attempt(event: Any, context: DurableContext) -> Any:
    return context.wait_for_condition(count, until(3, max_attempts=3), name="ready")


@TABLE.add()
def condition_that_is_never_met(event: Any, context: DurableContext) -> Any:
    return context.wait_for_condition(count, until(9, max_attempts=3), name="ready")


@TABLE.add()
def condition_whose_exhaustion_is_caught(event: Any, context: DurableContext) -> Any:
    error = caught(lambda: context.wait_for_condition(count, until(9, max_attempts=2), name="ready"))
    context.wait(seconds(1))
    return [error, context.step(returns(1), name="after")]


@TABLE.add()
def condition_whose_check_fails(event: Any, context: DurableContext) -> Any:
    def check(state: int, check: Any) -> int:
        if check.attempt == 2:
            raise OutOfStock("A1")
        return state + 1

    return caught(lambda: context.wait_for_condition(check, until(5), name="ready"))


@TABLE.add()
def condition_whose_strategy_fails(event: Any, context: DurableContext) -> Any:
    def strategy(state: int, attempt: int) -> WaitForConditionDecision:
        raise ZeroDivisionError("no decision")

    config = WaitForConditionConfig(wait_strategy=strategy, initial_state=0)
    return caught(lambda: context.wait_for_condition(count, config, name="ready"))


@TABLE.add()
def condition_with_a_strategy_of_its_own(event: Any, context: DurableContext) -> Any:
    def strategy(state: dict[str, Any], attempt: int) -> WaitForConditionDecision:
        if state["seen"] == [1, 2, 3]:
            return WaitForConditionDecision.stop_polling()
        return WaitForConditionDecision.continue_waiting(seconds(attempt))

    def check(state: dict[str, Any], check: Any) -> dict[str, Any]:
        return {"seen": [*state["seen"], check.attempt]}

    config = WaitForConditionConfig[Any](wait_strategy=strategy, initial_state={"seen": []})
    return context.wait_for_condition(check, config, name="ready")


@TABLE.add()
def condition_with_the_defaults_of_the_strategy(event: Any, context: DurableContext) -> Any:
    config: WaitStrategyConfig[int] = WaitStrategyConfig(should_continue_polling=lambda state: state < 2)
    return context.wait_for_condition(
        count, WaitForConditionConfig(wait_strategy=create_wait_strategy(config), initial_state=0), name="ready"
    )


@TABLE.add()
def condition_with_half_a_jitter(event: Any, context: DurableContext) -> Any:
    config: WaitStrategyConfig[int] = WaitStrategyConfig(
        should_continue_polling=lambda state: state < 3, jitter_strategy=JitterStrategy.HALF, max_delay=seconds(6)
    )
    return context.wait_for_condition(
        count, WaitForConditionConfig(wait_strategy=create_wait_strategy(config), initial_state=0), name="ready"
    )


@TABLE.add()
def condition_without_a_delay(event: Any, context: DurableContext) -> Any:
    def strategy(state: int, attempt: int) -> WaitForConditionDecision:
        if state >= 2:
            return WaitForConditionDecision.stop_polling()
        return WaitForConditionDecision.continue_waiting(seconds(0))

    config = WaitForConditionConfig(wait_strategy=strategy, initial_state=0)
    return context.wait_for_condition(count, config, name="ready")


@TABLE.add()
def condition_with_a_serdes(event: Any, context: DurableContext) -> Any:
    def check(state: str, check: Any) -> str:
        return state + "b"

    def strategy(state: str, attempt: int) -> WaitForConditionDecision:
        if state.endswith("bb"):
            return WaitForConditionDecision.stop_polling()
        return WaitForConditionDecision.continue_waiting(seconds(1))

    config = WaitForConditionConfig(wait_strategy=strategy, initial_state="a", serdes=Reversed())
    broken = WaitForConditionConfig(wait_strategy=strategy, initial_state="a", serdes=Broken())
    return [
        context.wait_for_condition(check, config, name="ready"),
        caught(lambda: context.wait_for_condition(check, broken, name="broken")),
    ]


@TABLE.add()
def condition_without_a_config(event: Any, context: DurableContext) -> Any:
    nothing: Any = None
    return [
        caught(lambda: context.wait_for_condition(nothing, until(1))),
        caught(lambda: context.wait_for_condition(count, nothing)),
    ]


@TABLE.add()
def condition_of_falsy_states(event: Any, context: DurableContext) -> Any:
    """The state that is stored is what the next poll starts from, be it empty."""
    states: list[Any] = [0, "", [], None, 1]

    def check(state: Any, check: Any) -> Any:
        return states[check.attempt - 1]

    def strategy(state: Any, attempt: int) -> WaitForConditionDecision:
        return WaitForConditionDecision.stop_polling() if state else WaitForConditionDecision.continue_waiting(one)

    one = seconds(1)
    return context.wait_for_condition(check, WaitForConditionConfig(strategy, initial_state="first"), name="ready")


# --- blocks that are retried -----------------------------------------------------------------------------------------


def retried(
    context: DurableContext, block: Callable[..., Any], config: WithRetryConfig[Any], name: str | None = None
) -> Any:
    """The SDK's `with_retry`, which names another class than the one that handlers are given."""
    return with_retry(context, block, config, name=name)


def _block(child: DurableContext, attempt: int) -> Any:
    child.step(returns(attempt), name="try")
    if attempt < 3:
        raise ConnectionError(f"attempt {attempt}")
    return attempt


@TABLE.add()
def block_that_is_retried(event: Any, context: DurableContext) -> Any:
    config = WithRetryConfig[Any](retry_strategy=without_jitter())
    return [retried(context, _block, config, name="block"), retried(context, _block, config)]


@TABLE.add()
def block_that_is_retried_by_default(event: Any, context: DurableContext) -> Any:
    return retried(context, _block, WithRetryConfig[Any](), name="block")


@TABLE.add()
def block_in_no_context_of_its_own(event: Any, context: DurableContext) -> Any:
    config = WithRetryConfig[Any](retry_strategy=without_jitter(), wrap_with_run_in_child_context=False)
    result = retried(context, _block, config, name="block")
    once = WithRetryConfig[Any](retry_strategy=RetryPresets.none(), wrap_with_run_in_child_context=False)
    return [result, caught(lambda: retried(context, _block, once, name="once"))]


@TABLE.add()
def block_in_a_virtual_context(event: Any, context: DurableContext) -> Any:
    config = WithRetryConfig[Any](
        retry_strategy=without_jitter(), child_context_config=ChildConfig[Any](is_virtual=True)
    )
    return retried(context, _block, config, name="block")


@TABLE.add()
def block_that_fails_for_good(event: Any, context: DurableContext) -> Any:
    return retried(context, _block, ONE_TRY, name="block")


@TABLE.add()
def block_whose_error_is_caught(event: Any, context: DurableContext) -> Any:
    error = caught(lambda: retried(context, _block, ONE_TRY, name="block"))
    context.wait(seconds(1))
    return error


@TABLE.add()
def block_around_a_step_that_is_retried(event: Any, context: DurableContext) -> Any:
    step = StepConfig(retry_strategy=without_jitter(max_attempts=2))

    def block(child: DurableContext, attempt: int) -> Any:
        return child.step(flaky(2 if attempt > 1 else 3), name="a", config=step)

    config = WithRetryConfig[Any](
        retry_strategy=lambda error, attempt: RetryDecision.retry(seconds(attempt)), child_context_config=None
    )
    return retried(context, block, config, name="block")
