# ruff: noqa: TID251  # what is tested is what these calls give user code
"""Chance in user code: another draw in each invocation, the same ones in each run, and nothing left behind."""

from __future__ import annotations

import os
import random
import secrets
import tempfile
import uuid
from collections.abc import Callable
from itertools import chain
from os import urandom
from random import choice, gauss, getrandbits, seed
from random import random as number
from typing import Any
from uuid import UUID, uuid1, uuid4

import pytest
from aws_durable_execution_sdk_python import DurableContext, durable_execution

from pytest_durable import FakeDurableContext, OutcomeChanged
from tests.durable import returns

DRAWS: dict[str, Callable[[], Any]] = {
    "random.random": lambda: random.random(),
    "random by name": lambda: number(),
    "random.randint": lambda: random.randint(0, 10**12),
    "choice by name": lambda: choice(range(10**12)),
    "getrandbits by name": lambda: getrandbits(64),
    "random.shuffle": lambda: tuple(random.sample(range(1000), 100)),
    "random.randbytes": lambda: random.randbytes(16).hex(),
    "gauss by name": lambda: gauss(0, 1),
    "random.normalvariate": lambda: random.normalvariate(0, 1),
    "Random()": lambda: random.Random().random(),
    "SystemRandom()": lambda: random.SystemRandom().random(),
    "seed by name": lambda: (seed(), random.random())[1],
    "uuid.uuid1": lambda: str(uuid.uuid1()),
    "uuid1 by name": lambda: str(uuid1()),
    "uuid.uuid4": lambda: str(uuid.uuid4()),
    "uuid4 by name": lambda: str(uuid4()),
    "secrets.token_hex": lambda: secrets.token_hex(),
    "secrets.randbelow": lambda: secrets.randbelow(10**12),
    "os.urandom": lambda: os.urandom(8).hex(),
    "urandom by name": lambda: urandom(8).hex(),
}

each = pytest.mark.parametrize("draw", DRAWS.values(), ids=list(DRAWS))


def drawn_by(draw: Callable[[], Any], seed: int = 0) -> tuple[list[Any], list[Any]]:
    """What a handler draws outside of a step, and what the body of its step draws: once for each invocation."""
    outside: list[Any] = []
    inside: list[Any] = []

    def handler(event: Any, context: DurableContext) -> None:
        outside.append(draw())
        context.step(lambda _: inside.append(draw()), name="pay")

    with FakeDurableContext(seed=seed) as context:
        context.run(handler, faults="pay:body")
    return outside, inside


@each
def test_each_attempt_draws_anew_and_each_run_the_same(draw: Callable[[], Any]) -> None:
    first = drawn_by(draw)
    assert len({*first[0], *first[1]}) == 4
    assert drawn_by(draw) == first


@each
def test_another_seed_draws_otherwise(draw: Callable[[], Any]) -> None:
    assert not {*chain(*drawn_by(draw))} & {*chain(*drawn_by(draw, seed=1))}


def test_what_a_body_seeds_itself_it_draws_as_in_production() -> None:
    def draw() -> tuple[float, float, int]:
        random.seed("order 7")
        before = random.getstate()
        first = random.random()
        random.setstate(before)
        assert random.random() == first
        return first, random.gauss(0, 1), random.Random(7).getrandbits(32)

    outside, inside = drawn_by(draw)
    own = random.Random("order 7")
    assert {*outside, *inside} == {(own.random(), own.gauss(0, 1), random.Random(7).getrandbits(32))}


def test_an_id_of_version_1_is_new_each_time_and_of_virtual_time() -> None:
    outside, inside = drawn_by(lambda: [uuid.uuid1() for _ in range(1000)])
    ids = [one for some in (*outside, *inside) for one in some]
    assert len(set(ids)) == 4000
    since_1582 = (ids[0].time - 0x01B21DD213814000) / 10**7
    assert since_1582 == pytest.approx(1_767_225_600, abs=1)  # 2026-01-01
    fixed: list[UUID] = drawn_by(lambda: uuid.uuid1(node=5, clock_seq=7))[0]
    assert {(one.node, one.clock_seq) for one in fixed} == {(5, 7)}


def test_the_tests_own_chance_goes_on_as_if_nothing_had_been_drawn() -> None:
    random.seed(11)
    expected = [random.random(), random.gauss(0, 1), random.gauss(0, 1), random.getrandbits(64)]
    random.seed(11)
    found = [random.random(), random.gauss(0, 1)]
    drawn_by(lambda: [one() for one in DRAWS.values()] and 0)
    with FakeDurableContext() as context:
        found.append(random.gauss(0, 1))
        context.run(lambda event, context: random.seed(5))
        found.append(random.getrandbits(64))
    assert found == expected


