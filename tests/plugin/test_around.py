"""The marker ``durable_faults``: a test's whole body under every plan; and what failed the last time."""

from __future__ import annotations

import pytest

BANK = """
    import pytest
    from aws_durable_execution_sdk_python.config import Duration

    RUNS = []

    def make_handler(charges, safe):
        def handler(event, context):
            context.step(lambda _: "k1", name="key")

            def charge(_):
                if not (safe and charges):
                    charges.append(100)

            context.step(charge, name="charge")
            context.wait(Duration.from_minutes(1), name="pause")
            return len(charges)

        return handler
"""


def source(body: str, marker: str = "@pytest.mark.durable_faults") -> str:
    lines = [line.strip("\n") for line in body.splitlines() if line.strip()]
    return "\n".join([BANK.replace("\n    ", "\n"), marker, *lines])


CHARGES_ONCE = """
def test_once(durable_ctx):
    RUNS.append(1)
    charges = []
    execution = durable_ctx.run(make_handler(charges, {safe}), {{}})
    assert charges == [100]
    assert execution.result == 1
"""


def test_a_test_that_holds_under_every_kill_passes_and_was_run_for_each(pytester: pytest.Pytester) -> None:
    more = "def test_runs():\n    assert len(RUNS) == 1 + 9\n"
    pytester.makepyfile(source(CHARGES_ONCE.format(safe=True)) + "\n" + more)
    result = pytester.runpytest_inprocess()
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(["durable: 1 test, 10 executions, 9 kills, 1 search safe, killed at 9 of 9 places (*)"])


def test_a_test_that_fails_under_a_kill_says_which_in_a_note_with_the_command(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_bank=source(CHARGES_ONCE.format(safe=False)))
    result = pytester.runpytest_inprocess()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "*assert charges == [[]100[]]",
            "E *the test passes without faults, and not with these*(1 kill; 5 plans passed before)",
            "*killed: charge:body",
            "E *Suspect: 'charges' at test_bank.py:* was [[][]] at first and is [[]100[]] on replay.",
            "E *replay: pytest 'test_bank.py::test_once' --durable-replay='charge:body'",
        ]
    )
    again = pytester.runpytest_inprocess("--durable-replay=charge:body")
    again.assert_outcomes(failed=1)
    again.stdout.fnmatch_lines(["*assert charges == [[]100[]]"])


def test_what_the_test_calls_itself_is_killed_as_well(pytester: pytest.Pytester) -> None:
    body = """
def test_direct(durable_ctx):
    charges = []
    durable_ctx.step(lambda _: charges.append(100), name="charge")
    assert charges == [100]
"""
    pytester.makepyfile(test_bank=source(body))
    result = pytester.runpytest_inprocess()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*assert [[]100, 100[]] == [[]100[]]", "E *replay: * --durable-replay='charge:body'"])


def test_what_the_test_calls_itself_is_timed_out_as_any_invocation(pytester: pytest.Pytester) -> None:
    body = """
def test_direct(durable_ctx):
    tried = []
    assert durable_ctx.step(lambda _: tried.append(1), name="try") is None
    assert 900 * (len(tried) - 1) <= durable_ctx.clock.time() - 1767225600 < 1000 * len(tried)
"""
    pytester.makepyfile(source(body, "@pytest.mark.durable_faults(kinds=['timeout'])"))
    result = pytester.runpytest_inprocess()
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["durable: *killed at 1 of 1 places (timeout 1/1)"])


def test_a_failure_that_does_not_happen_again_says_so_first(pytester: pytest.Pytester) -> None:
    body = """
def test_flaky(durable_ctx):
    RUNS.append(1)
    lost = len(RUNS) == 4
    def handler(event, context):
        return context.step(lambda _: "lost" if lost else "found", name="look")
    assert durable_ctx.run(handler).result == "found"
"""
    pytester.makepyfile(test_bank=source(body))
    result = pytester.runpytest_inprocess()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "E *NOT REPRODUCED: the same plan, run again, did not fail like this.",
            "E * the test passes without faults, and not with these*(1 kill; 3 plans passed before)",
            "E * run again * the first time",
            'E * ≠ result * "found" * "lost"',
            'E *Look at \'look\', made at test_bank.py:*: it gave "lost" the first time, and "found" when*',
        ]
    )
    result.stdout.no_fnmatch_line("*durable_example*")


