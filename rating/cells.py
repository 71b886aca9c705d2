"""The state of rating as small cells, and the set of seen ids: two protocols, handed in from outside.

A cell is addressed by a bucket (a tuple of text, its first item the kind) and a member within it, so that the members
of a set are cells of their own and a bucket can be listed. Values are immutable plain data: `None` is "absent",
otherwise `bool`, `int` of any size, `str`, `bytes` and (named) tuples of these. The engine never mutates a value: it
puts a new one. So an outside store can keep a change in an overlay, drop it, and undo a part of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

Bucket = tuple[str, ...]


class Cells(Protocol):
    """Reads see what was put before, committed or not. `mark` and `undo` bracket one account's part of a record."""

    def get(self, bucket: Bucket, member: str = "") -> Any:
        """The value, or `None` where there is none."""

    def put(self, bucket: Bucket, member: str, value: Any) -> None:
        """Set the value; `None` deletes."""

    def members(self, bucket: Bucket) -> Iterator[tuple[str, Any]]:
        """The bucket's members and values, ordered by member; a snapshot, so puts during the iteration are fine."""

    def mark(self) -> int:
        """A point to return to with `undo`, valid until the overlay is committed or dropped."""

    def undo(self, mark: int) -> None:
        """Take back every put since `mark`."""


class Ids(Protocol):
    """Ids of counted events. An entry is opaque bytes to the store but for its first 8: the big-endian microsecond
    after which it may be forgotten."""

    def find(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """The entry of each key, staged ones included."""

    def add(self, key: bytes, entry: bytes) -> None:
        """Stage an entry; it replaces one under the same key."""

    def mark(self) -> int:
        """As `Cells.mark`."""

    def undo(self, mark: int) -> None:
        """As `Cells.undo`."""


class DictCells:
    """`Cells` over a dictionary of dictionaries: what `simulate` and the tests use, and the overlay's reference."""

    def __init__(self) -> None:
        self._buckets: dict[Bucket, dict[str, Any]] = {}
        self._journal: list[tuple[Bucket, str, Any]] = []

    def get(self, bucket: Bucket, member: str = "") -> Any:
        found = self._buckets.get(bucket)
        return None if found is None else found.get(member)

    def put(self, bucket: Bucket, member: str, value: Any) -> None:
        self._journal.append((bucket, member, self.get(bucket, member)))
        self._set(bucket, member, value)

    def members(self, bucket: Bucket) -> Iterator[tuple[str, Any]]:
        return iter(sorted(self._buckets.get(bucket, {}).items()))

    def mark(self) -> int:
        return len(self._journal)

    def undo(self, mark: int) -> None:
        while len(self._journal) > mark:
            self._set(*self._journal.pop())

    def _set(self, bucket: Bucket, member: str, value: Any) -> None:
        if value is not None:
            self._buckets.setdefault(bucket, {})[member] = value
        elif bucket in self._buckets:
            self._buckets[bucket].pop(member, None)
            if not self._buckets[bucket]:
                del self._buckets[bucket]


class DictIds:
    """`Ids` over a dictionary."""

    def __init__(self) -> None:
        self._entries: dict[bytes, bytes] = {}
        self._journal: list[tuple[bytes, bytes | None]] = []

    def find(self, keys: Sequence[bytes]) -> list[bytes | None]:
        return [self._entries.get(key) for key in keys]

    def add(self, key: bytes, entry: bytes) -> None:
        self._journal.append((key, self._entries.get(key)))
        self._entries[key] = entry

    def mark(self) -> int:
        return len(self._journal)

    def undo(self, mark: int) -> None:
        while len(self._journal) > mark:
            key, before = self._journal.pop()
            if before is None:
                del self._entries[key]
            else:
                self._entries[key] = before
