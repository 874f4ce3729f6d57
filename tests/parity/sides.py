"""The two sides, and what is compared of them."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from aws_durable_execution_sdk_python.lambda_service import ErrorObject
from aws_durable_execution_sdk_python_testing.runner import DurableFunctionTestRunner

from pytest_durable import Execution, FakeDurableContext
from tests.parity.scenario import ABSENT, Answer, Scenario

WITHIN = 30
"""Real seconds after which the runner is given up."""

BACKOFF = 0.05
"""Seconds before the runner invokes again what failed, in place of its own 5: no result depends on them."""

AT_ONCE = 12
"""Runners at once: each of them mostly sleeps."""

WITH_RESULT = {"STEP", "CONTEXT", "CALLBACK", "CHAINED_INVOKE"}

THE_ONLY_ONE = "[1]"
"""The path of a callback without a name, in a handler that does nothing else."""

UNORDERED = {"Map", "Parallel"}
"""Below these the operations are created by threads at once, in any order."""


Found = tuple[str, Mapping[str, Any], Any]
"""An operation: its id, what is compared of it, and itself."""


@dataclass(frozen=True)
class Outcome:
    """What is compared: how the execution ended, and each operation by its id.

    Attributes:
        fields: status, result, error and what was noted.
        operations: by id; ids are hashes of positions, and so the same on both sides.
        paths: by id, to be read.
    """

    fields: dict[str, Any]
    operations: dict[str, dict[str, Any]]
    paths: dict[str, str]

    def flat(self, paths: Mapping[str, str]) -> dict[str, Any]:
        """Everything in one table, under keys that can be read: by the ``paths`` of operations."""
        table = dict(self.fields)
        for operation_id, operation in self.operations.items():
            table |= {f"{paths[operation_id]}.{key}": value for key, value in operation.items()}
        return table


def differences(ours: Outcome, theirs: Outcome) -> dict[str, tuple[Any, Any]]:
    """What is different, as ``what: (ours, theirs)``."""
    paths = {**theirs.paths, **ours.paths}  # one for both: threads decide which of two of one name is created first
    mine, other = ours.flat(paths), theirs.flat(paths)
    keys = dict.fromkeys([*mine, *other])
    both = {key: (mine.get(key, ABSENT), other.get(key, ABSENT)) for key in keys}
    return {key: (left, right) for key, (left, right) in both.items() if left != right}


def _outcome(fields: dict[str, Any], roots: Iterable[Found], children: Callable[[Any], Iterable[Found]]) -> Outcome:
    """Walk a tree of operations, of which ``children`` gives those below one."""
    operations: dict[str, dict[str, Any]] = {}
    paths: dict[str, str] = {}
    taken: dict[str, int] = {}

    def walk(level: Iterable[Found], parent: str | None, prefix: str, ordered: bool) -> None:
        for index, (operation_id, found, node) in enumerate(level, 1):
            path = prefix + (found["name"] or f"[{index}]")
            taken[path] = taken.get(path, 0) + 1
            if taken[path] > 1:
                path = f"{path}@{taken[path]}"
            paths[operation_id] = path
            operations[operation_id] = {**found, "parent": parent, "place": index if ordered else None}
            walk(children(node), operation_id, f"{path}/", found["sub_type"] not in UNORDERED)

    walk(roots, None, "", True)
    return Outcome(fields, operations, paths)


def _error(error: ErrorObject | None) -> Any:
    if error is not None and error.type == "ResourceNotFoundException":
        return [error.type, "each side says how a function is made known to it", None]
    return None if error is None else [error.type, error.message, error.data]


_STACK = re.compile(r',"StackTrace":\{"t":"l","v":\[.*?\]\}')


def _payload(payload: str | None) -> str | None:
    """A stored result, without the stack traces in it: they name the files of each side."""
    return None if payload is None else _STACK.sub("", payload)


def _text(value: Any) -> Any:
    """The text of an enum member: which of them are members differs between releases of the SDK."""
    return getattr(value, "value", value)


# --- AWS's local runner ----------------------------------------------------------------------------------------------


def on_the_local_runner(scenario: Scenario) -> Outcome:
    """Run the scenario on AWS's local runner, in real time or with the waits skipped."""
    scenario.seen.clear()
    with DurableFunctionTestRunner(
        handler=scenario.decorated(), poll_interval=0.01, skip_time=not scenario.real_time
    ) as runner:
        runner._executor.RETRY_BACKOFF_SECONDS = BACKOFF
        for name, function in scenario.functions.items():
            if function.durable:
                runner.register_durable_function(name, function.handler)
            else:
                runner.register_function(name, function.handler)
        arn = runner.run_async(input=json.dumps(scenario.event or {}), execution_timeout=scenario.execution_timeout)
        for answer in scenario.answers:
            _answer(runner, arn, answer)
        ended = runner.wait_for_result(arn, timeout=WITHIN)
    runner._scheduler._loop.close()  # the runner leaves it open, and a later test would be blamed for that
    fields = {
        "status": _text(ended.execution_status or ended.status),
        "result": json.loads(ended.result) if ended.result else None,
        "error": _error(ended.error),
        "seen": list(scenario.seen),
    }
    return _outcome(fields, _theirs(ended.operations), lambda node: _theirs(_below(node)))


