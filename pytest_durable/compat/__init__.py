"""AWS's testing library, under its names, on the simulation: a suite written for it passes with another import.

What it has beyond the two local runners is refused by name, with the way out.
"""

from __future__ import annotations

from typing import Any

from pytest_durable.compat.exceptions import DurableFunctionsTestError
from pytest_durable.compat.operations import (
    CallbackOperation,
    ContextOperation,
    ExecutionOperation,
    InvokeOperation,
    Operation,
    StepOperation,
    WaitOperation,
    create_operation,
)
from pytest_durable.compat.result import DurableFunctionTestResult
from pytest_durable.compat.runner import DurableChildContextTestRunner, DurableFunctionTestRunner
from pytest_durable.service.output import ExecutionStatus

__all__ = [
    "CallbackOperation",
    "ContextOperation",
    "DurableChildContextTestRunner",
    "DurableFunctionTestResult",
    "DurableFunctionTestRunner",
    "DurableFunctionsTestError",
    "ExecutionOperation",
    "ExecutionStatus",
    "InvokeOperation",
    "Operation",
    "StepOperation",
    "WaitOperation",
    "create_operation",
]

_ELSEWHERE = ("DurableFunctionCloudTestRunner", "WebRunner", "WebRunnerConfig")


def __getattr__(name: str) -> Any:
    if name in _ELSEWHERE:
        raise ImportError(
            f"{name} is not simulated: it talks to AWS, or to a server. Import it from "
            "aws_durable_execution_sdk_python_testing, in a run without --durable-replace-aws-runner"
        )
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
