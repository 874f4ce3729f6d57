"""The service's own errors, shaped as botocore's, so that the SDK classifies them as it does on AWS."""

from __future__ import annotations

from typing import Any


class ServiceError(Exception):
    """An error answer of the service.

    Attributes:
        response: what botocore's ``ClientError.response`` holds: error code, message and HTTP status.
    """

    def __init__(self, code: str, message: str, status: int, operation: str) -> None:
        super().__init__(f"An error occurred ({code}) when calling the {operation} operation: {message}")
        self.response: dict[str, Any] = {
            "Error": {"Code": code, "Message": message},
            "ResponseMetadata": {"HTTPStatusCode": status},
        }


class InvalidParameterValue(Exception):
    """A request that the service refuses with ``InvalidParameterValueException``, HTTP 400; holds its message."""

    def as_service_error(self, operation: str) -> ServiceError:
        """The answer to a call of ``operation``."""
        return ServiceError("InvalidParameterValueException", str(self), 400, operation)


STALE_TOKEN = "Invalid checkpoint token"
"""The message for a superseded token; the SDK recognises it by this text (``INVALID_CHECKPOINT_TOKEN_PREFIX``)."""
