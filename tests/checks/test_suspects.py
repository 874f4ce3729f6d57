# ruff: noqa: TID251  # what is tested is what these calls are in user code
"""What the report suspects: readings outside of a step, and variables that a replay does not have as they were."""

from __future__ import annotations

import ast
import email.utils
import gc
import logging
import os
import random
import sched
import secrets
import time
import uuid
import weakref
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from os import getenv
from random import random as chance
from random import shuffle
from typing import Any
from uuid import uuid4

import pytest
from aws_durable_execution_sdk_python import DurableContext, durable_execution
from aws_durable_execution_sdk_python.config import StepConfig
from aws_durable_execution_sdk_python.retries import RetryDecision
from aws_durable_execution_sdk_python.waits import WaitForConditionConfig, WaitForConditionDecision
from hypothesis import given
from hypothesis import strategies as st

from pytest_durable import ExecutionStuck, Failure, FakeDurableContext, ReplayDiverged, StepRanAgain
from pytest_durable.seams.reads import told_to
from pytest_durable.service.variables import LONGEST, MOST, text_of
from tests.checks.verdicts import Handler, found_in, killed_under, verified
from tests.durable import returns, seconds

FILE = "test_suspects.py"

READS: dict[str, list[Callable[[], Any]]] = {
    "datetime.now()": [lambda: datetime.now(), lambda: datetime.now(UTC)],
    "datetime.utcnow()": [lambda: datetime.utcnow()],
    "datetime.today()": [lambda: datetime.today()],
    "date.today()": [lambda: date.today()],
    "time.time()": [lambda: time.time()],
    "time.time_ns()": [lambda: time.time_ns()],
    "time.monotonic()": [lambda: time.monotonic()],
    "time.monotonic_ns()": [lambda: time.monotonic_ns()],
    "time.perf_counter()": [lambda: time.perf_counter()],
    "time.localtime()": [lambda: time.localtime()],
    "time.strftime()": [lambda: time.strftime("%H")],
    "random.random()": [lambda: random.random(), lambda: chance()],
    "random.randint()": [lambda: random.randint(1, 6)],
    "random.choice()": [lambda: random.choice("abc")],
    "random.choices()": [lambda: random.choices("abc")],
    "random.shuffle()": [lambda: random.shuffle([1, 2]), lambda: shuffle([1, 2])],
    "random.uniform()": [lambda: random.uniform(0, 1)],
    "random.getrandbits()": [lambda: random.getrandbits(8)],
    "random.randbytes()": [lambda: random.randbytes(8)],
    "SystemRandom.random()": [lambda: random.SystemRandom().random()],
    "SystemRandom.choice()": [lambda: secrets.choice("abc")],
    "secrets.token_hex()": [lambda: secrets.token_hex()],
    "secrets.randbelow()": [lambda: secrets.randbelow(6)],
    "uuid.uuid1()": [lambda: uuid.uuid1()],
    "uuid.uuid4()": [lambda: uuid.uuid4(), lambda: uuid4()],
    "os.urandom()": [lambda: os.urandom(8)],
}

ALL = [(what, read) for what, reads in READS.items() for read in reads]

reads = pytest.mark.parametrize(("what", "read"), ALL, ids=[what for what, _ in ALL])


def suspects_of(failure: Failure) -> list[str]:
    """The lines that name suspects."""
    return [line for line in failure.explanation if line.startswith("Suspect: ")]


def diverging(code: Callable[[DurableContext], object]) -> list[str]:
    """The suspects of a handler that runs ``code``, and whose replay then asks for something else for good reason.

    Without the reason itself, which is a variable of its own.
    """
    calls: list[int] = []

    def handler(event: Any, context: DurableContext) -> None:
        code(context)
        calls.append(1)
        context.wait(seconds(60 * len(calls)), name="pause")

    kind, failure = found_in(handler, reset=calls.clear)
    assert kind in (ReplayDiverged, StepRanAgain)
    found = suspects_of(failure)
    assert [line for line in found if line.startswith("Suspect: 'calls'")]
    return [line for line in found if not line.startswith("Suspect: 'calls'")]


def place(function: Any) -> str:
    """The place of a function of one line."""
    return f"{FILE}:{function.__code__.co_firstlineno}"


# --- readings ---------------------------------------------------------------------------------------------------------


@reads
def test_a_reading_in_the_handler_is_named(what: str, read: Callable[[], Any]) -> None:
    assert diverging(lambda context: read()) == [f"Suspect: {what} was read outside of a step at {place(read)}."]


