"""HTTP, whatever library speaks it: which requests change the world, and by what they are the same one.

A request is an effect if its method is not safe (RFC 9110, 9.2.1). Its key is its ``Idempotency-Key``; without one, a
PUT or DELETE has its URL for a key, since HTTP defines that repeating it asks for the same state again (9.2.2). The
query is left out: in a signed URL it holds the time. A POST or PATCH without the header has no key.
"""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import urlsplit

KEY = "Idempotency-Key"
_UNSAFE = ("POST", "PUT", "PATCH", "DELETE")
_REPEATABLE = ("PUT", "DELETE")
_VARIES = re.compile(r"(?!v\d+$)[^/]*\d[^/]*", re.IGNORECASE)
"""A segment of a path that may be another one in the next run: anything with a digit in it, but for a version."""
_SEE_OTHER = 303


class Request(NamedTuple):
    """A request that changes the world.

    Attributes:
        name: of the effect: method, scheme, host and path, with ``{id}`` for what may vary from run to run.
        key: by which a second one is the same; None if there is none.
    """

    name: str
    key: str | None


def request_of(method: str, url: str, key: str | bytes | None) -> Request | None:
    """The effect that a request is, or None if its method is safe."""
    method = method.upper()
    if method not in _UNSAFE:
        return None
    parts = urlsplit(url)
    path = "/".join("{id}" if _VARIES.fullmatch(segment) else segment for segment in parts.path.split("/"))
    if isinstance(key, bytes):
        key = key.decode("latin-1")
    if not key and method in _REPEATABLE:
        key = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
    return Request(f"{method} {parts.scheme}://{parts.hostname or ''}{path}", key or None)


def has_arrived(status: int) -> bool:
    """Whether the world has done what was asked: 2xx, or 303, which says where to see what was done.

    An error response counts as a refusal, also a 5xx, of which nobody knows.
    """
    return 200 <= status < 300 or status == _SEE_OTHER
