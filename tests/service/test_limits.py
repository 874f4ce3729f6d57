"""The limits of one update, held against the Lambda API model, botocore and AWS's local runner."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from types import SimpleNamespace
from typing import Any

import pytest
from aws_durable_execution_sdk_python.lambda_service import (
    CallbackOptions,
    ChainedInvokeOptions,
    ErrorObject,
    OperationSubType,
    OperationUpdate,
    StepOptions,
    WaitOptions,
)
from aws_durable_execution_sdk_python_testing.checkpoint.validators.checkpoint import CheckpointValidator
from aws_durable_execution_sdk_python_testing.exceptions import InvalidParameterValueException
from botocore.exceptions import ParamValidationError  # type: ignore[import-untyped]  # it has no types
from botocore.loaders import Loader  # type: ignore[import-untyped]  # it has no types
from botocore.model import ServiceModel  # type: ignore[import-untyped]  # it has no types
from botocore.validate import validate_parameters  # type: ignore[import-untyped]  # it has no types
from hypothesis import given
from hypothesis import strategies as st

from pytest_durable.service import limits
from pytest_durable.service.errors import InvalidParameterValue
from pytest_durable.service.identity import ACCOUNT, REGION
from pytest_durable.service.limits import NotSent, check_update
from tests.service.journals import update

MB = 1_048_576


def refusal_of(bad: OperationUpdate, position: int = 0) -> str | None:
    """The service's words; None if it accepts. What boto3 refuses is an error of the test."""
    try:
        check_update(bad, position)
    except NotSent as report:
        raise AssertionError(f"boto3 refuses: {report}") from report
    except InvalidParameterValue as refusal:
        return str(refusal)
    return None


# --- the model is the judge of every number and every pattern -------------------------------------------------------


@cache
def model() -> ServiceModel:
    return ServiceModel(Loader().load_service_model("lambda", "service-2"))


def member(path: str) -> Any:
    """What the model says of a member of an update."""
    found: Any = model().shape_for("OperationUpdate")
    for name in path.split("."):
        found = found.members[name]
    return found


def boto(bad: OperationUpdate, position: int = 0) -> str | None:
    """What boto3 says to a request with ``bad`` at that position; None if it sends it."""
    fine = update("STEP", "START").to_dict()
    request = {
        "DurableExecutionArn": "arn",
        "CheckpointToken": "token",
        "Updates": [*[fine] * position, bad.to_dict()],
    }
    try:
        validate_parameters(request, model().shape_for("CheckpointDurableExecutionRequest"))
    except ParamValidationError as report:
        return str(report)
    return None


Build = Callable[[Any], OperationUpdate]


def invoke(function_name: Any = "f", **options: Any) -> OperationUpdate:
    return update("CHAINED_INVOKE", "START", chained_invoke_options=ChainedInvokeOptions(function_name, **options))


TEXTS: dict[str, Build] = {
    "Id": lambda value: update("STEP", "START", value),
    "ParentId": lambda value: update("STEP", "START", parent_id=value),
    "Name": lambda value: update("STEP", "START", name=value),
    "SubType": lambda value: update("STEP", "START", sub_type=value),
    "ChainedInvokeOptions.FunctionName": invoke,
    "ChainedInvokeOptions.TenantId": lambda value: invoke(tenant_id=value),
    "ChainedInvokeOptions.XAmznTraceId": lambda value: invoke(x_amzn_trace_id=value),
}
NUMBERS: dict[str, Build] = {
    "StepOptions.NextAttemptDelaySeconds": lambda value: update("STEP", "RETRY", step_options=StepOptions(value)),
    "WaitOptions.WaitSeconds": lambda value: update("WAIT", "START", wait_options=WaitOptions(value)),
    "CallbackOptions.TimeoutSeconds": lambda value: update(
        "CALLBACK", "START", callback_options=CallbackOptions(timeout_seconds=value)
    ),
    "CallbackOptions.HeartbeatTimeoutSeconds": lambda value: update(
        "CALLBACK", "START", callback_options=CallbackOptions(heartbeat_timeout_seconds=value)
    ),
}
OTHERS = {"Type", "Action", "Payload", "Error", "ContextOptions.ReplayChildren"}
"""Members with tests of their own below, or (type, action, a boolean) with nothing to be beyond."""