@reads
def test_a_reading_in_a_step_is_not(what: str, read: Callable[[], Any]) -> None:
    assert diverging(lambda context: context.step(lambda step: str(read()), name="read")) == []


def test_a_reading_of_the_time_that_remains_is_named() -> None:
    def code(context: DurableContext) -> None:
        lambda_context: Any = context.lambda_context
        lambda_context.get_remaining_time_in_millis()

    line = code.__code__.co_firstlineno + 2
    what = "get_remaining_time_in_millis()"
    assert diverging(code) == [f"Suspect: {what} was read outside of a step at {FILE}:{line}."]


def read_the_clock(*args: Any) -> Any:
    time.time()


CLOCK = f"Suspect: time.time() was read outside of a step at {FILE}:{read_the_clock.__code__.co_firstlineno + 1}."


INVOCATIONS: list[int] = []
"""One for each invocation of the handler that counts them here."""


def longer_each_time(context: DurableContext) -> None:
    context.wait(seconds(60 * max(1, len(INVOCATIONS))), name="pause")


def reads_and_waits(context: DurableContext, *args: Any) -> None:
    read_the_clock()
    longer_each_time(context)


def in_a_child(context: DurableContext) -> None:
    context.run_in_child_context(reads_and_waits, name="child")


def in_a_map(context: DurableContext) -> None:
    context.map([1, 2], reads_and_waits, name="items")


def in_a_parallel(context: DurableContext) -> None:
    context.parallel([reads_and_waits], name="branches")


def in_a_child_of_a_branch(context: DurableContext) -> None:
    context.parallel([in_a_child], name="branches")


@pytest.mark.parametrize("code", [in_a_child, in_a_map, in_a_parallel, in_a_child_of_a_branch])
def test_the_body_of_a_context_is_handler_code(code: Callable[[DurableContext], None]) -> None:
    def handler(event: Any, context: DurableContext) -> None:
        INVOCATIONS.append(1)
        code(context)

    _, failure = found_in(handler, reset=INVOCATIONS.clear)
    assert [one for one in suspects_of(failure) if "'INVOCATIONS'" not in one] == [CLOCK]


@pytest.mark.parametrize("code", [in_a_child, in_a_map, in_a_parallel, in_a_child_of_a_branch])
def test_what_the_replay_did_not_read_again_is_not_at_fault(code: Callable[[DurableContext], None]) -> None:
    def handler(event: Any, context: DurableContext) -> int:
        total = 0

        def charge(step: Any) -> None:
            nonlocal total
            total += 100

        code(context)
        context.step(charge, name="charge")
        return total

    INVOCATIONS.clear()
    _, failure = found_in(handler)
    assert [line.split()[1] for line in suspects_of(failure)] == ["'total'"]


def in_a_condition(context: DurableContext) -> None:
    def decide(state: Any, attempt: int) -> WaitForConditionDecision:
        read_the_clock()
        return WaitForConditionDecision.stop_polling()

    context.wait_for_condition(read_the_clock, WaitForConditionConfig(decide, initial_state=0), name="condition")


def in_a_retry_strategy(context: DurableContext) -> None:
    def strategy(error: Exception, attempt: int) -> RetryDecision:
        read_the_clock()
        return RetryDecision.retry(seconds(1))

    context.step(lambda step: _fail_first(step.attempt), name="flaky", config=StepConfig(retry_strategy=strategy))


def _fail_first(attempt: int) -> None:
    if attempt == 1:
        raise ConnectionError


def by_the_sdk(context: DurableContext) -> None:
    context.step(lambda step: _fail_first(step.attempt), name="flaky", config=StepConfig())
    context.logger.warning("the time stamp of a log record")


@pytest.mark.parametrize("code", [in_a_condition, in_a_retry_strategy, by_the_sdk])
def test_what_is_no_reading_of_the_handlers_is_not_named(code: Callable[[DurableContext], None]) -> None:
    assert diverging(code) == []


def test_the_time_stamps_of_log_records_are_not_named(caplog: pytest.LogCaptureFixture) -> None:
    calls: list[int] = []

    def handler(event: Any, context: DurableContext) -> None:
        logging.getLogger(__name__).warning("the user's own logger")
        context.logger.warning("the SDK's")
        calls.append(1)
        context.wait(seconds(60 * len(calls)), name="pause")

    _, failure = killed_under(handler, "pause:suspend")
    assert {"the user's own logger", "the SDK's"} <= set(caplog.messages)
    assert [line.split()[1] for line in suspects_of(failure)] == ["'calls'"]


