"""Text of users in HTML."""

from __future__ import annotations

import html
import re

_UNFIT = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069\ufffe\uffff]")
"""What HTML or UTF-8 has no place for, and what would turn the direction of the text around it."""


def text(value: str) -> str:
    """Text for an element or a quoted attribute; what cannot be shown is spelled out."""
    return html.escape(_UNFIT.sub(_spelled, value))


def _spelled(match: re.Match[str]) -> str:
    return match[0].encode("unicode_escape").decode("ascii")
