"""Reservations: what of a bound is held back, from the grant until the usage is counted. Time is handed in.

    open ──commit──> committed ──(counted)──> nothing is held
      ├──release──> released                  nothing is held
      └──time────> expired                    nothing is held; a commit is usage all the same

A hold has claims: what it takes of each bound (a feature's quantity, a limit's amount, a unit's credits). A committed
hold knows where its event stands on the raw topic; whoever asks what is claimed says which positions the bound's own
figure counts already (`covers`), and a claim that is counted there is gone for good. So neither both nor none count.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from rating.records import Position


class BoundKey(NamedTuple):
    """What bounds: `kind` is feature, limit or unit, `name` its key, of one account."""

    tenant: str
    account: str
    kind: str
    name: str


class HoldKey(NamedTuple):
    """A reservation's name."""

    tenant: str
    account: str
    id: str


Place = tuple[str, int]
"""A raw topic and one of its partitions."""
Covers = Mapping[Place, int]
"""The last offset of each raw partition that a figure counts."""
OPEN, COMMITTED, RELEASED = "open", "committed", "released"


@dataclass(slots=True)
class Hold:
    """A reservation. `claims` at the bounds' own scales, times in microseconds, `request` a digest of what was asked.

    `event` stands for the committed event (a digest), `origin` says where it is on the raw topic, once it is there.
    """

    key: HoldKey
    root: str
    feature: str
    granted: str
    available: str | None
    claims: Mapping[BoundKey, int]
    expires: int
    request: str
    subject: str | None = None
    state: str = OPEN
    event: str = ""
    origin: Position | None = None
    ended: int | None = None
    held: set[BoundKey] = field(default_factory=set)
    """The bounds that still have its claim."""


class Book:
    """All reservations that one owner keeps."""

    def __init__(self) -> None:
        self._holds: dict[HoldKey, Hold] = {}
        self._open: dict[BoundKey, int] = {}
        self._under_way: dict[BoundKey, dict[HoldKey, Hold]] = {}
        self._due: list[tuple[int, HoldKey]] = []
        self._over: list[tuple[int, HoldKey]] = []

    def __len__(self) -> int:
        return len(self._holds)

    def get(self, key: HoldKey) -> Hold | None:
        """The reservation of this name, whatever became of it."""
        return self._holds.get(key)

    def put(self, hold: Hold) -> None:
        """Take a hold in: a new one, or one that was kept elsewhere, in the state that it has."""
        self.drop(hold.key)
        self._holds[hold.key] = hold
        hold.held = set(hold.claims) if hold.state != RELEASED else set()
        for bound in hold.held:
            if hold.state == OPEN:
                self._open[bound] = self._open.get(bound, 0) + hold.claims[bound]
            else:
                self._under_way.setdefault(bound, {})[hold.key] = hold
        if hold.state == OPEN:
            heapq.heappush(self._due, (hold.expires, hold.key))
        if hold.ended is not None:
            heapq.heappush(self._over, (hold.ended, hold.key))

    def commit(self, key: HoldKey, event: str, now: int) -> Hold:
        """The event is on its way. What had expired or was released holds again until it is counted."""
        hold = self._holds[key]
        self._let_go(hold)
        hold.state, hold.event = COMMITTED, event
        self._end(hold, now)
        hold.held = set(hold.claims)
        for bound in hold.held:
            self._under_way.setdefault(bound, {})[key] = hold
        return hold

    def release(self, key: HoldKey, now: int) -> Hold:
        """Nobody needs it."""
        hold = self._holds[key]
        self._let_go(hold)
        hold.state = RELEASED
        self._end(hold, now)
        return hold

    def place(self, key: HoldKey, origin: Position) -> None:
        """Where the committed event is on the raw topic."""
        self._holds[key].origin = origin

    def claimed(self, bound: BoundKey, covers: Covers, now: int) -> int:
        """What is held of a bound whose own figure counts events up to `covers`."""
        self.expire(now)
        under_way = self._under_way.get(bound)
        if not under_way:
            return self._open.get(bound, 0)
        for hold in [hold for hold in under_way.values() if _is_covered(hold.origin, covers)]:
            self._let_go_of(hold, bound)
        return self._open.get(bound, 0) + sum(hold.claims[bound] for hold in under_way.values())

    def expire(self, now: int) -> None:
        """End what is due; the record of it stays, so that the answer to its request does."""
        while self._due and self._due[0][0] <= now:
            due, key = heapq.heappop(self._due)
            hold = self._holds.get(key)
            if hold is not None and hold.state == OPEN and hold.expires == due and hold.held:
                self._let_go(hold)
                self._end(hold, due)

    def settle(self, key: HoldKey) -> None:
        """The committed event went its way, and no figure will ever count it: a duplicate, or rejected."""
        self._let_go(self._holds[key])

    def under_way(self) -> Iterator[Hold]:
        """Committed holds with a claim that is not counted."""
        return iter({key: hold for holds in self._under_way.values() for key, hold in holds.items()}.values())

    def forgettable(self, before: int, most: int) -> list[HoldKey]:
        """Some of those that ended before a time and hold nothing. They are told once; a caller that fails asks no more."""
        found: list[HoldKey] = []
        kept = []
        while self._over and self._over[0][0] < before and len(found) < most:
            ended, key = heapq.heappop(self._over)
            hold = self._holds.get(key)
            if hold is None or hold.ended != ended:
                continue
            if hold.held:
                kept.append((ended, key))
            else:
                found.append(key)
        for each in kept:
            heapq.heappush(self._over, each)
        return found

    def drop(self, key: HoldKey) -> None:
        """Forget a hold, if it is there."""
        hold = self._holds.pop(key, None)
        if hold is not None:
            self._let_go(hold)

    def _end(self, hold: Hold, time: int) -> None:
        hold.ended = time
        heapq.heappush(self._over, (time, hold.key))

    def _let_go(self, hold: Hold) -> None:
        for bound in list(hold.held):
            self._let_go_of(hold, bound)

    def _let_go_of(self, hold: Hold, bound: BoundKey) -> None:
        hold.held.discard(bound)
        if hold.state == OPEN:
            left = self._open[bound] - hold.claims[bound]
            if left:
                self._open[bound] = left
            else:
                del self._open[bound]
        else:
            under_way = self._under_way[bound]
            del under_way[hold.key]
            if not under_way:
                del self._under_way[bound]


def _is_covered(origin: Position | None, covers: Covers) -> bool:
    return origin is not None and covers.get((origin.topic, origin.partition), -1) >= origin.offset
