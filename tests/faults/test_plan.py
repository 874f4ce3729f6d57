"""Plans as values, and as text."""

from __future__ import annotations

import dataclasses
import pickle
import string
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pytest_durable import Fault, FaultPlan, InvalidPlan, UsageError
from pytest_durable.faults import WHERE

PLACES = ["start", "effect", "body", "stored", "suspend", "return", "timeout", "throttle", "outage", "revoke"]

names = st.text(string.digits + string.ascii_letters + string.punctuation + " ", min_size=1, max_size=20)
"""Names that the Lambda API allows."""
hostile = st.text(",@:\\/ '\"[]0123return", min_size=1, max_size=8)
wheres = st.sampled_from(PLACES) | hostile.map("effect:{}".format)
faults = st.builds(Fault, names | hostile, wheres, st.integers(1, 12))
plans = st.builds(FaultPlan, st.lists(faults, max_size=5))


def plan_of(*places: tuple[str, str, int]) -> FaultPlan:
    return FaultPlan(Fault(*place) for place in places)


# --- text -----------------------------------------------------------------------------------------------------------


def test_the_places_are_these() -> None:
    assert list(WHERE) == PLACES


@given(plans)
@example(plan_of(("a,b", "body", 1), ("a@2", "body", 1), ("a:body", "body", 1), ("a\\", "body", 1), ("\\,", "body", 2)))
@example(plan_of(("return", "return", 1), ("return", "body", 2), ("return@2", "start", 1)))
@example(plan_of((" a", "body", 1), ("a ", "body", 1), (" ", "stored", 2)))
def test_a_plan_is_read_from_its_own_text(plan: FaultPlan) -> None:
    assert FaultPlan.parse(str(plan)) == plan


@given(faults)
def test_a_fault_is_a_plan_of_one(fault: Fault) -> None:
    assert FaultPlan.parse(str(fault)) == (fault,)


@given(plans)
def test_the_repr_of_a_plan_is_code(plan: FaultPlan) -> None:
    assert eval(repr(plan)) == plan


@pytest.mark.parametrize(
    ("text", "plan"),
    [
        ("", []),
        ("  \n ", []),
        ("charge:body", [("charge", "body", 1)]),
        ("charge:body, ship@2:stored", [("charge", "body", 1), ("ship", "stored", 2)]),
        ("charge:body,ship:start", [("charge", "body", 1), ("ship", "start", 1)]),
        ("  charge : body ,\n ship @ 2 : stored ", [("charge", "body", 1), ("ship", "stored", 2)]),
        ("charge:body,", [("charge", "body", 1)]),
        ("orders/map-item-3/charge:start", [("orders/map-item-3/charge", "start", 1)]),
        ("[3]:stored", [("[3]", "stored", 1)]),
        ("child/[1]:body", [("child/[1]", "body", 1)]),
        ("a step with blanks:suspend", [("a step with blanks", "suspend", 1)]),
        (r"a\,b:body", [("a,b", "body", 1)]),
        ("charge:effect:bank.charge", [("charge", "effect:bank.charge", 1)]),
        ("charge@2 : effect : mail ,ship:body", [("charge", "effect:mail", 2), ("ship", "body", 1)]),
        ("charge:effect, charge:effect", [("charge", "effect", 1), ("charge", "effect", 2)]),
        ("a:effect:, *@3:effect", [("a", "effect", 1), ("*", "effect", 3)]),
        (r"a:effect:to\, and fro\:m@x, b:body", [("a", "effect:to, and fro:m@x", 1), ("b", "body", 1)]),
        (r"a\@2:body", [("a@2", "body", 1)]),
        (r"a\:body:body", [("a:body", "body", 1)]),
        (r"a\\:body", [("a\\", "body", 1)]),
        (r"a\\\,:body, b:body", [("a\\,", "body", 1), ("b", "body", 1)]),
        ("return", [("invocation", "return", 1)]),
        ("return@3", [("invocation", "return", 3)]),
        ("invocation:return", [("invocation", "return", 1)]),
        ("invocation@2:return", [("invocation", "return", 2)]),
    ],
)
def test_what_a_text_means(text: str, plan: list[tuple[str, str, int]]) -> None:
    assert FaultPlan.parse(text) == plan_of(*plan)


@pytest.mark.parametrize(
    ("text", "times"),
    [
        ("a:body, a:body, a:body", [1, 2, 3]),
        ("a:body, b:body, a:stored, a:body", [1, 1, 1, 2]),
        ("a@3:body, a:body", [3, 2]),
        ("a:body, a@1:body", [1, 1]),
        ("return, return, invocation:return", [1, 2, 3]),
    ],
)
def test_the_kth_mention_of_a_place_is_its_kth_time(text: str, times: list[int]) -> None:
    assert [fault.nth for fault in FaultPlan.parse(text)] == times


def test_a_text_is_no_longer_than_it_must_be() -> None:
    plan = plan_of(("a", "body", 1), ("a", "body", 2), ("b", "start", 1), ("a", "body", 3), ("b", "start", 3))
    assert str(plan) == "a:body, a:body, b:start, a:body, b@3:start"


