"""Steps and waits."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import UUID

from aws_durable_execution_sdk_python import (
    DurableContext,
    RetryableSerDesError,
    StepContext,
    durable_step,
)
from aws_durable_execution_sdk_python.config import Duration, StepConfig
from aws_durable_execution_sdk_python.retries import (
    LinearRetryStrategyConfig,
    RetryDecision,
    RetryPresets,
    create_linear_retry_strategy,
)
from aws_durable_execution_sdk_python.serdes import JsonSerDes, PassThroughSerDes, SerDes, SerDesContext

from tests.durable import AT_MOST_ONCE, ONCE, ONCE_AT_MOST, fails, returns, seconds
from tests.parity.scenario import ABSENT, Differs, Table, caught, without_jitter

TABLE = Table()
LARGE = "x" * 300_000


class Reversed(SerDes[str]):
    """Stores a text backwards."""

    def serialize(self, value: str, serdes_context: SerDesContext) -> str:
        return value[::-1]

    def deserialize(self, data: str, serdes_context: SerDesContext) -> str:
        return data[::-1]


class Broken(SerDes[Any]):
    """Stores nothing, for good."""

    def serialize(self, value: Any, serdes_context: SerDesContext) -> str:
        raise TypeError("cannot be stored")

    def deserialize(self, data: str, serdes_context: SerDesContext) -> Any:
        raise TypeError("cannot be read")


class Unreadable(JsonSerDes[Any]):
    """Stores what it cannot read."""

    def deserialize(self, data: str, _: SerDesContext) -> Any:
        raise ValueError("cannot be read")


class OutOfReach(JsonSerDes[Any]):
    """Cannot reach its store, again and again."""

    def serialize(self, value: Any, _: SerDesContext) -> str:
        raise RetryableSerDesError("store out of reach")


def flaky(successful: int, error: type[Exception] = ConnectionError) -> Any:
    """A body that fails before attempt ``successful``."""

    def body(step: StepContext) -> int:
        if step.attempt < successful:
            raise error(f"attempt {step.attempt}")
        return step.attempt

    return body


@TABLE.add()
def steps(event: Any, context: DurableContext) -> Any:
    return [context.step(returns(1), name="a"), context.step(returns({"b": [None, 2.5]}), name="b")]


@TABLE.add()
def unnamed_steps(event: Any, context: DurableContext) -> Any:
    return [context.step(returns(1)), context.step(returns(2))]


@TABLE.add()
def steps_of_one_name(event: Any, context: DurableContext) -> Any:
    return [context.step(returns(index), name="same") for index in range(3)]


@TABLE.add(event={"order": 7, "items": ["a", None, {"x": 1.5}], "name": "Grüße ✓"})
def the_event(event: Any, context: DurableContext) -> Any:
    return [event, context.step(returns(event["order"]), name="order")]


@TABLE.add()
def no_event(event: Any, context: DurableContext) -> Any:
    return event


@TABLE.add()
def step_of_every_type(event: Any, context: DurableContext) -> Any:
    values: list[Any] = [
        None,
        True,
        -1,
        0.1,
        "",
        "ü\n\"'",
        b"\x00\xff",
        (1, (2,)),
        [],
        {},
        {"k": (1, None)},
        datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC),
        date(2026, 1, 2),
        Decimal("1.10"),
        UUID(int=7),
    ]
    results = [context.step(returns(value), name=f"step {index}") for index, value in enumerate(values)]
    return [results == values, [str(result) for result in results]]


@TABLE.add()
def step_that_cannot_be_stored(event: Any, context: DurableContext) -> Any:
    return caught(lambda: context.step(returns(object()), name="a", config=ONCE))


@TABLE.add()
def step_with_a_large_result(event: Any, context: DurableContext) -> Any:
    return len(context.step(returns(LARGE), name="large"))


@durable_step
def reserve(step: StepContext, sku: str, *, count: int = 1) -> dict[str, Any]:
    return {"sku": sku, "count": count, "attempt": step.attempt}


@TABLE.add()
def durable_steps(event: Any, context: DurableContext) -> Any:
    return [context.step(reserve("A1")), context.step(reserve("B2", count=2)), context.step(reserve("C3"), name="own")]


def _plus(addend: int, step: StepContext) -> int:
    return addend + step.attempt


class _Charge:
    def __init__(self, amount: int) -> None:
        self.amount = amount

    def __call__(self, step: StepContext) -> int:
        return self.amount

    def method(self, step: StepContext) -> int:
        return self.amount + 1


@TABLE.add()
def steps_of_other_callables(event: Any, context: DurableContext) -> Any:
    charge = _Charge(7)
    return [context.step(partial(_plus, 2), name="partial"), context.step(charge), context.step(charge.method)]


@TABLE.add()
def step_with_a_serdes(event: Any, context: DurableContext) -> Any:
    before = context.step(returns("abc"), name="reversed", config=StepConfig(serdes=Reversed()))
    context.wait(seconds(1), name="pause")
    return [before, context.step(returns("raw"), name="raw", config=StepConfig(serdes=PassThroughSerDes()))]


@TABLE.add()
def step_with_a_broken_serdes(event: Any, context: DurableContext) -> Any:
    config = StepConfig(retry_strategy=RetryPresets.none(), serdes=Broken())
    return caught(lambda: context.step(returns("abc"), name="a", config=config))


@TABLE.add()
def step_that_cannot_be_read(event: Any, context: DurableContext) -> Any:
    config = StepConfig(retry_strategy=RetryPresets.none(), serdes=Unreadable())
    return caught(lambda: context.step(returns("abc"), name="a", config=config))


@TABLE.add()
def step_whose_store_is_out_of_reach(event: Any, context: DurableContext) -> Any:
    """Every invocation fails until the service gives up."""
    context.step(returns(1), name="before")
    config = StepConfig(retry_strategy=RetryPresets.none(), serdes=OutOfReach())
    return context.step(returns("abc"), name="a", config=config)


@TABLE.add()
def step_that_is_retried(event: Any, context: DurableContext) -> Any:
    return context.step(flaky(3), name="flaky", config=StepConfig(retry_strategy=without_jitter()))


@TABLE.add()
def step_that_is_retried_with_jitter(event: Any, context: DurableContext) -> Any:
    return context.step(flaky(2), name="flaky")


@TABLE.add()
def step_that_fails_for_good(event: Any, context: DurableContext) -> Any:
    config = StepConfig(retry_strategy=without_jitter())
    return context.step(fails(LookupError("no stock")), name="a", config=config)


@TABLE.add()
def step_whose_error_is_caught(event: Any, context: DurableContext) -> Any:
    error = caught(lambda: context.step(fails(LookupError("no stock")), name="a", config=ONCE))
    context.wait(seconds(1))
    return [error, context.step(returns("refunded"), name="refund")]


class OutOfStock(Exception):
    """An error of the user's own."""

    def __init__(self, sku: str) -> None:
        super().__init__(f"{sku} is out of stock")
        self.sku = sku


