"""Stand-in for the module-level functions of ``random``: draws from the seed of the run."""

from __future__ import annotations

import random as _real
from collections.abc import Iterator
from contextlib import contextmanager

from pytest_durable.engine import current_task


def random() -> float:
    """Stands in for ``random.random``; the real one outside of the simulation."""
    task = current_task()
    return _real.random() if task is None else task.process.random.random()


@contextmanager
def unspent() -> Iterator[None]:
    """Whatever is drawn within this context, the user's own random numbers go on afterwards as if it were not."""
    state = _real.getstate()
    try:
        yield
    finally:
        _real.setstate(state)
