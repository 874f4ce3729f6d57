from __future__ import annotations

from collections.abc import Iterator

import pytest

from pytest_durable import FakeDurableContext
from tests.shown_once import virtual_time

__all__ = ["virtual_time"]


@pytest.fixture
def ctx() -> Iterator[FakeDurableContext]:
    """A durable context each of whose invocations is a process."""
    with FakeDurableContext(isolation="process") as context:
        yield context
