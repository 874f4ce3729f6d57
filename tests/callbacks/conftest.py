from __future__ import annotations

from collections.abc import Iterator

import pytest

from pytest_durable import FakeDurableContext
from tests.shown_once import virtual_time

__all__ = ["virtual_time"]


@pytest.fixture
def ctx() -> Iterator[FakeDurableContext]:
    """A durable context that does not look at the options of this test run."""
    with FakeDurableContext() as context:
        yield context
