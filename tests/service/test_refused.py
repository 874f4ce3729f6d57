"""A checkpoint that the service refuses: the test is told which operation, and why."""

from __future__ import annotations

from typing import Any

from aws_durable_execution_sdk_python import DurableContext

from pytest_durable import FakeDurableContext


def snowman(event: Any, context: DurableContext) -> Any:
    context.step(lambda _: 1, name="first")
    return context.step(lambda _: 2, name="☃")


def test_the_timeline_names_the_operation_and_the_reason() -> None:
    with FakeDurableContext() as context:
        execution = context.run(snowman)
    assert execution.status == "FAILED"
    lines = execution.timeline().splitlines()
    assert lines[1].split() == ["☃", "ran", "refused"]
    assert lines[2].strip().startswith("✗ refused: ☃: 1 validation error detected: Value '☃' at 'updates.1.")


def test_verify_says_that_the_function_fails_even_without_a_kill() -> None:
    with FakeDurableContext() as context:
        found = context.verify(snowman)
        assert found.outcome is not None
        assert ". But without any kill it ends FAILED aws_durable_execution_sdk_python.exceptions" in str(found)
        assert context.verify(lambda event, inner: 1).outcome is None


def test_a_name_that_is_no_text_is_refused_as_boto3_refuses_it() -> None:
    def handler(event: Any, context: Any) -> Any:
        return context.step(lambda _: 1, name=5)

    with FakeDurableContext() as context:
        execution = context.run(handler)
    assert [invocation.status for invocation in execution.invocations] == ["raised"] * 9
    assert "5: Invalid type for parameter Updates[0].Name, value: 5" in execution.timeline()
