"""pytest's debugger: after a failure, and at a breakpoint in the body of a step."""

from __future__ import annotations

import sys

import pytest

from tests.others import OFF
from tests.plugin.sources import CHARGES_TWICE

BREAKPOINT = """
    def handler(event, context):
        def charge(step):
            amount = 7 * event
            breakpoint()
            return amount

        return context.step(charge, name="charge")

    def test_order(durable_ctx):
        assert durable_ctx.run(handler, 6).result == 43
"""


def typed(pytester: pytest.Pytester, *options: str, keys: tuple[str, ...]) -> pytest.RunResult:
    """What pytest prints while ``keys`` are typed, each on its line."""
    command = [sys.executable, "-m", "pytest", *OFF, "-p", "no:cacheprovider", *options]
    return pytester.run(*command, stdin="".join(f"{key}\n" for key in keys).encode(), timeout=60)


@pytest.mark.parametrize("shards", [(), ("--durable-shards=2",)], ids=["whole", "shards"])
def test_it_opens_where_the_search_was_asked_for(pytester: pytest.Pytester, shards: tuple[str, ...]) -> None:
    pytester.makepyfile(CHARGES_TWICE)
    result = typed(pytester, "--pdb", *shards, keys=("p 'charged', len(charges)", "quit"))
    result.stdout.fnmatch_lines(
        ["*>>> entering PDB >>>*", "*test_order()*", "-> durable_ctx.verify(handler, *", "*('charged', *"]
    )
    assert result.stdout.str().count("entering PDB") == 1


def test_a_breakpoint_in_the_body_of_a_step_stops_there(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(BREAKPOINT)
    result = typed(pytester, keys=("p 'amount', amount", "continue"))
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*charge()*", "*('amount', 42)*", "E*assert 42 == 43"])
