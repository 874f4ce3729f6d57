"""The pipe between parent and child: one message after another, each a value with its length before it."""

from __future__ import annotations

import socket
import struct
from contextlib import suppress
from typing import Any

from pytest_durable.service.isolation.portable import dumps, loads

_LENGTH = 8
"""Bytes in which the length of a message is written."""

_PART = 65_536


class Pipe:
    """One end of a pipe.

    Args:
        end: of a pair of sockets.
    """

    def __init__(self, end: socket.socket) -> None:
        self._end = end
        self._read = bytearray()

    @classmethod
    def pair(cls) -> tuple[Pipe, Pipe]:
        """Both ends of a new one.

        Raises:
            OSError: if the system has no more of them.
        """
        one, other = socket.socketpair()
        return cls(one), cls(other)

    @property
    def number(self) -> int:
        """The file descriptor of this end."""
        return self._end.fileno()

    def be_patient(self, seconds: float) -> None:
        """Have `receive` wait so long at most, in seconds of real time."""
        whole = int(seconds)
        patience = struct.pack("@ll", whole, int((seconds - whole) * 1_000_000))
        self._end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, patience)

    def send(self, message: Any) -> None:
        """Send a message, and wait until the system has taken it.

        Raises:
            OSError: if the other end is closed.
        """
        data = dumps(message)
        self._end.sendall(len(data).to_bytes(_LENGTH, "big") + data)

    def receive(self) -> Any:
        """The next message.

        Raises:
            BlockingIOError: if it did not come in time; it still may.
            EOFError: if the other end is closed, and all of its messages were received.
        """
        length = int.from_bytes(self._first(_LENGTH), "big")
        message = loads(self._first(_LENGTH + length)[_LENGTH:])
        del self._read[: _LENGTH + length]
        return message

    def _first(self, count: int) -> bytes:
        """The first bytes of what was not taken yet."""
        while len(self._read) < count:
            try:
                part = self._end.recv(max(_PART, count - len(self._read)))
            except ConnectionError:
                part = b""
            if not part:
                raise EOFError
            self._read += part
        return bytes(self._read[:count])

    def rest(self) -> str:
        """As text whatever else comes, of a child that writes no messages any more."""
        self.be_patient(0.2)
        data = bytearray()
        try:
            while part := self._end.recv(_PART):
                data += part
        except OSError:  # no more for now
            pass
        return data.decode(errors="replace")

    def hang_up(self) -> None:
        """Close the pipe for both ends, also where a process that was forked meanwhile still holds this one."""
        with suppress(OSError):  # the other end is gone already
            self._end.shutdown(socket.SHUT_RDWR)
        self.close()

    def close(self) -> None:
        """Close this end."""
        self._end.close()
