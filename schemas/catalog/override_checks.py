"""Overrides are checked as what they make: the plan merged with each must be a whole and sound plan."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from rating.catalog.overrides import KEYED, merge
from schemas.catalog.canonical import canonical
from schemas.catalog.checks import Items, check_plan
from schemas.catalog.plans import Plan
from schemas.catalog.problems import Finding, Loc, findings

_MONEY = (
    "unit_amount",
    "flat_amount",
    "amount",
    "package_amount",
    "fixed_amount",
    "event_min",
    "event_max",
    "free_amount",
)
_CHARGE_MONEY = ("minimum", "maximum")


def check_overrides(items: Items, plan: Plan, known: list[Finding]) -> Iterator[Finding]:
    """Problems of a plan's overrides, at paths within the plan; those that the plan has itself are `known`."""
    if not plan.overrides:
        return
    doc = canonical(plan)
    base = {name: value for name, value in doc.items() if name != "overrides"}
    seen: dict[tuple[Any, ...], int] = {}
    for index, override in enumerate(doc["overrides"]):
        loc: Loc = ("overrides", index)
        held = seen.setdefault(tuple(sorted(override["when"].items())), index)
        if held != index:
            yield Finding(
                (*loc, "when"), f"is the same as overrides[{held}].when, which then never holds", "remove one"
            )
        storefront = override["when"].get("storefront")
        if storefront is not None and items.named["storefronts"]:
            yield from items.missing("storefronts", storefront, (*loc, "when", "storefront"))
        yield from _twice(override, loc)
        for each in merged_problems(items, base, override, known):
            yield Finding((*loc, *each.loc), each.problem, each.remedy)


def _twice(override: Mapping[str, Any], loc: Loc) -> Iterator[Finding]:
    for name, key in KEYED.items():
        keys = [each[key] for each in override.get(name) or ()]
        for at, value in enumerate(keys):
            if value in keys[:at]:
                yield Finding((*loc, name, at, key), "comes twice in this override", "keep one")


def merged_problems(
    items: Items, base: Mapping[str, Any], override: Mapping[str, Any], known: list[Finding]
) -> Iterator[Finding]:
    """What is wrong with the plan `base` under one override, at paths within the override."""
    merged = merge(base, override)
    models: dict[int, type[BaseModel]] = {}
    try:
        plan = Plan.model_validate(merged, context=models)
    except ValidationError as error:
        for each in findings(error.errors(include_url=False, include_input=False), merged, models):
            yield Finding(
                _within(each.loc, merged, override), f"with the plan's fields {each.problem}", each.remedy
            )
        return
    spanning = {each.key for each in plan.limits if each.scope == "tenant"}
    for index, limit in enumerate(override.get("limits") or ()):
        if limit["key"] in spanning:
            yield Finding(("limits", index, "key"), "is of the whole tenant, so no override changes it",
                          "change it in the plan, or give this one another key or scope")  # fmt: skip
    told = {(each.problem, each.loc) for each in known}
    for each in check_plan(items, plan):
        if (each.problem, each.loc) not in told:
            yield Finding(_within(each.loc, merged, override), each.problem, each.remedy)
    if merged["currency"] != base["currency"]:
        yield from _left_amounts(base, override, merged["currency"])


def _within(loc: Loc, merged: Mapping[str, Any], override: Mapping[str, Any]) -> Loc:
    """The place in the override of what stands at `loc` in the merged plan; the whole override where it is not in it."""
    if not loc or str(loc[0]) not in override:
        return ()
    if loc[0] not in KEYED or len(loc) < 2:
        return loc
    key = KEYED[str(loc[0])]
    wanted = merged[str(loc[0])][loc[1]][key]
    for index, each in enumerate(override[str(loc[0])]):
        if each[key] == wanted:
            return (loc[0], index, *loc[2:])
    return ()


def _left_amounts(base: Mapping[str, Any], override: Mapping[str, Any], currency: str) -> Iterator[Finding]:
    """An override in another currency must name every amount of the plan: none of them means the same in it."""
    left: list[str] = []
    for name, amounts in (("fees", _fee), ("charges", _charge), ("limits", _limit), ("grants", _grant)):
        given = {each["key"]: each for each in override.get(name) or ()}
        for each in base.get(name, ()):
            left += [
                f"{name}.{each['key']}.{what}"
                for what in amounts(each)
                if what not in given.get(each["key"], {})
            ]
    rates = override.get("conversion_rates") or {}
    left += [f"conversion_rates.{unit}" for unit in base.get("conversion_rates", {}) if unit not in rates]
    if left:
        yield Finding((), f"changes the currency to {currency} and leaves {', '.join(left)} in {base['currency']}",
                      f"name every amount in {currency}")  # fmt: skip


def _fee(fee: Mapping[str, Any]) -> list[str]:
    return ["amount"] if fee["amount"] != "0" else []


def _charge(charge: Mapping[str, Any]) -> list[str]:
    if "unit" in charge:
        return []
    found = ["price"] if _has_money(charge["price"]) else []
    found += [name for name in _CHARGE_MONEY if charge.get(name, "0") != "0"]
    return found + (["commitment"] if "amount" in charge.get("commitment", {}) else [])


def _limit(limit: Mapping[str, Any]) -> list[str]:
    if limit["metric"] == "spend" and limit.get("scope") != "tenant":
        return ["amount"] + (["currency"] if "currency" in limit else [])
    return []


def _grant(grant: Mapping[str, Any]) -> list[str]:
    return []


def _has_money(value: Any) -> bool:
    if isinstance(value, list):
        return any(_has_money(each) for each in value)
    if not isinstance(value, Mapping):
        return False
    if value.get("model") == "matrix" and value.get("default", "0") != "0":
        return True
    for name, each in value.items():
        if name in _MONEY and isinstance(each, str) and each != "0" and not each.startswith("$"):
            return True
        if _has_money(each):
            return True
    return False
