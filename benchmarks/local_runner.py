"""AWS's local runner: real threads and a real scheduler, with the waits skipped."""

from __future__ import annotations

from importlib.util import find_spec

from benchmarks.handlers import Handler
from benchmarks.measure import average, clock

PACKAGE = "aws-durable-execution-sdk-python-testing"
MISSING = f"not measured: {PACKAGE} is not installed"


def is_installed() -> bool:
    """Whether there is anything to compare with."""
    return find_spec("aws_durable_execution_sdk_python_testing") is not None


def seconds_per_run(handler: Handler, runs: int, payload: str = "{}") -> float:
    """Time ``runs`` executions in one runner, without the making of the runner.

    Raises:
        RuntimeError: if an execution does not succeed: its time would mean nothing.
    """
    from aws_durable_execution_sdk_python_testing.runner import DurableFunctionTestRunner

    with DurableFunctionTestRunner(handler=handler, poll_interval=0.01) as runner:

        def run() -> None:
            status = runner.run(input=payload, execution_timeout=60).status.value
            if status != "SUCCEEDED":
                raise RuntimeError(f"AWS's local runner ended {status}")

        return average(runs, run, timer=clock)
