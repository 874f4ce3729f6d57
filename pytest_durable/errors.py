"""Every error and warning of this package, in one tree.

What is wrong with the durable function under test is a `DurabilityViolation`, an ``AssertionError``. What is wrong with
the way this package was asked is a `UsageError`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_durable.report.evidence import Evidence
    from pytest_durable.report.failure import Failure


class PytestDurableError(Exception):
    """The root of this package's errors that are not findings."""


class UsageError(PytestDurableError):
    """The package was asked for something that makes no sense; the message says the way out."""


class InvalidHandler(UsageError, TypeError):
    """The handler is not callable, or cannot be called with ``(event, context)``."""


class InvalidEvent(UsageError, TypeError):
    """The event is not JSON, as everything that reaches a Lambda is."""


class InvalidPlan(UsageError, ValueError):
    """The text is no fault plan, or names an operation that the execution does not have."""


class InvalidHistory(UsageError, ValueError):
    """It is no recorded history, or one of which something is missing."""


class NestedRun(UsageError, RuntimeError):
    """A run was started inside another: from handler or step code."""


class UnknownOperation(UsageError, KeyError):
    """The execution has no operation at that path."""

    def __str__(self) -> str:
        return str(self.args[0]) if self.args else ""


class NotSimulated(BaseException):
    """The handler makes an operation that is not simulated.

    A ``BaseException``, so that neither the SDK nor the handler takes it for a failure of theirs: it ends the test.
    """


class UnknownPrimitive(PytestDurableError):
    """The installed SDK uses something of the standard library that is not simulated.

    Common cause: an SDK release newer than this package knows. The table in ``pytest_durable/seams/table.py`` is where
    it is mended; until then install an SDK release that works.
    """

    def __init__(self, what: str) -> None:
        super().__init__(
            f"{what}, which pytest-durable does not simulate: the run would be half real. "
            "Install a supported aws-durable-execution-sdk-python, or add the name to pytest_durable/seams/table.py."
        )


class DurableCompatibilityWarning(UserWarning):
    """The code under test relies on something that the installed SDK rejects and this package accepts."""


class FaultNotReached(UserWarning):
    """A fault of the plan did not happen: the execution never came to its place."""


class DurabilityViolation(AssertionError):
    """The durable function breaks a promise of durability.

    Attributes:
        failure: what was found, as a frozen value: plan, schedule, timeline, explanation.
        evidence: what was run, for the page of ``--durable-report``; None if nothing was. It keeps its world alive.
    """

    def __init__(self, failure: Failure, evidence: Evidence | None = None) -> None:
        super().__init__(failure)
        self.failure = failure
        self.evidence = evidence

    def __str__(self) -> str:
        return self.failure.render()


class StepRanAgain(DurabilityViolation):
    """A body ran again after it had completed.

    Common causes: the replay gave the operation another id, because an operation before it was skipped or added.
    """


class ReplayDiverged(DurabilityViolation):
    """A replay asked for something else than the first pass did.

    Common causes: the clock, random numbers, the environment or a global read outside of a step.
    """


class OutcomeChanged(DurabilityViolation):
    """The execution ends differently when it is killed and replayed.

    Common causes: state kept in a variable that a step assigns; a step that is not idempotent and is run again.
    """


class EffectRepeated(DurabilityViolation):
    """The outside world saw an effect twice that it must see once."""


class EffectLost(DurabilityViolation):
    """The outside world never saw an effect of the fault-free run."""


class ExecutionStuck(DurabilityViolation):
    """The execution does not end.

    Common causes: a callback nobody answers, a step longer than the invocation timeout, a deadlock.
    """


class SuspensionSwallowed(DurabilityViolation):
    """The handler caught the SDK's own suspension, or a kill, and went on.

    Common causes: a bare ``except:`` or an ``except BaseException`` around durable calls.
    """
