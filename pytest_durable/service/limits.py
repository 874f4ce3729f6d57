"""The limits of one update: lengths, patterns, ranges and sizes, refused before its operation is looked at.

Sources, by rank. The Lambda API model that botocore ships (``lambda/2015-03-31/service-2.json``), for every number and
pattern. botocore's ``validate.py``, for what never leaves the Lambda: boto3 itself refuses a value of the wrong type or
below its minimum, and the SDK takes that, having no HTTP answer, as worth another invocation. AWS's local runner 1.4,
for the words about sizes and chained invokes. All else is refused as Lambda refuses it in any request: ``1 validation
error detected: Value ...``.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, NamedTuple, NoReturn

from aws_durable_execution_sdk_python.lambda_service import (
    CallbackOptions,
    ChainedInvokeOptions,
    ErrorObject,
    OperationSubType,
    OperationType,
    OperationUpdate,
)

from pytest_durable.service.errors import InvalidParameterValue, ServiceError
from pytest_durable.service.identity import ACCOUNT, REGION

MAX_PAYLOAD = 1_048_576
"""Bytes of any update's payload but the EXECUTION's (model, ``OperationUpdate.Payload``: "1 MB")."""
MAX_EXECUTION_PAYLOAD = 6_291_456
"""Bytes of the event and of the result of an execution that is started synchronously (model, ``OperationPayload``)."""
MAX_ERROR = 1_048_576
"""Bytes of all fields of an error together (model, ``OperationUpdate.Error``: "1 MB"). The runner
allows 32,768 of its JSON; on limits the model has the last word."""
MAX_SECONDS = 31_622_400
"""366 days: the longest wait, retry delay and execution (model)."""
MAX_CALLBACK_SECONDS = 99_999_999
"""The longest timeout of a callback; 0 is none (model)."""

_SURELY_SMALL = MAX_PAYLOAD // 4
"""Characters that are never too many bytes: UTF-8 has at most 4 for one."""


class NotSent(InvalidParameterValue):
    """A request that boto3 refuses to send; holds botocore's report."""

    def as_service_error(self, operation: str) -> ServiceError:
        """What the SDK sees: an error without an answer."""
        error = super().as_service_error(operation)
        error.args = (f"Parameter validation failed:\n{self}",)
        error.response = {}
        return error


class _Text(NamedTuple):
    """A text member of the model.

    Attributes:
        path: in an update, as the model names it.
        longest: in characters.
        pattern: that all of it matches.
    """

    path: str
    longest: int
    pattern: re.Pattern[str] | None = None

    def fits(self, value: Any) -> bool:
        """Whether the service accepts it."""
        if not isinstance(value, str) or len(value) > self.longest:
            return False
        return self.pattern is None or self.pattern.fullmatch(value) is not None

    def check(self, value: Any, position: int) -> None:
        """Refuse what does not fit.

        Raises:
            InvalidParameterValue: in boto3's or Lambda's words.
        """
        if self.fits(value):
            return
        _check_type(value, str, self.path, position)
        if not value and self.pattern is not None:  # whatever has a pattern has a minimum of 1
            raise NotSent(f"Invalid length for parameter {_sent(self.path, position)}, value: 0, valid min length: 1")
        broken = []
        if self.pattern is not None and not self.pattern.fullmatch(value):
            broken.append(f"satisfy regular expression pattern: {self.pattern.pattern}")
        if len(value) > self.longest:
            broken.append(f"have length less than or equal to {self.longest}")
        _refuse(self.path, value, position, broken)


_WORD = re.compile("[a-zA-Z0-9-_]+")
_ID = _Text("Id", 64, _WORD)
_PARENT_ID = _Text("ParentId", 64, _WORD)
_NAME = _Text("Name", 256, re.compile(r"[\x20-\x7E]+"))
_SUB_TYPE = _Text("SubType", 32, _WORD)
_TRACE_ID = _Text("ChainedInvokeOptions.XAmznTraceId", 8_192)
_TENANT_ID = _Text("ChainedInvokeOptions.TenantId", 256, re.compile(r"[a-zA-Z0-9\._:\/=+\-@ ]+"))
_FUNCTION_NAME = _Text(
    "ChainedInvokeOptions.FunctionName",
    256,
    re.compile(
        r"(?P<arn>arn:(aws[a-zA-Z-]*)?:lambda:)?"
        r"((?P<region>(eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}):)?((?P<account>\d{12}):)?(function:)?"
        r"([a-zA-Z0-9-_\.]+)(:(\$LATEST(\.PUBLISHED)?|[a-zA-Z0-9-_]+))?",
        re.ASCII,
    ),
)


def check_update(update: OperationUpdate, position: int) -> None:
    """Refuse an update that is beyond a limit; ``position`` is its index in the request.

    Raises:
        InvalidParameterValue: in the service's words; `NotSent` in boto3's.
    """
    if not _identity_fits(update.operation_id, update.parent_id, update.name, update.sub_type):
        _check_identity(update, position)
    payload = update.payload
    if payload is not None and (payload.__class__ is not str or len(payload) > _SURELY_SMALL):
        _check_payload(update.operation_type, payload, position)
    if update.error is not None:
        _check_error(update.error, position)
    if update.step_options is not None:
        delay = update.step_options.next_attempt_delay_seconds
        _check_number("StepOptions.NextAttemptDelaySeconds", delay, 1, MAX_SECONDS, position)
    if update.wait_options is not None:
        _check_number("WaitOptions.WaitSeconds", update.wait_options.wait_seconds, 1, MAX_SECONDS, position)
    if update.callback_options is not None:
        _check_callback(update.callback_options, position)
    if update.chained_invoke_options is not None:
        _check_invoke(update.chained_invoke_options, position)


