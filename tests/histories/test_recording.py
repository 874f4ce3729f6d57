"""``--durable-record=DIR`` writes what ``replay_all`` reads."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

TESTS = """
    import pytest
    from aws_durable_execution_sdk_python import durable_execution
    from aws_durable_execution_sdk_python.config import Duration

    @durable_execution
    def orders(event, context):
        price = context.step(lambda _: 100, name="price")
        context.wait(Duration.from_seconds(60), name="pause")
        return context.invoke("pay", {"price": price}, name="pay")

    @durable_execution
    def pay(event, context):
        return context.step(lambda _: event["price"], name="book")

    @pytest.mark.parametrize("name", ["a b", "c"])
    def test_runs(durable_ctx, name):
        durable_ctx.register("pay", pay)
        durable_ctx.run(orders, {"name": name})
        durable_ctx.run(orders, faults="price:body")
        durable_ctx.run(pay, {"price": 1})

    def test_search(durable_ctx):
        durable_ctx.register("pay", pay)
        durable_ctx.verify(orders)

    @pytest.mark.durable_faults
    def test_around(durable_ctx):
        durable_ctx.run(pay, {"price": 2})

    def test_direct(durable_ctx):
        durable_ctx.step(lambda _: 1, name="one")
"""

AGAIN = """
    from test_first import orders, pay

    def test_orders(durable_ctx):
        assert len(durable_ctx.replay_all(orders, "histories/orders")) == 5

    def test_pay(durable_ctx):
        assert len(durable_ctx.replay_all(pay, "histories/pay")) == 3
"""


def recorded(path: Path) -> dict[str, str]:
    return {file.relative_to(path).as_posix(): file.read_text() for file in sorted(path.rglob("*")) if file.is_file()}


def test_each_execution_is_written_once_and_the_same_each_time(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_first=TESTS)
    pytester.runpytest_inprocess("--durable-record=histories").assert_outcomes(passed=5)
    found = recorded(pytester.path / "histories")
    assert set(found) == {
        "orders/test_first.py-test_runs-a-b.json",
        "orders/test_first.py-test_runs-a-b-2.json",
        "orders/test_first.py-test_runs-c.json",
        "orders/test_first.py-test_runs-c-2.json",
        "orders/test_first.py-test_search.json",
        "pay/test_first.py-test_around.json",
        "pay/test_first.py-test_runs-a-b.json",
        "pay/test_first.py-test_runs-c.json",
    }
    pytester.runpytest_inprocess("--durable-record=histories").assert_outcomes(passed=5)
    assert recorded(pytester.path / "histories") == found
    events = json.loads(found["orders/test_first.py-test_search.json"])["Events"]
    assert [events[0]["EventType"], events[-1]["EventType"]] == ["ExecutionStarted", "ExecutionSucceeded"]
    pytester.makepyfile(test_again=AGAIN)
    pytester.syspathinsert()
    pytester.runpytest_inprocess("test_again.py").assert_outcomes(passed=2)


def test_nothing_is_written_without_the_option(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_first=TESTS)
    pytester.runpytest_inprocess().assert_outcomes(passed=5)
    assert [
        path.name for path in pytester.path.iterdir() if path.is_dir() and not path.name.startswith((".", "_"))
    ] == []
