from __future__ import annotations

import re

import pytest


def test_the_fixture_is_the_ledger_of_the_context(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("""
        from pytest_durable import EffectLedger

        def test_it(durable_ctx, durable_effects):
            assert isinstance(durable_effects, EffectLedger)
            assert durable_ctx.effects is durable_effects
            durable_ctx.run(lambda event, context: context.step(lambda _: durable_effects.record("mail"), name="s"))
            assert durable_effects.count("mail") == 1

        def test_each_test_has_its_own(durable_effects):
            assert len(durable_effects) == 0
    """)
    pytester.runpytest_inprocess().assert_outcomes(passed=2)


def test_a_test_that_is_run_again_and_again_has_an_empty_ledger_each_time(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("""
        import pytest

        @pytest.mark.durable_faults
        def test_it(durable_ctx, durable_effects):
            assert len(durable_effects) == 0
            durable_ctx.run(lambda event, context: context.step(lambda _: durable_effects.record("a", "k"), name="s"))
            assert durable_effects.count("a") == 1
    """)
    pytester.runpytest_inprocess().assert_outcomes(passed=1)


AROUND = """
    import uuid

    import pytest

    @pytest.mark.durable_faults
    @pytest.mark.parametrize("way", ["no key", "own key", "same step", "lost"])
    def test_it(durable_ctx, durable_effects, way):
        def handler(event, context):
            key = {"own key": context.step(lambda _: str(uuid.uuid4()), name="key")}.get(way)

            def charge(step):
                durable_effects.record("charge", str(uuid.uuid4()) if way == "same step" else key, amount=100)

            def once(step):
                if not done:
                    done.append(1)
                    durable_effects.record("mark", "order 7")
                    durable_effects.record("mail", "order 7")

            context.step(once if way == "lost" else charge, name="charge")

        done = []
        assert durable_ctx.run(handler).status == "SUCCEEDED"
"""


def test_the_effects_of_a_whole_test_are_compared_too(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(AROUND)
    result = pytester.runpytest_inprocess()
    result.assert_outcomes(passed=1, failed=3)
    text = re.sub(r"\nE\s+", " ", result.stdout.str())
    for line in (
        "EffectRepeated: killed at 'charge' after the body finished, before its result is stored, charge(amount=100) "
        "happened twice, without an idempotency key",
        "happened twice, each time under another idempotency key",
        "EffectLost: killed at 'charge' right after its effect 'mark', mail was lost",
        "--durable-replay='charge:effect:mark'",
    ):
        assert line in text


def test_the_replay_of_a_whole_test_finds_it_again(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(AROUND)
    result = pytester.runpytest_inprocess("-k", "key", "--durable-replay=charge:body")
    result.assert_outcomes(passed=1, failed=1)
