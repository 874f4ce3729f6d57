"""``durable_ctx.callbacks``: what the outside world answers, in every run of the context."""

from __future__ import annotations

import functools
import re
from typing import Any

import pytest
from aws_durable_execution_sdk_python import DurableContext
from aws_durable_execution_sdk_python.config import CallbackConfig
from aws_durable_execution_sdk_python.lambda_service import ErrorObject
from aws_durable_execution_sdk_python.serdes import JsonSerDes

from pytest_durable import ExecutionStuck, FakeDurableContext, InvalidEvent, UsageError
from tests.durable import awaits, lasted, reporting, submits, timeouts

# --- names ----------------------------------------------------------------------------------------------------------


def in_a_child(event: Any, context: DurableContext) -> Any:
    return context.run_in_child_context(lambda child: submits()(event, child), name="child")


@pytest.mark.parametrize(
    ("handler", "name"),
    [
        (awaits(), "approval"),
        (awaits(None), "[1]"),
        (submits(), "approval"),
        (submits(), "approval create callback id"),
        (submits(), "approval/approval create callback id"),
        (submits(None), "create callback id"),
        (submits(None), "[1]"),
        (in_a_child, "approval"),
        (in_a_child, "child/approval"),
        (in_a_child, "child/approval/approval create callback id"),
    ],
)
def test_a_callback_is_answered_by_its_names_and_its_paths(ctx: FakeDurableContext, handler: Any, name: str) -> None:
    ctx.callbacks.succeed(name, "yes")
    assert ctx.run(handler).result == "yes"


@pytest.mark.parametrize("name", ["other", "approv", "APPROVAL", "child", "/approval", "approval submitter"])
def test_a_callback_is_answered_by_no_other_name(ctx: FakeDurableContext, name: str) -> None:
    ctx.callbacks.succeed(name, "yes")
    with pytest.raises(ExecutionStuck, match="'child/approval'"):
        ctx.run(in_a_child)


def test_every_callback_of_the_name_is_answered(ctx: FakeDurableContext) -> None:
    def handler(event: Any, context: DurableContext) -> list[Any]:
        callbacks = [context.create_callback(name="approval") for _ in range(3)]
        return [callback.result() for callback in callbacks]

    ctx.callbacks.succeed("approval", "yes")
    assert ctx.run(handler).result == ["yes"] * 3


def branches(event: Any, context: DurableContext) -> Any:
    def item(inner: DurableContext, name: str, index: int, items: Any) -> Any:
        return inner.wait_for_callback(lambda id_, _: None, name=name)

    return context.map(event, item, name="m").get_results()


def test_callbacks_in_branches_are_answered_in_any_order(ctx: FakeDurableContext) -> None:
    for index, name in enumerate(("c", "a", "b")):
        ctx.callbacks.succeed(name, name.upper(), after=60 * index + 60)
    execution = ctx.run(branches, ["a", "b", "c"])
    assert (execution.result, int(execution.elapsed)) == (["A", "B", "C"], 180)


def test_callbacks_of_one_name_in_branches_are_told_apart_by_their_path(ctx: FakeDurableContext) -> None:
    ctx.callbacks.succeed("m/map-item-0/approval", "first", after=10)
    ctx.callbacks.succeed("m/map-item-1/approval", "second", after=5)
    assert ctx.run(branches, ["approval", "approval"]).result == ["first", "second"]


def test_callbacks_in_parallel_branches(ctx: FakeDurableContext) -> None:
    def handler(event: Any, context: DurableContext) -> Any:
        branches = [functools.partial(awaits(name), event) for name in ("a", "b")]
        return context.parallel(branches, name="p").get_results()

    ctx.callbacks.succeed("b", "B", after=5)
    ctx.callbacks.succeed("a", "A", after=10)
    assert ctx.run(handler).result == ["A", "B"]


# --- when -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("after", [0.001, 0.5, 3, 86_400])
def test_an_answer_comes_so_long_after_the_callback_was_made(ctx: FakeDurableContext, after: float) -> None:
    ctx.callbacks.succeed("approval", "yes", after=after)
    execution = ctx.run(awaits())
    assert lasted(execution.operation("approval")) == after


