"""Kill an AWS Lambda durable function at every checkpoint, replay it on the real SDK, and prove the replay safe.

The names below are the public interface. They are imported on first use: a test suite that does not use the plugin
imports neither the SDK nor boto3, Hypothesis or freezegun.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pytest_durable.advice import Advice
    from pytest_durable.callbacks import Callback
    from pytest_durable.context import FakeDurableContext
    from pytest_durable.effects import Effect, EffectLedger
    from pytest_durable.engine import VirtualClock
    from pytest_durable.errors import (
        DurabilityViolation,
        DurableCompatibilityWarning,
        EffectLost,
        EffectRepeated,
        ExecutionStuck,
        FaultNotReached,
        InvalidEvent,
        InvalidHandler,
        InvalidHistory,
        InvalidPlan,
        NestedRun,
        NotSimulated,
        OutcomeChanged,
        PytestDurableError,
        ReplayDiverged,
        StepRanAgain,
        SuspensionSwallowed,
        UnknownOperation,
        UnknownPrimitive,
        UsageError,
    )
    from pytest_durable.execution import Execution
    from pytest_durable.faults import Fault, FaultPlan
    from pytest_durable.histories import Replayed
    from pytest_durable.report.failure import Failure
    from pytest_durable.search import Verification
    from pytest_durable.service.errors import ServiceError
    from pytest_durable.service.output import ExecutionStatus
    from pytest_durable.views import Invocation, Operation

__version__ = "0.1.0"

_HOMES = {
    "Advice": "advice",
    "Callback": "callbacks",
    "FakeDurableContext": "context",
    "Effect": "effects",
    "EffectLedger": "effects",
    "VirtualClock": "engine",
    "DurabilityViolation": "errors",
    "DurableCompatibilityWarning": "errors",
    "EffectLost": "errors",
    "EffectRepeated": "errors",
    "ExecutionStuck": "errors",
    "FaultNotReached": "errors",
    "InvalidEvent": "errors",
    "InvalidHandler": "errors",
    "InvalidHistory": "errors",
    "InvalidPlan": "errors",
    "NestedRun": "errors",
    "NotSimulated": "errors",
    "OutcomeChanged": "errors",
    "PytestDurableError": "errors",
    "ReplayDiverged": "errors",
    "StepRanAgain": "errors",
    "SuspensionSwallowed": "errors",
    "UnknownOperation": "errors",
    "UnknownPrimitive": "errors",
    "UsageError": "errors",
    "Execution": "execution",
    "Invocation": "views",
    "Operation": "views",
    "Fault": "faults",
    "FaultPlan": "faults",
    "Replayed": "histories",
    "Failure": "report.failure",
    "Verification": "search",
    "ServiceError": "service.errors",
    "ExecutionStatus": "service.output",
}

__all__ = [
    "Advice",
    "Callback",
    "DurabilityViolation",
    "DurableCompatibilityWarning",
    "Effect",
    "EffectLedger",
    "EffectLost",
    "EffectRepeated",
    "Execution",
    "ExecutionStatus",
    "ExecutionStuck",
    "Failure",
    "FakeDurableContext",
    "Fault",
    "FaultNotReached",
    "FaultPlan",
    "InvalidEvent",
    "InvalidHandler",
    "InvalidHistory",
    "InvalidPlan",
    "Invocation",
    "NestedRun",
    "NotSimulated",
    "Operation",
    "OutcomeChanged",
    "PytestDurableError",
    "ReplayDiverged",
    "Replayed",
    "ServiceError",
    "StepRanAgain",
    "SuspensionSwallowed",
    "UnknownOperation",
    "UnknownPrimitive",
    "UsageError",
    "Verification",
    "VirtualClock",
]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f"{__name__}.{home}"), name)
    return value


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
