"""A suite that uses no fixture of ours does not pay for the SDK, boto3, Hypothesis or freezegun."""

from __future__ import annotations

import sys
from textwrap import dedent

import pytest

from tests.others import WITHOUT

HEAVY = ("aws_durable_execution_sdk_python", "boto3", "botocore", "hypothesis", "freezegun", "greenlet")
LOADED = f'sorted({{name.partition(".")[0] for name in sys.modules}} & set({HEAVY!r}))'

STEPS = {
    "the package": "import pytest_durable; assert pytest_durable.__version__",
    "light names": """
        from pytest_durable import FaultNotReached, FaultPlan
        assert str(FaultPlan.parse('a:body')) == 'a:body'
    """,
    "a plain test": "assert pytest.main(['test_plain.py']) == 0",
    "options": """
        options = ['--durable-kills=2', '--durable-replay=charge:body', '--durable-start=2026-01-01']
        assert pytest.main(['test_plain.py', *options]) == 0
    """,
    "the marker": "assert pytest.main(['test_marked.py']) == 0",
    "--help": "assert pytest.main(['--help']) == 0",
    "--markers": "assert pytest.main(['--markers']) == 0",
    "--fixtures": "assert pytest.main(['test_uses.py', '--fixtures']) == 0",
    "--collect-only": "assert pytest.main(['test_uses.py', '--collect-only']) == 0",
    "a test that uses it": "assert pytest.main(['test_uses.py']) == 0",
}
"""What one fresh interpreter does, one after another."""


def test_nothing_imports_it_but_a_test_that_uses_it(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    # Hypothesis's own plugin imports Hypothesis when it writes its part of the summary, in any suite.
    monkeypatch.delenv("PYTEST_PLUGINS")
    pytester.makepyfile(
        test_plain="def test_plain(): pass",
        test_marked="import pytest\n@pytest.mark.durable(kills=2)\ndef test_plain(): pass",
        test_uses="def test_it(durable_ctx): durable_ctx.run(lambda event, context: 1)",
    )
    steps = (f"{dedent(step)}\nprint('loaded by {name}:', {LOADED})" for name, step in STEPS.items())
    result = pytester.run(sys.executable, "-c", "\n".join(["import sys, pytest", *steps]))
    loaded = [line for line in result.outlines if line.startswith("loaded by ")]
    assert loaded[:-1] == [f"loaded by {name}: []" for name in STEPS][:-1]
    assert loaded[-1].startswith("loaded by a test that uses it: ['aws_durable_execution_sdk_python', ")


def test_a_plain_test_beside_other_plugins_imports_none_of_it(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in WITHOUT:
        monkeypatch.delenv(name)
    pytester.makepyfile(test_plain="def test_plain(): pass")
    # Looked at before Hypothesis's plugin writes its part of the summary.
    pytester.makeconftest(f"""
        import sys

        def pytest_sessionfinish():
            print("at the end of the session:", {LOADED})
    """)
    result = pytester.run(sys.executable, "-m", "pytest", "-s")
    (plugins,) = (line for line in result.outlines if line.startswith("plugins: "))
    assert "durable-" in plugins and "hypothesis-" in plugins
    assert "at the end of the session: []" in result.stdout.str()


def test_every_public_name_is_there_and_an_unknown_one_is_refused() -> None:
    import pytest_durable

    assert set(pytest_durable.__all__) <= set(dir(pytest_durable))
    assert all(hasattr(pytest_durable, name) for name in pytest_durable.__all__)
    with pytest.raises(AttributeError, match="module 'pytest_durable' has no attribute 'nope'"):
        pytest_durable.nope  # noqa: B018
