from __future__ import annotations

import functools
import random
from dataclasses import FrozenInstanceError, replace
from pathlib import Path
from typing import Any

import pytest
from aws_durable_execution_sdk_python import DurableContext, InvokeError, durable_execution
from aws_durable_execution_sdk_python.config import StepConfig
from aws_durable_execution_sdk_python.retries import RetryPresets

from pytest_durable import Advice, FakeDurableContext
from tests.advice import twins
from tests.advice.twins import BLAMELESS, TWINS, Handler, Twins, at_most_once_by_default, taken_name, unnamed
from tests.durable import AT_MOST_ONCE, invokes, returns
from tests.shown_once import virtual_time

__all__ = ["virtual_time"]


def advice(ctx: FakeDurableContext, handler: Handler, **options: Any) -> tuple[Advice, ...]:
    ctx.callbacks.succeed("approval", "yes", after=1)
    execution = ctx.run(handler, {"order": 7}, **options)
    assert execution.status == "SUCCEEDED"
    return execution.advice


@pytest.mark.parametrize("planted", TWINS.values(), ids=list(TWINS))
def test_what_is_seldom_meant_is_said_once_with_its_operation_and_its_place(
    ctx: FakeDurableContext, planted: Twins
) -> None:
    (found,) = advice(ctx, planted.make(False))
    assert planted.says in found.text
    assert found.operation == planted.operation
    assert found.place.startswith("twins.py:")


@pytest.mark.parametrize("planted", TWINS.values(), ids=list(TWINS))
def test_nothing_is_said_about_the_repaired_twin(ctx: FakeDurableContext, planted: Twins) -> None:
    assert advice(ctx, planted.make(True)) == ()


@pytest.mark.parametrize("handler", BLAMELESS, ids=lambda handler: str(handler.__name__))
def test_nothing_is_said_about_what_may_well_be_meant(ctx: FakeDurableContext, handler: Handler) -> None:
    assert advice(ctx, handler) == ()


@pytest.mark.parametrize(("handler", "words"), [(taken_name(False), "name="), (twins.dropped_step(False), "reserve(")])
def test_the_place_is_the_line_in_the_handler(ctx: FakeDurableContext, handler: Handler, words: str) -> None:
    (found,) = advice(ctx, handler)
    line = Path(twins.__file__).read_text().splitlines()[int(found.place.partition(":")[2]) - 1]
    assert words in line


@pytest.mark.parametrize("planted", TWINS.values(), ids=list(TWINS))
def test_a_kill_changes_nothing_about_it(ctx: FakeDurableContext, planted: Twins) -> None:
    calm = advice(ctx, planted.make(False))
    assert advice(ctx, planted.make(False), faults="invocation:return") == calm


def test_a_function_around_a_decorated_one_is_to_say_so(ctx: FakeDurableContext) -> None:
    inner = durable_execution(returns_event)

    def outer(event: Any, context: Any) -> Any:
        return inner(event, context)

    @functools.wraps(inner)
    def wrapper(event: Any, context: Any) -> Any:
        return inner(event, context)

    (found,) = ctx.run(outer, {"order": 7}).advice
    assert "by functools.wraps" in found.text
    assert (found.operation, found.place.partition(":")[0]) == ("outer", "test_rules.py")
    execution = ctx.run(wrapper, {"order": 7})
    assert (execution.result, execution.advice) == ({"order": 7}, ())


def returns_event(event: Any, context: DurableContext) -> Any:
    return event


def test_it_can_be_asked_for_before_the_end(ctx: FakeDurableContext) -> None:
    execution = ctx.start(twins.endless_wait_for_callback(False))
    assert [one.operation for one in execution.advice] == ["approval"]


def test_that_of_an_invoked_function_has_the_path_of_the_invoke(ctx: FakeDurableContext) -> None:
    ctx.register("target", durable_execution(unnamed("step")(False)))
    (found,) = advice(ctx, invokes("target:1"))
    assert found.operation == "call/[1]"


@pytest.mark.parametrize("target", ["pay", "pay:live"])
def test_a_function_that_is_not_registered_is_to_be(ctx: FakeDurableContext, target: str) -> None:
    (found,) = ctx.run(invokes(target)).advice
    assert f"durable_ctx.register('{target}', function)" in found.text
    assert (found.operation, found.place.partition(":")[0]) == ("call", "durable.py")
    ctx.register(target, lambda event, context: event)
    assert ctx.run(invokes(target)).advice == ()


ARN = "arn:aws:lambda:us-east-1:123456789012:function:pay"


@pytest.mark.parametrize("target", ["pay", ARN])
@pytest.mark.parametrize("qualifier", ["1", "live", "$LATEST"])
def test_a_durable_function_is_to_be_named_with_a_qualifier(
    ctx: FakeDurableContext, target: str, qualifier: str
) -> None:
    ctx.register("pay", durable_execution(lambda event, context: event))
    (found,) = ctx.run(invokes(target)).advice
    assert found.text.startswith(f"'{target}' is durable, and named without a qualifier")
    assert (found.operation, found.place.partition(":")[0]) == ("call", "durable.py")
    assert ctx.run(invokes(f"{target}:{qualifier}")).advice == ()


@pytest.mark.parametrize("target", ["pay", ARN])
def test_a_plain_function_needs_none(ctx: FakeDurableContext, target: str) -> None:
    ctx.register("pay", lambda event, context: event)
    assert ctx.run(invokes(target)).advice == ()


def test_who_copes_with_an_unknown_function_is_not_advised(ctx: FakeDurableContext) -> None:
    def handler(event: Any, context: DurableContext) -> str:
        try:
            return str(context.invoke("pay", {}, name="call"))
        except InvokeError:
            return "cash"

    assert advice(ctx, handler) == ()


def test_the_gravest_comes_first(ctx: FakeDurableContext) -> None:
    def handler(event: Any, context: DurableContext) -> None:
        context.step(returns(1))
        context.step(returns(1), name="s", config=StepConfig(step_semantics=AT_MOST_ONCE))

    assert ["AT_MOST_ONCE" in one.text for one in advice(ctx, handler)] == [True, False]


def test_it_is_a_frozen_value_that_is_equal_in_every_run(ctx: FakeDurableContext) -> None:
    (found,) = advice(ctx, unnamed("step")(False))
    assert (found,) == advice(ctx, unnamed("step")(False))
    assert hash(found) == hash(replace(found))
    assert str(found) == f"{found.place}  [1]: {found.text}"
    with pytest.raises(FrozenInstanceError):
        found.text = ""  # type: ignore[misc]  # that is the point


def test_asking_a_policy_draws_nothing_of_the_users_random_numbers(ctx: FakeDurableContext) -> None:
    config = StepConfig(step_semantics=AT_MOST_ONCE, retry_strategy=RetryPresets.transient())
    execution = ctx.run(lambda event, context: context.step(returns(1), name="s", config=config))
    before = random.getstate()
    assert len(execution.advice) == 1
    assert random.getstate() == before


def test_at_most_once_with_retries_is_what_it_is_said_to_be(ctx: FakeDurableContext) -> None:
    """Killed in its body, the step runs again; its repaired twin fails instead."""
    runs = ctx.run(at_most_once_by_default(False), faults="charge:body").body_runs("charge")
    assert (runs, ctx.run(at_most_once_by_default(True), faults="charge:body").body_runs("charge")) == (2, 1)
