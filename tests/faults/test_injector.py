"""Each fault of a plan strikes once, at its place and time; every place is remembered."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pytest_durable import Fault, FaultPlan
from pytest_durable.faults import Injector

places = st.tuples(st.sampled_from("ab"), st.sampled_from(["start", "body"]))


def injector(plan: str = "") -> Injector:
    return Injector(FaultPlan.parse(plan))


def test_nothing_strikes_without_a_plan() -> None:
    assert injector().visit("a", "body") is None


def test_a_fault_strikes_at_its_place_only() -> None:
    faults = injector("a:body")
    visits = [("a", "start"), ("b", "body"), ("a/a", "body"), ("a", "body")]
    assert [faults.visit(*place) for place in visits] == [None, None, None, "a:body"]


def test_a_fault_strikes_once() -> None:
    faults = injector("a:body")
    assert [faults.visit("a", "body") for _ in range(3)] == ["a:body", None, None]


def test_a_fault_strikes_the_time_it_was_planned_for() -> None:
    faults = injector("a@3:body")
    assert [faults.visit("a", "body") for _ in range(4)] == [None, None, "a@3:body", None]


def test_mentioned_twice_it_strikes_twice() -> None:
    faults = injector("a:body, a:body")
    assert [faults.visit("a", "body") for _ in range(3)] == ["a:body", "a@2:body", None]


def test_two_faults_at_one_place_and_time_are_one() -> None:
    faults = injector("a:body, a@1:body")
    assert [faults.visit("a", "body") for _ in range(2)] == ["a:body", None]
    assert faults.unreached() == []


def test_what_did_not_happen_is_known_in_the_order_of_the_plan() -> None:
    faults = injector("b:start, a:body, a@2:body, c:return")
    faults.visit("a", "body")
    assert faults.unreached() == [Fault("b", "start"), Fault("a", "body", 2), Fault("c", "return")]
    assert faults.struck == [Fault("a", "body")]


def test_every_place_is_remembered_in_order_with_its_time() -> None:
    faults = injector("a:body")
    for path, where in [("a", "body"), ("b", "body"), ("a", "body"), ("a", "stored")]:
        faults.visit(path, where)
    assert list(map(str, faults.visited)) == ["a:body", "b:body", "a@2:body", "a:stored"]


def test_a_plan_serves_many_injectors() -> None:
    plan = FaultPlan.parse("a:body")
    assert [Injector(plan).visit("a", "body") for _ in range(2)] == ["a:body"] * 2


@given(st.lists(places), st.lists(st.tuples(places, st.integers(1, 3)), unique=True))
def test_what_strikes_is_what_was_planned_and_visited(
    visits: list[tuple[str, str]], planned: list[tuple[tuple[str, str], int]]
) -> None:
    plan = FaultPlan(Fault(*place, nth) for place, nth in planned)
    faults = Injector(plan)
    texts = [faults.visit(*place) for place in visits]
    assert set(faults.struck) == set(plan) & set(faults.visited)
    assert set(faults.unreached()) == set(plan) - set(faults.visited)
    assert [text for text in texts if text is not None] == list(map(str, faults.struck))
    assert [(fault.path, fault.where) for fault in faults.visited] == visits
