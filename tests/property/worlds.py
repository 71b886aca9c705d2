"""Catalogs, subscriptions and usage drawn for the properties of rating, and what that usage comes to.

All usage is of the last day of February and the first hour of March, received at `NOW`, when neither period has closed:
so its order is free, and its periods are two. Plans have charges over every aggregation and model of `MODELS`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from hypothesis import strategies as st

from rating.times import HOUR, MINUTE, format_time, parse_time
from tests.auditor.pricing import audited
from tests.property.partition import TENANT

Doc = dict[str, Any]
Whole = tuple[str, str, str, str]
"""Account, subscription, charge, start of the period."""
Group = tuple[str, str, str, str, tuple[str, ...]]
"""The same, and the values of the charge's dimensions."""
BEGIN = parse_time("2026-02-28T00:00:00Z")
TURN = parse_time("2026-03-01T00:00:00Z")
NOW = TURN + HOUR // 2
CLOSED = TURN + 26 * HOUR
"""A moment at which February is closed, and the first of March where it is a period."""
ACCOUNTS = ("ann", "bob")
METERS: dict[str, tuple[str, str | None, tuple[str, ...]]] = {
    "tokens": ("sum", "tokens", ("model", "region")),
    "calls": ("count", None, ("model",)),
    "peak": ("max", "tokens", ("model", "region")),
    "users": ("unique", "user", ("region",)),
}
"""Aggregation, property and dimensions of each meter."""
AMOUNTS = st.sampled_from(("0", "0.001", "2", "15.000000000001"))
UNIT_AMOUNTS = st.sampled_from(("0", "0.37", "2", "15.000000000000001"))
BOUNDS = st.lists(st.sampled_from(("1", "2.5", "3", "7", "20")), unique=True, max_size=3).map(
    lambda bounds: [*sorted(bounds, key=Fraction), None]
)


@st.composite
def _tiers(draw: st.DrawFn) -> list[Doc]:
    return [
        {"up_to": bound, "unit_amount": draw(UNIT_AMOUNTS), "flat_amount": draw(AMOUNTS)}
        for bound in draw(BOUNDS)
    ]


@st.composite
def _steps(draw: st.DrawFn) -> list[Doc]:
    return [{"up_to": bound, "flat_amount": draw(AMOUNTS)} for bound in draw(BOUNDS)]


@st.composite
def _rates(draw: st.DrawFn) -> list[Doc]:
    rates = st.sampled_from(("0", "2.5", "33.333333"))
    return [{"up_to": bound, "rate": draw(rates), "flat_amount": draw(AMOUNTS)} for bound in draw(BOUNDS)]


MODELS: dict[str, st.SearchStrategy[Doc]] = {
    "flat": st.fixed_dictionaries({"amount": AMOUNTS}),
    "per_unit": st.fixed_dictionaries({"unit_amount": UNIT_AMOUNTS}),
    "graduated": st.fixed_dictionaries({"tiers": _tiers()}),
    "volume": st.fixed_dictionaries({"tiers": _tiers()}),
    "stairstep": st.fixed_dictionaries({"tiers": _steps()}),
    "graduated_percentage": st.fixed_dictionaries({"tiers": _rates()}),
    "package": st.fixed_dictionaries(
        {
            "package_size": st.sampled_from(("1", "3", "2.5")),
            "package_amount": AMOUNTS,
            "free_units": st.sampled_from(("0", "2")),
            "round": st.sampled_from(("up", "down")),
        }
    ),
}
MODIFIERS = st.fixed_dictionaries(
    {},
    optional={
        "included": st.sampled_from(("1", "4.5")),
        "discount_percent": st.sampled_from(("12.5", "33.3333")),
        "convert": st.sampled_from(({"divide": "3"}, {"multiply": "0.5", "round": "up"})),
    },
)


