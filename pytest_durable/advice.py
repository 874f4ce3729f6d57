"""Advice: what is no failure of a run, and yet is seldom meant.

Worked out of what a run has recorded, when somebody asks for it. Advice that is wrong is worse than none: each rule
says only what the run, or the source of the handler, proves.
"""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from types import CodeType, FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

from aws_durable_execution_sdk_python.config import StepSemantics
from aws_durable_execution_sdk_python.constants import CHECKPOINT_SIZE_LIMIT_BYTES
from aws_durable_execution_sdk_python.exceptions import StepInterruptedError
from aws_durable_execution_sdk_python.lambda_service import Operation, OperationStatus, OperationType
from aws_durable_execution_sdk_python.retries import RetryPresets

from pytest_durable.primitives.jitter import unspent
from pytest_durable.service.callbacks import owner_of
from pytest_durable.service.chained import NOT_FOUND
from pytest_durable.service.limits import MAX_PAYLOAD, size_of
from pytest_durable.service.operations import details_of
from pytest_durable.service.operations.invoke import qualifier_of
from pytest_durable.service.record import Asked, function_of, place_text

if TYPE_CHECKING:
    from pytest_durable.service.lifecycle import DurableExecution

NEAR = 0.8
"""The part of a limit from which on a result is near it."""

SURE = 3
"""How many attempts must have failed in the same way for the failure to be taken for permanent."""

_TRANSIENT = re.compile(
    "Connect|Timeout|TimedOut|Throttl|TooMany|RateLimit|RateExceeded|Unavailable|Network|Transient|Tempor|Interrupted"
    "|Socket|BrokenPipe|OSError|IOError|URLError|Service|Server|Retr|Busy|Lock"
)
"""What is in the name of an error that may pass, though a test lets it come again and again."""

_NOT_STARTED = "Unexpected payload provided to start the durable execution"
"""How the SDK refuses to run a decorated function that is called with the user's event."""

_BINDERS = {
    "durable_step.<locals>.wrapper": "step",
    "durable_with_child_context.<locals>.wrapper": "run_in_child_context",
    "durable_wait_for_callback.<locals>.wrapper": "wait_for_callback",
}
"""The functions that the SDK's decorators leave behind, and the method that what they return is made for."""


@dataclass(frozen=True)
class Advice:
    """Something in the handler that is no failure, and yet is seldom meant.

    Attributes:
        text: what it is, and the way out.
        operation: path of the operation it is about; of several made at one place the first.
        place: ``file:line`` in the user's code.
    """

    text: str
    operation: str
    place: str

    def __str__(self) -> str:
        return f"{self.place}  {self.operation}: {self.text}"


def advice_of(execution: DurableExecution) -> tuple[Advice, ...]:
    """The advice about an execution and those it invoked; the same text for the same place is given once."""
    found: dict[tuple[str, str], Advice] = {}
    for one in execution.family():
        for rule in _RULES:
            for text, path, place in rule(one):
                where = place_text(place)
                found.setdefault((text, where), Advice(text, path, where))
    return tuple(found.values())


def gather(into: dict[Advice, None] | None, executions: Iterable[DurableExecution]) -> None:
    """Add the advice about executions, unless ``into`` is None; the calls of a test itself are no handler to advise."""
    if into is not None:
        for execution in executions:
            if not str(execution.handler.function.__module__).startswith("pytest_durable."):
                into.update(dict.fromkeys(advice_of(execution)))


_Raw = tuple[str, str, tuple[str, int] | None]
"""Text, path and place of an advice."""


def _by_the_user(execution: DurableExecution, operation_id: str) -> Asked | None:
    """What was asked for as an operation, if it was not the SDK that did so on its own."""
    asked = execution.asked.get(operation_id)
    return None if asked is None or asked.by_sdk else asked


def _unnamed(execution: DurableExecution) -> Iterator[_Raw]:
    for asked in (_by_the_user(execution, operation_id) for operation_id in execution.asked):
        if asked is not None and not asked.name:
            text = (
                f"context.{asked.method} has no name=: the history can only count it, and the SDK does not notice "
                "if the next deployment has another one in its place"
            )
            yield text, asked.path, asked.place


def _taken_names(execution: DurableExecution) -> Iterator[_Raw]:
    """One name for two calls. What is made twice by one line is a loop, and meant."""
    for made in execution.children.values():
        first: dict[str, Asked] = {}
        for asked in (_by_the_user(execution, operation_id) for operation_id in made):
            if asked is None or not asked.name:
                continue
            other = first.setdefault(asked.name, asked)
            if other.place != asked.place:
                text = (
                    f"the name is that of context.{other.method} at {place_text(other.place)} too, in the same scope: "
                    "in the history and in fault plans one is taken for the other"
                )
                yield text, asked.path, asked.place