def test_what_comes_after_the_divergence_is_not_at_fault() -> None:
    calls: list[int] = []

    def handler(event: Any, context: DurableContext) -> None:
        calls.append(1)
        context.wait(seconds(60 * len(calls)), name="pause")
        after = time.time()
        context.step(returns(after), name="one")
        at_the_end = time.monotonic()
        context.step(returns(at_the_end), name="two")

    _, failure = killed_under(handler, "two:stored")
    assert [line.split()[1] for line in suspects_of(failure)] == ["'calls'"]


def test_a_finding_of_another_kind_has_no_suspects() -> None:
    def handler(event: Any, context: DurableContext) -> None:
        number = time.time()
        context.step(returns(number), name="one")
        context.create_callback(name="approval").result()

    kind, failure = killed_under(handler, "one:stored")
    assert (kind, suspects_of(failure)) == (ExecutionStuck, [])


def test_half_of_the_suspects_are_readings_if_there_are_enough_variables() -> None:
    def code(context: DurableContext) -> None:
        now = time.time()
        number = uuid.uuid4()
        luck = random.random()
        context.step(returns(f"{now} {number} {luck}"), name="one")

    calls: list[int] = []

    def handler(event: Any, context: DurableContext) -> None:
        code(context)
        calls.append(1)
        context.wait(seconds(60 * len(calls)), name="pause")

    _, failure = found_in(handler, reset=calls.clear)
    assert [line.split()[1] for line in suspects_of(failure)] == ["time.time()", "uuid.uuid4()", "'now'", "'number'"]


def test_a_submitter_may_read_the_clock() -> None:
    calls: list[int] = []

    def handler(event: Any, context: DurableContext) -> None:
        context.wait_for_callback(read_the_clock, name="approval")
        calls.append(1)
        context.wait(seconds(60 * len(calls)), name="pause")

    with FakeDurableContext() as context, pytest.raises(ReplayDiverged) as caught:
        context.callbacks.succeed("approval")
        context.verify(handler, reset=calls.clear)
    assert CLOCK not in suspects_of(caught.value.failure)


def test_a_library_that_reads_the_clock_is_named_with_the_users_line() -> None:
    def code(context: DurableContext) -> None:
        email.utils.formatdate()

    line = code.__code__.co_firstlineno + 1
    assert diverging(code) == [f"Suspect: time.time() was read outside of a step at {FILE}:{line}, through email."]


@dataclass
class Order:
    number: str = field(default_factory=lambda: str(uuid.uuid4()))


def test_code_that_was_made_from_text_is_no_place_of_the_users() -> None:
    def code(context: DurableContext) -> None:
        Order()

    default: Any = Order.__dataclass_fields__["number"].default_factory
    assert diverging(code) == [f"Suspect: uuid.uuid4() was read outside of a step at {place(default)}."]


def test_a_place_is_named_once_and_only_four_are() -> None:
    def code(context: DurableContext) -> None:
        for _ in range(3):
            time.time()
        datetime.now()
        random.random()
        uuid.uuid4()
        secrets.token_hex()

    assert [line.split()[1] for line in diverging(code)] == ["time.time()", "datetime.now()", "random.random()"]


