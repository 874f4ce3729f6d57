"""Check 2: a replay asks for the same operations, in the same order, with the same arguments; and nothing is left out.

The SDK compares type, subtype, name and parent of an operation. It does not notice another duration, payload, list of
items or function, nor an operation that a replay no longer comes to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_durable.checks.finding import Finding
from pytest_durable.checks.outcome import Outcome
from pytest_durable.errors import ReplayDiverged
from pytest_durable.service.record import Asked, Divergence, place_text

if TYPE_CHECKING:
    from pytest_durable.service.lifecycle import DurableExecution

_NON_DETERMINISTIC = "NonDeterministicExecutionError"
_ADVICE = "Handler code outside of a step must compute the same on every replay: read inside a step what may change."


def check(execution: DurableExecution) -> Finding | None:
    """Look for a replay that asked for something else than the first pass."""
    if execution.divergences:
        return _finding(execution, execution.divergences[0])
    error = execution.error
    if error is not None and (error.type or "").endswith(_NON_DETERMINISTIC):
        return Finding(ReplayDiverged, f"the SDK stopped the replay: {error.message}", (_ADVICE,))
    return None


def _finding(execution: DurableExecution, divergence: Divergence) -> Finding:
    before, now = divergence.before, divergence.now
    who = "A replay of the finished execution" if execution.sealed else f"Invocation {divergence.invocation}"
    if now is None:
        summary = f"{before.method} '{before.path}' was not asked for again by the replay"
        what = f"First pass: {_text(before)}. {who} ran to its end without it."
    else:
        summary = _difference(before, now, divergence.bound)
        what = f"First pass: {_text(before)}. {who}: {_text(now)}."
    explanation = (what, *_consequence(execution), _misplaced(before, now) or _ADVICE)
    return Finding(ReplayDiverged, summary, explanation, if_again=_is_another_function(divergence))


def _is_another_function(divergence: Divergence) -> bool:
    """Whether the function is all that is different: one that is loaded when it is first needed settles then."""
    before, now = divergence.before, divergence.now
    return (
        now is not None
        and divergence.bound is None
        and (before.method, before.name, before.detail) == (now.method, now.name, now.detail)
    )


def _misplaced(before: Asked, now: Asked | None) -> str | None:
    """What to say of a call that was made on another context than that of the body that made it."""
    for asked in (before, now):
        if asked is not None and asked.inside is not None:
            return (
                f"'{asked.name or asked.method}' was made inside the body of '{asked.inside}', on a context that is "
                "not that body's own: once the body is stored a replay does not run it, and all later operations shift."
            )
    return None


def _difference(before: Asked, now: Asked, bound: tuple[str, str, str] | None) -> str:
    if bound is not None:
        name, first, again = (_short_text(text) for text in bound)
        return f"{before.method} '{before.path}' is given another '{name}' on replay: {again}, and at first {first}"
    if (before.method, before.name) != (now.method, now.name):
        return f"the replay asks for {_named(now)} where the first pass asked for {_named(before)}"
    if before.detail != now.detail:
        return (
            f"{before.method} '{before.path}' is asked for with {now.detail} on replay, with {before.detail} at first"
        )
    return f"{before.method} '{before.path}' is given another function on replay"


def _short_text(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:39]}…"


def _named(asked: Asked) -> str:
    return f"{asked.method} '{asked.name}'" if asked.name else f"an unnamed {asked.method}"


def _text(asked: Asked) -> str:
    name = "" if asked.name is None else f" '{asked.name}'"
    detail = f" of {asked.detail}" if asked.detail else ""
    codes = ", ".join(code.co_qualname for code in asked.code if code is not None)
    return f"{asked.method}{name}{detail}{f' running {codes}' if codes else ''} at {place_text(asked.place)}"


def _consequence(execution: DurableExecution) -> tuple[str, ...]:
    error = execution.error
    if error is None:
        return ()
    return (f"The execution ended {execution.status.value}: {error.type}: {error.message}",)


def check_fixed_point(execution: DurableExecution, again: DurableExecution, compare_results: bool) -> Finding | None:
    """Hold a replay of the finished journal against the execution that left it.

    Args:
        execution: that succeeded.
        again: the same journal replayed, with nothing allowed to be stored.
        compare_results: whether fault-free runs agree on the result; one that is random by design is not compared.
    """
    finding = check(again)
    if finding is not None:
        return finding
    if again.breach is not None:
        return Finding(
            ReplayDiverged,
            f"a replay of the finished execution asks for new work: {again.breach}",
            ("The journal of a finished execution holds everything its handler does.", _ADVICE),
        )
    if again.cut_short or (again.status is execution.status and not compare_results):
        return None
    if (again.status, again.result) != (execution.status, execution.result):
        return Finding(
            ReplayDiverged,
            "a replay of the finished execution gives another result",
            (f"First pass: {Outcome.of(execution)}", f"Replay:     {Outcome.of(again)}", _ADVICE),
            if_stable=again.status is execution.status,
        )
    return None
