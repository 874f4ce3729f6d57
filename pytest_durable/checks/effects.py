"""Check 4: what is done to the outside world is what a run without faults does, all of it, and nothing twice.

What has an idempotency key is done once however often it is asked for. Details and keys on which fault-free runs at
other times do not agree are not compared; nor is how often something is done, where they do not agree on that.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pytest_durable.checks.deeds import KEY, Deed, Identity, Unstable, deeds_of, identity, to_the_world, unstable
from pytest_durable.checks.finding import Finding
from pytest_durable.errors import EffectLost, EffectRepeated

if TYPE_CHECKING:
    from pytest_durable.service.lifecycle import DurableExecution

_KEY_ADVICE = "Make a key in an earlier step and pass it along: the world then takes the second call for the first."

Deeds = Sequence[Deed]


def check(execution: DurableExecution) -> Finding | None:
    """Look for what code outside of any step does again, because a replay runs it again; with or without faults."""
    return outside_of_steps(deeds_of([execution])) if execution.effects else None


def outside_of_steps(deeds: Deeds, ignored: Unstable | None = None) -> Finding | None:
    """Look for what code outside of any step does in more than one invocation.

    Args:
        deeds: of one run.
        ignored: details and keys that are others in each run, so that they do not tell two effects apart.
    """
    ignored = ignored or {}
    first: dict[tuple[object, Identity], Deed] = {}
    for deed in deeds:
        effect = deed.effect
        if deed.in_step or (effect.key is not None and KEY not in ignored.get(effect.name, ())):
            continue
        before = first.setdefault((deed.source, identity(deed, ignored)), deed)
        if before.effect.invocation != effect.invocation:
            numbers = f"{before.effect.invocation} and again in invocation {effect.invocation}"
            return Finding(
                EffectRepeated,
                f"{before.effect} happened twice, {_without_a_key([before, deed])}, outside of any step",
                (
                    f"The code of {_whose(before)} did it in invocation {numbers}: every replay runs it again.",
                    "Do it in a step, or under a key that stays the same.",
                ),
            )
    return None


def _whose(deed: Deed) -> str:
    whose = "the handler" if deed.source[2] is None else f"'{deed.effect.operation}'"
    return f"{whose} at {deed.place}"


def repeated(reference: Deeds, found: Deeds, others: Sequence[Deeds] = ()) -> Finding | None:
    """Look for what a step did again, because it was cut short after it, and more often than without faults.

    Args:
        reference: of a run without faults.
        found: of the run in question.
        others: of more runs without faults, at other times; what they do not agree on is not compared.
    """
    calm = [_by_step(run) for run in (reference, *others)]
    for step, deeds in _by_step(found).items():
        if not any(deed.was_cut for deed in deeds):
            continue
        times = len(to_the_world(deeds))
        often = {len(to_the_world(run.get(step, ()))) for run in calm}
        if len(often) > 1:
            continue
        before = often.pop()
        if before == 0:
            deeds = _the_same_twice(deeds)
            times = len(deeds)
        if times > max(before, 1):
            return _done_again(to_the_world(deeds), before)
    return _by_another_step(reference, found, others)


def _by_step(deeds: Deeds) -> dict[tuple[object, str], list[Deed]]:
    """What steps did, by the step and the name of the effect."""
    found: dict[tuple[object, str], list[Deed]] = {}
    for deed in deeds:
        if deed.in_step:
            found.setdefault((deed.source, deed.effect.name), []).append(deed)
    return found


def _the_same_twice(deeds: Deeds) -> list[Deed]:
    """Of a step that no fault-free run comes to: what it did before and after it was cut short, without a key."""
    for index, deed in enumerate(deeds):
        if deed.was_cut and deed.effect.key is None:
            later = [one for one in deeds[index + 1 :] if _run_of(one) != _run_of(deed)]
            same = [one for one in later if identity(one, {}) == identity(deed, {})]
            if same:
                return [deed, same[0]]
    return []


def _run_of(deed: Deed) -> tuple[int, int | None]:
    return (deed.effect.invocation, deed.effect.attempt)


def _by_another_step(reference: Deeds, found: Deeds, others: Sequence[Deeds]) -> Finding | None:
    """Look for what a step was interrupted after, at most once, and another one then did again, without a key."""
    ignored = unstable(reference, others)
    calm = [_times(run, ignored) for run in (reference, *others)]
    times = _times(found, ignored)
    for index, deed in enumerate(found):
        if not deed.was_cut or not deed.in_step or deed.effect.key is not None:
            continue
        same = identity(deed, ignored)
        again = [one for one in found[index + 1 :] if one.source != deed.source and identity(one, ignored) == same]
        often = {run[same] for run in calm}
        if again and len(often) == 1 and times[same] > max(often):
            return _done_again([deed, *again], max(often))
    return None


def _times(deeds: Deeds, ignored: Unstable) -> Counter[Identity]:
    """How often the world saw each effect."""
    return Counter(identity(deed, ignored) for deed in to_the_world(deeds))


def _done_again(deeds: Deeds, before: int) -> Finding:
    first, last = next((deed for deed in deeds if deed.was_cut), deeds[0]), deeds[-1]
    without = "" if before <= 1 else f", and {_often(before)} without faults"
    by = [_by(first), _by(last)]
    if first.source == last.source:
        by[1] = f"again in invocation {last.effect.invocation}{_attempt(last)}"
    return Finding(
        EffectRepeated,
        f"{first.effect} happened {_often(len(deeds))}{without}, {_without_a_key(deeds)}",
        (
            f"{by[0]}, was cut short before its result was stored, and did it {by[1]}."
            if first.source == last.source
            else f"{by[0]}, was cut short before its result was stored. It was done again: {by[1]}.",
            _KEY_ADVICE,
        ),
    )


def _by(deed: Deed) -> str:
    where = f"invocation {deed.effect.invocation}{_attempt(deed)}"
    return f"'{deed.effect.operation}', made at {deed.place}, did it in {where}"


def _attempt(deed: Deed) -> str:
    return f", attempt {deed.effect.attempt}" if deed.effect.attempt != 1 else ""


def _without_a_key(deeds: Deeds) -> str:
    keys = list(dict.fromkeys(repr(deed.effect.key) for deed in deeds if deed.effect.key is not None))
    if not keys:
        return "without an idempotency key"
    return f"each time under another idempotency key ({', '.join(keys[:2])}), which is as good as none"


def _often(times: int) -> str:
    return {1: "once", 2: "twice"}.get(times, f"{times} times")


def lost(reference: Deeds, found: Deeds, others: Sequence[Deeds] = (), by_name_alone: bool = False) -> Finding | None:
    """Look for what a run without faults does, and this one did not, although it ended the same way.

    Args:
        reference: of a run without faults.
        found: of the run in question.
        others: of more runs without faults, at other times; what they do not agree on is not compared.
        by_name_alone: whether details and keys may be others: a step that is tried again may say so in them.
    """
    ignored = unstable(reference, others)
    if by_name_alone:
        ignored = {deed.effect.name: {KEY, *deed.marks} for deed in (*reference, *found)}
    # What a branch does that nobody need wait for, a kill may leave undone: nothing can rely on it.
    owed = [[deed for deed in run if not deed.was_left] for run in (reference, *others)]
    calm = [_times(run, ignored) for run in owed]
    times = _times(found, ignored)
    for deed in owed[0]:
        same = identity(deed, ignored)
        often = {run[same] for run in calm}
        if len(often) == 1 and times[same] < max(often):
            return _not_done(deed, times[same], max(often), _nearest(deed, found))
    return None


def _nearest(deed: Deed, found: Deeds) -> Deed | None:
    """What the same operation did instead, if it did something of that name."""
    name = deed.effect.name
    return next((one for one in found if one.source == deed.source and one.effect.name == name), None)


def _not_done(deed: Deed, times: int, before: int, instead: Deed | None) -> Finding:
    effect = deed.effect
    key = "" if effect.key is None else f" under the key {effect.key!r}"
    count = "" if before == 1 else f": it happened {_often(times)}, and {_often(before)} without faults"
    lines = [f"Without faults it is done{key} by {_whose(deed)}, in invocation {effect.invocation}."]
    if instead is not None and (instead.marks, instead.effect.key) != (deed.marks, effect.key):
        other = "" if instead.effect.key is None else f" under the key {instead.effect.key!r}"
        lines.append(f"Here {instead.effect} was done instead{other}, in invocation {instead.effect.invocation}.")
    lines.append("The execution ends as if it had been done.")
    return Finding(EffectLost, f"{effect} was lost{count}", tuple(lines))
