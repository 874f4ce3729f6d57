"""What a search logs: nothing, but for the run that it reports. It would print the same lines hundreds of times."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager


@contextmanager
def disabled(level: int) -> Iterator[None]:
    """Within this context, log records up to ``level`` are not made; after it, all is as before.

    Nothing is done if that is so already: each change makes every logger there is find out anew what it logs.
    """
    before = disabled_now()
    if before != level:
        logging.disable(level)
    try:
        yield
    finally:
        if disabled_now() != before:  # which the code under test may have changed as well
            logging.disable(before)


def disabled_now() -> int:
    """The level up to which log records are not made."""
    return logging.root.manager.disable


def silence() -> AbstractContextManager[None]:
    """No log record is made within this context. A search is silent as a whole, so that its runs need no change."""
    return disabled(max(logging.CRITICAL, disabled_now()))
