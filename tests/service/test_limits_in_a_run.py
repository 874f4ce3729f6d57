"""What a handler on the real SDK meets beyond a limit: the SDK's own refusal, boto3's, or the service's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from aws_durable_execution_sdk_python import DurableContext
from aws_durable_execution_sdk_python.config import Duration, MapConfig, StepConfig

from pytest_durable import Execution, FakeDurableContext
from tests.durable import ONCE_AT_MOST, Flaky, attempts, fails, returns, seconds

MB = 1_048_576
QUOTES = 2
DAYS_366 = 31_622_400
CHECKPOINT_ERROR = "aws_durable_execution_sdk_python.exceptions.CheckpointError"
VALIDATION_ERROR = "aws_durable_execution_sdk_python.exceptions.ValidationError"
PRINTABLE = r"satisfy regular expression pattern: [\x20-\x7E]+"

Handler = Callable[[Any, DurableContext], Any]


def refused(words: str) -> str:
    """The message of the error that boto3 makes of the service's answer."""
    operation = "CheckpointDurableExecution"
    return f"An error occurred (InvalidParameterValueException) when calling the {operation} operation: {words}"


def violation(value: object, member: str, constraint: str, number: int = 1) -> str:
    where = f"Value '{value}' at 'updates.{number}.member.{member}'"
    return refused(f"1 validation error detected: {where} failed to satisfy constraint: Member must {constraint}")


def ended(execution: Execution) -> tuple[str, str | None, str | None]:
    """Its status, and type and message of its error."""
    error = execution.error
    return (execution.status, None, None) if error is None else (execution.status, error.type, error.message)


def step(name: Any = None, value: Any = 1) -> Handler:
    return lambda event, context: context.step(returns(value), name=name)


def large_step(size: int) -> Handler:
    """A step whose result has so many bytes.

    Its START is sent ahead: an update of more than 750 KiB that is not the first of its request is never sent by the
    SDK (3.0), and the invocation times out.
    """
    value = "x" * (size - QUOTES)
    return lambda event, context: len(context.step(returns(value), name="large", config=ONCE_AT_MOST))


def failing_step(size: int) -> Handler:
    """A step whose error has so many bytes."""
    error = ValueError("x" * (size - len("ValueError")))
    return lambda event, context: context.step(fails(error), name="bad", config=ONCE_AT_MOST)


def wait(duration: int) -> Handler:
    return lambda event, context: context.wait(seconds(duration), name="pause")


def retried(delay: int) -> Handler:
    body = Flaky(1)
    return lambda event, context: context.step(body, name="flaky", config=attempts(2, delay))


def result(size: int) -> Handler:
    return lambda event, context: "x" * (size - QUOTES)


# --- what the service refuses ---------------------------------------------------------------------------------------

AT_THE_LIMIT: dict[str, Handler] = {
    "a name of 256 characters": step("x" * 256),
    "an empty name": step(""),
    "a result of 1 MB": large_step(MB),
    "a wait of 366 days": wait(DAYS_366),
    "a retry after 366 days": retried(DAYS_366),
    "the execution's result of 6 MB": result(6 * MB),
}


@pytest.mark.parametrize("handler", AT_THE_LIMIT.values(), ids=list(AT_THE_LIMIT))
def test_at_the_limit_all_is_well(ctx: FakeDurableContext, handler: Handler) -> None:
    execution = ctx.run(handler)
    assert ended(execution) == ("SUCCEEDED", None, None)
    assert execution.invocations[-1].status == "SUCCEEDED"


BEYOND: dict[str, tuple[Handler, str]] = {
    "a name of 257 characters": (
        step("x" * 257),
        violation("x" * 257, "name", "have length less than or equal to 256"),
    ),
    "a name with an emoji": (step("charge 💳"), violation("charge 💳", "name", PRINTABLE)),
    "the name of a wait": (
        lambda event, context: context.wait(seconds(1), name="päuse"),
        violation("päuse", "name", PRINTABLE),
    ),
    "the name of an item": (
        lambda event, context: context.map(
            ["ö"], lambda child, item, index, items: 1, name="m", config=MapConfig(item_namer=lambda item, index: item)
        ),
        violation("ö", "name", PRINTABLE, number=2),
    ),
    "a result of more than 1 MB": (
        large_step(MB + 1),
        refused("STEP output payload size must be less than or equal to 1048576 bytes."),
    ),
    "an error of more than 1 MB": (
        failing_step(MB + 1),
        refused("Error object size must be less than 1048576 bytes."),
    ),
    "a wait of more than 366 days": (
        wait(DAYS_366 + 1),
        violation(DAYS_366 + 1, "waitOptions.waitSeconds", f"have value less than or equal to {DAYS_366}"),
    ),
    "a retry after more than 366 days": (
        retried(DAYS_366 + 1),
        violation(
            DAYS_366 + 1,
            "stepOptions.nextAttemptDelaySeconds",
            f"have value less than or equal to {DAYS_366}",
            number=2,
        ),
    ),
    "the execution's result of more than 6 MB": (
        result(6 * MB + 1),
        refused("Execution output payload size must be less than or equal to 6291456 bytes."),
    ),
}


