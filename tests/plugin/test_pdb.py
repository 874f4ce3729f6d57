"""pytest's debugger: after a failure, and at a breakpoint in the body of a step."""

from __future__ import annotations

import sys

import pytest

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

SESSIONS = {
    "a search": (["test_search.py", "--pdb"], ["p 'charged', len(charges)", "quit"]),
    "its shards": (["test_search.py", "--pdb", "--durable-shards=2"], ["p 'charged', len(charges)", "quit"]),
    "a breakpoint": (["test_breakpoint.py"], ["p 'amount', amount", "continue"]),
    "to leave": (["test_breakpoint.py"], ["quit"]),
}
"""The arguments of pytest, and what is typed into its debugger."""


def test_it_opens_where_the_search_was_asked_for_and_stops_in_the_body_of_a_step(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_search=CHARGES_TWICE, test_breakpoint=BREAKPOINT)
    keys = "".join(f"{key}\n" for _, typed in SESSIONS.values() for key in typed)
    mains = (f"pytest.main({[*arguments, '-p', 'no:cacheprovider']})" for arguments, _ in SESSIONS.values())
    program = "import pytest\n" + "\nprint('=== next', flush=True)\n".join(mains)
    # One process, whose standard input is real, for all of them: a debugger takes no more of it than it is given.
    result = pytester.run(sys.executable, "-c", program, stdin=keys.encode(), timeout=60)
    search, shards, stopped, left = result.stdout.str().split("=== next\n")
    for said in (search, shards):
        pytest.LineMatcher(said.splitlines()).fnmatch_lines(
            ["*>>> entering PDB >>>*", "*test_order()*", "-> durable_ctx.verify(handler, *", "*('charged', *"]
        )
        assert said.count("entering PDB") == 1
    lines = ["*charge()*", "*('amount', 42)*", "E*assert 42 == 43", "*= 1 failed in *"]
    pytest.LineMatcher(stopped.splitlines()).fnmatch_lines(lines)
    pytest.LineMatcher(left.splitlines()).fnmatch_lines(["*! KeyboardInterrupt: Quitting debugger !*"])
    assert left.count("(Pdb)") == 1


@pytest.mark.parametrize(
    "where", ["context.step(lambda _: pytest.exit('enough'), name='leave')", "pytest.exit('enough')"]
)
def test_who_leaves_pytest_leaves_it(pytester: pytest.Pytester, where: str) -> None:
    pytester.makepyfile(
        f"""
        import pytest

        def test_first(durable_ctx):
            durable_ctx.verify(lambda event, context: {where})

        def test_second():
            pass
        """
    )
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider", "-p", "no:randomly")
    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.assert_outcomes()
    result.stdout.fnmatch_lines(["*! KeyboardInterrupt: enough !*"])
