"""CHAINED_INVOKE: STARTED until the function it invokes has ended; the service closes it, once."""

from __future__ import annotations

import re
from datetime import datetime

from aws_durable_execution_sdk_python.lambda_service import (
    ChainedInvokeDetails,
    Operation,
    OperationAction,
    OperationStatus,
    OperationUpdate,
)

from pytest_durable.service.errors import InvalidParameterValue
from pytest_durable.service.operations._common import operation_from

ACTIONS = (OperationAction.START,)

_ARN = re.compile(r"(?:.*:)?function:([^:]+)(?::([^:]+))?")


def validate(update: OperationUpdate, stored: Operation | None) -> None:
    """Refuse an update that the stored state does not allow.

    Raises:
        InvalidParameterValue: in the service's words.
    """
    if stored is not None:
        raise InvalidParameterValue("Cannot start a CHAINED_INVOKE operation that already exists.")
    if update.chained_invoke_options is None:
        raise InvalidParameterValue("Update for CHAINED_INVOKE operation requires ChainedInvokeOptions.")


def transition(update: OperationUpdate, current: Operation | None, now: datetime) -> Operation:
    """The invoke after its START."""
    return operation_from(update, current, OperationStatus.STARTED, now, chained_invoke_details=ChainedInvokeDetails())


def names_of(target: str) -> tuple[str, ...]:
    """Under which names a target may be registered, most specific first: as given, ``name:qualifier``, ``name``."""
    name, qualifier = _parts(target)
    return tuple(dict.fromkeys((target, f"{name}:{qualifier}" if qualifier else name, name)))


def qualifier_of(target: str) -> str | None:
    """The version or alias that a target names, or ``$LATEST``; None for none."""
    return _parts(target)[1] or None


def _parts(target: str) -> tuple[str, str | None]:
    match = _ARN.fullmatch(target)
    if match is not None:
        return match[1], match[2]
    if ":" not in target:
        return target, None
    name, _, qualifier = target.rpartition(":")
    return name, qualifier