def test_without_faults_the_test_itself_fails_as_ever(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(source("def test_it(durable_ctx):\n    assert 1 == 2"))
    result = pytester.runpytest_inprocess()
    result.assert_outcomes(failed=1)
    result.stdout.no_fnmatch_line("*passes without faults*")


def test_a_violation_is_reported_as_by_verify(pytester: pytest.Pytester) -> None:
    body = """
def test_random(durable_ctx):
    import random
    durable_ctx.run(lambda event, context: context.wait(Duration.from_seconds(random.randrange(1, 10**6)), name="w"))
"""
    pytester.makepyfile(source(body))
    result = pytester.runpytest_inprocess()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["E *ReplayDiverged: wait 'w' is asked for with *"])


@pytest.mark.parametrize(
    ("settings", "kinds"),
    [("kinds=['throttle']", {"throttle"}), ("kinds='body, stored'", {"body", "stored"})],
)
def test_the_kinds_of_faults_can_be_chosen(pytester: pytest.Pytester, settings: str, kinds: set[str]) -> None:
    body = """
def test_seen(durable_ctx):
    execution = durable_ctx.run(make_handler([], True), {})
    RUNS.extend(one.killed or one.struck for one in execution.invocations if one.killed or one.struck)
"""
    more = f"def test_runs():\n    assert {{text.rpartition(':')[2] for text in RUNS}} == {kinds}\n"
    pytester.makepyfile(source(body, f"@pytest.mark.durable_faults({settings})") + "\n" + more)
    pytester.runpytest_inprocess().assert_outcomes(passed=2)


def test_fixtures_may_prepare_the_context_and_every_run_begins_like_the_first(pytester: pytest.Pytester) -> None:
    body = """
def test_prepared(prepared):
    RUNS.append(prepared.clock.now())
    assert prepared.run(handler).result == ["yes", "plain"]
    assert prepared.start(handler, name="once").run().result == ["yes", "plain"]
"""
    fixture = """
def handler(event, context):
    return [context.create_callback(name="approve").result(), context.invoke("plain", {}, name="call")]

@pytest.fixture
def prepared(durable_ctx):
    durable_ctx.callbacks.succeed("approve", "yes")
    durable_ctx.register("plain", lambda event, context: "plain")
    return durable_ctx
"""
    more = "def test_runs():\n    assert len(RUNS) > 5 and len(set(RUNS)) == 1\n"
    pytester.makepyfile(BANK.replace("\n    ", "\n") + fixture + source(body).split("return handler")[1] + "\n" + more)
    pytester.runpytest_inprocess().assert_outcomes(passed=2)


def test_the_end_of_its_time_ends_it_and_is_no_failure_under_a_plan(pytester: pytest.Pytester) -> None:
    """As pytest-timeout does it: by ``pytest.fail``, wherever the test stands, and only once."""
    pytester.makepyfile("""
        import pytest

        runs, theirs = [], {"__name__": "pytest_timeout", "fail": pytest.fail}
        exec("def out_of_time(): fail('out of time')", theirs)

        def handler(event, context):
            context.step(lambda _: runs.append(1) or len(runs) == 3 and theirs["out_of_time"](), name="charge")

        @pytest.mark.durable_faults
        def test_slow(durable_ctx):
            durable_ctx.run(handler)

        def test_after(durable_ctx):
            assert len(runs) == 3
            durable_ctx.run(handler)
    """)
    result = pytester.runpytest_inprocess()
    result.assert_outcomes(failed=1, passed=1)
    result.stdout.fnmatch_lines(["*Failed: out of time"])
    result.stdout.no_fnmatch_line("*durable-replay*")


def test_a_skip_ends_it(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(source("def test_it(durable_ctx):\n    RUNS.append(1)\n    pytest.skip('not today')"))
    pytester.runpytest_inprocess().assert_outcomes(skipped=1)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("def test_it():\n    pass", "*is for tests that use the fixture durable_ctx*"),
        ("async def test_it(durable_ctx):\n    pass", "*is for plain test functions, not for coroutines*"),
    ],
)
def test_what_it_is_not_for_is_refused(pytester: pytest.Pytester, body: str, words: str) -> None:
    pytester.makepyfile(source(body))
    result = pytester.runpytest_inprocess()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([words])


