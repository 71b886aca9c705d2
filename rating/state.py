"""The cells of rating: what is kept of each account, and under which key. Immutable named tuples of plain values.

("clock",)                                        clock, settings and undrained ticks of the partition
("catalog", tenant)                               the revision in force and the documents that packs refer to
("account", tenant, account)                      forwards, applied commands, parking
("sub", tenant, account)              sub         a subscription
("charge", tenant, account, sub)      charge|start  a charge or fee in a period, over all its groups
("fee", tenant, account, sub)         fee|start|length  what a fee comes to in one of its periods
("group", tenant, account, sub, charge, start)  dimensions  one group
("value", …the group's…, dimensions)  value       what an aggregation keeps apart, value by value
("level", tenant, account, sub, charge)  dimensions  a running level's changes, by period
("outcome", tenant, account, meter, match)  …     usage that waits for its outcome, and outcomes
("backfill", tenant, account)         key         an open backfill
("amended", tenant, root)             uid         what corrections made of an event
("grant", tenant, account)            grant       credits
("wait", tenant, account)             …           usage that waits for its subscription
("child", tenant, account)            account     one directly below it
("below", tenant, account)            account     one below it that has such usage
("unpriced", tenant, account)         sub         until when usage met no charge; of accounts in trees in all under ""
("limit", tenant, account)            key         a limit that a command set
("bound", tenant, account)            limit       a limit that has been looked at; its id
("gauge", tenant, account, limit)     start|subject  one window of it
("shown", tenant, account)            limit or limit/subject  what was told of a hard limit that no entitlement shows
("slid", tenant, account, limit, subject)  time   what counts in a sliding window
("told", tenant)                      partition|account  what was counted last for limits of the whole tenant
("rule", tenant, account)             key         how a rule stands
("ruled", tenant)                     account     the accounts that some rule stands for
("tally", tenant, account, series)    hour        what a rule's windows count, by the hour
("tally", tenant, account, series, "period")  sub|start  the same by billing period
("tallied", tenant, account)          over|series one window of it
("used", tenant, account, sub)        meter|start usage that counts for entitlements
("entitlement", tenant, account)      feature     the record that stands on the topic
("due",)                              tenant/account  when the account's next timer fires
"""

from __future__ import annotations

from typing import Any, NamedTuple

from rating.limits.state import Bound, Gauge

STATE_VERSION = 4
"""Of the rules and of what cells hold. A state of another is not gone on with: a worker refuses it."""
NEVER = 1 << 62
TENANT_ACCOUNT = ""
"""Where limits of a whole tenant are kept: no account is called so."""


class Closing(NamedTuple):
    """A period that has ended and is closed at `due`; `length` says whose calendar it is of. What is due at its close is
    booked first, its close lines after what expires then (`told`)."""

    due: int
    told: bool
    start: int
    end: int
    length: str


class Terms(NamedTuple):
    """What a subscription is on from `start` on. `anchor` −1 counts calendar periods; with `restarts` a whole period
    begins at `start`. `overrides` are the subscription's own, as JSON. `automatic` are those that no command named: a newer
    version's, a trial's end. `asked` is what the change to them named, as JSON: the rest is of the terms before. `trial` is
    time on a trial's plan."""

    start: int
    plan: str
    version: int
    storefront: str | None
    region: str | None
    channel: str | None
    overrides: str
    anchor: int
    restarts: bool
    automatic: bool = False
    asked: str = ""
    trial: bool = False


class Change(NamedTuple):
    """A change that is booked at `at`: the one that waits for the period's end (`waits`), or a trial's end.

    `terms` are the new ones of `change_plan`; `fields` the command's others, as JSON.
    """

    kind: str
    at: int
    prorate: bool | None
    terms: Terms | None
    fields: str
    waits: bool


class Subscription(NamedTuple):
    """`end` is `NEVER` while it runs. `cursor` is the moment up to which beginnings and changes are booked; `pauses` are
    `(from, to)`, empty where a `resume` is, `quantities` `(from, fee, count in 10⁻¹²)`, `prorated` `(moment, whether fees follow that change by time)`.
    State of periods that end by `cleaned` is forgotten."""

    id: str
    order: int
    start: int
    end: int
    timezone: str
    currency: str
    terms: tuple[Terms, ...]
    planned: tuple[Change, ...]
    pauses: tuple[tuple[int, int], ...]
    quantities: tuple[tuple[int, str, int], ...]
    prorated: tuple[tuple[int, bool], ...]
    cursor: int
    closing: tuple[Closing, ...]
    cleaned: int


