"""Plans as policies: what a subscription is charged, granted, allowed and bounded by. Overrides are merged before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

from rating import numbers
from rating.catalog.limits import Limit, limit_from
from rating.charge import Rule, rule_from
from rating.errors import Refused
from rating.times import HOUR, parse_duration, parse_time

Doc = Mapping[str, Any]
GRACE = HOUR
QTY: int = numbers.QTY
PRIORITY = 50


class Fee(NamedTuple):
    """A fixed charge. `amount` in 10⁻¹² of the currency, `quantity` in 10⁻¹²; `timing` advance or arrears; `every`
    period, once, or a multiple of the plan's period."""

    key: str
    amount: int
    timing: str
    every: str
    quantity: int
    prorate: bool

    def cost(self, quantity: int | None = None) -> int:
        """`quantity × amount` in 10⁻¹². Raises `Refused` where that has more than 12 fractional digits."""
        count = self.quantity if quantity is None else quantity
        product: int = self.amount * count
        if product % QTY:
            raise Refused(
                f"fee {self.key}: quantity × amount has more than {numbers.QTY_DIGITS} fractional digits; "
                "give a quantity with fewer"
            )
        return product // QTY


@dataclass(frozen=True)
class Charge:
    """Usage of one meter under a price. `unit` is the credit unit that it is priced in, if any."""

    key: str
    meter: str
    dimensions: tuple[str, ...]
    unit: str | None
    prorate: bool
    doc: Doc = field(repr=False)

    @cached_property
    def rule(self) -> Rule:
        """The compiled price and modifiers. `doc` was checked, so this raises nothing."""
        return rule_from(self.doc)

    @cached_property
    def is_plain(self) -> bool:
        """Whether it prices one quantity of the whole period, in money."""
        return self.rule.price.kind == "quantity" and self.unit is None and self.rule.by_window is None

    @property
    def model(self) -> str:
        """The price model's name."""
        return str(self.doc["price"]["model"])


class Entitlement(NamedTuple):
    """Access to a feature. `included` in 10⁻¹²; `overage` allowed, denied, or `None` where the plan's prices decide."""

    feature: str
    value: Any
    included: int | None
    overage: str | None
    unit: str | None
    prorate: bool


class Rollover(NamedTuple):
    """What is left becomes `min(max, max(min, left))`, both in 10⁻¹²; `max` `None` has no bound."""

    min: int
    max: int | None


class RecurringGrant(NamedTuple):
    """Credits of a plan, `amount` in 10⁻¹² of `unit`. `expires_after` is a number of its periods, a duration in
    microseconds (`expires_duration`), or neither: never."""

    key: str
    unit: str
    amount: int
    every: str
    expires_periods: int | None
    expires_duration: int | None
    rollover: Rollover | None
    priority: int
    prorate: bool
    applies_to: Doc


class Trial(NamedTuple):
    """Time on another plan; `then` is `cancel`, a plan's key, or `None` for the subscribed plan."""

    plan: str
    duration: int
    eligible: str | None
    then: str | None


@dataclass(frozen=True, slots=True)
class Plan:
    """One version of a plan. Times and `grace` in microseconds, `conversion_rates` in 10⁻⁶ of the currency a unit.

    `existing` is `keep`, `renewal` or the time at which running subscriptions move here. A `retired` plan was left out
    of a later catalog and takes no new subscriptions. `doc` is the canonical document that it was made from.
    """

    key: str
    version: int
    effective_from: int
    currency: str
    period: str
    grace: int
    existing: str | int
    fees: tuple[Fee, ...]
    charges: tuple[Charge, ...]
    entitlements: tuple[Entitlement, ...]
    limits: tuple[Limit, ...]
    grants: tuple[RecurringGrant, ...]
    trial: Trial | None
    conversion_rates: Mapping[str, int]
    retired: bool = False
    doc: Doc = field(default_factory=dict, repr=False, compare=False)
    charges_by_key: Mapping[str, Charge] = field(default_factory=dict, repr=False, compare=False)
    charges_by_meter: Mapping[str, tuple[tuple[int, Charge], ...]] = field(
        default_factory=dict, repr=False, compare=False
    )

    def entitlement(self, feature: str) -> Entitlement | None:
        """The entitlement to a feature, if the plan has it."""
        return next((each for each in self.entitlements if each.feature == feature), None)

    def charge(self, key: str) -> Charge | None:
        """The charge of this key, if the plan has it."""
        return self.charges_by_key.get(key)


