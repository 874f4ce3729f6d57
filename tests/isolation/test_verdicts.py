"""What a search says of handlers whose world is a file, whatever of it runs in other processes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from aws_durable_execution_sdk_python import DurableContext

from pytest_durable import EffectRepeated, FakeDurableContext, OutcomeChanged
from tests.durable import seconds


@pytest.fixture
def book(tmp_path: Path) -> Path:
    path = tmp_path / "book"
    path.write_text("")
    return path


def add(book: Path, line: str) -> int:
    """Append a line; how many there are then."""
    with book.open("a") as file:
        file.write(f"{line}\n")
    return len(book.read_text().splitlines())


def test_a_number_from_a_sequence_is_left_alone(book: Path) -> None:
    def handler(event: Any, context: DurableContext) -> Any:
        return {"order": context.step(lambda _: add(book, "order"), name="number")}

    with FakeDurableContext(isolation="process") as context:
        found = context.verify(handler, reset=lambda: book.write_text(""))
    assert len(found.killed) == len(found.places) == 4


def test_a_charge_that_another_step_sees_twice_is_found(book: Path) -> None:
    def handler(event: Any, context: DurableContext) -> Any:
        context.step(lambda _: add(book, "100"), name="charge")
        return context.step(lambda _: len(book.read_text().splitlines()), name="count")

    with FakeDurableContext(isolation="process") as context, pytest.raises(OutcomeChanged) as caught:
        context.verify(handler, reset=lambda: book.write_text(""))
    assert caught.value.failure.plan == "charge:body"
    assert caught.value.failure.reproduced


def test_an_effect_without_a_key_is_found() -> None:
    with FakeDurableContext(isolation="process") as context, pytest.raises(EffectRepeated) as caught:
        context.verify(lambda event, ctx: ctx.step(lambda _: context.effects.record("mail"), name="send"))
    assert caught.value.failure.plan == "send:body"


@pytest.mark.parametrize("where", ["body", "branch"])
@pytest.mark.parametrize("verdict", [pytest.fail, pytest.skip])
def test_a_verdict_of_pytests_ends_the_test(verdict: Any, where: str) -> None:
    def handler(event: Any, context: DurableContext) -> Any:
        if where == "body":
            context.step(lambda _: verdict("enough"), name="judge")
        context.parallel([lambda _: verdict("enough")], name="judges")

    with FakeDurableContext(isolation="process") as context, pytest.raises(verdict.Exception, match="enough"):
        context.run(handler)


def test_state_in_memory_is_gone_with_every_invocation() -> None:
    """What another process has noted: no thread that is unwound shows this, since the closure lives on."""

    def handler(event: Any, context: DurableContext) -> Any:
        context.step(lambda _: noted.append(1), name="note")
        context.wait(seconds(60), name="pause")
        return context.step(lambda _: len(noted), name="read")

    noted: list[int] = []
    with FakeDurableContext() as context:
        assert context.run(handler).result == 1
    noted.clear()
    with FakeDurableContext(isolation="process") as context:
        assert context.run(handler).result == 0
