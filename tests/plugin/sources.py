"""Test files for inner runs, and what is read from their output."""

from __future__ import annotations

import re

import pytest

SAFE = """
    def handler(event, context):
        return context.step(lambda _: 7, name="charge")

    def test_order(durable_ctx):
        durable_ctx.verify(handler)
"""
"""One step: 4 places, so 5 executions."""

CHARGES_TWICE = """
    charges = []

    def handler(event, context):
        context.step(lambda _: charges.append(1), name="charge")
        return context.step(lambda _: len(charges), name="count")

    def test_order(durable_ctx):
        durable_ctx.verify(handler, reset=charges.clear)
"""
"""An `OutcomeChanged` at ``charge:body``."""

CHARGES_ONCE = CHARGES_TWICE.replace("lambda _: charges.append(1)", "lambda _: charges or charges.append(1)")

CHARGES_AGAIN = """
    passes = []

    def handler(event, context):
        passes.append(1)
        if len(passes) > 1:
            context.step(lambda _: "late", name="charge")
        return context.step(lambda _: 100, name="charge")

    def test_order(durable_ctx):
        durable_ctx.run(handler, faults={faults})
"""
"""A `StepRanAgain`, if it is killed after its first step."""

BEARS_ONE_REPEAT = """
    done = []

    def handler(event, context):
        context.step(lambda _: done.append("charge"), name="charge")
        context.step(lambda _: done.append("ship"), name="ship")
        return context.step(lambda _: len(done) < 4, name="count")

    def test_order(durable_ctx):
        durable_ctx.verify(handler, reset=done.clear)
"""
"""An `OutcomeChanged` that takes two kills: ``charge:body, ship:body``."""


AROUND = """
import pytest

@pytest.mark.durable_faults
def test_order(durable_ctx):
    done = []

    def handler(event, context):
        context.step(lambda _: done.append("charge"), name="charge")
        context.step(lambda _: done.append("ship"), name="ship")

    durable_ctx.run(handler)
    assert len(done) < 4
"""

"""Fails under ``charge:body, charge:body``: a whole test."""

RACES = """
import pytest

def handler(event, context):
    shared = {}

    def first(branch):
        shared["rate"] = 2
        return branch.step(lambda _: 1, name="a")

    batch = context.parallel([first, lambda branch: branch.step(lambda _: shared["rate"], name="b")], name="p")
    batch.throw_if_error()

def test_order(durable_ctx):
    durable_ctx.verify(handler)
"""
"""An `OutcomeChanged` in another order of the threads."""


def all_found(result: pytest.RunResult) -> list[tuple[str, str]]:
    """The header of each violation in the output, without its circumstances, and the command that replays it."""
    text = result.stdout.str()
    headers = re.findall(r"^E +pytest_durable\.errors\.(.*?)(?:   |$)", text, re.MULTILINE)
    commands = re.findall(r"^E +replay: (.*)$", text, re.MULTILINE)
    return list(zip(headers, commands, strict=True))


def found(result: pytest.RunResult) -> tuple[str, str]:
    """The same of the one violation in the output."""
    (one,) = all_found(result)
    return one


def story(result: pytest.RunResult) -> list[str]:
    """All that pytest says of the one failure: its lines, but for how many plans passed before it was found."""
    lines = [line.removeprefix("E").strip() for line in result.outlines if line.startswith("E  ")]
    return [re.sub(r"; \d+ plans? passed before", "", line) for line in lines]


def pasted(pytester: pytest.Pytester, command: str) -> pytest.RunResult:
    """Run a pytest command with the arguments that a shell makes of it, in this process."""
    arguments = pytester.run("/bin/sh", "-c", f"pytest() {{ printf '%s\\n' \"$@\"; }}; {command}").outlines
    return pytester.runpytest_inprocess(*arguments)


FAILS_AROUND = """
    import pytest

    @pytest.mark.durable_faults
    def test_around(durable_ctx):
        done = []
        durable_ctx.run(lambda event, context: context.step(lambda _: done.append(1), name="charge"))
        assert len(done) == 1
"""

KILLED = """\
    def killed(event, context):
        context.step(last, name="last")

    def last(step):
        print("the last words")
"""
"""Handlers in a module of their own, to be killed in the body of ``last``, which prints."""
