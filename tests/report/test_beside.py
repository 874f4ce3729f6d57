"""Two runs side by side: aligned by operation, up to where they part and beyond, within a screen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from aws_durable_execution_sdk_python import DurableContext
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_durable import FakeDurableContext
from pytest_durable.report.beside import ROWS, WIDTH, Beside, parting, side_by_side
from pytest_durable.service.lifecycle import DurableExecution
from tests.durable import returns, seconds

Handler = Callable[[Any, DurableContext], Any]

TITLES = ("left", "right")


def executed(handler: Handler, **options: Any) -> DurableExecution:
    with FakeDurableContext() as context:
        return context.run(handler, **options)._execution


def table(left: DurableExecution, right: DurableExecution) -> list[list[str]]:
    """The rows below the heading, each cut at its columns; without the moments at which invocations began."""
    heading, *rows = side_by_side(left, right, TITLES).splitlines()
    begins = heading.index("left"), heading.index("right")
    cells = [[row[: begins[0]], row[begins[0] : begins[1]], row[begins[1] :]] for row in rows]
    return [[cell.partition("  00:")[0].strip() for cell in row] for row in cells]


def waiting(event: Any, context: DurableContext) -> str:
    context.step(returns("charged"), name="charge")
    context.wait(seconds(60), name="pause")
    result: str = context.step(returns("shipped"), name="ship")
    return result


def test_what_both_did_stands_in_one_row_and_what_one_did_alone() -> None:
    place = f"test_beside.py:{waiting.__code__.co_firstlineno + 1}"
    assert table(executed(waiting), executed(waiting, faults="charge:body")) == [
        ["", "invocation 1", "invocation 1"],
        ["charge", "ran, stored", "ran"],
        ["", "", "✗ killed: charge:body"],
        ["", "", "invocation 2"],
        ["charge", "", f"ran a 2nd time, stored  <- {place}"],
        ["pause", "waits 60 s", "waits 60 s"],
        ["", "invocation 2", "invocation 3"],
        ["2 operations", "replayed", "replayed"],
        ["ship", "ran, stored", "ran, stored"],
        ["", "succeeded", "succeeded"],
    ]


def test_what_a_replay_asks_for_instead_is_not_taken_for_the_same() -> None:
    def handler(event: Any, context: DurableContext) -> None:
        context.step(returns(1), name="first")
        context.step(returns(2), name="refund" if event else "receipt")

    rows = table(executed(handler), executed(handler, event={"late": True}))
    assert rows[2:] == [
        ["refund", "", "ran, stored"],
        ["receipt", "ran, stored", ""],
        ["", "succeeded", "succeeded"],
    ]


def test_a_result_that_differs_is_shown_of_both_where_it_differs() -> None:
    def handler(event: Any, context: DurableContext) -> None:
        context.step(returns({"orders": 6, "customers": ["ann", "bob", event]}), name="count")
        context.step(returns("as ever"), name="same")

    rows = table(executed(handler, event="cid"), executed(handler, event="dora"))
    assert [row[0] for row in rows] == ["", "count", "≠ result", "same", ""]
    assert rows[2][1:] == ['…n", "bob", "cid"]}', '…n", "bob", "dora"]}']


def test_what_lies_below_one_that_went_as_it_should_is_counted() -> None:
    def handler(event: Any, context: DurableContext) -> None:
        context.map([1, 2], lambda child, item, *_: child.step(returns(item), name="pack"), name="boxes")

    assert [row[0] for row in table(executed(handler), executed(handler))] == ["", "boxes (+4 below)", ""]


def test_what_is_left_out_is_the_same_in_both_and_is_counted() -> None:
    def handler(event: Any, context: DurableContext) -> None:
        for number in range(50):
            context.step(returns(number), name=f"step {number}")

    rows = table(executed(handler), executed(handler, faults="step 25:body"))
    assert len(rows) == ROWS
    names = [row[0] for row in rows]
    assert names[:2] == ["", "step 0"] and rows[-1] == ["", "succeeded", "succeeded"]
    assert ["", "", "✗ killed: step 25:body"] in rows
    gaps = [row for row in rows if row[0].startswith("…")]
    assert len(gaps) == 2 and all(row[1:] == ["…", "…"] for row in gaps)
    assert sum(int(row[0].split()[1]) for row in gaps) + len(rows) - len(gaps) == 50 + 6


def test_a_long_name_is_cut_and_a_place_that_has_no_room_is_left_out() -> None:
    def handler(event: Any, context: DurableContext) -> None:
        context.step(returns(1), name="a very long name of a step, which says at its end: charge")

    text = Beside(executed(handler), TITLES).with_(executed(handler, faults="*:body"))
    assert max(map(len, text.splitlines())) <= WIDTH
    assert "says at its end: charge " in text


def test_two_runs_part_at_the_first_result_that_differs() -> None:
    def handler(event: Any, context: DurableContext) -> None:
        for name in ("first", "second"):
            context.step(returns(event), name=name)

    place = f"test_beside.py:{handler.__code__.co_firstlineno + 2}"
    said = parting(executed(handler, event="b"), executed(handler, event="a"))
    assert said == f'Look at \'first\', made at {place}: it gave "a" the first time, and "b" when it was run again.'
    assert parting(executed(handler, event="a"), executed(handler, event="a")) == ""


def test_two_runs_part_at_the_first_thing_that_only_one_of_them_did() -> None:
    def handler(event: Any, context: DurableContext) -> None:
        for number in range(event):
            context.step(returns(number), name=f"step {number}")

    assert "'step 1'" in parting(executed(handler, event=1), executed(handler, event=2))
    assert "only the first run came to it" in parting(executed(handler, event=1), executed(handler, event=2))
    assert "only the second run came to it" in parting(executed(handler, event=2), executed(handler, event=1))


_PLANS = st.lists(
    st.sampled_from(["charge:body", "charge:stored", "pause:suspend", "ship:start", "return"]), max_size=3
)


@settings(max_examples=20)
@given(left=_PLANS, right=_PLANS)
def test_nothing_that_happened_is_lost_and_nothing_is_told_twice(left: list[str], right: list[str]) -> None:
    runs = [executed(waiting, faults=", ".join(dict.fromkeys(plan))) for plan in (left, right)]
    rows = table(*runs)
    if len(rows) == ROWS:
        return
    for column, run in enumerate(runs, 1):
        cells = [row[column] for row in rows if row[column]]
        assert sum(cell.startswith("invocation") for cell in cells) == len(run.invocations)
        assert sum(cell.startswith("✗") for cell in cells) == sum(one.fault is not None for one in run.invocations)
        assert sum(cell.startswith("ran") for cell in cells) == sum(len(one.bodies) for one in run.invocations)


@pytest.mark.parametrize("faults", ["", "charge:body"])
def test_a_run_beside_itself_has_equal_columns(faults: str) -> None:
    run = executed(waiting, faults=faults)
    assert all(row[1] == row[2].partition("  <-")[0] for row in table(run, run))