COMMITMENTS = st.fixed_dictionaries(
    {"overage_factor": st.sampled_from(("1", "0.5", "2.125")), "true_up": st.booleans()}
).flatmap(
    lambda fields: st.sampled_from(
        ({"commitment": fields | {"amount": "7"}}, {"commitment": fields | {"quantity": "3.5"}})
    )
)
BOUNDED: st.SearchStrategy[Doc] = st.tuples(
    st.one_of(st.just({}), st.sampled_from(({"minimum": "0.5"}, {"minimum": "9"})), COMMITMENTS),
    st.sampled_from(({}, {"maximum": "12"}, {"maximum": "40.25"})),
).map(lambda both: {**both[0], **both[1]})


@st.composite
def charges(draw: st.DrawFn, key: str, bounded: bool) -> Doc:
    """A charge on some meter, with some of its dimensions; `bounded` with minimum and maximum over its groups."""
    meter = draw(st.sampled_from(sorted(METERS)))
    model = draw(st.sampled_from(sorted(MODELS)))
    names = METERS[meter][2]
    dimensions = draw(st.lists(st.sampled_from(names), unique=True, max_size=len(names)))
    charge = {"key": key, "meter": meter, "price": {"model": model, **draw(MODELS[model])}, **draw(MODIFIERS)}
    charge |= draw(BOUNDED) if bounded else {}
    return charge | ({"dimensions": dimensions} if dimensions else {})


@dataclass(frozen=True)
class World:
    """`subscriptions` are (account, subscription, plan, start)."""

    catalog: Doc
    subscriptions: tuple[tuple[str, str, str, int], ...]
    events: tuple[Doc, ...]

    def charges(self, plan: str) -> list[Doc]:
        """The charges of a plan."""
        return next(list(each["charges"]) for each in self.catalog["plans"] if each["key"] == plan)

    def subscribes(self) -> list[Doc]:
        """The commands that subscribe."""
        return [
            command(
                f"subscribe-{name}",
                account,
                "subscribe",
                subscription=name,
                plan=plan,
                start=format_time(start),
            )
            for account, name, plan, start in self.subscriptions
        ]

    def prices(self, events: Iterable[Doc] | None = None) -> dict[Group, Fraction]:
        """The auditor's price of each group that has usage, no bounds over groups counted in."""
        taken = self.events if events is None else events
        return {
            (*whole, dims): price(charge, found)
            for whole, charge in self.rules().items()
            for dims, found in self.used(whole, taken).items()
        }

    def bills(self) -> dict[Whole, Fraction]:
        """The auditor's price of each charge in each period, once that is closed."""
        return {
            whole: audited(
                charge,
                {
                    "events": [
                        {
                            "value": aggregate(charge["meter"], found),
                            "dimensions": dict(zip(names, dims, strict=True)),
                        }
                        for dims, found in self.used(whole, self.events).items()
                    ]
                },
            )
            for whole, charge in self.rules().items()
            for names in [charge.get("dimensions", ())]
        }

    def rules(self) -> dict[Whole, Doc]:
        """The charge of each subscription in each of the two periods that it has."""
        return {
            (account, name, charge["key"], self.period(plan, time)): charge
            for account, name, plan, start in self.subscriptions
            for charge in self.charges(plan)
            for time in (BEGIN, TURN)
            if time >= start
        }

    def used(self, whole: Whole, events: Iterable[Doc]) -> dict[tuple[str, ...], list[Doc]]:
        """The events of a charge's period by the values of its dimensions."""
        account, name, _, period = whole
        plan, start = next((plan, start) for _, sub, plan, start in self.subscriptions if sub == name)
        dimensions = self.rules()[whole].get("dimensions", ())
        found: dict[tuple[str, ...], list[Doc]] = defaultdict(list)
        for event in events:
            time = parse_time(event["time"])
            if event["subject"] == account and time >= start and self.period(plan, time) == period:
                found[tuple(event["data"][each] for each in dimensions)].append(event)
        return found

    def period(self, plan: str, time: int) -> str:
        """Where the period of a time begins."""
        length = next(each["period"] for each in self.catalog["plans"] if each["key"] == plan)
        if time >= TURN:
            return format_time(TURN)
        return format_time(first_period(length))


