from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import pytest
from aws_durable_execution_sdk_python import DurableContext, durable_execution
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_durable import DurabilityViolation, FakeDurableContext, InvalidHandler, NotSimulated
from tests.durable import returns, without_check
from tests.service import cold_handlers, cold_world

NAME = cold_handlers.__name__
Seen = list[tuple[int, bool]]


@pytest.fixture
def cold() -> Iterator[FakeDurableContext]:
    with FakeDurableContext(cold=True) as context:
        yield context


@pytest.fixture(autouse=True)
def as_imported() -> Iterator[None]:
    """What the module holds in the test's own form, as if no handler had run."""
    cold_world.reset()
    cold_handlers.cache.clear()
    cold_handlers.calls = 0
    yield
    assert sys.modules[NAME] is cold_handlers
    cold_world.reset()


def invocations(cold: FakeDurableContext, faults: str, **event: Any) -> Seen:
    """For each invocation the how-manieth it was in its module, and whether that stood in ``sys.modules``."""
    cold.run(cold_handlers.counts, event, faults=faults)
    return cold_world.seen


# --- what it finds --------------------------------------------------------------------------------------------------


def reset() -> None:
    cold_handlers.cache.clear()


def test_state_that_survives_only_in_the_module_is_found(cold: FakeDurableContext) -> None:
    with pytest.raises(DurabilityViolation) as caught:
        cold.verify(cold_handlers.keeps_in_the_module, reset=reset)
    assert caught.value.failure.kills <= 1


def test_without_cold_starts_it_is_not() -> None:
    with FakeDurableContext() as warm:
        assert len(warm.verify(cold_handlers.keeps_in_the_module, reset=reset).killed) == 9


def test_its_twin_that_keeps_it_in_a_result_is_safe(cold: FakeDurableContext) -> None:
    assert len(cold.verify(cold_handlers.keeps_in_the_step, reset=reset).killed) == 9


@pytest.mark.parametrize("faults", ["price:stored", "price:stored, charge:body", "price:stored, charge:stored"])
def test_a_run_under_one_plan_sees_it_too(cold: FakeDurableContext, faults: str) -> None:
    execution = cold.run(cold_handlers.keeps_in_the_module, faults=faults)
    assert execution.result is None  # the repaired one gives 100
    assert cold.run(cold_handlers.keeps_in_the_step, faults=faults).result == 100


# --- when it is cold ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("faults", "calls"),
    [
        ("", [1, 2]),
        ("a:start", [1, 1, 2]),
        ("a:stored", [1, 1, 2]),
        ("pause:suspend", [1, 1, 2]),
        ("b:body", [1, 2, 1]),
        ("invocation:return", [1, 1, 2]),
        ("invocation@2:return", [1, 2, 1]),
        ("a:stored, b:body", [1, 1, 2, 1]),
        ("a:timeout", [1, 1, 2]),
        ("a:throttle", [1, 2, 3]),
        ("a:outage", [1, 2, 3]),
        ("a:revoke", [1, 2, 3]),
        ("invocation:throttle", [1, 2]),
    ],
)
def test_it_is_after_each_death_and_not_after_a_suspension_or_an_error(
    cold: FakeDurableContext, faults: str, calls: list[int]
) -> None:
    assert [number for number, _ in invocations(cold, faults)] == calls


@pytest.mark.parametrize(("ends", "calls"), [("exit", [1, 2, 1]), ("raise", [1, 2, 3])])
def test_it_is_after_an_exit_and_not_after_an_error_of_the_invocation(
    cold: FakeDurableContext, ends: str, calls: list[int]
) -> None:
    assert [number for number, _ in invocations(cold, "", ends=ends)] == calls


def test_it_is_not_after_an_execution(cold: FakeDurableContext) -> None:
    cold.run(cold_handlers.plain)
    cold.run(cold_handlers.plain)
    assert cold_world.imports == []


def test_an_invocation_that_the_service_has_lost_runs_on_in_its_own_module(cold: FakeDurableContext) -> None:
    assert [number for number, _ in invocations(cold, "invocation@2:outage", sleeps=True)] == [1, 2, 1]


def test_the_module_stands_in_sys_modules_while_its_invocation_runs(cold: FakeDurableContext) -> None:
    assert all(stands for _, stands in invocations(cold, "a:stored, pause:suspend, b:body"))
    assert cold_world.imports == [NAME] * 3


@settings(max_examples=25)
@given(faults=st.lists(st.sampled_from(["a:start", "a:body", "a:stored", "b:start", "b:stored", "pause:suspend"])))
def test_however_it_is_killed_each_death_costs_one_import(faults: list[str]) -> None:
    cold_world.reset()
    with FakeDurableContext(cold=True) as cold:
        execution = cold.run(cold_handlers.counts, {}, faults=", ".join(dict.fromkeys(faults)))
    died = sum(invocation.killed is not None for invocation in execution.invocations)
    assert cold_world.imports == [NAME] * died
    assert len(cold_world.seen) == len(execution.invocations)


