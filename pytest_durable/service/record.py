"""What one invocation did: the calls it made, the bodies that ran, what was stored, how it ended.

Written while it runs; read by the checks, the report and the views.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from hashlib import blake2b
from operator import is_
from pathlib import Path
from types import CodeType
from typing import Any, NamedTuple

from aws_durable_execution_sdk_python.lambda_service import OperationType, OperationUpdate

from pytest_durable.seams.observe import Call
from pytest_durable.service.bound import Bound, bound_into, difference


@dataclass(slots=True)
class BodyRun:
    """One run of one body.

    Attributes:
        operation_id: whose body.
        path: of the operation.
        attempt: from 1; None for a context.
        function: that was run.
        again: the SDK re-runs a finished context over its children, by design.
        completed_before: whether the operation was finished in the journal when the body began.
        is_virtual: whether it is a context for which the SDK stores nothing.
        outcome: ``returned``, ``raised``, ``interrupted`` (by a suspension or a kill), or None while it runs.
    """

    operation_id: str
    path: str
    attempt: int | None
    function: Any
    again: bool
    completed_before: bool
    is_virtual: bool = False
    outcome: str | None = None

    @property
    def code(self) -> CodeType | None:
        """The code of the function; None if it has none (a builtin)."""
        return code_of(self.function)


class Asked(NamedTuple):
    """What a durable call asked for, in values that can be compared between first pass and replay.

    Attributes:
        method: of the context.
        name: of the operation: as given, else what a ``@durable_step`` left on its function.
        functions: the body, or each of them for ``parallel``.
        detail: duration in seconds, target function, or fingerprint of payload and items, as text.
        path: of the operation.
        caller: code of the user's function that made the call, and ``line`` the line in it.
        inside: the name of the body that made the call on a context that is not its own; None if it is.
        config: that it was given.
        by_sdk: whether the SDK itself made the call, on the user's behalf.
        bound: plain values bound into its functions.
    """

    method: str
    name: str | None
    functions: tuple[Any, ...]
    detail: str
    path: str
    caller: CodeType | None
    line: int
    inside: str | None = None
    config: Any = None
    by_sdk: bool = False
    bound: tuple[Bound, ...] = ()

    @property
    def code(self) -> tuple[CodeType | None, ...]:
        """The code of each function."""
        return tuple(map(code_of, self.functions))

    @property
    def place(self) -> tuple[str, int]:
        """File and line of the call."""
        return ("?" if self.caller is None else self.caller.co_filename, self.line)

    @property
    def target(self) -> str:
        """The function that an invoke asks for, as the handler names it."""
        return self.detail.partition(PAYLOAD)[0]

    def is_same(self, other: Asked) -> bool:
        """Whether a replay that asks for ``other`` asks for the same."""
        if self.detail != other.detail or self.name != other.name or self.method != other.method:
            return False
        mine, others = self.functions, other.functions
        if len(mine) == len(others) and all(map(is_, mine, others)):
            return True  # the very same ones: made once, outside of the handler
        return self.code == other.code


@dataclass(frozen=True, slots=True)
class Divergence:
    """A call that a replay made otherwise than an earlier invocation, or no longer made (``now`` is None).

    Attributes:
        bound: name of a value bound into its function, what it was, and what it is; None if that is not the difference.
    """

    invocation: int
    before: Asked
    now: Asked | None
    bound: tuple[str, str, str] | None = None


def divergence(before: Asked, now: Asked, number: int, records: Sequence[InvocationRecord]) -> Divergence | None:
    """How a call in invocation ``number`` of ``records`` differs from the one that was made first; None if not."""
    bound = None
    if before.is_same(now):
        if not now.bound:
            return None
        bound = difference(before.bound, now.bound, now.caller, now.code[0])
        if bound is None or any(repr(one.request_id) == bound[1] for one in records):
            return None  # each invocation has a request id of its own
    return Divergence(number, before, now, bound)


class Swallowed(NamedTuple):
    """Code that went on although it was stopped.

    Attributes:
        what: it swallowed: its own suspension, or its death.
        where: ``file:line`` of the durable call, or of the handler.
    """

    what: str
    where: str


@dataclass(slots=True)
class Line:
    """One line of the timeline: what happened to one operation in one invocation."""

    path: str
    words: list[str]
    place: tuple[str, int] | None
    alarm: bool


@dataclass(slots=True)
class InvocationRecord:
    """One invocation.

    Attributes:
        number: from 1.
        started: virtual microseconds since the epoch; ``ended`` likewise, None while it runs.
        output: what the handler returned, as the service took it: ``PENDING``, ``SUCCEEDED``, ``FAILED``; ``died``
            if it was killed or timed out, ``raised`` if an exception left the handler, ``lost`` if the service gave
            up on it; None while it runs.
        error: type and message of what it died of.
        fault: the text of the fault that killed it, if one did.
        struck: the text of a fault that did not: of the service, or of the invocation's start.
        bodies: the runs of bodies, in order.
        asked: what its durable calls asked for, by operation id.
        events: operation id, path, a word for what happened and its virtual time, in order; no word for a call as such.
        refused: what the service refused to store, and why, if it did.
        interrupted: ids of at-most-once steps of which it stored that they were interrupted before it.
        asleep_until: when it would have gone on, had it not timed out in its sleep, in microseconds; None otherwise.
        alarms: ids of operations whose body should not have run.
        asked_for_time: whether its code has asked how much time remains to it.
    """

    number: int
    request_id: str
    started: int
    ended: int | None = None
    output: str | None = None
    error: tuple[str, str] | None = None
    asleep_until: int | None = None
    fault: str | None = None
    struck: str | None = None
    bodies: list[BodyRun] = field(default_factory=list)
    asked: dict[str, Asked] = field(default_factory=dict)
    events: list[tuple[str, str, str, int]] = field(default_factory=list)
    refused: str | None = None
    interrupted: set[str] = field(default_factory=set)
    alarms: set[str] = field(default_factory=set)
    asked_for_time: bool = False

    def note_asked_for_time(self) -> None:
        """Its code has asked how much time remains to it."""
        self.asked_for_time = True

    def lines(self) -> list[Line]:
        """The events gathered by operation, in order of first appearance."""
        lines: dict[str, Line] = {}
        for operation_id, path, word, _ in self.events:
            line = lines.get(operation_id)
            if line is None:
                asked = self.asked.get(operation_id)
                place = None if asked is None else asked.place
                line = lines[operation_id] = Line(path, [], place, operation_id in self.alarms)
            if word:
                line.words.append("RAN AGAIN" if line.alarm and word == RAN else word)
        return list(lines.values())


RAN = "ran"
"""The word for a body that was begun."""


def place_text(place: tuple[str, int] | None) -> str:
    """``orders.py:41``: the file without its directories, which the traceback above has."""
    return "?" if place is None else f"{Path(place[0]).name}:{place[1]}"


def asked_of(call: Call, path: str, name: str | None) -> Asked:
    """The comparable form of a durable call."""
    method = call.method
    if method == "parallel":
        functions = tuple(getattr(branch, "func", branch) for branch in call.argument("functions") or ())
    else:
        function = call.function
        functions = () if function is None else (function,)
    inside = None if call.inside is None else call.inside.name or "an unnamed operation"
    detail = _detail(call) if method in _DETAILED else ""
    config = call.argument("config")
    bound = bound_into(functions[0]) if functions and method != "parallel" else ()
    return Asked(method, name, functions, detail, path, call.code, call.line, inside, config, call.by_sdk, bound)


def code_of(function: Any) -> CodeType | None:
    """The code the user wrote behind a callable."""
    function = function_of(function)
    code: CodeType | None = getattr(function, "__code__", None)
    if code is None:
        return getattr(type(function).__call__, "__code__", None) if callable(function) else None
    return code


def function_of(function: Any) -> Any:
    """What the user wrote behind a callable: through ``partial``, methods and the SDK's ``@durable_step``."""
    while isinstance(function, partial):
        function = function.func
    function = getattr(function, "__func__", function)
    code: CodeType | None = getattr(function, "__code__", None)
    if code is None or "func" not in code.co_freevars:
        return function
    if not str(function.__globals__.get("__name__", "")).startswith("aws_durable"):
        return function
    return function_of(function.__closure__[code.co_freevars.index("func")].cell_contents)


