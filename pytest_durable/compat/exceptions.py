"""The errors that AWS's testing library raises, under its names."""

from __future__ import annotations


class DurableFunctionsLocalRunnerError(Exception):
    """The root of what the runner itself refuses."""


class DurableFunctionsTestError(Exception):
    """A test asked for what the execution does not have."""


class AwsApiException(DurableFunctionsLocalRunnerError):
    """The root of what the simulated API refuses.

    Attributes:
        http_status_code: of the API's answer.
    """

    http_status_code: int = 500

    def to_dict(self) -> dict[str, str]:
        """The error as the API answers it."""
        return {"Type": type(self).__name__, "message": str(self)}


class InvalidParameterValueException(AwsApiException):
    """A value that the API does not take."""

    http_status_code = 400


class ResourceNotFoundException(AwsApiException):
    """There is no execution, or no open callback, of that name."""

    http_status_code = 404


__all__ = [
    "AwsApiException",
    "DurableFunctionsLocalRunnerError",
    "DurableFunctionsTestError",
    "InvalidParameterValueException",
    "ResourceNotFoundException",
]
