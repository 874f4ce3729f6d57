"""The plugins of others, which are there to be tested beside, and which other inner runs are without."""

from __future__ import annotations

OFF = ("-p", "no:randomly", "-p", "no:asyncio")
"""Options of an inner run that leave them out."""