@pytest.mark.parametrize("get", [os.environ.get, getenv, lambda name: os.environ[name]], ids=["get", "getenv", "[]"])
def test_the_environment_is_named_where_it_has_changed(
    get: Callable[[str], str | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    def handler(event: Any, context: DurableContext) -> None:
        home = get("HOME")
        stage = get("STAGE")
        context.step(lambda step: os.environ.update(STAGE="prod"), name="deploy")
        context.wait(seconds(60), name=f"{stage} of {home}")

    def reset() -> None:
        monkeypatch.setenv("HOME", "here")
        monkeypatch.setenv("STAGE", "dev")

    _, failure = found_in(handler, reset=reset)
    first, second = suspects_of(failure)
    assert first.startswith(f"Suspect: os.environ['STAGE'] was read outside of a step at {FILE}:")
    line = handler.__code__.co_firstlineno + 4
    assert second == f"Suspect: 'stage' at {FILE}:{line - 1} was 'dev' at first and is 'prod' on replay."


def test_the_environment_is_told_of_after_a_thousand_runs_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(1_100):
        with told_to(lambda task, read, value: None):
            os.environ["PATH"]
    test_the_environment_is_named_where_it_has_changed(lambda name: os.environ[name], monkeypatch)


def test_a_plain_function_that_is_invoked_may_read_the_clock() -> None:
    calls: list[int] = []

    def handler(event: Any, context: DurableContext) -> None:
        context.invoke("now", None, name="now")
        calls.append(1)
        context.wait(seconds(60 * len(calls)), name="pause")

    with FakeDurableContext() as context, pytest.raises(ReplayDiverged) as caught:
        context.register("now", read_the_clock)
        context.verify(handler, reset=calls.clear)
    assert CLOCK not in suspects_of(caught.value.failure)


def test_a_durable_function_that_is_invoked_is_investigated_as_well() -> None:
    def invoked(event: Any, context: DurableContext) -> None:
        number = str(uuid.uuid4())
        context.wait(seconds(60), name=f"of {number}")

    with FakeDurableContext() as context, pytest.raises(ReplayDiverged) as caught:
        context.register("invoked", durable_execution(invoked))
        context.verify(lambda event, handler: handler.invoke("invoked", None, name="call"))
    first, second = suspects_of(caught.value.failure)
    line = invoked.__code__.co_firstlineno + 1
    assert first == f"Suspect: uuid.uuid4() was read outside of a step at {FILE}:{line}."
    assert second.startswith(f"Suspect: 'number' at {FILE}:{line + 1} was '")


# --- variables --------------------------------------------------------------------------------------------------------


def test_a_variable_that_a_body_assigns_is_named() -> None:
    def handler(event: Any, context: DurableContext) -> int:
        total = 0

        def charge(step: Any) -> None:
            nonlocal total
            total += 100

        context.step(charge, name="charge")
        return total

    _, failure = found_in(handler)
    line = handler.__code__.co_firstlineno + 8
    assert suspects_of(failure) == [f"Suspect: 'total' at {FILE}:{line} was 100 at first and is 0 on replay."]


def collecting(context: DurableContext, repaired: bool) -> list[int]:
    rows: list[int] = []
    for number in range(3):
        if repaired:
            rows.append(context.step(returns(number), name=f"row {number}"))
        else:
            context.step(lambda step: rows.append(number), name=f"row {number}")  # noqa: B023  # it is run at once
    return rows


def test_a_list_that_bodies_append_to_is_named_and_the_counter_of_the_loop_is_not() -> None:
    _, failure = found_in(lambda event, context: collecting(context, False))
    (line,) = suspects_of(failure)
    assert line.startswith(f"Suspect: 'rows' at {FILE}:")
    assert line.endswith("was [0] at first and is [] on replay.")
    verified(lambda event, context: collecting(context, True))


def test_what_only_a_kill_loses_is_held_against_the_runs_without_faults() -> None:
    def handler(event: Any, context: DurableContext) -> Any:
        rows: list[str] = []
        order = context.step(lambda step: str(uuid.uuid4()), name="order")
        context.step(lambda step: rows.append("a"), name="collect")
        count = context.step(lambda step: len(rows), name="count")
        context.step(returns(1), name="last")
        return [order, count]

    kind, failure = found_in(handler)
    assert (kind.__name__, failure.plan) == ("OutcomeChanged", "collect:stored")
    line = handler.__code__.co_firstlineno + 4
    assert suspects_of(failure) == [
        f"Suspect: 'rows' at {FILE}:{line} was ['a'] without faults and is [] here.",
        f"Suspect: 'count' at {FILE}:{line + 1} was 1 without faults and is 0 here.",
    ]


def test_a_variable_of_a_function_that_hands_the_context_on_is_named() -> None:
    def helper(context: DurableContext) -> None:
        context.step(returns(1), name="one")

    def handler(event: Any, context: DurableContext) -> str:
        stamp = f"{time.time():.0f}"
        helper(context)
        return stamp

    _, failure = found_in(handler)
    assert suspects_of(failure)[1].startswith(
        f"Suspect: 'stamp' at {FILE}:{handler.__code__.co_firstlineno + 2} was '17"
    )


SERVED: list[int] = []
"""What a module remembers of the invocations that it has seen."""

COUNTED: list[int] = []
"""Likewise, but only bodies look at it."""


def test_a_global_variable_that_the_handler_looks_at_is_named() -> None:
    def handler(event: Any, context: DurableContext) -> None:
        SERVED.append(len(SERVED))
        context.step(lambda step: COUNTED.append(1), name=f"greet guest {len(SERVED)}")
        context.wait(seconds(60), name="pause")

    kind, failure = found_in(handler, reset=SERVED.clear)
    assert kind is ReplayDiverged
    (line,) = suspects_of(failure)
    where = f"{FILE}:{handler.__code__.co_firstlineno + 2}"
    assert line == f"Suspect: global 'SERVED' at {where} was [0] at first and is [0, 1] on replay."


def test_a_variable_in_a_branch_is_named() -> None:
    calls: list[int] = []

    def branch(context: DurableContext) -> None:
        calls.append(1)
        age = len(calls)
        context.wait(seconds(60 * age), name="pause")

    _, failure = found_in(lambda event, context: context.parallel([branch], name="branches"), reset=calls.clear)
    assert f"Suspect: 'age' at {FILE}:{branch.__code__.co_firstlineno + 3} was 1 at first and is 2 on replay." in (
        suspects_of(failure)
    )


def test_the_variables_of_a_library_are_not_named_nor_those_of_another_function() -> None:
    calls: list[int] = []

    def first(context: DurableContext) -> None:
        kind = "first"
        context.step(returns(1), name=kind)

    def second(context: DurableContext) -> None:
        kind = "second"
        context.step(returns(1), name=kind)

    def handler(event: Any, context: DurableContext) -> None:
        calls.append(1)
        scheduler = sched.scheduler(lambda: len(calls), lambda delay: None)  # which keeps the time in a variable
        scheduler.enter(0, 1, first if len(calls) == 1 else second, (context,))
        scheduler.run()
        context.wait(seconds(60), name="pause")

    _, failure = found_in(handler, reset=calls.clear)
    assert {line.split()[1] for line in suspects_of(failure)} == {"'calls'"}


def test_an_object_that_is_not_plain_is_ignored() -> None:
    class Basket:
        def __init__(self) -> None:
            self.items = [str(uuid4())]

        def __repr__(self) -> str:
            raise AssertionError("code of the user's is run")

    def code(context: DurableContext) -> None:
        basket = Basket()
        baskets = [basket]
        nested = {"a": {1: baskets}}
        context.step(returns(len(nested)), name="one")

    assert [line.split()[1] for line in diverging(code)] == ["uuid.uuid4()"]


@pytest.mark.parametrize("size", [1_000, 1_000_000])
def test_a_value_of_any_size_takes_no_more_than_a_few_words(size: int) -> None:
    runs: list[int] = []

    def code(context: DurableContext) -> None:
        runs.append(1)
        text = f"{len(runs)}{'x' * size}"
        row = [0] * 50 + [len(runs)] + [0] * size
        number = 10**size if size < 10_000 else 0
        context.step(returns(len(text) + len(row) + number % 2), name="one")

    runs.clear()
    found = diverging(code)
    assert [line.split()[1] for line in found] == ["'text'", "'row'", "'runs'"]
    assert max(map(len, found)) < 170
    assert "… 0, 0, 0, 3, 0, 0," in found[1] and "… 0, 0, 0, 4, 0, 0," in found[1]


# --- when -------------------------------------------------------------------------------------------------------------


def test_a_run_under_a_plan_names_suspects_as_well() -> None:
    def handler(event: Any, context: DurableContext) -> None:
        context.wait(seconds(60 + int(time.time()) % 60), name="pause")

    _, failure = killed_under(handler, "pause:suspend")
    line = handler.__code__.co_firstlineno + 1
    assert suspects_of(failure) == [f"Suspect: time.time() was read outside of a step at {FILE}:{line}."]


def patched() -> list[str]:
    """What is not as it was when this module was imported."""
    return [name for name, value in places().items() if value is not REAL[name]]


def places() -> dict[str, Any]:
    return {"os.environ": vars(type(os.environ))["__getitem__"]}


REAL = places()


def test_nothing_is_patched_but_while_a_run_is_explained() -> None:
    seen: list[list[str]] = []
    calls: list[int] = []

    def handler(event: Any, context: DurableContext) -> None:
        seen.append(patched())
        calls.append(1)
        context.wait(seconds(60 * len(calls)), name="pause")

    with FakeDurableContext() as context:
        with pytest.raises(ReplayDiverged):
            context.verify(handler, reset=calls.clear)
        assert patched() == []
    assert seen[:2] == [[], []]
    assert seen[2:] == [list(REAL)] * 2
    assert patched() == []


@pytest.mark.parametrize("run", ["run", "verify"])
def test_a_handler_without_a_finding_is_never_investigated(run: str) -> None:
    seen: list[list[str]] = []

    def handler(event: Any, context: DurableContext) -> None:
        seen.append(patched())
        context.step(returns(1), name="one")
        context.wait(seconds(60), name="pause")

    with FakeDurableContext() as context:
        getattr(context, run)(handler)
    assert seen and not any(seen)


def test_what_the_test_has_patched_stays_patched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(random, "random", lambda: 0.25)
    monkeypatch.setattr(os, "urandom", lambda size: bytes(size))
    drawn: list[Any] = []

    def code(context: DurableContext) -> None:
        drawn.append((random.random(), uuid.UUID(bytes=os.urandom(16)).int))

    assert diverging(code)[1:] == []
    assert set(drawn) == {(0.25, 0)}


def test_what_the_handler_has_patched_stays_patched() -> None:
    def always() -> float:
        return 0.25

    def code(context: DurableContext) -> None:
        random.random = always

    real = random.random
    try:
        diverging(code)
        assert vars(random)["random"] is always
    finally:
        random.random = real


def test_a_thread_of_the_tests_own_reads_what_it_likes() -> None:
    calls: list[int] = []

    def handler(event: Any, context: DurableContext) -> None:
        calls.append(1)
        context.wait(seconds(60 * len(calls)), name="pause")

    def reset() -> None:
        calls.clear()
        random.random()
        uuid.uuid4()

    _, failure = found_in(handler, reset=reset)
    assert [line.split()[1] for line in suspects_of(failure)] == ["'calls'"]


def test_what_a_handler_held_is_let_go_when_it_is_suspended(ctx: FakeDurableContext) -> None:
    held: list[weakref.ref[Any]] = []

    class Connection:
        pass

    def handler(event: Any, context: DurableContext) -> None:
        connection = Connection()
        held.append(weakref.ref(connection))
        context.wait(seconds(60), name="pause")

    ctx.start(handler, faults="invocation@2:return")
    gc.collect()
    assert [connection() for connection in held] == [None]


# --- values as text ---------------------------------------------------------------------------------------------------

atoms = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**20), 10**20),
    st.floats(allow_nan=False),
    st.text(max_size=20),
    st.binary(max_size=20),
)
values = st.recursive(
    st.one_of(atoms, st.sets(atoms, min_size=1, max_size=3)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.tuples(inner, inner),
        st.dictionaries(atoms, inner, max_size=3),
    ),
    max_leaves=8,
)


