"""The settings of a test run: command line over marker over ini; every bad value is refused here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

DEFAULT_KILLS = 1
DEFAULT_EXAMPLES = 100
DEFAULT_SEED = 0

ISOLATIONS = ("thread", "process")
"""Where handlers may run."""

CHECKS = ("rerun", "replay", "outcome", "effects", "progress", "suspension")
"""The names of the checks."""

PER_TEST = ("kills", "examples", "seed", "start", "kinds", "checks", "cold", "isolation")
"""The settings that a test may have of its own, by marker."""

MARKERS = {
    "durable": (
        "durable(*, kills=1, examples=100, seed=0, start=None, kinds=None, checks=None, cold=False, "
        "isolation='thread'): settings of durable_ctx for this test"
    ),
    "durable_faults": (
        "durable_faults(*, kills=1, examples=100, seed=0, kinds=None, checks=None, cold=False, isolation='thread'): "
        "run the test again and again, under every fault plan that these settings ask for"
    ),
    "durable_example": (
        "durable_example(plan, *, schedule=''): a fault plan that the searches of this test always try first"
    ),
    "durable_execution": (
        "durable_execution(*, handler, lambda_function_name=None): the function that durable_runner runs"
    ),
}
"""The markers, and what each takes and does, as pytest shows it."""


@dataclass(frozen=True)
class Settings:
    """What a `FakeDurableContext` of a test starts with.

    Attributes:
        kills: at most in one plan of a search.
        examples: drawn plans of several kills.
        seed: of every run.
        start: first instant of virtual time; None for the default.
        cold: whether handlers start cold after each death of an invocation.
        isolation: ``thread`` or ``process``: where handlers run.
        replay: run this plan instead of searching; None to search.
        schedule: with this order of threads, instead of searching; None for the plain order.
        kinds: of the faults that are tried; None for the kills.
        shards: into how many tests each test that searches is split.
        record: write the histories of all executions into this directory; None for not.
        checks: the names of those that are made.
    """

    kills: int = DEFAULT_KILLS
    examples: int = DEFAULT_EXAMPLES
    seed: int = DEFAULT_SEED
    start: datetime | None = None
    cold: bool = False
    isolation: str = "thread"
    replay: str | None = None
    schedule: str | None = None
    kinds: tuple[str, ...] | None = None
    shards: int = 1
    record: str | None = None
    checks: tuple[str, ...] = CHECKS


def merged(cli: Mapping[str, str | None], ini: Mapping[str, str]) -> Settings:
    """The settings from the command line's values and the ini file's, by the names of `Settings`.

    Raises:
        ValueError: saying which option has which bad value, and what is legal.
    """
    texts = {name: cli.get(name) if cli.get(name) is not None else ini.get(name) or None for name in _READERS}
    values: dict[str, Any] = {name: checked(name, text) for name, text in texts.items() if text is not None}
    return Settings(**values)


def checked(name: str, value: Any) -> Any:
    """The value of the setting ``name``, from its text or as it is.

    Raises:
        ValueError: naming the setting, the bad value, and what is legal.
    """
    return _READERS[name](f"durable_{name}", value)


def example(args: Sequence[Any], settings: Mapping[str, Any]) -> tuple[Any, Any]:
    """The plan and the schedule that a marker ``durable_example`` gives.

    Raises:
        ValueError: if it holds anything else.
    """
    if len(args) != 1 or settings.keys() - {"schedule"}:
        given = ", ".join([*map(repr, args), *(f"{name}={value!r}" for name, value in settings.items())])
        raise ValueError(
            f"durable_example({given}): write a plan, and if it needs one a schedule, as in "
            "@pytest.mark.durable_example('charge:body', schedule='4>1')"
        )
    return args[0], settings.get("schedule", "")


def _whole_number(name: str, value: Any) -> int:
    try:
        number = int(value) if isinstance(value, str) else value
    except ValueError:
        number = None
    if type(number) is not int or number < 0:
        raise ValueError(f"{name} must be a whole number from 0, not {value!r}")
    return number


def _instant(name: str, value: Any) -> datetime | None:
    if value is None or isinstance(value, datetime):
        return value
    try:
        return datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise ValueError(f"{name} must be a date and time such as 2026-03-29T01:30:00+00:00, not {value!r}") from None


def _positive(name: str, value: Any) -> int:
    number = _whole_number(name, value)
    if number == 0:
        raise ValueError(f"{name} must be a whole number from 1, not {value!r}")
    return number


KINDS = ("start", "effect", "body", "stored", "suspend", "return", "timeout", "throttle", "outage", "revoke")
"""Where a fault can strike; as `faults.plan.WHERE`, which is not imported before it is needed."""


def _kinds(name: str, value: Any) -> tuple[str, ...]:
    kinds = tuple(part.strip() for part in value.split(",")) if isinstance(value, str) else value
    if not isinstance(kinds, list | tuple) or not kinds or not all(kind in KINDS for kind in kinds):
        raise ValueError(f"{name} must be some of {', '.join(KINDS)}, not {value!r}")
    return tuple(kinds)


def _checks(name: str, value: Any) -> tuple[str, ...]:
    asked = [part.strip() for part in value.split(",")] if isinstance(value, str) else value
    known = isinstance(asked, list | tuple) and all(
        isinstance(one, str) and one.removeprefix("-") in CHECKS for one in asked
    )
    if not known or not asked or len({one.startswith("-") for one in asked}) > 1:
        raise ValueError(
            f"{name} must be some of {', '.join(CHECKS)}; or each with a - before it for all the others, "
            f"as in '-outcome'; not {value!r}"
        )
    if asked[0].startswith("-"):
        return tuple(one for one in CHECKS if f"-{one}" not in asked)
    return tuple(one for one in CHECKS if one in asked)


def _yes_or_no(name: str, value: Any) -> bool:
    answers = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}
    answer = value if isinstance(value, bool) else answers.get(value.lower()) if isinstance(value, str) else None
    if answer is None:
        raise ValueError(f"{name} must be true or false, not {value!r}")
    return answer


def _isolation(name: str, value: Any) -> str:
    if value not in ISOLATIONS:
        raise ValueError(f"{name} must be thread or process, not {value!r}")
    return str(value)


def _as_it_is(name: str, value: Any) -> Any:
    return value


_READERS: Mapping[str, Callable[[str, Any], Any]] = {
    "kills": _whole_number,
    "examples": _whole_number,
    "seed": _whole_number,
    "start": _instant,
    "cold": _yes_or_no,
    "isolation": _isolation,
    "replay": _as_it_is,
    "schedule": _as_it_is,
    "kinds": _kinds,
    "shards": _positive,
    "report_all": _yes_or_no,
    "record": _as_it_is,
    "checks": _checks,
}
