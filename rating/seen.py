"""What is kept of a counted event's id: enough to tell a copy from a conflict, and to correct it later."""

from __future__ import annotations

import struct
from typing import NamedTuple, Self

_LAYOUT = struct.Struct(">q16sq?i?")


class Entry(NamedTuple):
    """`expires` in microseconds; `time` is the event's, `defaulted` where the broker gave it."""

    expires: int
    digest: bytes
    time: int
    defaulted: bool
    revision: int
    retracted: bool

    @classmethod
    def read(cls, entry: bytes) -> Self:
        return cls(*_LAYOUT.unpack(entry))

    def bytes(self) -> bytes:
        return _LAYOUT.pack(*self)


def packed(expires: int, digest: bytes, time: int, defaulted: bool, revision: int) -> bytes:
    """A new entry, without the detour over a tuple."""
    return _LAYOUT.pack(expires, digest, time, defaulted, revision, False)
