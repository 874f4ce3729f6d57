"""Stand-in for the module-level functions of ``random``: draws from the seed of the run."""

from __future__ import annotations

import random as _real

from pytest_durable.engine import current_task


def random() -> float:
    """Stands in for ``random.random``; the real one outside of the simulation."""
    task = current_task()
    return _real.random() if task is None else task.process.random.random()
