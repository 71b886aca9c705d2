"""The cells of one partition in memory: what is committed, and over it the overlay of the transaction under way."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rating.cells import Bucket

_MISSING = object()
_Address = tuple[Bucket, str]


class Store:
    """`rating.cells.Cells` with an overlay: `changes`, then `merge` after the commit or `drop` after an abort."""

    def __init__(self) -> None:
        self._base: dict[Bucket, dict[str, Any]] = {}
        self._overlay: dict[Bucket, dict[str, Any]] = {}
        self._journal: list[tuple[Bucket, str, Any]] = []
        self.count = 0

    def get(self, bucket: Bucket, member: str = "") -> Any:
        changed = self._overlay.get(bucket)
        if changed is not None:
            value = changed.get(member, _MISSING)
            if value is not _MISSING:
                return value
        held = self._base.get(bucket)
        return None if held is None else held.get(member)

    def put(self, bucket: Bucket, member: str, value: Any) -> None:
        changed = self._overlay.get(bucket)
        if changed is None:
            changed = self._overlay[bucket] = {}
        self._journal.append((bucket, member, changed.get(member, _MISSING)))
        changed[member] = value

    def members(self, bucket: Bucket) -> Iterator[tuple[str, Any]]:
        held, changed = self._base.get(bucket), self._overlay.get(bucket)
        if not changed:
            # What is committed holds no `None`.
            return iter(sorted(held.items()) if held else ())
        merged = {**held, **changed} if held else changed
        return iter(sorted(item for item in merged.items() if item[1] is not None))

    def mark(self) -> int:
        return len(self._journal)

    def undo(self, mark: int) -> None:
        while len(self._journal) > mark:
            bucket, member, before = self._journal.pop()
            if before is _MISSING:
                self._overlay[bucket].pop(member, None)
            else:
                self._overlay[bucket][member] = before

    def changes(self) -> Iterator[tuple[Bucket, str, Any]]:
        """Every changed cell with its new value, `None` where it is gone."""
        for bucket, changed in self._overlay.items():
            for member, value in changed.items():
                yield bucket, member, value

    def merge(self) -> None:
        """The transaction is committed: the overlay is the state."""
        for bucket, changed in self._overlay.items():
            held = self._base.get(bucket)
            if held is None:
                held = self._base[bucket] = {}
            before = len(held)
            for member, value in changed.items():
                if value is None:
                    held.pop(member, None)
                else:
                    held[member] = value
            self.count += len(held) - before
            if not held:
                del self._base[bucket]
        self.drop()

    def drop(self) -> None:
        """The transaction did not happen: the state is what it was."""
        self._overlay = {}
        self._journal = []

    def load(self, bucket: Bucket, member: str, value: Any) -> None:
        """A cell of the changelog, at restore; `None` deletes."""
        held = self._base.setdefault(bucket, {})
        before = len(held)
        if value is None:
            held.pop(member, None)
        else:
            held[member] = value
        self.count += len(held) - before
        if not held:
            del self._base[bucket]
