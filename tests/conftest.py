from __future__ import annotations

# pytester forgets the modules that an inner run imports. The SDK, freezegun and Hypothesis are slow to import and not
# made to be imported twice, so they are imported before.
import hypothesis  # noqa: F401
import pytest

import pytest_durable.context  # noqa: F401
from tests.others import OFF

pytest_plugins = ["pytester"]


@pytest.fixture
def pytester(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """Inner runs, without the plugins of others; what is about these takes the options back."""
    monkeypatch.setenv("PYTEST_ADDOPTS", " ".join(OFF))
    return pytester