def paths(shape: Any, prefix: str = "") -> Iterator[str]:
    for name, found in shape.members.items():
        if found.type_name == "structure" and name != "Error":
            yield from paths(found, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"


def test_every_member_of_the_model_is_tested_here() -> None:
    assert set(paths(model().shape_for("OperationUpdate"))) == {*TEXTS, *NUMBERS, *OTHERS}


def wire_name(path: str) -> str:
    return ".".join(name[0].lower() + name[1:] for name in path.split("."))


def violation(path: str, value: object, *constraints: str, number: int = 1) -> str:
    """Lambda's standard words."""
    what = "error" if len(constraints) == 1 else "errors"
    return f"{len(constraints)} validation {what} detected: " + "; ".join(
        f"Value '{value}' at 'updates.{number}.member.{wire_name(path)}' failed to satisfy constraint: "
        f"Member must {constraint}"
        for constraint in constraints
    )


def constraints_broken(path: str, value: str) -> list[str]:
    """The model's constraints that a text breaks, in Lambda's words."""
    metadata = member(path).metadata
    pattern, longest = metadata.get("pattern"), metadata["max"]
    broken = []
    if pattern is not None and not re.fullmatch(pattern, value, re.ASCII):
        broken.append(f"satisfy regular expression pattern: {pattern}")
    if len(value) > longest:
        broken.append(f"have length less than or equal to {longest}")
    return broken


WITH_WORDS_OF_THEIR_OWN = {"ChainedInvokeOptions.FunctionName", "ChainedInvokeOptions.TenantId"}
STANDARD = sorted(TEXTS.keys() - WITH_WORDS_OF_THEIR_OWN)


@pytest.mark.parametrize("path", TEXTS)
def test_the_longest_text_is_accepted_and_one_character_more_is_not(path: str) -> None:
    longest = member(path).metadata["max"]
    assert refusal_of(TEXTS[path]("x" * longest)) is None
    refusal = refusal_of(TEXTS[path]("x" * (longest + 1)), position=2)
    if path in WITH_WORDS_OF_THEIR_OWN:
        assert refusal is not None
    else:
        constraint = f"have length less than or equal to {longest}"
        assert refusal == violation(path, "x" * (longest + 1), constraint, number=3)


@pytest.mark.parametrize("path", STANDARD)
@given(data=st.data())
def test_a_text_is_accepted_if_the_model_allows_it(path: str, data: st.DataObject) -> None:
    characters = st.characters(max_codepoint=0x10FFFF, exclude_categories=())
    longest = member(path).metadata["max"]
    drawn = st.text(characters, min_size=1, max_size=5) | st.from_regex(r"[a-zA-Z0-9_ ~-]{1,5}", fullmatch=True)
    value = data.draw(drawn) * data.draw(st.sampled_from([1, 1, longest // 5, longest]))
    broken = constraints_broken(path, value)
    assert refusal_of(TEXTS[path](value)) == (violation(path, value, *broken) if broken else None)


@pytest.mark.parametrize("value", ["line\n", "tab\t", "ü", "charge 💳", "\x7f", "\x1f"])
def test_a_name_is_printable_ascii(value: str) -> None:
    assert refusal_of(TEXTS["Name"](value)) == violation(
        "Name", value, r"satisfy regular expression pattern: [\x20-\x7E]+"
    )


def test_a_name_with_every_printable_character_is_accepted() -> None:
    assert refusal_of(TEXTS["Name"]("".join(map(chr, range(0x20, 0x7F))))) is None


def test_two_broken_constraints_are_named_together() -> None:
    assert refusal_of(TEXTS["Id"]("ü" * 65)) == violation(
        "Id",
        "ü" * 65,
        "satisfy regular expression pattern: [a-zA-Z0-9-_]+",
        "have length less than or equal to 64",
    )


@pytest.mark.parametrize("path", ["ParentId", "Name", "SubType"])
def test_what_the_sdk_leaves_out_because_it_is_empty_is_accepted(path: str) -> None:
    for nothing in ("", None, 0):
        empty = TEXTS[path](nothing)
        assert path not in empty.to_dict()
        assert refusal_of(empty) is None


@pytest.mark.parametrize("sub_type", OperationSubType)
def test_the_sdks_own_subtypes_are_accepted(sub_type: OperationSubType) -> None:
    own: Any = sub_type  # no text in SDK 2
    assert refusal_of(TEXTS["SubType"](own)) is None


def test_beside_a_subtype_of_the_sdk_a_bad_name_is_refused() -> None:
    own: Any = OperationSubType.STEP
    assert refusal_of(update("STEP", "START", name="ü", sub_type=own)) is not None


@pytest.mark.parametrize("path", NUMBERS)
def test_the_range_of_a_number_is_the_models(path: str) -> None:
    least, most = member(path).metadata["min"], member(path).metadata["max"]
    assert refusal_of(NUMBERS[path](least)) is None
    assert refusal_of(NUMBERS[path](most)) is None
    words = violation(path, most + 1, f"have value less than or equal to {most}", number=2)
    assert refusal_of(NUMBERS[path](most + 1), position=1) == words


# --- what boto3 does not send ---------------------------------------------------------------------------------------

# A subtype of a wrong type never comes to boto3: the SDKs stumble over it themselves.
UNSENDABLE: dict[str, tuple[Build, list[Any]]] = {
    **{path: (build, [7, b"x", ["x"]]) for path, build in TEXTS.items() if path not in ("Id", "SubType")},
    "Id": (TEXTS["Id"], [7, None, ""]),
    "an empty function": (TEXTS["ChainedInvokeOptions.FunctionName"], [""]),
    "an empty tenant": (TEXTS["ChainedInvokeOptions.TenantId"], [""]),
    **{path: (build, [-1, 1.0, "1", None]) for path, build in NUMBERS.items()},
    "no time": (NUMBERS["WaitOptions.WaitSeconds"], [0]),
    "no delay": (NUMBERS["StepOptions.NextAttemptDelaySeconds"], [0]),
    "Payload": (lambda value: update("STEP", "SUCCEED", payload=value), [7, b"x", {}]),
    "ErrorMessage": (lambda value: update("STEP", "FAIL", error=ErrorObject(value, None, None, None)), [7]),
    "ErrorType": (lambda value: update("STEP", "FAIL", error=ErrorObject(None, value, None, None)), [7]),
    "ErrorData": (lambda value: update("STEP", "FAIL", error=ErrorObject(None, None, value, None)), [7]),
    "StackTrace": (lambda value: update("STEP", "FAIL", error=ErrorObject(None, None, None, value)), [["x", None]]),
}


@pytest.mark.parametrize(
    ("build", "value"),
    [
        pytest.param(build, value, id=f"{name}-{value!r}")
        for name, (build, values) in UNSENDABLE.items()
        for value in values
        if not (isinstance(value, list) and name in ("ParentId", "Name"))
    ],
)
@pytest.mark.parametrize("position", [0, 3])
def test_boto3_refuses_a_wrong_type_or_too_little_in_its_own_words(build: Build, value: Any, position: int) -> None:
    with pytest.raises(NotSent) as caught:
        check_update(build(value), position)
    error = caught.value.as_service_error("CheckpointDurableExecution")
    assert str(error) == boto(build(value), position)
    assert error.response == {}


def test_a_truth_value_is_a_number_to_boto3() -> None:
    one = NUMBERS["WaitOptions.WaitSeconds"](True)
    assert boto(one) is None
    assert refusal_of(one) is None


# --- sizes ----------------------------------------------------------------------------------------------------------

OUTPUT = "output payload size must be less than or equal to"
PAYLOADS = [
    ("STEP", "SUCCEED", MB, f"STEP {OUTPUT} 1048576 bytes."),
    ("STEP", "RETRY", MB, f"STEP {OUTPUT} 1048576 bytes."),
    ("CONTEXT", "SUCCEED", MB, f"CONTEXT {OUTPUT} 1048576 bytes."),
    ("WAIT", "START", MB, f"WAIT {OUTPUT} 1048576 bytes."),
    ("CALLBACK", "START", MB, f"CALLBACK {OUTPUT} 1048576 bytes."),
    (
        "CHAINED_INVOKE",
        "START",
        MB,
        "CHAINED_INVOKE input payload size must be less than or equal to 1048576 bytes.",
    ),
    ("EXECUTION", "SUCCEED", 6 * MB, f"Execution {OUTPUT} 6291456 bytes."),
]


@pytest.mark.parametrize(("kind", "action", "limit", "words"), PAYLOADS)
@pytest.mark.parametrize("character", ["x", "ü", "€", "💳"])
def test_a_payload_is_measured_in_bytes(kind: str, action: str, limit: int, words: str, character: str) -> None:
    width = len(character.encode())
    longest = character * (limit // width) + "x" * (limit % width)
    assert refusal_of(update(kind, action, payload=longest)) is None
    assert refusal_of(update(kind, action, payload=longest + "x")) == words
    assert len(longest.encode()) == limit


def test_the_limits_of_payloads_are_the_models() -> None:
    words = member("Payload").documentation
    assert "6 MB for synchronous" in words
    assert "and 1 MB for asynchronous" in words
    assert member("Payload").metadata["max"] == limits.MAX_EXECUTION_PAYLOAD
    assert model().shape_for("BinaryOperationPayload").metadata["max"] == limits.MAX_PAYLOAD
    assert "1 MB" in member("Error").documentation
    assert model().shape_for("ExecutionTimeout").metadata["max"] == limits.MAX_SECONDS


def test_a_lone_surrogate_is_measured_too() -> None:
    half = "\ud83d"
    assert refusal_of(update("STEP", "SUCCEED", payload=half * (MB // 3))) is None
    assert refusal_of(update("STEP", "SUCCEED", payload=half * (MB // 3 + 1))) == PAYLOADS[0][3]


ERROR_FIELDS: dict[str, Callable[[str], ErrorObject]] = {
    "message": lambda text: ErrorObject(text, None, None, None),
    "type": lambda text: ErrorObject(None, text, None, None),
    "data": lambda text: ErrorObject(None, None, text, None),
    "one line of the stack": lambda text: ErrorObject(None, None, None, [text]),
    "all of it": lambda text: ErrorObject(text[:10], text[10:20], text[20:30], [text[30:40], text[40:]]),
}
TOO_LARGE = "Error object size must be less than 1048576 bytes."


@pytest.mark.parametrize("build", ERROR_FIELDS.values(), ids=list(ERROR_FIELDS))
@pytest.mark.parametrize(("kind", "action"), [("STEP", "FAIL"), ("STEP", "RETRY"), ("CONTEXT", "FAIL")])
def test_the_fields_of_an_error_have_a_megabyte_together(
    build: Callable[[str], ErrorObject], kind: str, action: str
) -> None:
    assert refusal_of(update(kind, action, error=build("x" * MB))) is None
    assert refusal_of(update(kind, action, error=build("x" * (MB + 1)))) == TOO_LARGE
    assert refusal_of(update(kind, action, error=build("é" * (MB // 2)))) is None
    assert refusal_of(update(kind, action, error=build("é" * (MB // 2) + "x"))) == TOO_LARGE


def test_the_words_about_an_error_are_the_runners_but_for_the_number() -> None:
    large = update("STEP", "FAIL", error=ErrorObject("x" * (MB + 1), None, None, None))
    assert str(refusal_of(large)).replace("1048576", "32768") == runner(large)


# --- chained invokes ------------------------------------------------------------------------------------------------


def runner(bad: OperationUpdate) -> str | None:
    """The words of AWS's local runner, for a parent in our account and region; None if it accepts."""
    start: Any = SimpleNamespace(account_id=ACCOUNT)
    execution: Any = SimpleNamespace(operations=[], parent_execution_arn=None, start_input=start, region=REGION)
    try:
        CheckpointValidator.validate_input([bad], execution)
    except InvalidParameterValueException as refusal:
        return str(refusal)
    return None


HERE = f"{REGION}:{ACCOUNT}"
ACCEPTED = [
    "f",
    "f:prod",
    "f:$LATEST",
    "f:$LATEST.PUBLISHED",
    "a.b-c_d",
    f"{ACCOUNT}:function:f",
    f"{REGION}:f",
    f"arn:aws:lambda:{HERE}:function:f",
    f"arn:aws:lambda:{HERE}:function:f:7",
    f"arn:aws-us-gov:lambda:{HERE}:f",
    "x" * 256,
]
OTHER_ACCOUNT = "Cannot start a CHAINED_INVOKE on a function in another account."
OTHER_REGION = "Cannot start a CHAINED_INVOKE on a function in another region."
MALFORMED = ["f f", "f:", "ü", "f:$OLDEST", "f/g", "f\n", "x" * 257, "arn:aws:lambda:f", f"arn:aws:lambda:{REGION}:f"]
REFUSED = {
    **{name: f"Invalid function ARN '{name}'" for name in MALFORMED},
    f"arn:aws:lambda:{REGION}:210987654321:function:f": OTHER_ACCOUNT,
    "210987654321:function:f": OTHER_ACCOUNT,
    f"arn:aws:lambda:eu-west-1:{ACCOUNT}:function:f": OTHER_REGION,
    f"arn:aws:lambda:eusc-de-east-1:{ACCOUNT}:function:f": OTHER_REGION,
    "arn:aws:lambda:eu-west-1:210987654321:function:f": OTHER_ACCOUNT,
}


@pytest.mark.parametrize("name", ACCEPTED)
@pytest.mark.parametrize("judge", [refusal_of, runner])
def test_a_function_that_can_be_invoked(judge: Callable[[OperationUpdate], str | None], name: str) -> None:
    assert judge(invoke(name)) is None


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.parametrize("judge", [refusal_of, runner])
def test_a_function_that_cannot_be_invoked(judge: Callable[[OperationUpdate], str | None], name: str) -> None:
    assert judge(invoke(name)) == REFUSED[name]


def test_an_account_is_of_ascii_digits() -> None:
    name = "１２３４５６７８９０１２:function:f"
    assert refusal_of(invoke(name)) == f"Invalid function ARN '{name}'"


@given(
    name=st.lists(
        st.sampled_from(
            ["arn:aws:lambda:", REGION, "eu-west-1", ACCOUNT, "function", "f", ":", "$LATEST", "é", "-", "1"]
        ),
        min_size=1,
    ).map("".join)
)
def test_a_function_is_judged_as_the_runner_judges_it(name: str) -> None:
    assert refusal_of(invoke(name)) == runner(invoke(name))
    if not re.fullmatch(member("ChainedInvokeOptions.FunctionName").metadata["pattern"], name, re.ASCII):
        assert refusal_of(invoke(name)) == f"Invalid function ARN '{name}'"


@given(tenant=st.text(min_size=1) | st.from_regex(r"[a-zA-Z0-9._:/=+@ -]{1,257}", fullmatch=True))
def test_a_tenant_is_judged_as_the_runner_and_the_model_judge_it(tenant: str) -> None:
    refusal = refusal_of(invoke(tenant_id=tenant))
    assert refusal == runner(invoke(tenant_id=tenant))
    assert (refusal is None) == (not constraints_broken("ChainedInvokeOptions.TenantId", tenant))


@pytest.mark.parametrize("size", [MB, MB + 1])
def test_the_payload_of_an_invoke_is_judged_as_the_runner_judges_it(size: int) -> None:
    large = replace(invoke(), payload="x" * size)
    assert refusal_of(large) == runner(large)
    assert (refusal_of(large) is None) == (size == MB)