# --- refusals -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("charge", ["'charge' is not a fault", "NAME:WHERE", "charge:body"]),
        ("charge:body, ship", ["'ship' is not a fault"]),
        (":body", ["':body' is not a fault"]),
        ("charge:", ["'charge:'", "''", *PLACES]),
        ("charge:bdy", ["'charge:bdy'", "'bdy' is no place", "did you mean 'body'?", *PLACES]),
        ("charge:Body", ["did you mean 'body'?"]),
        ("charge:elsewhere", ["'elsewhere' is no place", *PLACES]),
        ("charge@0:body", ["'charge@0:body'", "whole number from 1", "charge@2:body"]),
        ("charge@-1:body", ["whole number from 1"]),
        ("charge@x:body", ["whole number from 1"]),
        ("charge@1.5:body", ["whole number from 1"]),
        ("charge@:body", ["whole number from 1"]),
        ("charge@²:body", ["whole number from 1"]),
        ("charge@1@2:body", ["'charge@1@2:body' is not a fault"]),
        ("a:body:body", ["a:body:body"]),
        ("a,b:body", ["'a' is not a fault"]),
        ("a:body,, b:body", ["'' is not a fault"]),
        (",", ["is not a fault"]),
        ("@2:body", ["'@2:body' is not a fault"]),
        ("charge\\:body", ["is not a fault"]),
    ],
)
def test_what_is_no_plan_is_refused_with_the_way_out(text: str, words: list[str]) -> None:
    with pytest.raises(InvalidPlan) as caught:
        FaultPlan.parse(text)
    for word in words:
        assert word in str(caught.value)


@pytest.mark.parametrize("text", [None, 3, b"charge:body", ["charge:body"], FaultPlan])
def test_what_is_no_text_is_refused(text: Any) -> None:
    with pytest.raises(InvalidPlan, match="a plan is text such as 'charge:body'"):
        FaultPlan.parse(text)


@given(st.text(max_size=30))
def test_any_text_is_a_plan_or_is_refused(text: str) -> None:
    try:
        plan = FaultPlan.parse(text)
    except InvalidPlan:
        return
    assert FaultPlan.parse(str(plan)) == plan


@pytest.mark.parametrize("where", ["", "bdy", "Body", "body "])
def test_a_fault_anywhere_else_is_refused(where: str) -> None:
    with pytest.raises(InvalidPlan, match="WHERE is one of: start, effect, body, stored, suspend, return"):
        Fault("charge", where)


def test_a_fault_at_no_operation_is_refused() -> None:
    with pytest.raises(InvalidPlan, match="names no operation: write NAME:body"):
        Fault("", "body")


@pytest.mark.parametrize("nth", [0, -1])
def test_a_fault_before_the_first_time_is_refused(nth: int) -> None:
    with pytest.raises(InvalidPlan, match="the first time is @1"):
        Fault("charge", "body", nth)


@pytest.mark.parametrize("thing", ["charge:body", ("charge", "body", 1), None])
def test_a_plan_of_anything_but_faults_is_refused(thing: Any) -> None:
    with pytest.raises(InvalidPlan, match=r"a plan holds faults, not .*: use FaultPlan\.parse for text"):
        FaultPlan([thing])


def test_a_bad_plan_is_a_usage_error_and_a_value_error() -> None:
    assert issubclass(InvalidPlan, UsageError)
    assert issubclass(InvalidPlan, ValueError)


# --- values ---------------------------------------------------------------------------------------------------------


def test_a_fault_is_frozen() -> None:
    fault = Fault("charge", "body")
    with pytest.raises(dataclasses.FrozenInstanceError):
        fault.nth = 2  # type: ignore[misc]


def test_a_plan_is_immutable() -> None:
    plan: Any = FaultPlan.parse("charge:body")
    with pytest.raises(AttributeError):
        plan.append(Fault("ship", "body"))
    with pytest.raises(AttributeError):
        plan.name = "mine"
    with pytest.raises(TypeError):
        plan[0] = Fault("ship", "body")


@given(plans, plans)
def test_plans_are_equal_if_their_faults_are(one: FaultPlan, other: FaultPlan) -> None:
    assert (one == other) is (tuple(one) == tuple(other))
    assert hash(one) == hash(FaultPlan(list(one)))


@given(plans, plans)
def test_different_plans_have_different_texts(one: FaultPlan, other: FaultPlan) -> None:
    assert (str(one) == str(other)) is (one == other)


def test_the_order_of_the_faults_is_kept() -> None:
    assert str(plan_of(("b", "body", 1), ("a", "body", 1))) == "b:body, a:body"


def test_the_empty_plan_is_false_and_has_no_text() -> None:
    assert not FaultPlan()
    assert (len(FaultPlan()), str(FaultPlan())) == (0, "")


def test_a_plan_can_be_looked_into() -> None:
    plan = FaultPlan.parse("a:body, b@2:stored")
    assert [fault.path for fault in plan] == ["a", "b"]
    assert plan[1] == Fault("b", "stored", 2)
    assert Fault("a", "body") in plan


@given(plans)
def test_a_plan_can_be_pickled(plan: FaultPlan) -> None:
    assert pickle.loads(pickle.dumps(plan)) == plan
