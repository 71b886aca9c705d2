"""What an aggregation is: what it keeps of a group's usage, segment by segment, and the quantity that comes of it.

    update    usage of one segment is added, or taken back: the same step with `sign` −1
    quantity  `U(t)`: the aggregate of the first segments, up to the end of the last of them

What is kept of a segment is immutable plain data, `None` for nothing. What must be kept value by value (how often each was
seen, levels in their order) lies in cells of its own, `Values`, so that adding never reads more than it changes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, Protocol

from rating.cells import Bucket, Cells
from rating.numbers import QTY, quantity


class Entries(NamedTuple):
    """Readings: times in µs, values as read, and `source id` of each, which orders equal times. `keys` are there only
    for an aggregation that is `keyed`."""

    times: Sequence[int]
    values: Sequence[int | str]
    keys: Sequence[str]


class Span(NamedTuple):
    """The time that a quantity is of: the billing period's `[start, end)`, from when in it the charge is held, and the moment
    up to which usage runs. `carry` is the level that it began with, in 10⁻¹²."""

    start: int
    end: int
    held: int
    upto: int
    carry: int


class Values:
    """A group's own cells under a prefix."""

    def __init__(self, cells: Cells, bucket: Bucket, prefix: str = "") -> None:
        self._cells = cells
        self._bucket = bucket
        self._prefix = prefix

    def within(self, prefix: str) -> Values:
        """Those under a longer prefix."""
        return Values(self._cells, self._bucket, self._prefix + prefix)

    def get(self, member: str) -> Any:
        return self._cells.get(self._bucket, self._prefix + member)

    def put(self, member: str, value: Any) -> None:
        """`None` deletes."""
        self._cells.put(self._bucket, self._prefix + member, value)

    def clear(self) -> None:
        """Delete them all."""
        for member, _ in list(self.members()):
            self.put(member, None)

    def members(self) -> Iterator[tuple[str, Any]]:
        """In the order of their names."""
        cut = len(self._prefix)
        for member, value in self._cells.members(self._bucket):
            if member.startswith(self._prefix):
                yield member[cut:], value


class Aggregation(Protocol):
    """`keyed` where equal times need their events' keys. Segments are named by their starts, in order."""

    @property
    def keyed(self) -> bool: ...

    def update(self, kept: dict[int, Any], at: int, entries: Entries, sign: int, values: Values) -> None:
        """Add readings to the segment that starts at `at`, or take them back; changes `kept` by segment in place."""

    def quantity(self, kept: Sequence[tuple[int, Any]], span: Span, values: Values) -> int:
        """The aggregate of these first segments, in 10⁻¹²."""


def total(values: Sequence[int | str]) -> int:
    """The exact sum of readings, in 10⁻¹²."""
    try:
        return sum(values) * QTY  # type: ignore[arg-type]  # text among them is a TypeError, and taken the other way
    except TypeError:
        return sum(quantity(value) for value in values)