def plan_from(doc: Doc, retired: bool = False) -> Plan:
    """The plan of a canonical document, without its overrides: see `rating.catalog.overrides.effective_plan`."""
    existing = doc.get("existing", "keep")
    charges = tuple(_charge(charge) for charge in doc.get("charges", ()))
    by_meter: dict[str, list[tuple[int, Charge]]] = {}
    for number, charge in enumerate(charges):
        by_meter.setdefault(charge.meter, []).append((number, charge))
    return Plan(
        key=doc["key"],
        version=doc["version"],
        effective_from=parse_time(doc["effective_from"]),
        currency=doc["currency"],
        period=doc["period"],
        grace=parse_duration(doc["grace"]) if "grace" in doc else GRACE,
        existing=existing if existing in ("keep", "renewal") else parse_time(existing),
        fees=tuple(_fee(fee) for fee in doc.get("fees", ())),
        charges=charges,
        entitlements=tuple(_entitlement(each) for each in doc.get("entitlements", ())),
        limits=tuple(limit_from(limit) for limit in doc.get("limits", ())),
        grants=tuple(_grant(grant) for grant in doc.get("grants", ())),
        trial=_trial(doc["trial"]) if doc.get("trial") else None,
        conversion_rates={
            unit: numbers.scaled(rate, numbers.RATE_DIGITS)
            for unit, rate in doc.get("conversion_rates", {}).items()
        },
        retired=retired,
        doc=doc,
        charges_by_key={charge.key: charge for charge in charges},
        charges_by_meter={meter: tuple(found) for meter, found in by_meter.items()},
    )


def _fee(doc: Doc) -> Fee:
    return Fee(
        doc["key"],
        numbers.quantity(doc["amount"]),
        doc.get("timing", "advance"),
        doc.get("every", "period"),
        numbers.quantity(doc.get("quantity", "1")),
        doc.get("prorate", True),
    )


def _charge(doc: Doc) -> Charge:
    price = doc["price"]
    dimensions = doc.get("dimensions") or (price["dimensions"] if price["model"] == "matrix" else ())
    return Charge(doc["key"], doc["meter"], tuple(dimensions), doc.get("unit"), doc.get("prorate", True), doc)


def _entitlement(doc: Doc) -> Entitlement:
    included = None if doc.get("included") is None else numbers.quantity(doc["included"])
    return Entitlement(
        doc["feature"],
        doc.get("value"),
        included,
        doc.get("overage"),
        doc.get("unit"),
        doc.get("prorate", True),
    )


def rollover_from(doc: Doc | None) -> Rollover | None:
    """The field `rollover` of a grant, a plan's or a `grant_credits`'."""
    if doc is None:
        return None
    return Rollover(
        numbers.quantity(doc.get("min", "0")),
        None if doc.get("max") is None else numbers.quantity(doc["max"]),
    )


def _grant(doc: Doc) -> RecurringGrant:
    after = doc.get("expires_after", 1)
    return RecurringGrant(
        doc["key"],
        doc["unit"],
        numbers.quantity(doc["amount"]),
        doc.get("every", "period"),
        after if isinstance(after, int) else None,
        parse_duration(after) if isinstance(after, str) and after != "never" else None,
        rollover_from(doc.get("rollover")),
        doc.get("priority", PRIORITY),
        doc.get("prorate", True),
        doc.get("applies_to", {}),
    )


def _trial(doc: Doc) -> Trial:
    return Trial(doc["plan"], parse_duration(doc["duration"]), doc.get("eligible"), doc.get("then"))