def test_an_answer_without_a_delay_comes_when_the_invocation_has_ended(ctx: FakeDurableContext) -> None:
    ctx.callbacks.succeed("approval", "yes")
    execution = ctx.run(awaits())
    assert execution.operation("approval").ended == execution.invocations[0].ended


def test_start_waits_for_no_answer_but_one_that_takes_no_time(ctx: FakeDurableContext) -> None:
    ctx.callbacks.succeed("now", "yes")
    ctx.callbacks.succeed("later", "yes", after=1)
    assert (ctx.start(submits("now")).status, ctx.start(submits("later")).status) == ("SUCCEEDED", "RUNNING")


def test_an_answer_declared_later_counts_from_the_callbacks_beginning(ctx: FakeDurableContext) -> None:
    execution = ctx.start(awaits()).advance(40)
    ctx.callbacks.succeed("approval", "yes", after=60)
    assert lasted(execution.run().operation("approval")) == 60


def test_an_answer_that_should_have_come_already_comes_at_once(ctx: FakeDurableContext) -> None:
    execution = ctx.start(awaits()).advance(40)
    before = ctx.clock.now()
    ctx.callbacks.succeed("approval", "yes", after=10)
    assert execution.run().operation("approval").ended == before


def test_answers_hold_for_every_run_and_every_search(ctx: FakeDurableContext) -> None:
    ctx.callbacks.succeed("approval", "yes", after=60)
    assert [ctx.run(submits()).result for _ in range(3)] == ["yes"] * 3
    assert ctx.verify(submits()).killed


def test_answers_are_the_contexts_own() -> None:
    with FakeDurableContext() as context:
        context.callbacks.succeed("approval", "yes")
    with FakeDurableContext() as context, pytest.raises(ExecutionStuck):
        context.run(awaits())


# --- by id, from the code under test --------------------------------------------------------------------------------


def answers_itself(ctx: FakeDurableContext) -> Any:
    def handler(event: Any, context: DurableContext) -> Any:
        return context.wait_for_callback(lambda id_, _: ctx.callbacks.succeed(id_, "yes"), name="approval")

    return handler


def test_a_submitter_may_answer_by_the_id(ctx: FakeDurableContext) -> None:
    execution = ctx.run(answers_itself(ctx))
    assert (execution.result, len(execution.invocations)) == ("yes", 1)


def test_a_submitter_may_answer_by_the_id_under_every_kill(ctx: FakeDurableContext) -> None:
    assert ctx.verify(answers_itself(ctx)).killed


def test_what_a_run_answers_by_id_is_not_answered_in_the_next(ctx: FakeDurableContext) -> None:
    submitted: list[str] = []

    def handler(event: Any, context: DurableContext) -> Any:
        def submitter(callback_id: str, _: Any) -> None:
            if not submitted:
                ctx.callbacks.succeed(callback_id, "yes")
            submitted.append(callback_id)

        return context.wait_for_callback(submitter, name="approval")

    with pytest.raises(ExecutionStuck):
        ctx.verify(handler)
    assert len(submitted) == 3, "the first run is answered, the second and its repetition are not"


# --- with what ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("result", "seen"),
    [
        ("yes", "yes"),
        ("", None),
        ('{"a": 1}', '{"a": 1}'),
        (b"yes", "yes"),
        ("ø".encode(), "ø"),
        (b"", None),
        ({"a": [1, None]}, '{"a": [1, null]}'),
        ([], "[]"),
        (0, "0"),
        (False, "false"),
        (None, None),
    ],
)
@pytest.mark.parametrize("by_hand", [False, True])
def test_a_result_is_text_or_json(ctx: FakeDurableContext, result: Any, seen: Any, by_hand: bool) -> None:
    if by_hand:
        execution = ctx.start(awaits())
        execution.callback().succeed(result)
    else:
        ctx.callbacks.succeed("approval", result)
        execution = ctx.run(awaits())
    assert (execution.status, execution.result) == ("SUCCEEDED", seen)


