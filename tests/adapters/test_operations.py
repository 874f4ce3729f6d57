from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import botocore.session  # type: ignore[import-untyped]  # it has no types
import pytest

from pytest_durable.adapters.operations import changes_the_world, key_of, text_of

SESSION = botocore.session.Session()


@cache
def service(name: str) -> Any:
    return SESSION.get_service_model(name)


def operation(name: str) -> Any:
    owner, _, what = name.partition(".")
    return service(owner).operation_model(what)


READS = """
    dynamodb.GetItem dynamodb.Query dynamodb.Scan dynamodb.BatchGetItem dynamodb.TransactGetItems dynamodb.DescribeTable
    s3.GetObject s3.HeadObject s3.ListObjectsV2 s3.SelectObjectContent sqs.ReceiveMessage sqs.GetQueueUrl
    kms.Decrypt kms.GenerateDataKey kms.Sign kms.ReEncrypt sts.AssumeRole sts.GetCallerIdentity
    bedrock-runtime.Converse bedrock-runtime.ConverseStream bedrock-runtime.InvokeModel lambda.GetFunction
    stepfunctions.DescribeExecution
"""
WRITES = """
    dynamodb.PutItem dynamodb.UpdateItem dynamodb.DeleteItem dynamodb.BatchWriteItem dynamodb.TransactWriteItems
    s3.PutObject s3.CopyObject s3.DeleteObject s3.CreateMultipartUpload s3.CompleteMultipartUpload
    sqs.SendMessage sqs.SendMessageBatch sqs.DeleteMessage sns.Publish lambda.Invoke
    lambda.SendDurableExecutionCallbackSuccess stepfunctions.StartExecution stepfunctions.SendTaskSuccess
    bedrock-runtime.StartAsyncInvoke kms.ScheduleKeyDeletion
"""


@pytest.mark.parametrize("name", READS.split())
def test_a_read_changes_nothing(name: str) -> None:
    assert not changes_the_world(operation(name), {})


@pytest.mark.parametrize("name", WRITES.split())
def test_anything_else_does(name: str) -> None:
    assert changes_the_world(operation(name), {})


def test_where_the_model_says_that_an_operation_only_reads_its_name_says_so_too() -> None:
    """The names are for the services whose models say nothing: there, they are all there is."""
    told = 0
    for name in service("lambda").operation_names:
        model = service("lambda").operation_model(name)
        if model._operation_model.get("readonly"):
            told += 1
            del model._operation_model["readonly"]
            model.http["method"] = "POST"
            assert not changes_the_world(model, {}), name
    assert told > 10


@pytest.mark.parametrize(
    ("name", "params", "key"),
    [
        # Tokens, by the trait of the model or by the names that AWS gives them.
        ("dynamodb.TransactWriteItems", {"TransactItems": [], "ClientRequestToken": "t"}, "t"),
        ("dynamodb.TransactWriteItems", {"TransactItems": []}, None),
        ("sqs.SendMessage", {"QueueUrl": "q", "MessageBody": "b"}, None),
        ("sqs.SendMessage", {"QueueUrl": "q", "MessageBody": "b", "MessageDeduplicationId": "d"}, "d"),
        ("sns.Publish", {"TopicArn": "t", "Message": "m", "MessageDeduplicationId": "d"}, "d"),
        (
            "sqs.SendMessageBatch",
            {"Entries": [{"Id": "1", "MessageDeduplicationId": "d"}, {"Id": "2", "MessageDeduplicationId": "e"}]},
            "d, e",
        ),
        ("sqs.SendMessageBatch", {"Entries": [{"Id": "1", "MessageDeduplicationId": "d"}, {"Id": "2"}]}, None),
        ("sqs.SendMessageBatch", {"Entries": []}, None),
        ("bedrock-runtime.StartAsyncInvoke", {"modelId": "m", "clientRequestToken": "t"}, "t"),
        ("bedrock-runtime.StartAsyncInvoke", {"modelId": "m"}, None),
        # An execution's name makes it the same one; AWS gives it another if the user gives none.
        ("stepfunctions.StartExecution", {"stateMachineArn": "a", "name": "order-7", "input": "1"}, "order-7"),
        ("stepfunctions.StartExecution", {"stateMachineArn": "a", "input": "1"}, None),
        # What HTTP allows to repeat, by what it is done to.
        ("s3.PutObject", {"Bucket": "b", "Key": "k", "Body": b"1"}, "Bucket=b, Key=k"),
        ("s3.DeleteObject", {"Bucket": "b", "Key": "k"}, "Bucket=b, Key=k"),
        ("s3.CreateMultipartUpload", {"Bucket": "b", "Key": "k"}, None),
        ("lambda.Invoke", {"FunctionName": "f", "Payload": b"1"}, None),
        ("lambda.UpdateFunctionCode", {"FunctionName": "f", "ZipFile": b"1"}, "FunctionName=f"),
        # What is set or removed, by all that is said.
        ("sqs.DeleteMessage", {"QueueUrl": "q", "ReceiptHandle": "r"}, "QueueUrl=q, ReceiptHandle=r"),
        ("kms.EnableKey", {"KeyId": "k"}, "KeyId=k"),
        ("sns.CreateTopic", {"Name": "n"}, None),
    ],
)
def test_what_makes_two_calls_the_same(name: str, params: Mapping[str, Any], key: str | None) -> None:
    assert key_of(operation(name), params) == key


class Opaque:
    pass


def test_parameters_become_text_that_is_the_same_in_every_process() -> None:
    value = {"b": [1, {"x", "y"}], "a": {"S": b"1"}, "o": Opaque(), "n": None}
    assert text_of(value) == "a=(S=b'1'), b=(1, (x, y)), n=None, o=Opaque"