@given(values)
def test_a_small_plain_value_is_told_from_any_other(value: Any) -> None:
    text = text_of(value)
    assert text is not None
    if "inf" not in text:
        assert ast.literal_eval(text) == value


wide = st.builds(lambda inner, times: inner * times, st.text(min_size=1), st.integers(1, 10**5))
many = st.builds(lambda inner, times: [inner] * times, st.one_of(wide, values), st.integers(1, 10**4))


@given(st.one_of(wide, many, st.lists(many, max_size=3), st.dictionaries(wide, many, max_size=3)))
def test_the_text_of_any_plain_value_is_bounded(value: Any) -> None:
    text = text_of(value)
    assert text is not None
    assert len(text) < (MOST + 10) * 12 * LONGEST


def test_a_value_that_holds_itself_has_an_end() -> None:
    endless: list[Any] = []
    endless.append(endless)
    assert text_of(endless) is not None


@given(st.sets(st.text(max_size=5), max_size=150))
def test_the_text_of_a_set_does_not_depend_on_its_order(value: set[str]) -> None:
    backwards: set[str] = set()
    backwards.update(reversed(list(value)))
    assert text_of(value) == text_of(backwards)


@pytest.mark.parametrize("value", [object(), [object()], {1: object()}, {object()}, len, type("Text", (str,), {})()])
def test_what_is_not_plain_has_no_text(value: Any) -> None:
    assert text_of(value) is None


def handler_of(repaired: bool) -> Handler:
    def handler(event: Any, context: DurableContext) -> None:
        number = context.step(lambda step: str(uuid4()), name="number") if repaired else str(uuid4())
        context.wait(seconds(60), name=f"of {number}")

    return handler


def test_the_repaired_twin_has_no_suspects() -> None:
    _, failure = found_in(handler_of(False))
    assert [line.split()[1] for line in suspects_of(failure)] == ["uuid.uuid4()", "'number'"]
    verified(handler_of(True))
