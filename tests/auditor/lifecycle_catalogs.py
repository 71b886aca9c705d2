"""Catalogs drawn at random: meters, and plans whose charges and fees share keys, so that changes carry them on."""

from __future__ import annotations

from random import Random
from typing import Any

from tests.auditor.pricing_cases import BY_EVENT, MODELS

Doc = dict[str, Any]
Features = frozenset[str]
PERIODS = ("day", "week", "month", "month", "month", "quarter", "year")
CURVES = ("flat", "per_unit", "graduated", "volume", "stairstep", "package", "graduated_percentage", "matrix")
CHARGES = ("input", "output", "calls")


def catalog(random: Random, features: Features) -> Doc:
    """Up to three meters and three plans."""
    meters = [_meter(random, features, key) for key in CHARGES[: random.randrange(1, 4)]]
    period = random.choice(PERIODS)
    shape = _shape(random, features, meters)
    plans = []
    for key in ("a", "b", "c")[: random.randrange(1, 4)]:
        for version in range(1, 3 if "versions" in features and random.random() < 0.4 else 2):
            plan = _plan(random, features, shape, key, version)
            plan["period"] = random.choice(PERIODS) if _chance(random, features, "reanchor", 0.2) else period
            plans.append(plan)
    if _chance(random, features, "trial", 0.3):
        plans.append({**_head("tryout", 1), "period": plans[0]["period"]})
        plans[0]["trial"] = {"plan": "tryout", "duration": random.choice(("1d", "14d", "40d"))}
        if random.random() < 0.3:
            plans[0]["trial"]["then"] = random.choice(("cancel", plans[-2]["key"]))
        for plan in plans:
            plan["period"] = plans[0]["period"]
    if "fee_ends" not in features:
        late = [fee for fee in plans[0].get("fees", []) if fee["timing"] == "arrears"]
        for plan in plans:
            plan["fees"] = [fee for fee in plan.get("fees", []) if fee["timing"] != "arrears"] + late
    if _chance(random, features, "recurring", 0.3):
        _grants(random, plans)
    graces = random.choice((["1h"], ["2d"], ["30m", "1h", "2h"]))
    for plan in plans:
        plan["grace"] = random.choice(graces)
    return {"meters": meters, "plans": plans}


def _chance(random: Random, features: Features, name: str, share: float) -> bool:
    return name in features and random.random() < share


def _head(key: str, version: int) -> Doc:
    return {"key": key, "version": version, "effective_from": "2020-01-01T00:00:00Z", "currency": "USD"}


def _meter(random: Random, features: Features, key: str) -> Doc:
    kinds = ["sum", "sum", "sum", "count", "max", "unique"]
    kinds += ["min", "avg"] if "aggregations" in features else []
    kinds += ["latest"] if "latest" in features else []
    kinds += ["time_weighted_sum"] if "levels" in features else []
    aggregation = random.choice(kinds)
    meter: Doc = {"key": key, "event_type": random.choice(("use", "call")), "aggregation": aggregation,
                  "unit": "unit", "window": random.choice(("1m", "1h", "1d")),
                  "group_by": {"model": "$.model", "region": "$.where.region"}}  # fmt: skip
    if aggregation != "count":
        meter["value"] = "$.model" if aggregation == "unique" else "$.value"
    if random.random() < 0.2:
        meter["filter"] = {"model": random.sample(("a", "b", "c"), 2)}
    if aggregation == "time_weighted_sum":
        meter |= {"value_is": random.choice(("change", "level")), "per": random.choice(("hour", "second"))}
    elif _chance(random, features, "buckets", 0.3):
        meter |= {"bucket": random.choice(("1m", "1h", "1d")), "rollup": random.choice(("sum", "max"))}
    elif _chance(random, features, "outcome", 0.3) and aggregation in ("sum", "count"):
        meter["outcome"] = {"event_type": "done", "match": "$.ticket", "when": {"status": ["ok"]},
                            "within": random.choice(("1h", "72h"))}  # fmt: skip
    elif _chance(random, features, "sources", 0.3) and aggregation in ("sum", "max"):
        factors = {"path": "$.unit", "factors": {"s": "1", "min": "60", "ms": "0.001"}}
        meter["sources"] = [{"event_type": "use", "value": meter.pop("value"), "units": factors},
                            {"event_type": "call", "value": "$.value", "multiply": "0.5"}]  # fmt: skip
        del meter["event_type"]
    return meter


def _shape(random: Random, features: Features, meters: list[Doc]) -> list[Doc]:
    """Charge keys with what makes them the same charge on every plan, and what bound they may have."""
    shape = []
    for meter in meters:
        by_event = _chance(random, features, "by_event", 0.4) and meter["aggregation"] == "sum"
        models = (*BY_EVENT, "graduated", "volume") if by_event and "bucket" not in meter else CURVES
        shape.append(
            {
                "key": meter["key"],
                "meter": meter["key"],
                "matrix": random.random() < 0.2 and not by_event,
                "dimensions": random.choice(([], [], ["model"])),
                "prorate": random.random() < 0.85,
                "bound": random.choice(("", "", "minimum", "maximum", "commitment"))
                if "bounds" in features
                else "",
                "models": models,
                "unit": _chance(random, features, "units", 0.3),
            }
        )
    return shape


