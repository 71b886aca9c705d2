"""What is kept of a counted event's id: enough to tell a copy from a conflict, and to correct it later."""

from __future__ import annotations

import struct
from typing import NamedTuple, Self

_LAYOUT = struct.Struct(">q16sq?i?")


class Entry(NamedTuple):
    """`expires` in microseconds; `time` is the event's, `defaulted` where the broker gave it; `user` the account of a tree
    that used it, empty for the root."""

    expires: int
    digest: bytes
    time: int
    defaulted: bool
    revision: int
    retracted: bool
    user: bytes = b""

    @classmethod
    def read(cls, entry: bytes) -> Self:
        fields = (*_LAYOUT.unpack_from(entry), entry[_LAYOUT.size :])
        return cls(*fields)

    def bytes(self) -> bytes:
        *fields, user = self
        return _LAYOUT.pack(*fields) + user


def packed(
    expires: int, digest: bytes, time: int, defaulted: bool, revision: int, user: bytes = b""
) -> bytes:
    """A new entry, without the detour over a tuple."""
    return _LAYOUT.pack(expires, digest, time, defaulted, revision, False) + user
