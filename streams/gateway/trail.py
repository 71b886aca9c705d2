"""Committed events that no figure will ever count: copies of counted ones, or rejected. Their holds end too, a little later.

An event is past when what NORMALIZE made of it is on the log, RATE has rated that, and all that RATE wrote by then is read
here. Each look asks for one of these in turn, so no order of asking can claim too much:

    looked at: the group's offsets of the raw topic, then the log's end; later RATE's offset, then the ends of what it told
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from operator import ge
from typing import NamedTuple

from rating.records import Position
from rating.reservations import Hold, HoldKey, Place

Ends = tuple[int, ...]
"""Ends of one partition of each topic that RATE tells the gateway on."""


class Look(NamedTuple):
    """What one look saw, in the order in which it was asked; numbers are partitions of the log."""

    normalized: Mapping[Place, int]
    log_end: Mapping[int, int]
    rated: Mapping[int, int]
    told_ends: Mapping[int, Ends]


class _Mark(NamedTuple):
    origin: Position
    logged_before: int | None = None
    told_before: Ends | None = None


class Trail:
    """How far each event is; `at` says up to where a partition of these topics is read."""

    def __init__(self, number_of: Callable[[Hold], int], at: Callable[[int], Ends]) -> None:
        self._number_of = number_of
        self._at = at
        self._marks: dict[HoldKey, _Mark] = {}

    def past(self, holds: Iterable[Hold], look: Look) -> list[HoldKey]:
        """Those of these holds whose events went the whole way."""
        marks: dict[HoldKey, _Mark] = {}
        found = []
        for hold in holds:
            if hold.origin is None:
                continue
            mark = self._marks.get(hold.key)
            if mark is None or mark.origin != hold.origin:
                mark = _Mark(hold.origin)
            number = self._number_of(hold)
            mark = _on(mark, number, look)
            if mark.told_before is not None and all(map(ge, self._at(number), mark.told_before)):
                found.append(hold.key)
            else:
                marks[hold.key] = mark
        self._marks = marks
        return found


def _on(mark: _Mark, number: int, look: Look) -> _Mark:
    place = mark.origin.topic, mark.origin.partition
    if mark.logged_before is None:
        if look.normalized.get(place, 0) > mark.origin.offset and number in look.log_end:
            return mark._replace(logged_before=look.log_end[number])
        return mark
    if mark.told_before is None and look.rated.get(number, -1) >= mark.logged_before:
        end = look.told_ends.get(number)
        return mark if end is None else mark._replace(told_before=end)
    return mark
