"""What a search logs: nothing, but for the run that it reports. It would print the same lines hundreds of times."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

_before: int | None = None
"""What `logging.disable` was set to before all was silent; None while it is not."""


@contextmanager
def silence() -> Iterator[None]:
    """No log record is made within this context.

    Each change makes every logger there is find out anew what it logs: so a search is silent from its first run to its
    last, and within that it costs nothing to be so. Logging is as before after it, whatever the runs have set.
    """
    global _before
    if _before is not None:
        _disable()
        yield
        return
    _before = logging.root.manager.disable
    _disable()
    try:
        yield
    finally:
        logging.disable(_before)
        _before = None


@contextmanager
def out_loud() -> Iterator[None]:
    """Within this context all is logged that is logged outside of a search."""
    global _before
    if _before is None:
        yield
        return
    before, _before = _before, None
    logging.disable(before)
    try:
        yield
    finally:
        _before = before
        _disable()


def _disable() -> None:
    if logging.root.manager.disable < logging.CRITICAL:  # a run may have changed it
        logging.disable(logging.CRITICAL)