@TABLE.add()
def step_with_an_error_of_its_own(event: Any, context: DurableContext) -> Any:
    def body(step: StepContext) -> None:
        try:
            raise KeyError("sku")
        except KeyError as error:
            raise OutOfStock("A1") from error

    return caught(lambda: context.step(body, name="a", config=ONCE))


@TABLE.add()
def steps_at_most_once(event: Any, context: DurableContext) -> Any:
    config = StepConfig(retry_strategy=without_jitter(), step_semantics=AT_MOST_ONCE)
    return [
        context.step(returns(1), name="a", config=ONCE_AT_MOST),
        context.step(flaky(2), name="b", config=config),
        caught(lambda: context.step(fails(ValueError("bad")), name="c", config=ONCE_AT_MOST)),
    ]


@TABLE.add()
def retries_of_some_errors(event: Any, context: DurableContext) -> Any:
    by_type = StepConfig(retry_strategy=without_jitter(retryable_error_types=[ConnectionError]))
    by_text = StepConfig(retry_strategy=without_jitter(retryable_errors=["busy", re.compile("^att")]))
    return [
        context.step(flaky(2), name="type", config=by_type),
        caught(lambda: context.step(flaky(2, ValueError), name="other type", config=by_type)),
        context.step(flaky(2, ValueError), name="text", config=by_text),
        caught(lambda: context.step(fails(ValueError("no")), name="other text", config=by_text)),
    ]


