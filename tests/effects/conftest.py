from __future__ import annotations

from collections.abc import Iterator

import pytest

from pytest_durable import FakeDurableContext


@pytest.fixture
def ctx() -> Iterator[FakeDurableContext]:
    """A durable context that does not look at the options of this test run."""
    with FakeDurableContext() as context:
        yield context
