"""``--durable-report``: which tests are shown, where the page is written."""

from __future__ import annotations

import pytest

from tests.plugin.sources import CHARGES_TWICE, FAILS_AROUND, SAFE

OWN_CONTEXT = """
    from hypothesis import given, settings
    from pytest_durable import FakeDurableContext
    from pytest_durable.strategies import fault_plans

    def handler(event, context, passes):
        passes.append(1)
        if len(passes) > 1:
            context.step(lambda _: "late", name="charge")
        return context.step(lambda _: 100, name="charge")

    @settings(derandomize=True, database=None, report_multiple_bugs=False)
    @given(plan=fault_plans())
    def test_own(plan):
        passes = []
        with FakeDurableContext() as context:
            context.run(lambda event, ctx: handler(event, ctx, passes), faults=plan)
"""
PLAIN = """
    def test_plain():
        assert False

    def test_unused(durable_ctx):
        assert False

    def test_ran(durable_ctx):
        assert durable_ctx.run(lambda event, context: 7).result == 8
"""


def written(pytester: pytest.Pytester, *arguments: str, name: str = "page.html") -> str:
    """The page that a run with the option writes."""
    pytester.runpytest_inprocess("-p", "no:cacheprovider", f"--durable-report={name}", *arguments)
    return (pytester.path / name).read_text(encoding="utf-8")


def test_each_failing_test_is_shown_and_no_passing_one(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_safe=SAFE, test_orders=CHARGES_TWICE, test_around=FAILS_AROUND, test_own=OWN_CONTEXT)
    markup = written(pytester)
    assert markup.count('<article id="test-') == 3
    for shown in ("Struck: charge:body", "test_around.py::test_around", "test_own.py::test_own", "on replay"):
        assert shown in markup
    assert "test_safe.py" not in markup
    assert markup.count("Without faults</h3>") == 2  # test_own has no fault-free run to be held against


def test_those_that_pass_are_shown_on_request(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_safe=SAFE, test_plain=PLAIN)
    markup = written(pytester, "--durable-report-all")
    assert "1 failed, 1 passed" in markup
    assert "Struck at 4 of 4 places" in markup


def test_of_what_has_nothing_to_do_with_it_nothing_is_shown(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(PLAIN)
    result = pytester.runpytest_inprocess("--durable-report=a/page.html")
    result.stdout.fnmatch_lines(["durable: report of 1 test in a/page.html"])
    markup = (pytester.path / "a/page.html").read_text(encoding="utf-8")
    assert "AssertionError: assert 7 == 8" in markup and "test_plain<" not in markup


def test_without_failures_the_page_says_so(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(SAFE)
    assert "No test failed." in written(pytester)


def test_it_can_be_set_in_the_ini_file_from_its_root(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytester.makepyfile(SAFE)
    pytester.makeini("[pytest]\ndurable_report = page.html\ndurable_report_all = true")
    monkeypatch.chdir(pytester.mkdir("below"))
    pytester.runpytest_inprocess("..")
    assert "1 passed" in (pytester.path / "page.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("ini", "argument", "message"),
    [
        (
            "durable_report_all = perhaps",
            "--durable-report=a.html",
            "*durable_report_all must be true or false*perhaps*",
        ),
        ("", "--durable-report=.", "*durable_report must be a file, and . is a directory*"),
    ],
)
def test_what_makes_no_sense_is_refused(pytester: pytest.Pytester, ini: str, argument: str, message: str) -> None:
    pytester.makeini(f"[pytest]\n{ini}")
    pytester.runpytest_inprocess(argument).stderr.fnmatch_lines([f"ERROR: {message}"])


def test_without_the_option_nothing_is_kept(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("""
        def test_it(durable_ctx):
            durable_ctx.run(lambda event, context: 1)
            assert durable_ctx.album is None
    """)
    pytester.runpytest_inprocess().assert_outcomes(passed=1)