@TABLE.add()
def retries_growing_in_a_line(event: Any, context: DurableContext) -> Any:
    strategy = create_linear_retry_strategy(LinearRetryStrategyConfig(max_attempts=3, increment=seconds(2)))
    return [
        context.step(flaky(3), name="line", config=StepConfig(retry_strategy=strategy)),
        context.step(flaky(2), name="preset", config=StepConfig(retry_strategy=RetryPresets.linear())),
    ]


@TABLE.add()
def retries_by_preset(event: Any, context: DurableContext) -> Any:
    presets = {
        "default": RetryPresets.default(),
        "transient": RetryPresets.transient(),
        "resources": RetryPresets.resource_availability(),
        "critical": RetryPresets.critical(),
        "fixed": RetryPresets.fixed(seconds(2)),
    }
    results = [
        context.step(flaky(2), name=name, config=StepConfig(retry_strategy=strategy))
        for name, strategy in presets.items()
    ]
    never = StepConfig(retry_strategy=RetryPresets.none())
    return [results, caught(lambda: context.step(flaky(2), name="none", config=never))]


@TABLE.add()
def retry_without_a_delay(event: Any, context: DurableContext) -> Any:
    def strategy(error: Exception, attempt: int) -> RetryDecision:
        return RetryDecision.retry(Duration()) if attempt < 2 else RetryDecision.no_retry()

    return context.step(flaky(2), name="a", config=StepConfig(retry_strategy=strategy))


@TABLE.add()
def retry_strategy_that_fails(event: Any, context: DurableContext) -> Any:
    context.step(returns(1), name="before")

    def strategy(error: Exception, attempt: int) -> RetryDecision:
        raise ZeroDivisionError("no decision")

    return caught(lambda: context.step(flaky(2), name="a", config=StepConfig(retry_strategy=strategy)))


@TABLE.add(
    differs=Differs(
        "no fault of either: the SDK drops what is queued when the handler ends; the runner's thread is there before",
        {
            f"first.{key}": (ABSENT, value)
            for key, value in {
                "type": "STEP",
                "sub_type": "Step",
                "name": "first",
                "status": "STARTED",
                "error": None,
                "result": None,
                "attempts": 0,
                "parent": None,
                "place": 1,
            }.items()
        },
    )
)
def first_step_that_is_given_up(event: Any, context: DurableContext) -> Any:
    def strategy(error: Exception, attempt: int) -> RetryDecision:
        raise ZeroDivisionError("no decision")

    context.step(flaky(2), name="first", config=StepConfig(retry_strategy=strategy))


@TABLE.add()
def wait_after_one_that_was_refused(event: Any, context: DurableContext) -> Any:
    error = caught(lambda: context.wait(Duration(), name="pause"))
    context.wait(seconds(1), name="pause")
    return error


@TABLE.add()
def wait(event: Any, context: DurableContext) -> Any:
    context.step(returns(1), name="before")
    context.wait(seconds(1), name="pause")
    return context.step(returns(2), name="after")


@TABLE.add()
def waits_of_all_lengths(event: Any, context: DurableContext) -> Any:
    context.wait(Duration.from_minutes(5), name="minutes")
    context.wait(Duration.from_hours(2))
    context.wait(Duration.from_days(30), name="month")
    return "later"


@TABLE.add()
def wait_that_is_too_short(event: Any, context: DurableContext) -> Any:
    return caught(lambda: context.wait(Duration(), name="pause"))


@TABLE.add()
def duration_below_zero(event: Any, context: DurableContext) -> Any:
    return caught(lambda: context.wait(Duration(-1)))
