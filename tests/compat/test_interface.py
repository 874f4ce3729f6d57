"""Names, fields and parameters are those of AWS's library."""

from __future__ import annotations

import inspect
from dataclasses import fields, is_dataclass
from typing import Any

import pytest
from aws_durable_execution_sdk_python_testing import exceptions as their_exceptions
from aws_durable_execution_sdk_python_testing import model as their_model
from aws_durable_execution_sdk_python_testing import runner as theirs

from pytest_durable import compat
from pytest_durable.compat import exceptions, model

RUNNERS = ("DurableFunctionTestRunner", "DurableChildContextTestRunner")
VALUES = [name for name in compat.__all__ if is_dataclass(getattr(compat, name))]
EVENTS = [*model.__all__, *(f"{kind}Details" for kind in model._CLASSES)]

ONLY_THEIRS = {"from_svc_operation", "from_execution_history", "to_dict"}
"""For the cloud runner, and for the server."""


def public(kind: Any) -> set[str]:
    return {name for name in dir(kind) if not name.startswith("_") and callable(getattr(kind, name))}


@pytest.mark.parametrize("name", VALUES)
def test_a_value_has_the_same_fields_and_methods(name: str) -> None:
    ours, their = getattr(compat, name), getattr(theirs, name)
    assert {field.name for field in fields(ours)} == {field.name for field in fields(their)}
    assert public(their) - public(ours) <= ONLY_THEIRS


@pytest.mark.parametrize("name", EVENTS)
def test_an_event_and_its_details_have_the_same_fields(name: str) -> None:
    ours = model._CLASSES.get(name.removesuffix("Details")) or getattr(model, name)
    their = getattr(their_model, name)
    assert {field.name for field in fields(their)} <= {field.name for field in fields(ours)}


@pytest.mark.parametrize("name", RUNNERS)
def test_a_runner_has_the_same_methods_with_the_same_parameters(name: str) -> None:
    ours, their = getattr(compat, name), getattr(theirs, name)
    for method in ["__init__", *public(their)]:
        mine, other = (inspect.signature(getattr(kind, method)).parameters for kind in (ours, their))
        assert [(one.name, one.kind, one.default) for one in mine.values()] == [
            (one.name, one.kind, one.default) for one in other.values()
        ], method


@pytest.mark.parametrize("name", exceptions.__all__)
def test_an_error_has_the_same_place_in_the_tree(name: str) -> None:
    ours, their = getattr(exceptions, name), getattr(their_exceptions, name)
    assert [kind.__name__ for kind in ours.__mro__] == [kind.__name__ for kind in their.__mro__]
    assert getattr(ours, "http_status_code", None) == getattr(their, "http_status_code", None)


def test_what_is_not_simulated_is_refused_by_name() -> None:
    missing = [name for name in theirs_all() if not hasattr_or_refused(name)]
    assert missing == []


def theirs_all() -> list[str]:
    import aws_durable_execution_sdk_python_testing as package

    return [name for name in package.__all__ if not name.startswith("_")]


def hasattr_or_refused(name: str) -> bool:
    try:
        getattr(compat, name)
    except ImportError as error:
        return "without --durable-replace-aws-runner" in str(error)
    except AttributeError:
        return False
    return True
