from __future__ import annotations

import sys

# pytester forgets the modules that an inner run imports. The SDK, freezegun and Hypothesis are slow to import and not
# made to be imported twice, so they are imported before.
import hypothesis
import pytest

import pytest_durable.context  # noqa: F401
from tests.others import WITHOUT

pytest_plugins = ["pytester"]

hypothesis.settings.register_profile("without a deadline", deadline=None)  # which is real time, and the machine's load
hypothesis.settings.load_profile("without a deadline")


@pytest.fixture
def pytester(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """Inner runs, without the plugins of others and as at a desk; what is about these takes it back."""
    for name, value in WITHOUT.items():
        monkeypatch.setenv(name, value)
    for name in ("CI", "BUILD_NUMBER"):  # where pytest says a failure again, in full, in its summary
        monkeypatch.delenv(name, raising=False)
    # Compiled, a file that is written again in the same second and is as long as before would be the one before.
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    return pytester
