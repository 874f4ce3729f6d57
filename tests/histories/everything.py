"""A function with an operation of each type; ``python -m tests.histories.everything`` records it."""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

from aws_durable_execution_sdk_python import DurableContext
from aws_durable_execution_sdk_python.config import CompletionConfig, MapConfig

from pytest_durable import FakeDurableContext
from tests.durable import Flaky, attempts, returns, seconds
from tests.parity.scenario import until

GOLDEN = Path(__file__).parent / "golden"


def everything(event: Any, context: DurableContext) -> Any:
    order = context.step(returns({"id": 7, "lines": [1, 2, 3]}), name="load")
    context.wait(seconds(60), name="pause")
    approved = context.wait_for_callback(lambda callback_id, _: None, name="approval")
    polled = context.wait_for_condition(lambda state, _: state + 1, config=until(3), name="poll")
    paid: Any = context.invoke("pay", {"order": order["id"]}, name="pay")

    def line(child: DurableContext, number: int, *_: Any) -> Any:
        child.wait(seconds(number), name="queue")
        return child.step(returns(number * 10), name="price")

    config: MapConfig[Any] = MapConfig(max_concurrency=2, completion_config=CompletionConfig(tolerated_failure_count=1))
    lines: Any = context.map(order["lines"], line, name="lines", config=config).get_results()
    branches = [lambda child: child.step(returns("a"), name="a"), lambda child: child.step(returns("b"), name="b")]
    both: Any = context.parallel(branches, name="both").get_results()
    sent = context.run_in_child_context(
        lambda child: child.step(FLAKY, name="send", config=attempts(3)), name="shipping"
    )
    return [approved, polled, paid, lines, both, sent]


FLAKY = Flaky(1)


def prepared(context: FakeDurableContext) -> FakeDurableContext:
    """The context, with the outside world of the function."""
    FLAKY.reset()
    context.register("pay", lambda event, context: {"paid": event["order"]})
    context.callbacks.succeed("approval", "yes", after=3_600)
    return context


def main() -> None:
    """Write down what the installed SDK records."""
    with FakeDurableContext() as context:
        events = prepared(context).run(everything).history
    path = GOLDEN / f"sdk-{version('aws-durable-execution-sdk-python')}.json"
    path.write_text(json.dumps({"Events": events}, indent=1, sort_keys=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
