"""What bounds a feature, made of its entitlement, its plan's prices and the limits that bear on it.

    metered, overage denied      the balance: of the feature's quantity, or of a credit unit by the price in it
    hard limits                  usage: the quantity · spend: the price · balance: the price in that unit

Everything else leaves a feature without a bound. The entitlement's own `access` is looked at before, by the caller.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from rating import numbers, prospect
from rating.availability import BALANCE, LIMIT, Bound
from rating.catalog.plans import Entitlement, Plan
from rating.reservations import BoundKey

Doc = Mapping[str, Any]
_WIDE = 40
"""Integer digits of amounts and balances that stand on records."""


class LimitState(NamedTuple):
    """A limit as it stands: what names it, its definition, and the newest of its value, amount and reset."""

    key: BoundKey
    doc: Doc
    value: str
    amount: str
    resets_at: str | None


class Asked(NamedTuple):
    """A feature of an account: `account` is whose entitlement it is, `meter` what counts it, if anything."""

    tenant: str
    account: str
    feature: str
    meter: str | None
    dimensions: Mapping[str, str]
    now: int

    def key(self, kind: str, name: str) -> BoundKey:
        """A bound of the account."""
        return BoundKey(self.tenant, self.account, kind, name)

    @property
    def own(self) -> BoundKey:
        """The feature's quantity, which every reservation holds."""
        return self.key("feature", self.feature)


Claimed = Callable[[BoundKey], int]


def bounds_of(
    asked: Asked, entitlement: Doc, plan: Plan | None, limits: Iterable[LimitState], claimed: Claimed
) -> list[Bound]:
    """The bounds, with what is claimed of each taken off its rest."""
    if entitlement.get("kind") != "metered":
        return []
    used = numbers.scaled(entitlement.get("used") or "0", numbers.QTY_DIGITS, _WIDE)
    usage = prospect.Usage(used, claimed(asked.own), asked.now, asked.dimensions)
    found = [_balance(asked, entitlement, plan, usage)]
    found += [_limit(asked, each, plan, usage) for each in limits if each.doc.get("hard")]
    return [bound._replace(rest=bound.rest - claimed(bound.key)) for bound in found if bound is not None]


def is_denied(plan: Plan | None, entitlement: Doc, meter: str | None) -> bool:
    """Whether what goes beyond the balance is denied: as the plan says, else where it has no price for more."""
    own = _of_plan(plan, entitlement.get("feature"))
    if plan is None or own is None:
        return False
    if own.overage is not None:
        return own.overage == "denied"
    if own.unit is not None:
        return own.unit not in plan.conversion_rates
    return meter is None or not plan.charges_by_meter.get(meter)


def _of_plan(plan: Plan | None, feature: object) -> Entitlement | None:
    return (
        None if plan is None else next((each for each in plan.entitlements if each.feature == feature), None)
    )


def _balance(asked: Asked, entitlement: Doc, plan: Plan | None, usage: prospect.Usage) -> Bound | None:
    balance = entitlement.get("balance")
    if balance is None or not is_denied(plan, entitlement, asked.meter):
        return None
    resets_at = entitlement.get("resets_at")
    unit = entitlement.get("unit")
    if unit is None or plan is None:
        rest = numbers.scaled(balance, numbers.QTY_DIGITS, _WIDE)
        return Bound(asked.own, BALANCE, rest, None, resets_at)
    return _of_unit(asked, unit, balance, plan, usage, BALANCE)._replace(resets_at=resets_at)


def _of_unit(asked: Asked, unit: str, rest: str, plan: Plan, usage: prospect.Usage, kind: str) -> Bound:
    cost = _itself if asked.meter is None else prospect.units(plan, asked.meter, unit, usage)
    return Bound(asked.key("unit", unit), kind, _amount(rest), cost)


def _itself(quantity: int) -> int:
    return numbers.widened(quantity)


def _limit(asked: Asked, limit: LimitState, plan: Plan | None, usage: prospect.Usage) -> Bound | None:
    doc, key = limit.doc, limit.key
    if not _bears(asked, doc):
        return None
    if doc["metric"] == "usage":
        value, amount = (
            numbers.scaled(each, numbers.QTY_DIGITS, _WIDE) for each in (limit.value, limit.amount)
        )
        return Bound(key, LIMIT, amount - value, None, limit.resets_at)
    if plan is None or asked.meter is None:
        return None
    value, amount = _amount(limit.value), _amount(limit.amount)
    if doc["metric"] == "spend":
        cost = prospect.spend(plan, asked.meter, usage)
        return Bound(key, LIMIT, amount - value, cost, limit.resets_at)
    cost = prospect.units(plan, asked.meter, doc["unit"], usage)
    return Bound(key, LIMIT, value - amount, cost, limit.resets_at)


def _bears(asked: Asked, doc: Doc) -> bool:
    """Whether usage of the feature moves the limit: what it counts, as far as the dimensions are known."""
    if doc.get("feature") not in (None, asked.feature) or doc.get("meter") not in (None, asked.meter):
        return False
    allowed = doc.get("filter") or {}
    return all(
        asked.dimensions[name] in values for name, values in allowed.items() if name in asked.dimensions
    )


def _amount(text: str) -> int:
    return numbers.scaled(text, numbers.AMOUNT_DIGITS, _WIDE)