def test_an_invoked_function_starts_cold_as_well(cold: FakeDurableContext) -> None:
    without_check(cold, "replay")
    cold.register("pay", cold_handlers.bound_to_another_name)
    cold_handlers.calls = 7
    assert cold.run(cold_handlers.invokes).result == 7
    assert cold.run(cold_handlers.invokes, faults="call/a:start").result == 0


# --- what is left behind --------------------------------------------------------------------------------------------


def test_between_two_levers_the_original_module_is_back(cold: FakeDurableContext) -> None:
    execution = cold.start(cold_handlers.counts, {"sleeps": True}, faults="a:stored")
    for let_pass in (execution.advance, cold.clock.advance, execution.advance):
        let_pass(37)
        assert sys.modules[NAME] is cold_handlers
    assert execution.run().status == "SUCCEEDED"
    assert cold_world.seen == [(1, True), (1, True), (2, True)]


def test_a_context_that_is_closed_in_the_middle_of_it_leaves_the_original() -> None:
    with FakeDurableContext(cold=True) as cold:
        cold.start(cold_handlers.counts, {"sleeps": True}, faults="a:stored").advance(75)
    assert sys.modules[NAME] is cold_handlers


def test_the_state_of_the_tests_own_module_is_as_the_first_invocation_left_it(cold: FakeDurableContext) -> None:
    invocations(cold, "a:stored")
    assert cold_handlers.calls == 1


def test_classes_that_are_looked_up_by_their_module_are_those_of_the_invocation(cold: FakeDurableContext) -> None:
    assert cold.run(cold_handlers.looks_classes_up, faults="look:start").result is True


# --- which handlers can ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "handler",
    [
        cold_handlers.plain,
        cold_handlers.bound_to_another_name,
        cold_handlers.wrapped,
        cold_handlers.Orders.handler,
        cold_handlers.instance,
    ],
)
def test_whatever_its_module_has_a_name_for_can_start_cold(cold: FakeDurableContext, handler: Any) -> None:
    without_check(cold, "replay")
    cold_handlers.calls = 7
    assert cold.run(handler, faults="a:start").result == 0
    assert cold_world.imports == [NAME]


def in_main(event: Any, context: DurableContext) -> None: ...


in_main.__module__ = "__main__"


def of_a_module_that_is_gone(event: Any, context: DurableContext) -> None: ...


of_a_module_that_is_gone.__module__ = "gone"


def replaced(event: Any, context: DurableContext) -> None: ...


original = [replaced]


def replaced(event: Any, context: DurableContext) -> None:  # type: ignore[no-redef]  # that is the point
    ...


CANNOT = [
    (in_main, "in_main cannot start cold: it is in __main__, which is not imported"),
    (cold_handlers.without_a_name, "<lambda> cannot start cold: it is a lambda"),
    (cold_handlers.nested, "made_in_a_function.<locals>.handler cannot start cold: it is made inside of a function"),
    (durable_execution(cold_handlers.made_in_a_function()), "handler cannot start cold: it is made inside"),
    (of_a_module_that_is_gone, "cannot start cold: its module gone cannot be imported"),
    (original[0], f"replaced cannot start cold: it is not what {__name__} has by that name"),
    (cold_handlers.Instance().__call__, "Instance.__call__ cannot start cold: it is not what"),
]


@pytest.mark.parametrize(("handler", "words"), CANNOT)
@pytest.mark.parametrize("method", ["run", "start", "verify"])
def test_what_cannot_be_found_again_is_refused_with_the_way_out(
    cold: FakeDurableContext, method: str, handler: Any, words: str
) -> None:
    with pytest.raises(InvalidHandler) as caught:
        getattr(cold, method)(handler)
    assert words in str(caught.value)
    assert "Define the handler at the top level of a module, or leave out cold=True" in str(caught.value)


def test_a_durable_function_that_cannot_be_found_again_is_refused_when_it_is_registered(
    cold: FakeDurableContext,
) -> None:
    with pytest.raises(InvalidHandler, match="cannot start cold"):
        cold.register("pay", durable_execution(lambda event, context: None))
    cold.register("pay", lambda event, context: 7)  # a plain one is invoked once
    assert cold.run(cold_handlers.invokes, faults="call:suspend").result == 7


def test_a_module_that_cannot_be_imported_twice_ends_the_test_and_says_so(cold: FakeDurableContext) -> None:
    cold_world.broken.append(1)
    with pytest.raises(NotSimulated) as caught:
        cold.run(cold_handlers.plain, faults="a:start")
    assert f"{NAME} cannot be imported a second time" in str(caught.value)
    assert "ValueError: Duplicated timeseries" in str(caught.value)
    assert "leave out cold=True" in str(caught.value)


def test_a_module_that_has_the_handler_only_once_ends_the_test_and_says_so(cold: FakeDurableContext) -> None:
    cold_world.hidden.append(1)
    with pytest.raises(NotSimulated, match="has no wrapped"):
        cold.run(cold_handlers.wrapped, faults="a:start")


def test_calls_of_the_test_itself_are_not_cold(cold: FakeDurableContext) -> None:
    assert cold.step(returns(7), name="a") == 7