def first_period(length: str) -> int:
    """Where the period of `BEGIN` begins."""
    return BEGIN if length == "day" else parse_time("2026-02-01T00:00:00Z")


def price(charge: Doc, events: list[Doc]) -> Fraction:
    """What the auditor makes of one group's events."""
    rule = {name: value for name, value in charge.items() if name != "dimensions"}
    return audited(rule, {"quantity": aggregate(charge["meter"], events)})


def aggregate(meter: str, events: list[Doc]) -> Fraction:
    """A meter's aggregate over events, by hand."""
    kind, name, _ = METERS[meter]
    found = [event["data"][name] if name else 1 for event in events]
    if kind == "unique":
        return Fraction(len(set(found)))
    numbers = [Fraction(value) for value in found]
    return max(numbers, default=Fraction(0)) if kind == "max" else sum(numbers, Fraction(0))


def command(name: str, account: str, kind: str, time: int = NOW, **fields: Any) -> Doc:
    """A command as an admin sends it."""
    return {
        "id": name,
        "tenant": TENANT,
        "account": account,
        "type": kind,
        "time": format_time(time),
        **fields,
    }


def event(number: int, account: str, time: int, **data: Any) -> Doc:
    """A usage event."""
    return {
        "specversion": "1.0", "id": f"e{number}", "source": "gw", "type": "use", "tenant": TENANT, "subject": account,
        "time": format_time(time), "data": data,
    }  # fmt: skip


_EVENTS = st.tuples(
    st.sampled_from(ACCOUNTS),
    st.integers(0, (NOW - BEGIN) // MINUTE // 10).map(lambda tens: BEGIN + tens * 10 * MINUTE),
    st.fixed_dictionaries(
        {
            "tokens": st.sampled_from(("0", "1", "2.5", "0.000000000001", "6", "-1.5")),
            "model": st.sampled_from(("large", "small")),
            "region": st.sampled_from(("eu", "us")),
            "user": st.sampled_from(("u1", "u2", "u3")),
        }
    ),
)


@st.composite
def worlds(draw: st.DrawFn, events_max: int = 24, bounded: bool = False) -> World:
    """A catalog of two plans, both accounts subscribed to one or both of them, and usage."""
    plans: list[Doc] = []
    for plan in ("basic", "extra"):
        count = draw(st.integers(1, 3))
        plans.append(
            {
                "key": plan, "version": 1, "effective_from": "2025-01-01T00:00:00Z", "currency": "USD",
                "period": draw(st.sampled_from(("day", "month"))),
                "charges": [draw(charges(f"c{number}", bounded)) for number in range(count)],
            }
        )  # fmt: skip
    basic, extra = (first_period(plan["period"]) for plan in plans)
    subscriptions = [
        ("ann", "a1", "basic", basic),
        ("ann", "a2", "extra", TURN),
        ("bob", "b1", "extra", extra),
    ]
    found = draw(st.lists(_EVENTS, min_size=1, max_size=events_max))
    return World(
        {"meters": [draw(_meters(key)) for key in METERS], "plans": plans},
        tuple(subscriptions),
        tuple(event(number, account, time, **data) for number, (account, time, data) in enumerate(found)),
    )


@st.composite
def _meters(draw: st.DrawFn, key: str) -> Doc:
    kind, name, dimensions = METERS[key]
    window = draw(st.sampled_from(("1m", "1h", "1d")))
    meter: Doc = {"key": key, "event_type": "use", "aggregation": kind, "unit": "unit", "window": window}
    meter |= {"group_by": {each: f"$.{each}" for each in dimensions}}
    return meter | ({"value": f"$.{name}"} if name else {})
