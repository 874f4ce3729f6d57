from __future__ import annotations

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
