"""Clients that are watched, and a way to call them in the body of a step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from pytest_durable import FakeDurableContext


class Seen(NamedTuple):
    name: str
    key: Any


class Outside:
    """What watched clients did."""

    def __init__(self, context: FakeDurableContext) -> None:
        self.context = context
        self.watch = context.effects.watch

    @property
    def seen(self) -> list[Seen]:
        return [Seen(effect.name, effect.key) for effect in self.context.effects]

    @property
    def details(self) -> list[dict[str, Any]]:
        return [dict(effect.details) for effect in self.context.effects]

    def step(self, body: Callable[[], Any]) -> Any:
        """What ``body`` returned, in a step of an execution that succeeded."""
        execution = self.context.run(lambda event, context: context.step(lambda _: body(), name="body"))
        assert execution.status == "SUCCEEDED", execution.error
        return execution.result

    def dying(self, act: Callable[[], Any]) -> None:
        """Do something in two invocations, the first of which is dead by then."""

        def handler(event: Any, context: Any) -> None:
            try:
                context.step(lambda _: None, name="before")
            finally:
                act()

        execution = self.context.run(handler, faults="before:stored")
        assert [invocation.killed for invocation in execution.invocations] == ["before:stored", None]


@pytest.fixture
def outside(durable_ctx: FakeDurableContext) -> Outside:
    return Outside(durable_ctx)
