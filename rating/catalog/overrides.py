"""Which prices hold for one subscription: the subscription's overrides over the plan's override over the plan.

Storefront, region, channel and currency pick one override of the plan: of those whose every `when` holds the one that
names most, of equals the later. Overrides merge by key, then field by field, `price` whole, since half of one price
model and half of another would be no price. A field that an override sets to null is taken away.

`when: {currency: EUR}` makes EUR the plan's currency, unless the override names another one itself: it is picked by
subscriptions in EUR only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rating.catalog.plans import Doc, Plan, plan_from
from rating.errors import RatingError, Refused

SELECTORS = ("storefront", "region", "channel", "currency")
KEYED = {"fees": "key", "charges": "key", "entitlements": "feature", "limits": "key", "grants": "key"}
"""The lists of a plan that merge by key, and the field that is the key."""
_MAPPINGS = ("conversion_rates",)


def effective_plan(
    doc: Doc, selectors: Mapping[str, str | None], overrides: Doc | None = None, retired: bool = False
) -> Plan:
    """The plan that a subscription has. `doc` is the plan's canonical document, `selectors` maps names of `SELECTORS`
    to the subscription's values, `overrides` are the subscription's own: they came with a command, so they raise
    `Refused` where they make no whole plan."""
    picked = pick(doc.get("overrides", ()), selectors)
    merged = {name: value for name, value in doc.items() if name != "overrides"}
    for override in (picked, overrides):
        if override:
            merged = merge(merged, override)
    if not overrides:
        return plan_from(merged, retired)
    try:
        plan = plan_from(merged, retired)
        for charge in plan.charges:
            _ = charge.rule
    except KeyError as missing:
        raise Refused(
            f"overrides: {missing} is missing in what they add to the plan; give all fields"
        ) from None
    except RatingError as error:
        raise Refused(f"overrides: {error}") from None
    return plan


def pick(overrides: Sequence[Doc], selectors: Mapping[str, str | None]) -> Doc | None:
    """The override that holds and names most of the selectors, the later one of equals; `None` where none holds."""
    best: Doc | None = None
    for override in overrides:
        when = override.get("when", {})
        holds = all(selectors.get(name) == value for name, value in when.items())
        if holds and (best is None or len(when) >= len(best.get("when", {}))):
            best = override
    return best


def merge(plan: Doc, override: Doc) -> dict[str, Any]:
    """The plan's document with the override's fields over it."""
    merged = dict(plan)
    currency = override.get("when", {}).get("currency")
    if currency is not None:
        merged["currency"] = currency
    for name, value in override.items():
        if name == "when":
            continue
        if value is None:
            merged.pop(name, None)
        elif name in KEYED:
            merged[name] = _by_key(plan.get(name, ()), value, KEYED[name])
        elif name in _MAPPINGS:
            merged[name] = {**plan.get(name, {}), **value}
        else:
            merged[name] = value
    return merged


def _by_key(items: Sequence[Doc], overrides: Sequence[Doc], key: str) -> list[Doc]:
    merged: dict[str, Doc] = {item[key]: item for item in items}
    for override in overrides:
        fields = {**merged.get(override[key], {}), **override}
        merged[override[key]] = {name: value for name, value in fields.items() if value is not None}
    return list(merged.values())