def test_the_test_itself_draws_for_real() -> None:
    ids = set()
    for _ in range(2):
        with FakeDurableContext():
            ids |= {uuid.uuid4().hex, uuid.uuid1().hex, secrets.token_hex(), str(random.Random().random())}
    assert len(ids) == 8


def places() -> list[Any]:
    """Everything that is swapped."""
    here = (number, getrandbits, gauss, seed, urandom, uuid1)
    generator: Any = vars(random)["_inst"]
    names = (random.random, random.getrandbits, random.gauss, random.seed, random.getstate, random.setstate)
    return [*here, *names, vars(random)["_urandom"], os.urandom, uuid.uuid1, random.Random.seed, vars(generator)]


def test_afterwards_everything_is_what_it_was() -> None:
    before = [dict(one) if isinstance(one, dict) else one for one in places()]
    with FakeDurableContext(), FakeDurableContext():
        pass
    for was, now in zip(before, places(), strict=True):
        assert now == was if isinstance(was, dict) else now is was


def test_what_the_test_has_put_there_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(random, "random", lambda: 0.25)
    monkeypatch.setattr(os, "urandom", bytes)
    assert drawn_by(lambda: (random.random(), os.urandom(2), uuid.uuid4().int >> 100))[1] == [(0.25, bytes(2), 0)] * 2


def test_names_of_temporary_files_can_still_be_made() -> None:
    outside, _ = drawn_by(lambda: tempfile.mkdtemp())
    assert len(set(outside)) == 2
    for name in outside:
        os.rmdir(name)  # noqa: PTH106


def test_the_order_of_a_run_is_its_own_wherever_it_runs_beside_another() -> None:
    """What an invoked function draws does not depend on what its caller drew meanwhile."""
    drawn: list[list[str]] = []

    def pay(event: Any, context: DurableContext) -> str:
        return context.step(lambda _: uuid.uuid4().hex, name="key")

    for more in (0, 5):
        ids: list[str] = []

        def shop(event: Any, context: DurableContext, more: int = more, ids: list[str] = ids) -> None:
            for _ in range(more):
                random.random()
            ids.append(context.invoke("pay", {}, name="payment"))

        with FakeDurableContext() as context:
            context.register("pay", durable_execution(pay))
            context.run(shop)
        drawn.append(ids)
    assert drawn[0] == drawn[1]


# --- what is found by it ----------------------------------------------------------------------------------------------


def checkout(booked: dict[str, int], key_is_a_step: bool) -> Callable[[Any, DurableContext], Any]:
    """A payment with a key, made in a step before it or inside of the step that is retried."""

    def handler(event: Any, context: DurableContext) -> int:
        key = context.step(lambda _: str(uuid4()), name="key") if key_is_a_step else ""
        context.step(lambda _: booked.setdefault(key or str(uuid4()), 100), name="charge")
        return context.step(lambda _: sum(booked.values()), name="receipt")

    return handler


def test_a_key_made_inside_of_the_retried_step_is_another_one() -> None:
    booked: dict[str, int] = {}
    with FakeDurableContext() as context:
        with pytest.raises(OutcomeChanged) as caught:
            context.verify(checkout(booked, False), reset=booked.clear)
        first = list(booked)
        with pytest.raises(OutcomeChanged):
            context.verify(checkout(booked, False), reset=booked.clear)
    assert caught.value.failure.plan == "charge:body"
    assert list(booked) == first
    assert len(first) == 2


def test_a_key_made_in_a_step_before_is_the_same() -> None:
    booked: dict[str, int] = {}
    with FakeDurableContext() as context:
        assert context.verify(checkout(booked, True), kills=2, examples=20, reset=booked.clear).outcome is None


def test_a_random_result_is_no_finding() -> None:
    def by_step(event: Any, context: DurableContext) -> str:
        return context.step(lambda _: uuid4().hex, name="id")

    def by_handler(event: Any, context: DurableContext) -> str:
        context.step(returns(1), name="one")
        return uuid4().hex

    with FakeDurableContext() as context:
        context.verify(by_step)
        context.verify(by_handler)


@pytest.mark.parametrize("seed", range(12))
def test_a_coin_that_is_tossed_is_no_finding(seed: int) -> None:
    with FakeDurableContext(seed=seed) as context:
        context.verify(lambda event, context: context.step(lambda _: random.random() < 0.5, name="toss"))
