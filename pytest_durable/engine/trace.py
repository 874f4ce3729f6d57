"""What happened in a world, in order, and its fingerprint.

Equal digests mean that the same operations, bodies and task switches happened in the same order at the same virtual
times. What user code computed is not part of it: it may be random by design. An entry may hold only values that do not
depend on the process: virtual time, task numbers, names, counts. No ``id()``, ``hash()``, file path or wall clock.
"""

from __future__ import annotations

from hashlib import blake2b

Entry = tuple[int | str, ...]


class Trace:
    """An append-only list of entries; the first field of each is the virtual time in microseconds."""

    __slots__ = ("entries",)

    def __init__(self) -> None:
        self.entries: list[Entry] = []

    def __len__(self) -> int:
        return len(self.entries)

    def lines(self) -> list[str]:
        """The entries as text, one line each."""
        return [" ".join(map(str, entry)) for entry in self.entries]

    def digest(self) -> str:
        """A hash of every entry in order: 32 hex digits, the same in any process."""
        return blake2b("\n".join(self.lines()).encode(), digest_size=16).hexdigest()