class Burn(NamedTuple):
    """What a grant paid of a charge: its own amount, and what that is worth in money, both in 10⁻³⁶."""

    grant: str
    amount: int
    money: int


class ChargePeriod(NamedTuple):
    """A charge or fee of one period: sums over its groups, in 10⁻³⁶.

    By the start of each segment, in the charge's own unit: `raws` the prices before minimum and maximum, `totals` what
    they come to, as it stands on lines. `billed` and `credits` are money. `burns` are what grants paid, in the order of
    burning, neighbours of one grant merged. `units` and `units_paid` count a credit unit. `newest` is its latest usage.
    """

    order: int
    raws: tuple[tuple[int, int], ...]
    totals: tuple[tuple[int, int], ...]
    billed: int
    credits: int
    closed: bool
    burns: tuple[Burn, ...]
    late: int
    units: int
    units_paid: int
    newest: int


class FeePeriod(NamedTuple):
    """A fee of one of its periods: what of it stands on lines, in 10⁻¹², and on which terms it was written last; one that is due
    once, in the billing period that began at `start`."""

    booked: int
    terms: tuple[Any, ...] = ()
    start: int = -1


class Slot(NamedTuple):
    """A group's usage in one segment, by the segment's start.

    `events` is how many readings it has, `kept` what its aggregation keeps of them, `tally` what a price of events does. As
    they were priced last: `low` the usage up to the segment, `high` up to its end (10⁻¹²), `cost` what it costs (10⁻³⁶).
    """

    start: int
    events: int
    kept: Any
    low: int
    high: int
    cost: int
    tally: Any


class Group(NamedTuple):
    """One dimension group of a charge in a period: its segments and its running totals."""

    slots: tuple[Slot, ...]
    usage: int
    quantity: int
    amount: int
    revision: int


class Grant(NamedTuple):
    """Credits: amounts in 10⁻³⁶. `created` at the time of its command, or of its period's beginning; `order` is that of the log.
    `ahead` is what usage after the last period's end burnt before its rollover.

    `subscription` and `key` name the recurring grant of a plan that it is; `every` is the length of its periods.
    """

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
    subscription: str | None = None
    key: str = ""
    every: str = ""
    created: int = 0


class Standing(NamedTuple):
    """How a rule stands for an account. `mark` is that of the conditions that were looked at; they have held since `since`,
    −1 where they do not; it was last turned on at `turned`, −1 for never."""

    kind: str
    mark: str
    since: int = -1
    on: bool = False
    turned: int = -1


class Window(NamedTuple):
    """What counts in the hours from `start` on comes to `total`; `first` is the earliest hour in which something does. What
    was before `since` was not kept."""

    start: int
    total: int
    first: int
    since: int


class Waiting(NamedTuple):
    """An event, whole: all that rating and a rejection need of it. `counted` where an outcome has decided already that it
    counts, at its `time`."""

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
    backfill: str | None = None
    counted: bool = False
    groups: tuple[tuple[str, str], ...] = ()


class Kind(NamedTuple):
    """How a stored tuple becomes a cell's value again: its type, and the types of the tuples in its fields."""

    of: Any
    rows: tuple[tuple[str, Any], ...] = ()

    def restored(self, found: tuple[Any, ...]) -> Any:
        value = self.of(*found)
        if not self.rows:
            return value
        return value._replace(**{
            name: tuple(_row(of, row) for row in getattr(value, name)) for name, of in self.rows
        })  # fmt: skip


def _row(of: Any, row: tuple[Any, ...]) -> Any:
    made = of(*row)
    if of is Change and made.terms is not None:
        return made._replace(terms=Terms(*made.terms))
    return made


CELLS: dict[str, Kind] = {
    "sub": Kind(Subscription, (("terms", Terms), ("planned", Change), ("closing", Closing))),
    "charge": Kind(ChargePeriod, (("burns", Burn),)),
    "fee": Kind(FeePeriod),
    "group": Kind(Group, (("slots", Slot),)),
    "grant": Kind(Grant),
    "wait": Kind(Waiting),
    "bound": Kind(Bound),
    "gauge": Kind(Gauge),
    "rule": Kind(Standing),
    "tallied": Kind(Window),
}
"""Kinds of cells whose values are named tuples; the values of the others are stored as they are."""