def test_of_a_class_it_is_meant_for_the_tests_that_use_the_fixture(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import pytest

        RUNS = []

        @pytest.mark.durable_faults
        class TestAll:
            def test_a(self, durable_ctx):
                RUNS.append(durable_ctx.run(lambda event, context: context.step(lambda _: 1, name="a")).result)

            def test_b(self):
                assert len(RUNS) > 3
        """
    )
    pytester.runpytest_inprocess("-p", "no:randomly").assert_outcomes(passed=2)


def test_of_a_coroutine_that_another_plugin_runs_it_is_refused(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(
        """
        import pytest

        @pytest.hookimpl(tryfirst=True)
        def pytest_pyfunc_call(pyfuncitem):
            return True
        """
    )
    pytester.makepyfile(source("async def test_it(durable_ctx):\n    pass"))
    pytester.runpytest_inprocess().assert_outcomes(failed=1)


def test_in_a_test_case_it_is_refused_for_that_calls_its_methods_itself(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import unittest

        import pytest

        class TestAll(unittest.TestCase):
            @pytest.fixture(autouse=True)
            def context(self, durable_ctx):
                self.context = durable_ctx

            @pytest.mark.durable_faults
            def test_a(self):
                pass
        """
    )
    result = pytester.runpytest_inprocess()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*not for a unittest.TestCase: call durable_ctx.verify there*"])


def test_a_bad_setting_is_refused(pytester: pytest.Pytester) -> None:
    wrong = ("kils=2", "kinds='charge'", "kinds=[]", "kills=-1", "2")
    once = CHARGES_ONCE.format(safe=True)
    tests = [
        f"@pytest.mark.durable_faults({settings})\n{once.strip().replace('test_once', f'test_{number}')}"
        for number, settings in enumerate(wrong)
    ]
    pytester.makepyfile(source("\n".join(tests), marker=""))
    pytester.runpytest_inprocess().assert_outcomes(errors=len(wrong))


# --- what failed the last time --------------------------------------------------------------------------------------

SLOW = """
def test_verified(durable_ctx):
    charges = []
    def count():
        charges.clear()
        RUNS.append(1)
    try:
        durable_ctx.verify(make_handler(charges, {safe}), {{}}, reset=count)
    finally:
        print("runs:", len(RUNS))
"""


def test_what_failed_is_tried_first_until_it_passes(pytester: pytest.Pytester) -> None:
    path = pytester.makepyfile(source(SLOW.format(safe=False), ""))
    first = pytester.runpytest_inprocess("-s")
    first.stdout.fnmatch_lines(["*killed: charge:body"])
    second = pytester.runpytest_inprocess("-s")
    second.stdout.fnmatch_lines(["*(1 kill; 1 plan passed before)"])
    path.write_text(source(SLOW.format(safe=True), ""))
    pytester.runpytest_inprocess().assert_outcomes(passed=1)
    path.write_text(source(SLOW.format(safe=False), ""))
    pytester.runpytest_inprocess().stdout.fnmatch_lines(["*plans passed before)"])


def test_without_a_cache_nothing_is_kept(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(source(SLOW.format(safe=False), ""))
    for _ in range(2):
        result = pytester.runpytest_inprocess("-p", "no:cacheprovider")
        result.assert_outcomes(failed=1)
        result.stdout.fnmatch_lines(["*plans passed before)"])


def test_a_violation_that_the_test_expects_is_not_kept(pytester: pytest.Pytester) -> None:
    body = """
def test_found(durable_ctx):
    charges = []
    with pytest.raises(AssertionError):
        durable_ctx.verify(make_handler(charges, False), {}, reset=charges.clear)
"""
    pytester.makepyfile(source(body, ""))
    pytester.runpytest_inprocess().assert_outcomes(passed=1)
    assert not (pytester.path / ".pytest_cache/v/durable/failures").exists()
