"""A finding as a value; its text is one view of it."""

from __future__ import annotations

import shlex
import textwrap
from dataclasses import dataclass

WIDTH = 92
"""Columns of a failure: with the margin that pytest puts before it, 100."""

SUMMARY_WIDTH = 110
"""Columns of the summary, which tests match against: it is broken as late as can be."""

_NOT_AGAIN = "NOT REPRODUCED: the same plan, run again, did not fail like this."
_WHY = (
    "Something outside of the simulation decides: state that reset= does not restore, a file or a row left behind, "
    "a real thread, the network, the machine's own clock."
)


@dataclass(frozen=True)
class Failure:
    """What a check found.

    Attributes:
        violation: the name of the error class.
        summary: one line: which operation, and what happened to it.
        plan: the fault plan as text; empty if nothing was killed.
        schedule: the deviations from the default schedule; empty for none.
        timeline: the failing run.
        explanation: what it means, what was compared, what is suspected; a line each.
        kills: how many kills the plan holds.
        passed: how many runs passed before.
        test: what pytest calls the test, from the directory it was started in; None outside of pytest.
        settings: those of the command line that the replay needs as well, by name, as text.
        reproduced: whether the same plan failed the same way when it was run again.
        searched: whether a search found it, which can be told to try it first.
    """

    violation: str
    summary: str
    plan: str = ""
    schedule: str = ""
    timeline: str = ""
    explanation: tuple[str, ...] = ()
    kills: int = 0
    passed: int = 0
    test: str | None = None
    settings: tuple[tuple[str, str], ...] = ()
    reproduced: bool = True
    searched: bool = False

    def render(self) -> str:
        """The failure as text: at most `WIDTH` columns, but for the summary and the command."""
        lines = self._headline()
        lines.extend(f"  {line}" for line in self.timeline.splitlines())
        for line in self.explanation:
            lines.extend(_wrapped(line))
        markers = self.markers()
        if markers:
            lines += ["to keep it as a regression test, write above the test:", *(f"  {marker}" for marker in markers)]
        replay = self.replay_command()
        if replay is not None:
            lines.append(f"replay: {replay}")
        return "\n".join(lines)

    def _headline(self) -> list[str]:
        lead = [] if self.reproduced else [_NOT_AGAIN, *_wrapped(_WHY)]
        together = f"{self.summary}      ({self._circumstances()})"
        if len(together) <= WIDTH:
            return [*lead, together]
        return [*lead, *_wrapped(self.summary, SUMMARY_WIDTH), f"  ({self._circumstances()})"]

    def _circumstances(self) -> str:
        kills = {0: "without any kill", 1: "1 kill"}.get(self.kills, f"{self.kills} kills")
        if self.schedule:
            kills += f"; threads in the order {self.schedule}"
        return f"{kills}; {self.passed} {'plan' if self.passed == 1 else 'plans'} passed before"

    def replay_command(self) -> str | None:
        """The command that runs this plan alone; None outside of pytest."""
        if self.test is None:
            return None
        words = ["pytest", _quoted(self.test)]
        for name, text in self.settings:
            words.append("--durable-cold" if name == "cold" else f"--durable-{name}={shlex.quote(text)}")
        if self.plan:
            words.append(f"--durable-replay={_quoted(self.plan)}")
        if self.schedule:
            words.append(f"--durable-schedule={_quoted(self.schedule)}")
        return " ".join(words)

    def markers(self) -> tuple[str, ...]:
        """The lines that, above the test, have it try this plan for good; none where nothing is searched for plans."""
        if self.test is None or not (self.searched and self.reproduced) or not (self.plan or self.schedule):
            return ()
        order = f", schedule={self.schedule!r}" if self.schedule else ""
        found = [f"@pytest.mark.durable_example({self.plan!r}{order})"]
        if self.settings:
            values = {"seed": int, "cold": bool}
            given = (f"{name}={values.get(name, str)(text)!r}" for name, text in self.settings)
            found.append(f"@pytest.mark.durable({', '.join(given)})")
        return tuple(found)


def _wrapped(line: str, width: int = WIDTH) -> list[str]:
    """A line broken at blanks where it is too wide; what follows is indented."""
    return textwrap.wrap(line, width, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)


def _quoted(text: str) -> str:
    """Quoted for a shell, always, so that the command looks the same for any name."""
    return f"'{text}'" if "'" not in text else shlex.quote(text)
