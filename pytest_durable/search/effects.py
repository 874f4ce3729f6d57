"""Holding the effects of a killed run against those of runs without faults."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pytest_durable.checks import Finding, effects
from pytest_durable.checks.deeds import Deed, deeds_of, unstable
from pytest_durable.checks.outcome import was_interrupted
from pytest_durable.checks.reaction import took_notice
from pytest_durable.search.runner import Run
from pytest_durable.service.lifecycle import DurableExecution


@dataclass(frozen=True)
class Account:
    """What all executions of one run of a test did to the outside world.

    Attributes:
        deeds: in order.
        endings: status of each execution.
        interrupted: whether one of them had an at-most-once step that was interrupted.
    """

    deeds: tuple[Deed, ...] = ()
    endings: tuple[str, ...] = ()
    interrupted: bool = False

    def plus(self, executions: Sequence[DurableExecution]) -> Account:
        """With what these executions did as well."""
        family = [one for execution in executions for one in execution.family()]
        return Account(
            (*self.deeds, *deeds_of(family)),
            (*self.endings, *(execution.status.value for execution in executions)),
            self.interrupted or any(map(was_interrupted, executions)),
        )


def compare_accounts(reference: Account, found: Account, others: Sequence[Account] = ()) -> Finding | None:
    """As `compare`, for a test. What it does about an interrupted step is for its own assertions to tell."""
    deeds = [other.deeds for other in others]
    finding = effects.repeated(reference.deeds, found.deeds, deeds)
    if finding is not None or found.interrupted or any(one.endings != reference.endings for one in (found, *others)):
        return finding
    return effects.lost(reference.deeds, found.deeds, deeds)


def compare(reference: Run, run: Run, others: Iterable[Run]) -> Finding | None:
    """What ``run`` did twice, or not at all, that ``reference`` and all ``others``, which have no faults, do once.

    Args:
        reference: without faults.
        run: in question.
        others: without faults, at other paces; asked for one by one, only while there is something to object to.
    """
    if not run.deeds and not reference.deeds:
        return None
    found = _differs(reference, run, [])
    if found is None:
        return None
    agreed: list[Run] = []
    for other in others:
        agreed.append(other)
        found = _differs(reference, run, agreed)
        if found is None:
            return None
    return found


def _differs(reference: Run, run: Run, others: list[Run]) -> Finding | None:
    deeds = [other.deeds for other in others]
    found = effects.repeated(reference.deeds, run.deeds, deeds)
    status = reference.outcome.status
    if found is not None or any(one.outcome.status != status for one in (run, *others)):
        return found
    interrupted = was_interrupted(run.execution)
    if interrupted and took_notice(reference.execution, run.execution):
        return None
    return effects.lost(reference.deeds, run.deeds, deeds, by_name_alone=interrupted)


def without_faults(run: Run, others: Iterable[Run]) -> Finding | None:
    """What a run without faults does twice, outside of steps, each time with another detail or under another key.

    Only another run can tell that these are others each time.
    """
    outside = [deed for deed in run.deeds if not deed.in_step]
    if not _may_be_repeated(outside):
        return None
    other = next(iter(others))
    return effects.outside_of_steps(outside, unstable(run.deeds, [other.deeds]))


def _may_be_repeated(deeds: list[Deed]) -> bool:
    """Whether one code did effects of one name in more than one invocation."""
    invocations: dict[tuple[object, str], set[int]] = {}
    for deed in deeds:
        invocations.setdefault((deed.source, deed.effect.name), set()).add(deed.effect.invocation)
    return any(len(numbers) > 1 for numbers in invocations.values())
