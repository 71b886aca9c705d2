"""An account as it stands at an instant: its running subscriptions, its grants, its events, what was rated so far.

What a line costs and what credits pay is audited elsewhere and taken as it came out; what counts, for which window, is
read from the events.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from tests.auditor.lifecycle.account import Books
from tests.auditor.lifecycle.measure import Event, Sample, aggregate, read
from tests.auditor.lifecycle.timeline import Period, Piece, Subscription, periods
from tests.auditor.lifecycle.words import Doc, exact, moment

CHARGES, LEDGER = "billing.charges.v1", "billing.ledger.v1"
RATED = ("usage", "correction")
NEVER = 2**62


@dataclass(frozen=True)
class Shown:
    """An output record; `value` is None for a tombstone."""

    topic: str
    key: str | None
    value: Any


@dataclass(frozen=True)
class Step:
    """An input, what came out before it as the clock went on, and what came out of it. The last step has no input."""

    line: Doc | None
    at: int
    ticked: list[Shown]
    own: list[Shown]


@dataclass(frozen=True)
class Run:
    """A subscription that runs: its periods so far and the piece that is now."""

    sub: Subscription
    lived: list[Period]

    @property
    def key(self) -> str:
        return self.sub.key

    @property
    def period(self) -> Period:
        return self.lived[-1]

    @property
    def piece(self) -> Piece:
        return self.period.pieces[-1]

    def piece_at(self, at: int) -> Piece | None:
        """What it was on at a time, where it ran then."""
        for period in self.lived:
            for piece in period.pieces:
                if piece.begin <= at < min(piece.end, period.stop):
                    return piece
        return None

    def outside_of_trial(self, window: tuple[int, int]) -> tuple[int, int]:
        """The part of a window that is all of the trial, or all after it."""
        begin, end = window
        for piece in self.period.pieces[:-1]:
            if piece.terms.trial != self.piece.terms.trial:
                begin = piece.end
        planned = [
            at
            for at, _, change in self.sub.changes
            if change["type"] == "trial_end" and at > self.piece.begin
        ]
        return begin, min([end, *planned]) if self.piece.terms.trial else end


@dataclass
class World:
    """All accounts of one tenant are one here: histories have a single account."""

    account: str
    books: Books
    features: list[Doc]
    now: int = -NEVER
    lines: list[Doc] = field(default_factory=list)
    balances: dict[str, Fraction] = field(default_factory=dict)
    grants: dict[str, tuple[str, int, int]] = field(default_factory=dict)
    ran: dict[str, Subscription] = field(default_factory=dict)
    _read: dict[tuple[str, tuple[str, str], int], Sample | None] = field(default_factory=dict)
    _runs: tuple[object, list[Run]] = (None, [])

    def take(self, doc: Doc, kind: str) -> None:
        """An input; grants are noted with their span."""
        self.books.clock = self.now
        if kind == "event":
            self.books.inbox.event(doc, self.now)
            return
        if doc["type"] == "grant_credits" and doc["grant"] not in self.grants:
            begin = moment(str(doc.get("effective_from", doc["time"])))
            self.grants[doc["grant"]] = (
                doc["unit"],
                begin,
                moment(doc["expires_at"]) if doc.get("expires_at") else NEVER,
            )
        self.books.command(doc)

    def came(self, shown: Iterable[Shown]) -> None:
        """Charge lines and ledger entries that came out."""
        for each in shown:
            if each.topic == CHARGES:
                self.lines.append(each.value)
            elif each.topic == LEDGER:
                self.balances[each.value["grant"]] = exact(each.value["balance"])

    def all_runs(self) -> list[Run]:
        """Every subscription that has begun, also those that are over."""
        version = (self.now, sum(len(sub.changes) for sub in self.books.subs.values()), len(self.books.subs))
        waiting = tuple(sub.waiting and sub.waiting[0] for sub in self.books.subs.values())
        if self._runs[0] != (version, waiting):
            found = []
            for sub in self.books.subs.values():
                sub.settle(self.now)
                lived = periods(sub, self.books.catalog, self.now)
                if lived:
                    found.append(Run(sub, lived))
            self._runs = ((version, waiting), found)
        return self._runs[1]

    def runs(self) -> list[Run]:
        """The subscriptions that run, in the order in which they were made."""
        return [run for run in self.all_runs() if run.period.open]

    def events(self) -> list[Event]:
        """What counts, in the order of the log."""
        return self.books.inbox.of(self.account)

    def balance(self, unit: str) -> Fraction:
        """What is left of all grants of a unit that are in effect."""
        held = [
            key for key, (own, begin, end) in self.grants.items() if own == unit and begin <= self.now < end
        ]
        return sum((self.balances.get(key, Fraction(0)) for key in held), Fraction(0))

    def read(self, meter: str, event: Event) -> Sample | None:
        """The event as a meter reads it."""
        name = meter, event.order, event.number
        if name not in self._read:
            self._read[name] = read(self.books.catalog.meters[meter], event)
        return self._read[name]

    def counted(self, meter: str, begin: int, end: int, events: Iterable[Event]) -> list[Sample]:
        """What a meter reads of events of `[begin, end)`."""
        found = [self.read(meter, each) for each in events if begin <= each.time < end]
        return sorted((each for each in found if each), key=lambda each: (each.time, each.event.order))

    def total(self, meter: str, found: list[Sample], zone: str) -> Fraction:
        """The aggregate of a meter."""
        return aggregate(self.books.catalog.meters[meter], found, zone)

    def instants(self) -> Iterator[int]:
        """When something of a subscription or grant happens by itself."""
        for sub in self.books.subs.values():
            yield sub.start
            yield from (change[0] for change in sub.changes)
            if sub.waiting:
                yield sub.waiting[0]
        for run in self.runs():
            yield run.period.end
            yield run.piece.end
        for _, begin, end in self.grants.values():
            yield begin
            yield end
