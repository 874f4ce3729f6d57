"""What every child may ask for, whatever runs in it; and a plain function in a child."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from typing import TYPE_CHECKING, Any

from pytest_durable.service.effects import done_by
from pytest_durable.service.isolation.parent import Fork

if TYPE_CHECKING:
    from pytest_durable.engine import Process
    from pytest_durable.service.isolation.child import Line
    from pytest_durable.service.isolation.parent import Host
    from pytest_durable.service.lifecycle import DurableExecution
    from pytest_durable.service.outside import Answer


def answers_of(host: Host) -> dict[str, Callable[..., Any]]:
    """The answers that are the same for every host, by the name of the question."""
    execution, scheduler = host.execution, host.process.world.scheduler

    def declare(answer: Answer) -> None:
        execution.service.callbacks.declare(answer)

    def effect(operation_id: str | None, name: str, key: Hashable, details: Mapping[str, Any]) -> None:
        done_by(host, operation_id, name, key, details)

    return {"declare": declare, "effect": effect, "pick": scheduler.pick, "choose": scheduler.choose}


class _Plain:
    """A plain function, invoked by a durable one, in a child of its own."""

    def __init__(self, owner: Any) -> None:
        self.execution: DurableExecution = owner.execution
        self.operation_id: str = owner.operation_id
        self.process: Process = owner.process
        self.answers = {**answers_of(self), "read": _nobody_asks}

    def move_out(self, line: Line) -> None:
        """It has nothing that speaks to the service."""


def _nobody_asks(*reading: Any) -> None:
    """A plain function is not replayed: it may read what it likes."""


def in_child(owner: Any, target: Callable[[], Any]) -> Any:
    """Run ``target``, for an invocation of a plain function, in a child; what it returns, or raises, there."""
    return Fork(_Plain(owner)).run(target)
