"""An operation of the journal has every field that the SDK's class declares."""

from __future__ import annotations

import dataclasses

from aws_durable_execution_sdk_python.lambda_service import Operation

from pytest_durable import FakeDurableContext


def test_an_operation_of_the_journal_is_like_one_that_the_class_builds() -> None:
    with FakeDurableContext() as context:
        execution = context.run(lambda event, inner: inner.step(lambda _: 7, name="seven"))
    stored = list(execution._execution.journal.operations.values())[1]
    fields = {field.name: getattr(stored, field.name) for field in dataclasses.fields(Operation)}
    assert vars(stored).keys() == fields.keys()
    assert Operation(**fields) == stored
