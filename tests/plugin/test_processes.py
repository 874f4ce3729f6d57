"""Tests whose invocations are processes, and their output. Workers, coverage and reports are in test_workers."""

from __future__ import annotations

import pytest

from tests.plugin.sources import KILLED

HANDLERS = (
    """
    import sys

    def order(event, context):
        print("begins")
        context.step(charge, name="charge")
        print("charged", file=sys.stderr)
        return context.step(lambda _: 7, name="ship")

    def charge(step):
        print("charges")

"""
    + KILLED
)

SUITE = """
    import pytest
    from handlers import killed

    @pytest.mark.durable(isolation="process")
    def test_killed(durable_ctx):
        print("the test")
        assert durable_ctx.start(killed, faults="last:body").status == "SUCCEEDED"
"""
ITS_LINES = ["the test", "the last words"]


@pytest.fixture
def suite(pytester: pytest.Pytester) -> pytest.Pytester:
    """One test, which fails after a kill."""
    pytester.makepyfile(handlers=HANDLERS, test_suite=SUITE)
    return pytester


def test_output_that_is_not_captured_appears_once_and_in_order(suite: pytest.Pytester) -> None:
    result = suite.runpytest_subprocess("-s", "-p", "no:cacheprovider")
    assert [line for line in result.outlines if line.endswith(tuple(ITS_LINES))] == [
        "test_suite.py the test",
        "the last words",
    ]


@pytest.mark.parametrize("capture", ["fd", "sys", "tee-sys"])
def test_output_that_is_captured_appears_once_and_in_order(suite: pytest.Pytester, capture: str) -> None:
    suite.makepyfile(
        """
        import pytest
        from handlers import order

        @pytest.mark.durable(isolation="process")
        def test_it(durable_ctx, {fixture}):
            print("the test")
            durable_ctx.run(order, faults="charge:stored")
            out, err = {fixture}.readouterr()
            assert out.split("\\n") == ["the test", "begins", "charges", "begins", ""]
            assert err == "charged\\n"
    """.replace("{fixture}", "capfd" if capture == "fd" else "capsys")
    )
    suite.runpytest_inprocess("-k", "test_it", f"--capture={capture}").assert_outcomes(passed=1, deselected=1)