_DETAILED = ("wait", "invoke", "map")
PAYLOAD = " with payload "
"""Between the target and the payload of an invoke."""


def _detail(call: Call) -> str:
    method = call.method
    if method == "wait":
        if call.by_sdk:
            return ""  # the back-off of with_retry, whose jitter the SDK draws anew on every replay
        duration = call.argument("duration")
        return f"{getattr(duration, 'seconds', duration)} s"
    if method == "invoke":
        return f"{call.argument('function_name')}{PAYLOAD}{fingerprint(call.argument('payload'))}"
    return f"items {fingerprint(call.argument('inputs'))}"


def fingerprint(value: Any) -> str:
    """A JSON value as text: itself if short, else its beginning and a hash. What is not JSON counts by its type."""
    try:
        text = json.dumps(value, default=lambda item: f"<{type(item).__name__}>", sort_keys=True, skipkeys=True)
    except (TypeError, ValueError, RecursionError):  # keys that do not compare, a circle
        return f"<{type(value).__name__}>"
    if len(text) <= 80:
        return text
    return f"{text[:60]}… #{blake2b(text.encode(), digest_size=4).hexdigest()}"


def name_of(call: Call) -> Any:
    """As it was given, else what the SDK's decorators left on the function."""
    return call.argument("name") or getattr(call.function, "_original_name", None)


def word_for(update: OperationUpdate) -> str:
    """What the timeline says of an operation that is left to the service."""
    if update.wait_options is not None:
        return f"waits {update.wait_options.wait_seconds} s"
    if update.chained_invoke_options is not None:
        return f"invokes {update.chained_invoke_options.function_name}"
    return "awaits an answer" if update.operation_type is OperationType.CALLBACK else ""
