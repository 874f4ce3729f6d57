"""Virtual time that is shown once for a whole module of tests, by importing the fixture into a ``conftest.py``."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pytest_durable import FakeDurableContext


@pytest.fixture(autouse=True, scope="module")
def virtual_time() -> Iterator[None]:
    """To begin it, freezegun looks into every test module there is, which takes 20 ms; within another context, none."""
    with FakeDurableContext():
        yield