def test_a_result_is_decoded_by_the_callbacks_serdes(ctx: FakeDurableContext) -> None:
    ctx.callbacks.succeed("approval", {"order": 7})
    assert ctx.run(awaits(config=CallbackConfig(serdes=JsonSerDes()))).result == {"order": 7}


class Refused(Exception):
    """An error of the user's."""


ERRORS: list[tuple[Any, ErrorObject]] = [
    ("no", ErrorObject("no", None, None, None)),
    (Refused("no"), ErrorObject("no", "Refused", None, None)),
    ({"ErrorType": "app.Refused", "ErrorMessage": "no"}, ErrorObject("no", "app.Refused", None, None)),
    (
        {"ErrorMessage": "no", "ErrorData": "{}", "StackTrace": ["a", "b"]},
        ErrorObject("no", None, "{}", ["a", "b"]),
    ),
    (ErrorObject("no", "T", "{}", ["a"]), ErrorObject("no", "T", "{}", ["a"])),
]


@pytest.mark.parametrize(("error", "stored"), ERRORS)
@pytest.mark.parametrize("by_hand", [False, True])
def test_an_error_is_a_message_an_exception_or_what_aws_has(
    ctx: FakeDurableContext, error: Any, stored: ErrorObject, by_hand: bool
) -> None:
    if by_hand:
        execution = ctx.start(reporting(awaits()))
        execution.callback().fail(error)
    else:
        ctx.callbacks.fail("approval", error)
        execution = ctx.run(reporting(awaits()))
    seen = execution.result
    assert (seen["kind"], seen["message"], seen["data"]) == ("CallbackExternalError", "no", stored.data)
    operation = execution.operation("approval")
    assert (operation.status, operation.error) == ("FAILED", stored)


# --- misuse ---------------------------------------------------------------------------------------------------------

CALLS: dict[str, dict[str, Any]] = {"succeed": {}, "fail": {"error": "no"}, "heartbeat": {"every": 1, "times": 1}}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("name", ["", None, 3, b"approval", awaits()])
def test_a_name_that_is_none_is_refused(ctx: FakeDurableContext, call: str, name: Any) -> None:
    with pytest.raises(UsageError, match=rf"callbacks\.{call} takes the name of a callback first"):
        getattr(ctx.callbacks, call)(name, **CALLS[call])


@pytest.mark.parametrize(("call", "what"), [("succeed", "after"), ("fail", "after"), ("heartbeat", "every")])
@pytest.mark.parametrize("value", [-1, -0.001, float("nan"), float("inf"), "5", None, True])
def test_a_time_that_is_none_is_refused(ctx: FakeDurableContext, call: str, what: str, value: Any) -> None:
    with pytest.raises(UsageError, match=f"{what} must be a number of seconds"):
        getattr(ctx.callbacks, call)("approval", **{**CALLS[call], what: value})


@pytest.mark.parametrize("times", [-1, 1.5, "3", None, True])
def test_a_number_of_heartbeats_that_is_none_is_refused(ctx: FakeDurableContext, times: Any) -> None:
    with pytest.raises(UsageError, match="times must be a whole number"):
        ctx.callbacks.heartbeat("approval", every=1, times=times)


NO_RESULT: list[Any] = [{1}, object(), float("nan"), {"a": b"b"}, b"\xff"]
NO_ERROR: list[Any] = [None, 3, ["no"], Refused, {1}]


@pytest.mark.parametrize("result", NO_RESULT)
def test_a_result_that_is_none_is_refused(ctx: FakeDurableContext, result: Any) -> None:
    execution = ctx.start(awaits())
    with pytest.raises(InvalidEvent, match="the result is not"):
        ctx.callbacks.succeed("approval", result)
    with pytest.raises(InvalidEvent, match="the result is not"):
        execution.callback().succeed(result)
    assert (execution.status, len(execution.callbacks)) == ("RUNNING", 1)


