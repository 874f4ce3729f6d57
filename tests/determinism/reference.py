"""A run that has something of everything, and its trace; as a script it prints the hash of the trace."""

from __future__ import annotations

from typing import Any

from aws_durable_execution_sdk_python import DurableContext, StepContext, durable_execution
from aws_durable_execution_sdk_python.config import Duration, StepConfig
from aws_durable_execution_sdk_python.retries import RetryStrategyConfig, create_retry_strategy

from pytest_durable import Execution, FakeDurableContext

PLAN = "reserve:body, regions/map-item-1/report:stored, invoice/number:body"
RETRIED = StepConfig(
    retry_strategy=create_retry_strategy(RetryStrategyConfig(max_attempts=5, initial_delay=Duration.from_seconds(30)))
)
REGIONS = ["north", "east", "south", "west"]


def quote(context: StepContext) -> str:
    if context.attempt < 4:
        raise ConnectionError("busy")
    return "quoted"


def region(context: DurableContext, name: str, index: int, _: Any) -> Any:
    context.wait(Duration.from_seconds(60 - 10 * index), name="settle")
    return context.step(lambda _: [name, index / 3], name="report")


def dispatch(context: DurableContext) -> str:
    label = context.step(lambda _: "label", name="print")
    context.wait(Duration.from_minutes(5), name="courier")
    return context.step(lambda _: f"{label} sent", name="hand over")


def handler(event: Any, context: DurableContext) -> Any:
    """Something of every operation: a retry with jitter, waits, a map, a child context, a callback, invokes."""
    reserved = context.step(lambda _: {"sku": "A1", "count": 2}, name="reserve")
    quoted = context.step(quote, name="quote", config=RETRIED)
    context.wait(Duration.from_hours(8), name="night")
    reports: list[Any] = context.map(REGIONS, region, name="regions").get_results()
    label = context.run_in_child_context(dispatch, name="dispatch")
    approved = context.wait_for_callback(lambda callback_id, _: None, name="approve")
    return [reserved, quoted, reports, label, approved, context.invoke("invoice", {"to": "A"}, name="invoice")]


@durable_execution
def invoice(event: Any, context: DurableContext) -> Any:
    number = context.step(lambda _: 7, name="number")
    context.wait(Duration.from_minutes(1), name="print")
    return [number, context.invoke("mail", event, name="mail")]


def prepared(context: FakeDurableContext) -> FakeDurableContext:
    """Give ``context`` what the handler asks of the outside world."""
    context.callbacks.succeed("approve", "yes", after=90)
    context.register("invoice", invoice)
    context.register("mail", lambda event, _: f"mail to {event['to']}")
    return context


def run(plan: str = PLAN, seed: int = 0) -> Execution:
    """Run the reference once, in a context of its own."""
    with prepared(FakeDurableContext(seed=seed)) as context:
        return context.run(handler, {"order": 7}, faults=plan)


def trace_hash(plan: str = PLAN, seed: int = 0) -> str:
    """The hash of the trace of one run of the reference."""
    return run(plan, seed).trace_hash


def trace_lines() -> list[str]:
    """The trace of the reference as text, to see where two runs part."""
    lines: list[str] = run()._execution.service.world.trace.lines()
    return lines


if __name__ == "__main__":
    print(trace_hash())  # noqa: T201  # read by the test that started this process
