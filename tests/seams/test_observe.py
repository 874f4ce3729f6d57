"""The places of the SDK that are watched are there, and take what we hand on."""

from __future__ import annotations

import inspect
from dataclasses import fields
from typing import Any

import pytest
from aws_durable_execution_sdk_python import execution
from aws_durable_execution_sdk_python.config import Duration
from aws_durable_execution_sdk_python.context import DurableContext
from aws_durable_execution_sdk_python.identifier import OperationIdentifier
from aws_durable_execution_sdk_python.state import ExecutionState

from pytest_durable import DurableCompatibilityWarning, FakeDurableContext, UnknownPrimitive
from pytest_durable.seams import observe
from pytest_durable.seams.table import installed

NO_OPERATIONS = {"is_virtual", "from_lambda_context", "create_child_context", "set_logger", "is_replaying"}
"""The public attributes of ``DurableContext`` that make no operation."""


def parameters(function: Any) -> tuple[str, ...]:
    return tuple(name for name in inspect.signature(function).parameters if name != "self")


@pytest.mark.parametrize("method", observe.OPERATIONS)
def test_the_parameters_of_an_operation_are_those_of_the_installed_sdk(method: str) -> None:
    assert observe._PARAMETERS[method] == parameters(getattr(DurableContext, method))


def test_there_is_a_list_of_parameters_for_each_operation_and_no_other() -> None:
    assert observe._PARAMETERS.keys() == set(observe.OPERATIONS)


def test_every_public_method_of_the_sdks_context_is_watched_or_makes_no_operation() -> None:
    public = {name for name in vars(DurableContext) if not name.startswith("_")}
    assert public - NO_OPERATIONS == set(observe.OPERATIONS)


def test_the_method_that_gives_an_operation_its_id_is_there() -> None:
    assert parameters(DurableContext._create_step_id) == ()


def test_an_sdk_without_a_place_that_is_watched_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(DurableContext, "_create_step_id")
    with pytest.raises(UnknownPrimitive, match=r"the SDK has no DurableContext\._create_step_id to observe"):
        observe.observed()


def test_the_method_that_every_body_passes_through_is_there() -> None:
    assert parameters(ExecutionState.wrap_user_function) == (
        "user_function",
        "operation_identifier",
        "is_replay_children",
        "attempt",
    )


def test_the_sdks_identity_of_an_operation_has_what_is_read_of_it() -> None:
    read = set(observe.Identifier.__annotations__)
    assert read <= {field.name for field in fields(OperationIdentifier)}


@pytest.mark.parametrize("method", [*observe.OPERATIONS, "_create_step_id"])
def test_while_installed_the_context_that_the_sdk_builds_has_each_method_wrapped(method: str) -> None:
    original = inspect.getattr_static(DurableContext, method)
    with installed():
        watched = inspect.getattr_static(vars(execution)["DurableContext"], method)
        assert watched is not original
        assert watched.__wrapped__ is original
        assert inspect.signature(watched) == inspect.signature(original)


def test_while_installed_the_state_that_the_sdk_builds_has_its_method_wrapped() -> None:
    original = ExecutionState.wrap_user_function
    with installed():
        watched: Any = vars(execution)["ExecutionState"].wrap_user_function
        assert watched.__wrapped__ is original


def test_a_wait_in_seconds_is_accepted_with_a_warning_at_the_line_that_asks_for_it() -> None:
    def handler(event: Any, context: DurableContext) -> str:
        context.wait(300, name="pause")  # type: ignore[arg-type]  # what early material of AWS prints
        return "done"

    with FakeDurableContext() as durable, pytest.warns(DurableCompatibilityWarning, match=r"wait\(300\)") as caught:
        run = durable.run(handler)
    assert run.result == "done"
    assert 300 <= run.elapsed < 301
    assert {(warning.filename, warning.lineno) for warning in caught} == {
        (__file__, handler.__code__.co_firstlineno + 1)
    }


def test_a_wait_in_seconds_by_name_is_accepted_with_a_warning() -> None:
    def handler(event: Any, context: DurableContext) -> None:
        context.wait(duration=1.5)  # type: ignore[arg-type]  # as above

    with FakeDurableContext() as durable, pytest.warns(DurableCompatibilityWarning, match=r"wait\(1\.5\)"):
        assert durable.run(handler).status == "SUCCEEDED"


def test_a_wait_for_a_duration_is_no_reason_to_warn() -> None:
    def handler(event: Any, context: DurableContext) -> None:
        context.wait(Duration.from_seconds(300))

    with FakeDurableContext() as durable:
        assert 300 <= durable.run(handler).elapsed < 301