# The two updates of a step, and all runs of a search, have the same few identities.
@lru_cache(maxsize=1_024)
def _identity_fits(operation_id: Any, parent_id: Any, name: Any, sub_type: Any) -> bool:
    return (
        _ID.fits(operation_id)
        and (not parent_id or _PARENT_ID.fits(parent_id))
        and (not name or _NAME.fits(name))
        and (not sub_type or isinstance(sub_type, OperationSubType) or _SUB_TYPE.fits(sub_type))
    )


def _check_identity(update: OperationUpdate, position: int) -> None:
    """Of these members the SDK sends only the id if they are empty (``OperationUpdate.to_dict``)."""
    _ID.check(update.operation_id, position)
    for member, value in ((_PARENT_ID, update.parent_id), (_NAME, update.name), (_SUB_TYPE, update.sub_type)):
        if value and not isinstance(value, OperationSubType):  # in SDK 2 it is no text, but sent as its value
            member.check(value, position)


def _check_payload(operation_type: OperationType, payload: Any, position: int) -> None:
    """The runner has words for CHAINED_INVOKE and the execution's output; those for the other types follow them."""
    _check_type(payload, str, "Payload", position)
    if operation_type is OperationType.EXECUTION:
        what, limit = "Execution output", MAX_EXECUTION_PAYLOAD
    elif operation_type is OperationType.CHAINED_INVOKE:
        what, limit = "CHAINED_INVOKE input", MAX_PAYLOAD
    else:
        what, limit = f"{operation_type.value} output", MAX_PAYLOAD
    if size_of(payload) > limit:
        raise InvalidParameterValue(f"{what} payload size must be less than or equal to {limit} bytes.")


def _check_error(error: ErrorObject, position: int) -> None:
    """The runner's words with the model's number."""
    size = 0
    for name, value in (("ErrorMessage", error.message), ("ErrorType", error.type), ("ErrorData", error.data)):
        if value is not None:
            _check_type(value, str, f"Error.{name}", position)
            size += size_of(value)
    for index, entry in enumerate(error.stack_trace or ()):
        _check_type(entry, str, f"Error.StackTrace[{index}]", position)
        size += size_of(entry)
    if size > MAX_ERROR:
        raise InvalidParameterValue(f"Error object size must be less than {MAX_ERROR} bytes.")


def _check_callback(options: CallbackOptions, position: int) -> None:
    _check_number("CallbackOptions.TimeoutSeconds", options.timeout_seconds, 0, MAX_CALLBACK_SECONDS, position)
    heartbeat = options.heartbeat_timeout_seconds
    _check_number("CallbackOptions.HeartbeatTimeoutSeconds", heartbeat, 0, MAX_CALLBACK_SECONDS, position)


def _check_invoke(options: ChainedInvokeOptions, position: int) -> None:
    """The runner's order and words; an ARN of another account or region cannot be invoked."""
    name = options.function_name
    if not isinstance(name, str) or not name:
        _FUNCTION_NAME.check(name, position)
    assert _FUNCTION_NAME.pattern is not None
    target = _FUNCTION_NAME.pattern.fullmatch(name) if len(name) <= _FUNCTION_NAME.longest else None
    if target is None or (target["arn"] and not (target["region"] and target["account"])):
        raise InvalidParameterValue(f"Invalid function ARN '{name}'")
    if target["account"] not in (None, ACCOUNT):
        raise InvalidParameterValue("Cannot start a CHAINED_INVOKE on a function in another account.")
    if target["region"] not in (None, REGION):
        raise InvalidParameterValue("Cannot start a CHAINED_INVOKE on a function in another region.")
    tenant = options.tenant_id
    if tenant is not None and not _TENANT_ID.fits(tenant):
        if not isinstance(tenant, str) or not tenant:
            _TENANT_ID.check(tenant, position)
        raise InvalidParameterValue("TenantId must be 1 to 256 characters matching [a-zA-Z0-9._:/=+-@ ].")
    if options.x_amzn_trace_id is not None:
        _TRACE_ID.check(options.x_amzn_trace_id, position)


def size_of(text: str) -> int:
    """Bytes of a text in UTF-8, as the service measures it; a lone surrogate, which JSON can carry, counts 3."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def _check_number(path: str, value: Any, least: int, most: int, position: int) -> None:
    _check_type(value, int, path, position)
    if value < least:
        raise NotSent(f"Invalid value for parameter {_sent(path, position)}, value: {value}, valid min value: {least}")
    if value > most:
        _refuse(path, value, position, [f"have value less than or equal to {most}"])


def _check_type(value: Any, wanted: type, path: str, position: int) -> None:
    if not isinstance(value, wanted):
        raise NotSent(
            f"Invalid type for parameter {_sent(path, position)}, value: {value}, type: {type(value)}, "
            f"valid types: {wanted}"
        )


def _sent(path: str, position: int) -> str:
    """A member as botocore names it: ``Updates[0].Name``."""
    return f"Updates[{position}].{path}"


def _refuse(path: str, value: object, position: int, broken: list[str]) -> NoReturn:
    """Lambda names the member ``updates.1.member.name``, counting from 1."""
    member = ".".join(part[0].lower() + part[1:] for part in path.split("."))
    where = f"Value '{value}' at 'updates.{position + 1}.member.{member}' failed to satisfy constraint: Member must"
    errors = "error" if len(broken) == 1 else "errors"
    raise InvalidParameterValue(
        f"{len(broken)} validation {errors} detected: " + "; ".join(f"{where} {constraint}" for constraint in broken)
    )
