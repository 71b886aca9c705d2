"""Reservations under any order of requests, commits, releases, expiry and counting: nothing is sold twice, nothing counted twice.

A model beside it keeps every unit in one of four places: free, held, on its way, used. What the gateway says is available is
never more than what the model has free, and exactly that once everything is counted.
"""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from rating.availability import BALANCE, Bound, decide
from rating.records import Position
from rating.reservations import COMMITTED, Book, BoundKey, Hold, HoldKey

CASES = 300
INCLUDED = 1_000
RAW = ("usage.events.v1", 0)
BOUND = BoundKey("t", "a", "feature", "f")
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("reserve"), st.integers(1, 400), st.integers(1, 50)),
        st.tuples(st.just("commit"), st.integers(0, 30), st.just(0)),
        st.tuples(st.just("release"), st.integers(0, 30), st.just(0)),
        st.tuples(st.just("count"), st.integers(1, 5), st.just(0)),
        st.tuples(st.just("wait"), st.integers(1, 40), st.just(0)),
        st.tuples(st.just("restart"), st.just(0), st.just(0)),
    ),
    max_size=60,
)


class Life:
    """A gateway's book beside the truth: what was published, and how much of that rating has told."""

    def __init__(self) -> None:
        self.book = Book()
        self.now = self.told = 0
        self.events: list[int] = []
        self.holds: dict[str, tuple[int, int]] = {}
        """Granted and expiry of what is neither committed nor released."""

    @property
    def used(self) -> int:
        return sum(self.events[: self.told])

    def free(self) -> int:
        held = sum(granted for granted, expires in self.holds.values() if expires > self.now)
        return INCLUDED - sum(self.events) - held

    def available(self) -> int:
        return self.bound().rest

    def bound(self) -> Bound:
        claimed = self.book.claimed(BOUND, {RAW: self.told - 1}, self.now)
        return Bound(BOUND, BALANCE, INCLUDED - self.used - claimed)

    def reserve(self, quantity: int, ttl: int) -> None:
        name = f"r{len(self.events)}-{len(self.holds)}-{self.now}-{len(self.book)}"
        decision = decide([self.bound()], quantity, None)
        assert bool(decision.granted) == (quantity <= self.free()), "granted just where there is enough"
        if decision.granted:
            key = HoldKey("t", "a", name)
            self.book.put(Hold(key, "a", "f", str(quantity), None, {BOUND: quantity}, self.now + ttl, ""))
            self.holds[name] = quantity, self.now + ttl

    def commit(self, number: int) -> None:
        if number < len(self.holds):
            name = list(self.holds)[number]
            granted, expires = self.holds[name]
            if expires <= self.now and granted > self.free():
                return  # Usage after expiry may pass what is left: the gateway has no say in it.
            del self.holds[name]
            key = HoldKey("t", "a", name)
            self.book.commit(key, "", self.now)
            self.book.place(key, Position(*RAW, len(self.events)))
            self.events.append(granted)

    def release(self, number: int) -> None:
        if number < len(self.holds):
            name = list(self.holds)[number]
            del self.holds[name]
            self.book.release(HoldKey("t", "a", name), self.now)

    def restart(self) -> None:
        """Another gateway takes over with what is on the topic: every hold as it was last written."""
        before, self.book = self.book, Book()
        for name, (granted, expires) in self.holds.items():
            self.book.put(Hold(HoldKey("t", "a", name), "a", "f", "", None, {BOUND: granted}, expires, ""))
        for hold in before.under_way():
            origin = hold.origin
            self.book.put(
                Hold(
                    hold.key,
                    "a",
                    "f",
                    "",
                    None,
                    hold.claims,
                    hold.expires,
                    "",
                    state=COMMITTED,
                    origin=origin,
                )
            )


@settings(max_examples=CASES, deadline=None, derandomize=True)
@given(STEPS)
def test_every_unit_is_in_one_place(steps: list[tuple[str, int, int]]) -> None:
    life = Life()
    for kind, first, second in steps:
        if kind == "reserve":
            life.reserve(first, second)
        elif kind == "commit":
            life.commit(first)
        elif kind == "release":
            life.release(first)
        elif kind == "count":
            life.told = min(len(life.events), life.told + first)
        elif kind == "wait":
            life.now += first
        else:
            life.restart()
        assert life.available() == life.free()