def _endless_callbacks(execution: DurableExecution) -> Iterator[_Raw]:
    for operation_id, asked in execution.asked.items():
        if asked.method != "create_callback" or operation_id not in execution.journal.operations:
            continue
        limits = (getattr(asked.config, name, None) for name in ("timeout", "heartbeat_timeout"))
        if not any(getattr(limit, "seconds", 0) for limit in limits):
            owner = owner_of(execution, operation_id)
            method = "wait_for_callback" if owner.operation_id != operation_id else "create_callback"
            config = "WaitForCallbackConfig" if method == "wait_for_callback" else "CallbackConfig"
            text = (
                f"context.{method} has no timeout: an answer that is lost is waited for until the whole execution "
                f"times out. Give it {config}(timeout=...)"
            )
            yield text, execution.path_of(owner.operation_id), asked.place


def _hopeless_retries(execution: DurableExecution) -> Iterator[_Raw]:
    """The same error of each attempt, until none was left."""
    failed = [
        operation_id
        for operation_id, operation in execution.journal.operations.items()
        if operation.step_details is not None
        and operation.step_details.attempt >= SURE
        and operation.status is OperationStatus.FAILED
        and operation_id in execution.asked
    ]
    if not failed:
        return
    errors: dict[str, list[tuple[str, str]]] = {operation_id: [] for operation_id in failed}
    for event in execution.history.events():
        if event["EventType"] == "StepFailed" and event["Id"] in errors:
            error = event["StepFailedDetails"]["Error"].get("Payload", {})
            errors[event["Id"]].append((error.get("ErrorType", ""), error.get("ErrorMessage", "")))
    for operation_id, seen in errors.items():
        kind = seen[0][0].rpartition(".")[2]
        if len(seen) >= SURE and len(set(seen)) == 1 and not _TRANSIENT.search(kind):
            message = textwrap.shorten(seen[0][1], 60, placeholder="…")
            text = (
                f"each of its {len(seen)} attempts failed with {kind}: {message}. If waiting does not mend that, let "
                "its retry_strategy give up at once, by retryable_error_types"
            )
            yield text, execution.path_of(operation_id), execution.asked[operation_id].place


def _at_most_once_and_again(execution: DurableExecution) -> Iterator[_Raw]:
    for asked in execution.asked.values():
        config = asked.config
        if asked.method != "step" or getattr(config, "step_semantics", None) is not _AT_MOST_ONCE:
            continue
        if _retries_an_interruption(config.retry_strategy):
            what = "the default retry_strategy" if config.retry_strategy is None else "its retry_strategy"
            text = (
                f"AT_MOST_ONCE_PER_RETRY, and {what} retries a StepInterruptedError: killed in its body, it runs "
                "again. For once at most, give it retry_strategy=RetryPresets.none()"
            )
            yield text, asked.path, asked.place


_AT_MOST_ONCE = StepSemantics.AT_MOST_ONCE_PER_RETRY


def _retries_an_interruption(strategy: Callable[[Exception, int], Any] | None) -> bool:
    """What the strategy says to the error that the SDK shows it after a kill; no if it does not say."""
    try:
        with unspent():
            decision = (strategy or RetryPresets.default())(StepInterruptedError("interrupted"), 1)
    except Exception:
        return False
    return getattr(decision, "should_retry", False) is True


def _large_results(execution: DurableExecution) -> Iterator[_Raw]:
    for operation in list(execution.journal.operations.values())[1:]:
        text = _large(operation)
        if text is not None:
            yield text, execution.path_of(operation.operation_id), _place_above(execution, operation)


def _large(operation: Operation) -> str | None:
    details: Any = details_of(operation)
    result = None if details is None else details.result
    if result is None or len(result) <= NEAR * CHECKPOINT_SIZE_LIMIT_BYTES:
        return None
    if operation.operation_type is OperationType.CONTEXT:
        if details.replay_children or len(result) > CHECKPOINT_SIZE_LIMIT_BYTES:
            return None  # past the limit: the SDK's other way of storing it is in use already, and tested
        return (
            f"its result takes more than {NEAR:.0%} of 256 KB: one that is larger is not stored, and each replay runs "
            "the function again to get it. Keep it elsewhere and return a key"
        )
    if size_of(result) <= NEAR * MAX_PAYLOAD:
        return None
    return f"its result takes more than {NEAR:.0%} of the 1 MB that is allowed. Keep it elsewhere and pass a key"


def _place_above(execution: DurableExecution, operation: Operation) -> tuple[str, int] | None:
    """Where the operation was made; for a branch, which the SDK makes, its map or parallel."""
    above: Operation | None = operation
    while above is not None:
        asked = execution.asked.get(above.operation_id)
        if asked is not None:
            return asked.place
        above = execution.journal.operations.get(above.parent_id or "")
    return None


# --- results of @durable_step that nobody takes ---------------------------------------------------------------------


def _dropped(execution: DurableExecution) -> Iterator[_Raw]:
    """A statement that is nothing but the call of a ``@durable_step``: it binds arguments, and runs nothing."""
    yield from _dropped_in(execution.handler.function, execution.prefix)
    for asked in execution.asked.values():
        if asked.method in ("run_in_child_context", "map", "parallel"):
            for function in asked.functions:
                yield from _dropped_in(function, f"{asked.path}/")


