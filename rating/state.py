"""The cells of rating: what is kept of each account, and under which key. Immutable named tuples of plain values.

("clock",)                                        clock, settings and undrained ticks of the partition
("catalog", tenant)                               the revision in force and the documents that packs refer to
("account", tenant, account)                      forwards, applied commands, parking
("sub", tenant, account)              sub         a subscription
("charge", tenant, account, sub)      charge|start  a charge or fee in a period, over all its groups
("group", tenant, account, sub, charge, start)  dimensions  one group
("value", …the group's…, dimensions)  value       how often a value was seen, for the aggregates that need it
("grant", tenant, account)            grant       credits
("wait", tenant, account)             …           usage that waits for its subscription
("due",)                              tenant/account  when the account's next timer fires
"""

from __future__ import annotations

from typing import Any, NamedTuple

STATE_VERSION = 1
NEVER = 1 << 62


class Closing(NamedTuple):
    """A period that has ended and is closed at `due`; `length` says whose calendar it is of."""

    due: int
    start: int
    end: int
    length: str


class Subscription(NamedTuple):
    """`end` is `NEVER` while it runs. `cursor` is the moment up to which beginnings of periods are booked."""

    id: str
    order: int
    plan: str
    version: int
    start: int
    end: int
    timezone: str
    anchor: int
    currency: str
    storefront: str | None
    region: str | None
    channel: str | None
    overrides: str
    quantities: str
    cursor: int
    closing: tuple[Closing, ...]
    cancel_at: int
    cleaned: int


class ChargePeriod(NamedTuple):
    """A charge or fee of one period: sums over its groups, in 10⁻³⁶. `raw` is before minimum and maximum.

    `burns` are what grants paid, in the order of burning, neighbours of one grant merged.
    """

    order: int
    raw: int
    billed: int
    credits: int
    closed: bool
    burns: tuple[tuple[str, int], ...]
    late: int


class Group(NamedTuple):
    """One dimension group of a charge in a period. `aggregate` is what its meter's aggregation keeps."""

    aggregate: Any
    quantity: int
    price: int
    amount: int
    revision: int


class Grant(NamedTuple):
    """Credits: amounts in 10⁻³⁶. `ahead` is what usage after the last period's end burnt before its rollover."""

    amount: int
    unit: str
    priority: int
    effective: int
    expires: int
    order: int
    balance: int
    entries: int
    charges: tuple[str, ...] | None
    meters: tuple[str, ...] | None
    rollover: tuple[int, int] | None
    rolled: int
    ahead: int
    ended: str


class Waiting(NamedTuple):
    """An event that waits: all that rating and a rejection need of it."""

    subscription: str | None
    source: str
    id: str
    type: str
    subject: str
    time: int
    received: int
    data: bytes
    revision: int
    readings: tuple[tuple[str, int | str, tuple[str, ...]], ...]
    origin: tuple[str, int, int]


class Kind(NamedTuple):
    """How a stored tuple becomes a cell's value again: its type, and the type of the tuples in one of its fields."""

    of: Any
    field: str = ""
    rows: Any = None

    def restored(self, found: tuple[Any, ...]) -> Any:
        value = self.of(*found)
        if not self.field:
            return value
        rows = tuple(self.rows(*row) for row in getattr(value, self.field))
        return value._replace(**{self.field: rows})


CELLS: dict[str, Kind] = {
    "sub": Kind(Subscription, "closing", Closing),
    "charge": Kind(ChargePeriod),
    "group": Kind(Group),
    "grant": Kind(Grant),
    "wait": Kind(Waiting),
}
"""Kinds of cells whose values are named tuples; the values of the others are stored as they are."""
