"""``--durable-shards``: the shards of a search are the search."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.plugin.sources import CHARGES_TWICE

SEARCH = """
    import json
    from pathlib import Path

    def order(event, context):
        context.step(lambda _: 7, name="charge")
        return context.map([1, 2], lambda child, item, *_: child.step(lambda _: item, name="pack")).get_results()

    def test_search(durable_ctx, request):
        said = durable_ctx.verify(order, kills=2, examples=12)
        text = json.dumps([said.killed, said.drawn, said.schedules])
        Path(request.node.name.replace(" ", "-") + ".json").write_text(text)

    def test_run(durable_ctx):
        durable_ctx.run(order)
"""


def said(pytester: pytest.Pytester) -> list[Any]:
    """What each search said, and no more from now on."""
    found = sorted(pytester.path.glob("*.json"))
    texts = [path.read_text() for path in found]
    for path in found:
        path.unlink()
    return [json.loads(text) for text in texts]


def test_together_they_do_what_the_whole_does_and_nothing_twice(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(SEARCH)
    pytester.runpytest_inprocess().assert_outcomes(passed=2)
    ((killed, drawn, schedules),) = said(pytester)
    result = pytester.runpytest_inprocess("--durable-shards=3", "-v")
    result.assert_outcomes(passed=4)
    result.stdout.fnmatch_lines(["*::test_search[[]shard 1 of 3[]] PASSED*", "*::test_run PASSED*"])
    shards = said(pytester)
    assert len(shards) == 3
    assert sorted(place for places, *_ in shards for place in places) == sorted(killed)
    assert min(len(places) for places, *_ in shards) >= len(killed) // 3
    assert [sum(counts) for counts in zip(*(rest for _, *rest in shards), strict=True)] == [drawn, schedules]


def test_the_command_that_replays_a_shards_failure_names_the_test_as_a_whole(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(CHARGES_TWICE)
    result = pytester.runpytest_inprocess("--durable-shards=4")
    result.assert_outcomes(passed=3, failed=1)
    result.stdout.fnmatch_lines(["E*replay: pytest '*.py::test_order' --durable-replay='charge:body'"])


def test_a_test_with_parameters_and_the_marker_is_split_as_well(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("""
        import pytest

        @pytest.mark.durable_faults
        @pytest.mark.parametrize("word", ["a", "b"])
        def test_it(durable_ctx, word):
            done = []

            def handler(event, context):
                context.step(lambda _: done.append(word), name="do")

            durable_ctx.run(handler)
            assert done == [word]
    """)
    result = pytester.runpytest_inprocess("--durable-shards=2", "-v")
    outcomes = result.parseoutcomes()
    assert outcomes["passed"] + outcomes["failed"] == 4
    result.stdout.fnmatch_lines(["*::test_it[[]a-shard 1 of 2[]] *", "*[[]a[]]' --durable-replay='do:body'"])


@pytest.mark.parametrize("number", ["0", "-1", "two"])
def test_a_number_that_makes_no_sense_is_refused(pytester: pytest.Pytester, number: str) -> None:
    result = pytester.runpytest_inprocess(f"--durable-shards={number}")
    result.stderr.fnmatch_lines([f"*durable_shards must be a whole number from *, not '{number}'"])
