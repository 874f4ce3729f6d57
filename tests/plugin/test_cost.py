"""A suite that uses no fixture of ours does not pay for the SDK, boto3, Hypothesis or freezegun."""

from __future__ import annotations

import sys

import pytest

HEAVY = ("aws_durable_execution_sdk_python", "boto3", "botocore", "hypothesis", "freezegun", "greenlet")
LOADED = f'sorted({{name.partition(".")[0] for name in sys.modules}} & set({HEAVY!r}))'

# Hypothesis's own plugin imports Hypothesis when it writes its part of the summary, in any suite. Without that plugin
# the very end is looked at, with it the end of the session, before any plugin writes its part.
WITHOUT_THEIRS = "'-p', 'no:hypothesispytest'"


def loaded_after(pytester: pytest.Pytester, action: str) -> pytest.RunResult:
    return pytester.run(sys.executable, "-c", f"import sys\n{action}\nprint('loaded:', {LOADED})")


def test_importing_the_package_imports_none_of_it(pytester: pytest.Pytester) -> None:
    result = loaded_after(pytester, "import pytest_durable; assert pytest_durable.__version__")
    assert result.outlines == ["loaded: []"]


def test_light_names_are_imported_without_it(pytester: pytest.Pytester) -> None:
    action = "from pytest_durable import FaultPlan, FaultNotReached; assert str(FaultPlan.parse('a:body')) == 'a:body'"
    assert loaded_after(pytester, action).outlines == ["loaded: []"]


def test_a_plain_test_imports_none_of_it(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_plain="def test_plain(): pass")
    result = loaded_after(pytester, f"import pytest; assert pytest.main([{WITHOUT_THEIRS}]) == 0")
    assert [line for line in result.outlines if line.startswith("plugins: ") and "durable-" in line]
    assert result.outlines[-1] == "loaded: []"


def test_a_plain_test_beside_other_plugins_imports_none_of_it(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_plain="def test_plain(): pass")
    pytester.makeconftest(f"""
        import sys

        def pytest_sessionfinish():
            print("at the end of the session:", {LOADED})
    """)
    result = pytester.run(sys.executable, "-m", "pytest", "-s")
    assert [line for line in result.outlines if line.startswith("plugins: ") and "hypothesis-" in line]
    assert "at the end of the session: []" in result.stdout.str()


@pytest.mark.parametrize("options", ["'--help'", "'--markers'", "'--fixtures'", "'--collect-only'"])
def test_what_runs_no_test_imports_none_of_it(pytester: pytest.Pytester, options: str) -> None:
    pytester.makepyfile(test_it="def test_it(durable_ctx): pass")
    result = loaded_after(pytester, f"import pytest; pytest.main([{options}, {WITHOUT_THEIRS}])")
    assert result.outlines[-1] == "loaded: []"


def test_options_and_the_marker_import_none_of_it(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_plain="import pytest\n@pytest.mark.durable(kills=2)\ndef test_plain(): pass")
    options = "'--durable-kills=2', '--durable-replay=charge:body', '--durable-start=2026-01-01'"
    result = loaded_after(pytester, f"import pytest; assert pytest.main([{options}, {WITHOUT_THEIRS}]) == 0")
    assert result.outlines[-1] == "loaded: []"


def test_a_test_that_uses_it_imports_it(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_it="def test_it(durable_ctx): durable_ctx.run(lambda event, context: 1)")
    result = loaded_after(pytester, f"import pytest; assert pytest.main([{WITHOUT_THEIRS}]) == 0")
    assert result.outlines[-1].startswith("loaded: ['aws_durable_execution_sdk_python', ")


def test_every_public_name_is_there_and_an_unknown_one_is_refused() -> None:
    import pytest_durable

    assert set(pytest_durable.__all__) <= set(dir(pytest_durable))
    assert all(hasattr(pytest_durable, name) for name in pytest_durable.__all__)
    with pytest.raises(AttributeError, match="module 'pytest_durable' has no attribute 'nope'"):
        pytest_durable.nope  # noqa: B018
