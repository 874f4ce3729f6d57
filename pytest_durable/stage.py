"""A durable context as the stage of a test that is run again and again."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from unittest import TestCase

from pytest_durable.checks.suspects import suspects
from pytest_durable.context import FakeDurableContext
from pytest_durable.engine import Scheduler
from pytest_durable.faults import Fault, FaultPlan, Injector
from pytest_durable.report.evidence import Evidence
from pytest_durable.report.failure import Failure
from pytest_durable.report.timeline import on_one_screen
from pytest_durable.search import around
from pytest_durable.search.effects import Account
from pytest_durable.search.order import is_concurrent
from pytest_durable.service.outside import Outside


class Stage:
    """See `search.body.Stage`; what was declared before it was made, by fixtures, stays declared.

    Args:
        context: of the test.
    """

    def __init__(self, context: FakeDurableContext) -> None:
        self._context = context
        outside = context._bench.outside
        self._outside = Outside(dict(outside.functions), list(outside.answers), changes=outside.changes.copy())
        self._start = context.clock.micros
        self._watched = context.effects.watched
        self._struck: list[Fault] = []

    def account(self) -> Account:
        """What was done to the outside world since the latest beginning."""
        return self._context._bench.account()

    def begin(
        self, plan: FaultPlan, scheduler: Scheduler | None = None, investigate: bool = False, pace: int = 0
    ) -> Injector:
        """Be as at the beginning of the test; every execution from now on is under ``plan``."""
        self._context.progress(len(self._struck))
        injector = Injector(plan, self._context.budget.kinds)
        self._context.effects.unwatch(self._watched)
        self._struck = injector.struck
        self._context.restart(injector, scheduler, self._outside, self._start, investigate=investigate, pace=pace)
        return injector

    def is_concurrent(self) -> bool:
        """Whether the latest execution has concurrency of its own."""
        latest = self._context.latest
        return latest is not None and is_concurrent(latest._execution.family())

    def failure(self, summary: str) -> Failure:
        """The failure of the test itself: with the timeline of the latest execution."""
        latest = self._context.latest
        timeline = "" if latest is None else on_one_screen(latest._execution)
        context = self._context
        suspected = () if latest is None else suspects(latest._execution)
        return Failure(
            violation="",
            summary=summary,
            timeline=timeline,
            explanation=suspected,
            test=context.test,
            settings=context.settings,
        )

    def found(self, failure: Failure, evidence: Evidence | None) -> None:
        """Remember what was found, to be tried first the next time, and what was run for it, if that is to be shown."""
        self._context.found = failure
        if evidence is not None:
            self.show(evidence)

    def evidence(self) -> Evidence | None:
        """The latest execution; None before there is one."""
        latest = self._context.latest
        return None if latest is None else Evidence(latest._execution)

    def show(self, evidence: Evidence) -> None:
        """Let this stand for all that was run, if anything is to be shown."""
        album = self._context.album
        if album is not None:
            album.clear()
            album.add(evidence)


def run_around(context: FakeDurableContext, body: Callable[[], object]) -> None:
    """Run a test's body under every plan that the settings of ``context`` ask for.

    Raises:
        BaseException: what the body raises, under the smallest plan that makes it fail.
    """
    __tracebackhide__ = True
    tally = context.tally
    tally.searches += 1
    tried = around(body, Stage(context), context.budget)
    tally.found_safe(tried.places, tried.killed, tried.schedules, tried.missed)


def why_not_around(function: Callable[..., object], cls: type | None, uses_context: bool, is_its_own: bool) -> str:
    """Why a test cannot be run again and again, by the words after "the marker is"; empty if nothing is wrong.

    Args:
        function: the test.
        cls: that it is a method of; None if of none.
        uses_context: whether it uses the fixture ``durable_ctx``.
        is_its_own: whether the marker is on the test; of a class or module it means the tests that use the fixture.
    """
    if not uses_context:
        return "for tests that use the fixture durable_ctx" if is_its_own else ""
    if inspect.iscoroutinefunction(function):
        return "for plain test functions, not for coroutines: call durable_ctx.verify there"
    if cls is not None and issubclass(cls, TestCase):  # it calls its methods itself, once
        return "for plain test functions, not for a unittest.TestCase: call durable_ctx.verify there"
    return ""
