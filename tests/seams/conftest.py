from __future__ import annotations

from collections.abc import Iterator

import pytest

from pytest_durable import FakeDurableContext
from pytest_durable.engine import World
from tests.simulated import new_world


@pytest.fixture
def world() -> Iterator[World]:
    """A world that is closed after the test, however it ended."""
    world = new_world()
    yield world
    world.close()


@pytest.fixture
def ctx() -> Iterator[FakeDurableContext]:
    """A durable context that does not look at the options of this test run."""
    with FakeDurableContext() as context:
        yield context
