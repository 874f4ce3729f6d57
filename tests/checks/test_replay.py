"""A replay that asks for something else than the first pass: planted, found, repaired, safe."""

from __future__ import annotations

import random
from typing import Any

import pytest
from aws_durable_execution_sdk_python import DurableContext

from pytest_durable import FakeDurableContext, ReplayDiverged
from tests.checks.twins import TWINS, Twins, another_method, clock_in_a_wait
from tests.checks.verdicts import found_in, killed_under, text_of, verified
from tests.durable import returns, seconds

twins = pytest.mark.parametrize("twins", TWINS.values(), ids=list(TWINS))


@twins
def test_the_planted_bug_is_found(twins: Twins) -> None:
    kind, failure = found_in(twins.make(False))
    assert kind is ReplayDiverged
    for words in twins.says:
        assert words in text_of(failure)


@twins
def test_the_repaired_twin_is_safe(twins: Twins) -> None:
    verified(twins.make(True))


def test_the_failure_names_the_users_line() -> None:
    _, failure = found_in(clock_in_a_wait(False))
    assert f"twins.py:{clock_in_a_wait.__code__.co_firstlineno + 6}" in text_of(failure)


def test_one_run_finds_a_divergence_as_well() -> None:
    kind, failure = killed_under(clock_in_a_wait(False), "until noon:suspend")
    assert kind is ReplayDiverged
    assert failure.plan == "until noon:suspend"


def test_the_sdks_own_refusal_of_a_replay_is_a_finding() -> None:
    kind, failure = found_in(another_method(False))
    assert kind is ReplayDiverged
    assert "NonDeterministicExecutionError" in text_of(failure)


@pytest.mark.parametrize("seed", range(3))
def test_a_random_wait_is_found_whatever_the_seed(seed: int) -> None:
    random.seed(seed)

    def handler(event: Any, context: DurableContext) -> None:
        context.wait(seconds(random.randrange(10, 10_000)), name="pause")

    with FakeDurableContext(seed=seed) as context, pytest.raises(ReplayDiverged, match="'pause'"):
        context.verify(handler)


class Item:
    """Not JSON."""


endless: list[Any] = []
endless.append(endless)


@pytest.mark.parametrize(
    "items",
    [
        [Item(), Item()],
        [{1, 2}],
        [b"bytes"],
        [float("nan")],
        [{(1, 2): 3}],
        [{1: "a", "b": 2}],
        [endless],
        ["x" * 10**6],
    ],
    ids=["objects", "a set", "bytes", "NaN", "keys that are tuples", "keys of several types", "a circle", "long"],
)
def test_items_of_any_kind_can_be_mapped(ctx: FakeDurableContext, items: list[Any]) -> None:
    def item(context: DurableContext, thing: Any, index: int, everything: Any) -> Any:
        return context.step(returns(index), name="step")

    def handler(event: Any, context: DurableContext) -> Any:
        results: list[int] = context.map(items, item, name="batch").get_results()
        context.wait(seconds(60))
        return results

    assert ctx.run(handler, faults="batch:stored").result == list(range(len(items)))


def test_a_finished_execution_whose_replay_asks_for_more_is_found() -> None:
    calls: list[int] = []

    def handler(event: Any, context: DurableContext) -> str:
        calls.append(1)
        context.step(returns(1), name="charge")
        if len(calls) > 1:
            context.step(returns(2), name="again")
        return "done"

    kind, failure = found_in(handler, reset=calls.clear)
    assert kind is ReplayDiverged
    assert "again" in text_of(failure)
    assert failure.kills == 0


def test_a_cache_that_skips_a_step_once_it_is_warm_is_found() -> None:
    cache: dict[str, int] = {}

    def handler(event: Any, context: DurableContext) -> int:
        if "limit" not in cache:
            cache["limit"] = context.step(returns(7), name="load limit")
        context.wait(seconds(60), name="pause")
        return cache["limit"]

    kind, _ = found_in(handler)
    assert kind is ReplayDiverged


def test_a_cache_that_is_cold_in_every_run_is_found_as_well() -> None:
    cache: dict[str, int] = {}

    def handler(event: Any, context: DurableContext) -> int:
        if "limit" not in cache:
            cache["limit"] = context.step(returns(7), name="load limit")
        context.wait(seconds(60), name="pause")
        return cache["limit"]

    kind, failure = found_in(handler, reset=cache.clear)
    assert kind is ReplayDiverged
    assert "load limit" in text_of(failure)


def in_a_step(event: Any, context: DurableContext) -> Any:
    context.step(lambda _: context.step(lambda _: 1, name="inner"), name="outer")
    return context.step(lambda _: 2, name="after")


def in_a_child(event: Any, context: DurableContext) -> Any:
    context.run_in_child_context(lambda child: context.step(lambda _: 1, name="inner"), name="outer")
    return context.step(lambda _: 2, name="after")


def in_a_branch(event: Any, context: DurableContext) -> Any:
    context.parallel([lambda branch: context.step(lambda _: 1, name="inner")], name="branches")
    return context.step(lambda _: 2, name="after")


@pytest.mark.parametrize(
    ("handler", "body"), [(in_a_step, "outer"), (in_a_child, "outer"), (in_a_branch, "parallel-branch-0")]
)
def test_a_call_on_a_context_that_is_not_the_bodys_own_is_explained(handler: Any, body: str) -> None:
    kind, failure = found_in(handler)
    assert kind is ReplayDiverged
    assert f"'inner' was made inside the body of '{body}', on a context that is not" in " ".join(failure.explanation)
