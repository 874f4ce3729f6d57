"""What an execution may be started with: both sides of every limit."""

from __future__ import annotations

import re
from typing import Any

import pytest
from aws_durable_execution_sdk_python import DurableContext
from hypothesis import given
from hypothesis import strategies as st

from pytest_durable import FakeDurableContext
from pytest_durable.errors import UsageError
from tests.durable import seconds

DAYS_366 = 31_622_400
EVENT = 6_291_456
QUOTES = 2
"""Bytes that JSON puts around a string of ASCII."""


def echo(event: Any, context: DurableContext) -> Any:
    return event


def sleeper(event: Any, context: DurableContext) -> str:
    context.wait(seconds(DAYS_366))
    return "awake"


# --- timeouts -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("timeout", [None, 1, 60.0, DAYS_366])
def test_an_execution_timeout_that_aws_takes(ctx: FakeDurableContext, timeout: Any) -> None:
    assert ctx.run(echo, execution_timeout=timeout).status == "SUCCEEDED"


@pytest.mark.parametrize("timeout", [0, 0.5, 59.5, -1, DAYS_366 + 1, float("nan"), float("inf"), True, "60"])
def test_an_execution_timeout_that_aws_does_not_take(ctx: FakeDurableContext, timeout: Any) -> None:
    with pytest.raises(UsageError) as caught:
        ctx.run(echo, execution_timeout=timeout)
    assert str(caught.value) == (
        "execution_timeout must be a whole number of seconds from 1 to 31,622,400 (366 days), as AWS requires, "
        f"not {timeout!r}"
    )


def test_the_longest_execution_ends_before_the_longest_wait(ctx: FakeDurableContext) -> None:
    execution = ctx.run(sleeper, execution_timeout=DAYS_366)
    assert (execution.status, execution.elapsed) == ("TIMED_OUT", DAYS_366)
    assert ctx.run(sleeper).result == "awake"


@pytest.mark.parametrize("timeout", [0.001, 1, 899.5, 900])
def test_an_invocation_timeout_that_a_lambda_can_have(ctx: FakeDurableContext, timeout: float) -> None:
    assert ctx.run(echo, invocation_timeout=timeout).status == "SUCCEEDED"


@pytest.mark.parametrize("timeout", [0, -1, 900.1, 901, float("nan"), float("inf"), None, True, "60"])
def test_an_invocation_timeout_that_no_lambda_can_have(ctx: FakeDurableContext, timeout: Any) -> None:
    with pytest.raises(UsageError) as caught:
        ctx.run(echo, invocation_timeout=timeout)
    assert str(caught.value) == (
        "invocation_timeout must be a number of seconds, more than 0 and at most 900, the longest that AWS lets a "
        f"Lambda run, not {timeout!r}"
    )


# --- the event ------------------------------------------------------------------------------------------------------


def test_the_largest_event_arrives(ctx: FakeDurableContext) -> None:
    execution = ctx.run(lambda event, context: len(event), "x" * (EVENT - QUOTES))
    assert execution.result == EVENT - QUOTES


@pytest.mark.parametrize("method", ["run", "start", "verify"])
def test_a_larger_event_is_refused(ctx: FakeDurableContext, method: str) -> None:
    with pytest.raises(UsageError) as caught:
        getattr(ctx, method)(echo, "x" * (EVENT - QUOTES + 1))
    assert str(caught.value) == (
        "the event is 6,291,457 bytes of JSON, and a Lambda can be sent 6,291,456 (6 MB). Put the data elsewhere, on "
        "S3 for example, and send its address"
    )


# --- the name -------------------------------------------------------------------------------------------------------


@given(name=st.text(max_size=3) | st.from_regex(r"[a-zA-Z0-9_-]{1,66}", fullmatch=True))
def test_a_name_is_taken_if_it_matches_the_models_pattern(name: str) -> None:
    fits = re.fullmatch(r"[a-zA-Z0-9-_]+", name) is not None and len(name) <= 64
    with FakeDurableContext() as ctx:
        if fits:
            assert ctx.run(echo, name=name).name == name
        else:
            with pytest.raises(UsageError, match="name must be 1 to 64 letters, digits, - or _, as AWS requires, not "):
                ctx.run(echo, name=name)