@pytest.mark.parametrize(("handler", "message"), BEYOND.values(), ids=list(BEYOND))
def test_beyond_the_limit_the_execution_fails_at_once_and_says_why(
    ctx: FakeDurableContext, handler: Handler, message: str
) -> None:
    execution = ctx.run(handler)
    assert ended(execution) == ("FAILED", CHECKPOINT_ERROR, message)
    assert [invocation.status for invocation in execution.invocations] == ["FAILED"]


def test_an_error_of_1_mb_is_stored(ctx: FakeDurableContext) -> None:
    execution = ctx.run(failing_step(MB))
    assert execution.error is not None
    assert execution.error.type == "aws_durable_execution_sdk_python.exceptions.StepError"
    assert execution.operation("bad").status == "FAILED"


def test_the_body_has_run_although_nothing_is_stored_of_its_step(ctx: FakeDurableContext) -> None:
    execution = ctx.run(step("charge 💳"))
    assert execution.body_runs("charge 💳") == 1
    assert execution.operations == ()


def test_what_was_stored_before_stays(ctx: FakeDurableContext) -> None:
    def handler(event: Any, context: DurableContext) -> None:
        context.step(returns(1), name="fine")
        context.wait(seconds(5), name="pause")
        context.step(returns(2), name="ü")

    execution = ctx.run(handler)
    assert ended(execution) == ("FAILED", CHECKPOINT_ERROR, violation("ü", "name", PRINTABLE))
    assert [(operation.path, operation.status) for operation in execution.operations] == [
        ("fine", "SUCCEEDED"),
        ("pause", "SUCCEEDED"),
    ]


def test_a_handler_cannot_catch_a_refusal_as_an_exception(ctx: FakeDurableContext) -> None:
    def handler(event: Any, context: DurableContext) -> str:
        try:
            context.step(returns(1), name="ü")
        except Exception:
            return "caught"
        return "fine"

    assert ended(ctx.run(handler)) == ("FAILED", CHECKPOINT_ERROR, violation("ü", "name", PRINTABLE))


# --- what the SDK or boto3 refuses before ---------------------------------------------------------------------------

BY_THE_SDK: dict[str, tuple[Handler, str]] = {
    "no wait": (wait(0), "duration must be at least 1 second"),
    "less than no wait": (wait(-1), "Duration seconds must be positive"),
    "a subtype": (
        lambda event, context: context.step(returns(1), config=StepConfig(sub_type="no subtype")),
        "sub_type must be 1 to 32 characters from A-Z, a-z, 0-9, hyphen, and underscore, got: 'no subtype'",
    ),
}


@pytest.mark.parametrize(("handler", "message"), BY_THE_SDK.values(), ids=list(BY_THE_SDK))
def test_what_the_sdk_refuses(ctx: FakeDurableContext, handler: Handler, message: str) -> None:
    if "sub_type" in message and not hasattr(StepConfig, "sub_type"):
        pytest.skip("an SDK without subtypes of the caller's")
    assert ended(ctx.run(handler)) == ("FAILED", VALIDATION_ERROR, message)


def test_the_sdk_makes_no_delay_a_second(ctx: FakeDurableContext) -> None:
    execution = ctx.run(retried(0))
    assert execution.status == "SUCCEEDED"
    assert "again in 1 s" in execution.timeline()


BY_BOTO3: dict[str, tuple[Handler, str]] = {
    "a name that is a number": (
        step(5),
        "Invalid type for parameter Updates[0].Name, value: 5, type: <class 'int'>, valid types: <class 'str'>",
    ),
    "a wait of a fraction": (
        lambda event, context: context.wait(Duration(seconds=fraction()), name="pause"),
        "Invalid type for parameter Updates[0].WaitOptions.WaitSeconds, value: 1.5, type: <class 'float'>, "
        "valid types: <class 'int'>",
    ),
}


def fraction() -> Any:
    return 1.5


@pytest.mark.parametrize(("handler", "report"), BY_BOTO3.values(), ids=list(BY_BOTO3))
def test_what_boto3_does_not_send_is_tried_again_until_the_service_gives_up(
    ctx: FakeDurableContext, handler: Handler, report: str
) -> None:
    execution = ctx.run(handler)
    message = f"Parameter validation failed:\n{report}"
    assert ended(execution) == ("FAILED", CHECKPOINT_ERROR, message)
    assert [invocation.error for invocation in execution.invocations] == [(CHECKPOINT_ERROR, message)] * 9
