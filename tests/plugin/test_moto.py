"""moto's AWS beside a durable context, whichever is opened first: both show the same time."""

from __future__ import annotations

import pytest

SUITE = """
import time
import boto3
import pytest
from aws_durable_execution_sdk_python.config import Duration

@pytest.fixture
def aws():
    from moto import mock_aws  # while the clock is frozen, if the context was opened first

    with mock_aws():
        yield boto3.client("dynamodb", region_name="eu-west-1")

def create(aws, name):
    key = {"AttributeName": "id"}
    aws.create_table(
        TableName=name,
        KeySchema=[key | {"KeyType": "HASH"}],
        AttributeDefinitions=[key | {"AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )

def created(aws, name):
    return aws.describe_table(TableName=name)["Table"]["CreationDateTime"].timestamp()

def check(durable_ctx, aws):
    def handler(event, context):
        context.step(lambda _: create(aws, "today"), name="today")
        context.wait(Duration.from_days(1), name="night")
        context.step(lambda _: create(aws, "tomorrow"), name="tomorrow")

    start = durable_ctx.clock.time()
    durable_ctx.effects.watch(aws)
    assert durable_ctx.run(handler, faults="tomorrow:start").status == "SUCCEEDED"
    assert created(aws, "today") == start
    assert start + 86_401 <= created(aws, "tomorrow") < start + 86_403  # a day, and the second that the kill took
    assert [effect.name for effect in durable_ctx.effects] == ["dynamodb.CreateTable"] * 2

def test_the_context_first(durable_ctx, aws):
    check(durable_ctx, aws)

def test_moto_first(aws, durable_ctx):
    check(durable_ctx, aws)

def test_moto_inside(durable_ctx):
    from moto import mock_aws

    with mock_aws():
        check(durable_ctx, boto3.client("dynamodb", region_name="eu-west-1"))

def test_real_time_afterwards(aws):
    create(aws, "now")
    assert abs(created(aws, "now") - time.time()) < 60
"""


def test_moto_and_a_context_work_together_in_either_order(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(SUITE)
    pytester.runpytest("-p", "no:randomly").assert_outcomes(passed=4)
