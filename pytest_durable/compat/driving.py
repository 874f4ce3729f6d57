"""Driving executions as AWS's local runner does, where a timeout is in seconds that nobody waits for.

That runner skips the time of waits and of retries, and counts its timeouts in real seconds: what a callback takes to
time out, or a body that sleeps. Here no second is real. A timeout is in virtual seconds, and those that the other one
skips are not counted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from pytest_durable.engine import micros_in, micros_of
from pytest_durable.service.lifecycle import DurableExecution
from pytest_durable.service.operations import timer_of
from pytest_durable.service.service import DurableService


class SkippingExecution(DurableExecution):
    """An execution whose timeout does not count the time of its waits and retries."""

    def __post_init__(self) -> None:
        self.spent = 0
        """Microseconds that count, so far."""
        super().__post_init__()

    def _time_out(self) -> None:
        if self.execution_timeout is not None and self.spent >= self.execution_timeout:
            super()._time_out()


class Driver:
    """Drives the executions of one service, all that are open together.

    Args:
        service: where they live.
        skips: whether waits and retries are skipped.
    """

    def __init__(self, service: DurableService, skips: bool) -> None:
        self._service = service
        self._clock = service.world.clock
        self._skips = skips

    def drive(self, done: Callable[[], bool], seconds: float) -> bool:
        """Drive until ``done()``, for at most so many virtual seconds; whether it is done."""
        left = micros_in(seconds)
        while not done():
            left -= self._count(lambda: done() or not self._is_busy(), left)
            if done() or left <= 0:
                break
            skipped = self._skipped()
            if skipped is not None:
                self._service.drive(lambda: done() or self._is_busy(), skipped)
            elif not self._is_busy():
                left -= self._count(lambda: done() or self._is_busy(), min([left, *self._timeouts()]))
        return done()

    def pass_time(self, seconds: float) -> None:
        """Let so many virtual seconds pass: the test sleeps."""
        self.drive(lambda: False, seconds)

    def _count(self, done: Callable[[], bool], limit: int) -> int:
        """Drive, for at most ``limit`` microseconds, and count those that pass against every timeout."""
        before = self._clock.micros
        self._service.drive(done, before + limit)
        passed = self._clock.micros - before
        for execution in list(self._open()):
            execution.spent += passed
            execution._time_out()
        return passed

    def _open(self) -> Iterator[SkippingExecution]:
        for root in self._service.executions:
            for execution in root.family():
                if isinstance(execution, SkippingExecution) and not execution.is_over:
                    yield execution

    def _is_busy(self) -> bool:
        return any(root.is_family_busy for root in self._service.executions)

    def _timeouts(self) -> list[int]:
        """Microseconds until each of the timeouts of executions."""
        return [one.execution_timeout - one.spent for one in self._open() if one.execution_timeout is not None]

    def _skipped(self) -> int | None:
        """When the first wait or retry is over, if those are skipped; None if there is none."""
        if not self._skips:
            return None
        timers = (timer_of(operation) for one in self._open() for operation in one.journal.open_operations())
        return min((micros_of(timer) for timer in timers if timer is not None), default=None)
