"""The service's own errors, which are botocore's, so that the SDK and user code take them as they do on AWS.

Codes, HTTP status and words are those of the Lambda API model that botocore carries.
"""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError  # type: ignore[import-untyped]  # botocore ships no types


class ServiceError(ClientError):  # type: ignore[misc]  # which is why its base class is not known
    """An error answer of the service, as botocore raises it.

    Attributes:
        code: of the error, as ``CallbackTimeoutException``.
        response: what botocore gives: error code, message and HTTP status.
    """

    def __init__(self, code: str, message: str, status: int, operation: str) -> None:
        super().__init__(
            {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}, operation
        )
        self.code = code

    def __reduce__(self) -> Any:
        answer = self.response
        arguments = answer["Error"]["Code"], answer["Error"]["Message"], answer["ResponseMetadata"]["HTTPStatusCode"]
        return type(self), (*arguments, self.operation_name)


class InvalidParameterValue(Exception):
    """A request that the service refuses with ``InvalidParameterValueException``, HTTP 400; holds its message.

    Attributes:
        operation_id: of the operation whose update is refused; None if it is the request as a whole.
    """

    operation_id: str | None = None

    def as_service_error(self, operation: str) -> ServiceError:
        """The answer to a call of ``operation``."""
        return ServiceError("InvalidParameterValueException", str(self), 400, operation)


STALE_TOKEN = "Invalid checkpoint token"
"""The message for a superseded token; the SDK recognises it by this text (``INVALID_CHECKPOINT_TOKEN_PREFIX``)."""


def throttled(operation: str) -> ServiceError:
    """Too many calls of ``operation``: 429, which the SDK has the service try again."""
    return ServiceError("TooManyRequestsException", "The request throughput limit was exceeded.", 429, operation)


def unavailable(operation: str) -> ServiceError:
    """The service cannot carry out ``operation`` now: 500, which the SDK has it try again."""
    return ServiceError("ServiceException", "The Lambda service encountered an internal error.", 500, operation)


def unknown_callback(operation: str) -> ServiceError:
    """There is no callback of this id."""
    message = "The resource specified in the request does not exist."
    return ServiceError("ResourceNotFoundException", message, 404, operation)


def callback_closed(operation: str) -> ServiceError:
    """The callback was answered before, has timed out, or its execution is over."""
    message = (
        "The callback ID token has either expired or the callback associated with the token has already been closed."
    )
    return ServiceError("CallbackTimeoutException", message, 400, operation)


def already_started(name: str) -> ServiceError:
    """The name is that of an execution with another payload."""
    message = (
        f"The durable execution with the specified name has already been started: {name!r}, with another payload. "
        "Each durable execution name must be unique within the function."
    )
    return ServiceError("DurableExecutionAlreadyStartedException", message, 409, "Invoke")