def _below(operation: Any) -> Any:
    return getattr(operation, "child_operations", ())


def _theirs(operations: Any) -> Iterator[Found]:
    for operation in operations:
        kind = operation.operation_type.value
        found = {
            "type": kind,
            "sub_type": _text(operation.sub_type),
            "name": operation.name,
            "status": operation.status.value,
        }
        if kind in WITH_RESULT:
            found["error"] = _error(operation.error)
            found["result"] = _payload(operation.result)
        if kind == "STEP":
            found["attempts"] = operation.attempt or 0
        yield operation.operation_id, found, operation


def _answer(runner: Any, arn: str, answer: Answer) -> None:
    """Give an answer to a callback once the invocation that made it has ended."""
    callback = _callback_id(runner, arn, answer.name)
    if answer.heartbeat is not None:
        for _ in range(answer.times):
            time.sleep(answer.heartbeat)  # noqa: TID251  # the runner's callback timers are in real time
            runner.send_callback_heartbeat(callback)
        return
    time.sleep(answer.after)  # noqa: TID251  # as above
    if answer.error is not None:
        kind, message = answer.error
        runner.send_callback_failure(callback, ErrorObject(message=message, type=kind, data=None, stack_trace=None))
    else:
        result = answer.result
        if result is not None and not isinstance(result, bytes):
            result = (result if isinstance(result, str) else json.dumps(result)).encode()
        runner.send_callback_success(callback, result)


def _callback_id(runner: Any, arn: str, name: str | None) -> str:
    names = [None] if name is None else [name, f"{name} create callback id"]
    for _ in range(WITHIN * 10):
        for candidate in names:
            try:
                return str(runner.wait_for_callback(arn, name=candidate, timeout=0.02))
            except TimeoutError:
                continue
    raise TimeoutError(f"the runner made no callback {name!r}")


def all_on_the_local_runner(scenarios: Iterable[Scenario]) -> list[Outcome | Exception]:
    """Run many, several at once; an error stands in the place of an outcome."""

    def run(scenario: Scenario) -> Outcome | Exception:
        try:
            return on_the_local_runner(scenario)
        except Exception as error:
            return error

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(run, scenarios))


# --- the simulation --------------------------------------------------------------------------------------------------


def simulated(scenario: Scenario) -> Outcome:
    """Run the scenario in the simulation."""
    scenario.seen.clear()
    with FakeDurableContext() as context:
        execution = carry_out(context, scenario)
    fields = {
        "status": execution.status.value,
        "result": execution.result,
        "error": _error(execution.error),
        "seen": list(scenario.seen),
    }
    return _outcome(fields, _ours(execution.operations), lambda node: _ours(node.children))


def _ours(operations: Any) -> Iterator[Found]:
    for operation in operations:
        found = {
            "type": operation.type,
            "sub_type": operation.sub_type,
            "name": operation.name,
            "status": operation.status,
        }
        if operation.type in WITH_RESULT:
            found["error"] = _error(operation.error)
            found["result"] = _payload(operation.result)
        if operation.type == "STEP":
            found["attempts"] = operation.attempts
        yield operation.id, found, operation


def outside_world(context: FakeDurableContext, scenario: Scenario) -> None:
    """Make everything known that the handler may ask the outside world for: functions, and answers to callbacks."""
    for name, function in scenario.functions.items():
        context.register(name, function.handler)
    for answer in scenario.answers:
        name = answer.name or THE_ONLY_ONE
        if answer.heartbeat is not None:
            context.callbacks.heartbeat(name, every=answer.heartbeat, times=answer.times)
        elif answer.error is not None:
            context.callbacks.fail(name, _as_error(answer.error), after=answer.after)
        else:
            context.callbacks.succeed(name, answer.result, after=answer.after)


def carry_out(context: FakeDurableContext, scenario: Scenario) -> Execution:
    """Run the scenario once."""
    outside_world(context, scenario)
    timeout = scenario.execution_timeout
    return context.run(scenario.decorated(), scenario.event, execution_timeout=timeout)


def _as_error(error: tuple[str, str]) -> ErrorObject:
    kind, message = error
    return ErrorObject(message=message, type=kind, data=None, stack_trace=None)