def _plan(random: Random, features: Features, shape: list[Doc], key: str, version: int) -> Doc:
    plan = _head(key, version)
    plan["charges"] = [_charge(random, features, each) for each in shape if random.random() < 0.85]
    plan["fees"] = _fees(random, features) if "fees" in features else []
    if any("unit" in charge for charge in plan["charges"]):
        plan["conversion_rates"] = {"credit": "0.25"}
    if version > 1:
        plan["existing"] = random.choice(("keep", "renewal", "time"))
    if _chance(random, features, "overrides", 0.3) and plan["charges"]:
        price = {"model": "per_unit", "unit_amount": random.choice(("0.125", "3"))}
        only = plan["charges"][0]
        if only["price"]["model"] not in (*BY_EVENT, "matrix"):
            plan["overrides"] = [{"when": {"storefront": "shop"}, "charges": [{"key": only["key"], "price": price}],
                                  "fees": [{"key": fee["key"], "amount": "7"} for fee in plan["fees"][:1]]}]  # fmt: skip
    return plan


def _charge(random: Random, features: Features, shape: Doc) -> Doc:
    model = (
        "matrix" if shape["matrix"] else random.choice([each for each in shape["models"] if each != "matrix"])
    )
    price = MODELS[model](random)
    if shape["models"] is CURVES or model in BY_EVENT:
        price.pop("scope", None)
        price.pop("tier_value", None)
    elif "scope" not in price:
        price["scope"] = "event"
    if (shape["dimensions"] or model == "matrix") and "emptied" not in features:
        price = _without_flat(price)
    by_event = model in BY_EVENT or "scope" in price
    charge: Doc = {"key": shape["key"], "meter": shape["meter"], "price": price}
    if shape["dimensions"] and model != "matrix":
        charge["dimensions"] = shape["dimensions"]
    if not shape["prorate"]:
        charge["prorate"] = False
    if model != "dynamic" and random.random() < 0.2:
        charge["convert"] = {
            "divide": random.choice(("3", "0.7")),
            "round": random.choice(("none", "up", "half_up")),
        }
    if not by_event and random.random() < 0.3:
        charge["included"] = random.choice(("5", "20", "33.333"))
    if random.random() < 0.2:
        charge["discount_percent"] = random.choice(("50", "12.5", "100"))
    _bounds(random, shape, charge)
    if shape["unit"]:
        charge["unit"] = "credit"
        _shorten(charge["price"])
    return charge


def _without_flat(price: Doc) -> Doc:
    """A price that costs nothing at no usage: what a group owes that lost all its usage is open to question."""
    if price["model"] == "flat":
        return {"model": "per_unit", "unit_amount": "0.1"}
    if price["model"] == "scheduled":
        entries = [{**entry, "price": _without_flat(entry["price"])} for entry in price["schedule"]]
        return {**price, "schedule": entries, "default": _without_flat(price["default"])}
    return {**price, "zero_usage": "skip"} if "tiers" in price else price


def _bounds(random: Random, shape: Doc, charge: Doc) -> None:
    """One sort of bound a charge key."""
    bound = shape["bound"]
    if bound == "minimum" and random.random() < 0.8:
        charge["minimum"] = random.choice(("10", "100.5"))
    if bound == "maximum" and random.random() < 0.8:
        charge["maximum"] = random.choice(("3", "40", "1000"))
    if bound == "commitment" and random.random() < 0.8:
        charge["commitment"] = {
            "amount": random.choice(("1", "50.25")),
            "overage_factor": random.choice(("1.5", "0.125")),
        }
        charge["commitment"]["true_up"] = random.random() < 0.5


def _shorten(price: Any) -> None:
    """Unit amounts in a credit unit have at most 9 fractional digits."""
    for each in price.values() if isinstance(price, dict) else price:
        if isinstance(each, dict | list):
            _shorten(each)
    if isinstance(price, dict):
        for name in ("unit_amount", "default"):
            if isinstance(price.get(name), str):
                whole, dot, rest = price[name].partition(".")
                price[name] = whole + dot + rest[:9] if rest else whole


def _fees(random: Random, features: Features) -> list[Doc]:
    fees: list[Doc] = []
    for key, prorate in (("base", True), ("seats", True), ("whole", False)):
        if random.random() < 0.5:
            fee: Doc = {"key": key, "amount": random.choice(("31.00", "10", "0.333")), "prorate": prorate,
                        "timing": "arrears" if key == "seats" else "advance"}  # fmt: skip
            if key == "seats":
                fee["quantity"] = random.choice(("1", "3", "0"))
            fees.append(fee)
    if _chance(random, features, "fee_every", 0.3):
        fees.append({"key": "setup", "amount": "500", "every": "once", "timing": "advance"})
    if _chance(random, features, "fee_every", 0.3):
        fees.append({"key": "yearly", "amount": "1200", "every": "year", "timing": "advance"})
    return fees


def _grants(random: Random, plans: list[Doc]) -> None:
    """Recurring grants that never lapse, of a unit that no charge is in: what was issued is what is there."""
    every = {key: random.choice(("period", "week", "day")) for key in ("free", "extra")}
    for plan in plans:
        plan["grants"] = [{"key": key, "unit": "point", "amount": random.choice(("31", "7", "0.333")),
                           "every": length if plan["period"] not in ("day", "week") else "period",
                           "expires_after": "never", "prorate": random.random() < 0.8}
                          for key, length in every.items() if random.random() < 0.7]  # fmt: skip
