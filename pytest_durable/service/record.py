"""What one invocation did: the calls it made, the bodies that ran, what was stored, how it ended.

Written while it runs; read by the checks, the report and the views.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import partial
from hashlib import blake2b
from types import CodeType
from typing import Any, NamedTuple

from aws_durable_execution_sdk_python.lambda_service import OperationUpdate

from pytest_durable.seams.observe import Call


@dataclass(slots=True)
class BodyRun:
    """One run of one body.

    Attributes:
        operation_id: whose body.
        path: of the operation.
        attempt: from 1; None for a context.
        is_virtual: whether it is a context for which the SDK stores nothing.
        code: of the function; None if it has none (a builtin).
        again: the SDK re-runs a finished context over its children, by design.
        completed_before: whether the operation was finished in the journal when the body began.
        outcome: ``returned``, ``raised``, ``interrupted`` (by a suspension or a kill), or None while it runs.
    """

    operation_id: str
    path: str
    attempt: int | None
    code: CodeType | None
    again: bool
    completed_before: bool
    outcome: str | None = None
    is_virtual: bool = False


class Asked(NamedTuple):
    """What a durable call asked for, in values that can be compared between first pass and replay.

    Attributes:
        method: of the context.
        name: of the operation.
        code: of the body, or of each for ``parallel``.
        detail: duration in seconds, target function, or fingerprint of payload and items, as text.
        path: of the operation.
        place: file and line of the call.
    """

    method: str
    name: str | None
    code: tuple[CodeType | None, ...]
    detail: str
    path: str
    place: tuple[str, int]

    @property
    def body(self) -> CodeType | None:
        """The code of the one body; None for an operation without one."""
        return self.code[0] if self.code else None


@dataclass(frozen=True, slots=True)
class Divergence:
    """A call that a replay made otherwise than an earlier invocation, or no longer made (``now`` is None)."""

    invocation: int
    before: Asked
    now: Asked | None


@dataclass(slots=True)
class Line:
    """One line of the timeline: what happened to one operation in one invocation."""

    path: str
    words: list[str]
    place: tuple[str, int] | None = None


@dataclass(slots=True)
class InvocationRecord:
    """One invocation.

    Attributes:
        number: from 1.
        started: virtual microseconds since the epoch; ``ended`` likewise, None while it runs.
        operations_seen: how many operations it was given.
        output: what the handler returned, as the service took it: ``PENDING``, ``SUCCEEDED``, ``FAILED``; ``died``
            if it was killed or timed out, ``raised`` if an exception left the handler; None while it runs.
        error: type and message of what it died of.
        fault: the text of the fault that killed it, if one did.
    """

    number: int
    request_id: str
    started: int
    operations_seen: int
    ended: int | None = None
    output: str | None = None
    error: tuple[str, str] | None = None
    fault: str | None = None
    bodies: list[BodyRun] = field(default_factory=list)
    asked: dict[str, Asked] = field(default_factory=dict)
    lines: dict[str, Line] = field(default_factory=dict)
    updates: list[tuple[str, OperationUpdate]] = field(default_factory=list)


def asked_of(call: Call, path: str) -> Asked:
    """The comparable form of a durable call."""
    return Asked(call.method, call.name, _codes(call), _detail(call.method, call.arguments), path, call.place)


def _codes(call: Call) -> tuple[CodeType | None, ...]:
    if call.method == "parallel":
        return tuple(code_of(getattr(branch, "func", branch)) for branch in call.arguments.get("functions") or ())
    return () if call.function is None else (code_of(call.function),)


def code_of(function: Any) -> CodeType | None:
    """The code the user wrote behind a callable: through ``partial``, methods and the SDK's ``@durable_step``."""
    while isinstance(function, partial):
        function = function.func
    function = getattr(function, "__func__", function)
    code: CodeType | None = getattr(function, "__code__", None)
    if code is None:
        return getattr(type(function).__call__, "__code__", None) if callable(function) else None
    if "func" in code.co_freevars and str(function.__globals__.get("__name__", "")).startswith("aws_durable"):
        inner = function.__closure__[code.co_freevars.index("func")].cell_contents
        return code_of(inner)
    return code


def _detail(method: str, arguments: dict[str, Any]) -> str:
    if method == "wait":
        duration = arguments.get("duration")
        return f"{getattr(duration, 'seconds', duration)} s"
    if method == "invoke":
        return f"{arguments.get('function_name')} with payload {fingerprint(arguments.get('payload'))}"
    if method == "map":
        inputs = arguments.get("inputs")
        return f"items {fingerprint(inputs)}"
    return ""


def fingerprint(value: Any) -> str:
    """A JSON value as text: itself if short, else its beginning and a hash. What is not JSON counts by its type."""
    text = json.dumps(value, default=lambda item: f"<{type(item).__name__}>", sort_keys=True, skipkeys=True)
    if len(text) <= 80:
        return text
    return f"{text[:60]}… #{blake2b(text.encode(), digest_size=4).hexdigest()}"