def test_a_result_that_is_no_utf_8_is_refused_as_text_as_well(ctx: FakeDurableContext) -> None:
    with pytest.raises(InvalidEvent, match="the result is not UTF-8"):
        ctx.start(awaits()).callback().succeed("\ud800")


@pytest.mark.parametrize("error", NO_ERROR)
def test_an_error_that_is_none_is_refused(ctx: FakeDurableContext, error: Any) -> None:
    execution = ctx.start(awaits())
    with pytest.raises(UsageError, match="an error is its message"):
        ctx.callbacks.fail("approval", error)
    with pytest.raises(UsageError, match="an error is its message"):
        execution.callback().fail(error)
    assert (execution.status, len(execution.callbacks)) == ("RUNNING", 1)


@pytest.mark.parametrize("error", [{"message": "no"}, {"errorMessage": "no"}, {}])
def test_an_error_of_other_names_is_refused(ctx: FakeDurableContext, error: Any) -> None:
    with pytest.raises(UsageError, match="an error is its message"):
        ctx.callbacks.fail("approval", error)


def test_a_declared_result_that_is_too_large_is_refused_at_once(ctx: FakeDurableContext) -> None:
    with pytest.raises(UsageError):
        ctx.callbacks.succeed("approval", "x" * 1_048_577)


def test_nothing_is_left_of_a_refused_declaration(ctx: FakeDurableContext) -> None:
    with pytest.raises(UsageError):
        ctx.callbacks.succeed("approval", "yes", after=-1)
    with pytest.raises(UsageError):
        ctx.callbacks.succeed("approval", {1})
    with pytest.raises(ExecutionStuck):
        ctx.run(awaits())


# --- nobody answers -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("handler", "name"),
    [(awaits(), "approval"), (submits(), "approval"), (in_a_child, "child/approval"), (submits(None), "[1]")],
)
@pytest.mark.parametrize("method", ["run", "verify"])
def test_a_callback_nobody_answers_is_named(ctx: FakeDurableContext, handler: Any, name: str, method: str) -> None:
    with pytest.raises(ExecutionStuck) as caught:
        getattr(ctx, method)(handler)
    failure = caught.value.failure
    assert failure.summary == f"the execution is suspended on '{name}', and nothing will wake it"
    assert "Nobody answers the callback, and it has no timeout" in failure.explanation[0]
    assert re.fullmatch(rf"'{re.escape(name)}' was made at \w+\.py:\d+\.", failure.explanation[1])


def test_an_answer_under_a_name_that_no_callback_has_is_told(ctx: FakeDurableContext) -> None:
    ctx.callbacks.succeed("aproval", "yes", after=5)
    ctx.callbacks.heartbeat("approval", every=5, times=1)
    with pytest.raises(ExecutionStuck) as caught:
        ctx.run(submits())
    told = [line for line in caught.value.failure.explanation if "is declared" in line]
    assert told == ["An answer is declared for 'aproval': no callback has that name."]


def test_only_those_that_nobody_answers_are_named(ctx: FakeDurableContext) -> None:
    ctx.callbacks.succeed("b", "yes", after=5)
    with pytest.raises(ExecutionStuck, match=r"suspended on 'm/map-item-0/a', 'm/map-item-2/c', and"):
        ctx.run(branches, ["a", "b", "c"])


def test_the_way_out_that_is_shown_leads_out(ctx: FakeDurableContext) -> None:
    with pytest.raises(ExecutionStuck) as caught:
        ctx.run(submits())
    advice = caught.value.failure.explanation[0]
    exec(advice[advice.index("durable_ctx.") :].rstrip("."), {"durable_ctx": ctx, "result": "yes"})
    assert ctx.run(submits()).result == "yes"


def test_heartbeats_alone_keep_nothing_alive_for_ever(ctx: FakeDurableContext) -> None:
    ctx.callbacks.heartbeat("approval", every=5, times=3)
    with pytest.raises(ExecutionStuck, match="'approval'"):
        ctx.run(awaits())
    assert ctx.run(reporting(awaits(config=timeouts(heartbeat=10)))).result["kind"] == "CallbackTimeoutError"