def _dropped_in(function: Any, prefix: str) -> Iterator[_Raw]:
    function = function_of(function)
    if type(function) is not FunctionType or not _knows_a_binder(function):
        return
    for names, line in _bare_calls(function.__code__):
        value = _value(function, names)
        if _is_binder(value):
            method = _BINDERS[value.__code__.co_qualname]
            call = ".".join(names)
            text = (
                f"{call}(...) alone runs nothing: it binds arguments, and what it returns is dropped. "
                f"Write context.{method}({call}(...))"
            )
            yield text, f"{prefix}{names[-1]}", (function.__code__.co_filename, line)


def _is_binder(value: Any) -> bool:
    if type(value) is not FunctionType or value.__code__.co_qualname not in _BINDERS:
        return False
    return str(value.__globals__.get("__name__")).startswith("aws_durable_execution_sdk_python")


def _knows_a_binder(function: FunctionType) -> bool:
    """Whether any name that the function mentions leads to a binder: its source is read only then."""
    names = _mentioned(function.__code__)
    values = [_value(function, (name,)) for name in names]
    modules = [vars(value) for value in values if type(value) is ModuleType]
    return any(map(_is_binder, values)) or any(_is_binder(names_in.get(name)) for names_in in modules for name in names)


def _mentioned(code: CodeType) -> set[str]:
    """The names of others that the function, or one inside of it, uses."""
    return {name for one in _nested(code) for name in (*one.co_names, *one.co_freevars)}


def _own(code: CodeType) -> set[str]:
    """The names that the function, or one inside of it, binds."""
    return {name for one in _nested(code) for name in (*one.co_varnames, *one.co_cellvars)}


def _nested(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _nested(constant)


def _value(function: FunctionType, names: tuple[str, ...]) -> Any:
    """What a name, or a name in a module, stands for in the function; None if that cannot be said."""
    first, *rest = names
    cells = dict(zip(function.__code__.co_freevars, function.__closure__ or (), strict=False))
    if first in cells:
        try:
            value = cells[first].cell_contents
        except ValueError:  # not bound yet
            return None
    else:
        value = function.__globals__.get(first)
    for name in rest:
        value = vars(value).get(name) if type(value) is ModuleType else None
    return value


@lru_cache(maxsize=512)
def _bare_calls(code: CodeType) -> tuple[tuple[tuple[str, ...], int], ...]:
    """Every call in the function that is a statement of its own: the dotted name that is called, and the line."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(code)))
    except (OSError, SyntaxError, TypeError):  # no source, or a lambda in the middle of something
        return ()
    own = _own(code)
    calls = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            names = _dotted(node.value.func)
            if names and names[0] not in own:
                calls.append((names, node.lineno + code.co_firstlineno - 1))
    return tuple(calls)


def _dotted(node: ast.expr) -> tuple[str, ...]:
    """``("steps", "charge")`` of ``steps.charge``; nothing of anything else."""
    if isinstance(node, ast.Name):
        return (node.id,)
    if isinstance(node, ast.Attribute):
        above = _dotted(node.value)
        return (*above, node.attr) if above else ()
    return ()


def _decorated_within(execution: DurableExecution) -> Iterator[_Raw]:
    """A function that calls a decorated one with the event: a decorator, most of the time, that does not tell so."""
    if execution.error is not None and (execution.error.message or "").startswith(_NOT_STARTED):
        text = (
            "it was run as the durable function, and calls one that is decorated with @durable_execution. If it is "
            "wrapped around that one, let it say so, by functools.wraps; else call what is not decorated"
        )
        yield text, execution.handler.name, execution.handler.place


def _unregistered(execution: DurableExecution) -> Iterator[_Raw]:
    """An invoke of what the test has not registered; a handler that copes with that is tried on purpose."""
    if execution.error is None:
        return
    for operation_id, operation in execution.journal.operations.items():
        details = operation.chained_invoke_details
        message = "" if details is None or details.error is None else details.error.message or ""
        if message.startswith(NOT_FOUND) and operation_id in execution.asked:
            name = message.partition(":function:")[2]
            text = (
                f"no function is registered as '{name}', so the invoke fails. Let the test say what it is, by "
                f"durable_ctx.register('{name}', function)"
            )
            yield text, execution.path_of(operation_id), execution.asked[operation_id].place


def _unqualified(execution: DurableExecution) -> Iterator[_Raw]:
    """AWS invokes a durable function only in one version: else its replay might run other code."""
    for invoked in execution.invoked:
        asked = execution.asked[invoked.invoked_as]
        target = asked.target
        if qualifier_of(target) is None:
            text = (
                f"'{target}' is durable, and named without a qualifier: AWS invokes a durable function only by a "
                f"version, an alias or $LATEST. Name it '{target}:live', for instance"
            )
            yield text, execution.path_of(invoked.invoked_as), asked.place


_RULES: tuple[Callable[[DurableExecution], Iterator[_Raw]], ...] = (
    _decorated_within,
    _dropped,
    _unregistered,
    _unqualified,
    _at_most_once_and_again,
    _endless_callbacks,
    _hopeless_retries,
    _large_results,
    _taken_names,
    _unnamed,
)
"""The gravest first."""
