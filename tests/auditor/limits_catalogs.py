"""Catalogs for histories of limits, drawn at random: three plans, and limits of every metric, window, scope and action."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

from tests.auditor.lifecycle.words import Doc, shown

METERS: list[Doc] = [
    {"key": "input", "event_type": "use", "aggregation": "sum", "value": "$.value", "unit": "unit",
     "group_by": {"model": "$.model"}, "window": "1h"},
    {"key": "calls", "event_type": "call", "aggregation": "count", "unit": "call", "group_by": {"model": "$.model"},
     "window": "1h"},
    {"key": "peak", "event_type": "use", "aggregation": "max", "value": "$.value", "unit": "unit", "window": "1h"},
    {"key": "models", "event_type": "use", "aggregation": "unique", "value": "$.model", "unit": "model", "window": "1h"},
]  # fmt: skip
FEATURES: list[Doc] = [
    {"key": "chat", "kind": "metered", "meter": "input"},
    {"key": "api", "kind": "metered", "meter": "calls"},
    {"key": "sso", "kind": "boolean"},
    {"key": "seats", "kind": "static"},
]
WINDOWS: list[object] = ["period", "period", "day", "week", "month", {"length": "5h"}, {"length": "1d"},
                         {"length": "90m", "start": "sliding"}, {"length": "1d", "start": "sliding"}]  # fmt: skip


@dataclass
class Draft:
    random: Random
    clock: int
    end: int
    sort: str
    period: str
    inputs: list[Doc] = field(default_factory=list)
    events: list[Doc] = field(default_factory=list)
    fixed: set[str] = field(default_factory=set)
    limits: list[str] = field(default_factory=list)
    subs: list[str] = field(default_factory=list)
    plans: list[Doc] = field(default_factory=list)
    paused: bool = False
    start: int = 0
    moves: bool = False
    pooled: bool = False
    always: list[Doc] = field(default_factory=list)
    """Limits that every plan has from the start: what each event cost is only known of those that a limit saw."""
    by_event: bool = False
    """Whether some limit counts what each event costs: less than nothing costs nothing, so none costs by itself then."""

    def command(self, kind: str, **fields: object) -> None:
        self.inputs.append({"command": {"id": f"c{len(self.inputs)}", "tenant": "acme", "account": "ann", "type": kind,
                                        "time": shown(self.clock), **fields}})  # fmt: skip


def catalog(draft: Draft) -> Doc:
    random = draft.random
    if draft.sort == "plain":
        draft.always = [_bounded(draft, key, "spend") for key in ("sum", "all") if random.random() < 0.4]
        draft.by_event = bool(draft.always)
    plans = [_plan(draft, key) for key in ("a", "b", "free")]
    if random.random() < 0.2 and draft.sort != "waive":
        tryout = {**_plan(draft, "tryout"), "charges": []}
        tryout["limits"] = [
            limit if limit in draft.always else {**limit, "key": f"try-{limit['key']}"}
            for limit in tryout["limits"]
        ]
        if random.random() < 0.4:
            tryout["limits"].append({**_plainly(_bounded(draft, "try-over", "usage")), "action": "end_trial"})
        plans.append(tryout)
        plans[0]["trial"] = {"plan": "tryout", "duration": random.choice(("5h", "1d", "7d"))}
    draft.plans = plans
    return {"meters": METERS, "features": FEATURES, "plans": plans}


def _plan(draft: Draft, key: str) -> Doc:
    random = draft.random
    charges = [_charge(draft, meter) for meter in ("input", "calls") if random.random() < 0.85]
    plan: Doc = {"key": key, "version": 1, "effective_from": "2020-01-01T00:00:00Z", "currency": "USD",
                 "period": draft.period, "charges": charges, "entitlements": _entitlements(draft)}  # fmt: skip
    if any("unit" in charge for charge in charges):
        plan["conversion_rates"] = {"credit": "0.25"}
    if draft.sort == "waive":
        plan["limits"] = [{**_plainly(_bounded(draft, "cap", "spend")), "hard": True, "overshoot": "waive"}]
        return plan
    plan["limits"] = draft.always + [
        own_limit(draft, name) for name in ("one", "two", "three") if random.random() < 0.5
    ]
    if key == "a" and random.random() < 0.2:
        draft.moves = True
        cut = _plainly(_bounded(draft, "cut", random.choice(("usage", "spend"))))
        cut |= {"action": "downgrade", "plan": "free"}
        if draft.sort == "plain":
            cut["window"] = random.choice(("period", "day", {"length": "5h"}))
            draft.by_event |= cut["metric"] == "spend" and cut["window"] != "period"
        if random.random() < 0.3:
            cut["restore"] = False
        plan["limits"].append(cut)
    return plan


def _charge(draft: Draft, meter: str) -> Doc:
    random = draft.random
    charge: Doc = {
        "key": meter,
        "meter": meter,
        "price": {"model": "per_unit", "unit_amount": random.choice(("1", "0.5", "2.25"))},
    }
    if draft.sort != "plain":
        tiers = [
            {"up_to": random.choice(("10", "60")), "unit_amount": "1"},
            {"up_to": None, "unit_amount": "0.3"},
        ]
        charge["price"] = random.choice(
            (charge["price"], {"model": "graduated", "tiers": tiers}, {"model": "volume", "tiers": tiers})
        )
        if random.random() < 0.3:
            charge["included"] = random.choice(("5", "20"))
        if random.random() < 0.3:
            charge["unit"] = "credit"
    return charge


def _entitlements(draft: Draft) -> list[Doc]:
    random = draft.random
    found: list[Doc] = []
    for feature in ("chat", "api"):
        if random.random() < 0.75:
            found.append({"feature": feature, "included": random.choice(("0", "3", "40", "100", "33.333"))})
            if feature == "chat" and draft.pooled:
                found[-1] = {"feature": feature, "unit": "credit"}
            if random.random() < 0.6:
                found[-1]["overage"] = random.choice(("allowed", "denied"))
            if random.random() < 0.2 and "included" in found[-1]:
                found[-1]["prorate"] = False
    if random.random() < 0.5:
        found.append({"feature": "sso", "value": True})
    if random.random() < 0.5:
        found.append({"feature": "seats", "value": "5"})
    return found


def own_limit(draft: Draft, key: str) -> Doc:
    """A limit whose action leaves the plan as it is."""
    random = draft.random
    metric = random.choice(("usage", "usage", "spend", "spend", "balance"))
    if metric == "balance":
        return _balance(random, key)
    limit = _bounded(draft, key, metric)
    if metric == "spend":
        limit = {
            name: value for name, value in limit.items() if name not in ("window", "scope", "filter", "meter")
        }
    return limit


def _balance(random: Random, key: str) -> Doc:
    limit: Doc = {
        "key": key,
        "metric": "balance",
        "unit": random.choice(("USD", "credit")),
        "amount": random.choice(("10", "50")),
    }
    if random.random() < 0.5:
        return {**limit, "action": "top_up", "top_up": "100", **random.choice(({}, {"cool_down": "2h"}))}
    return {**limit, **random.choice(({}, {"hard": True}, {"thresholds": ["50", "100", {"at": "90"}]}))}


def _bounded(draft: Draft, key: str, metric: str) -> Doc:
    random = draft.random
    limit: Doc = {"key": key, "metric": metric, "amount": random.choice(("10", "40", "60.5", "100")),
                  "window": random.choice(WINDOWS)}  # fmt: skip
    if metric == "usage":
        limit |= random.choice(({"meter": "input"}, {"meter": "calls", "amount": "3"}, {"feature": "chat"}, {"meter": "peak"},
                                {"meter": "models", "amount": "2"}))  # fmt: skip
        sliding = isinstance(limit["window"], dict) and limit["window"].get("start") == "sliding"
        if sliding and limit.get("meter") in ("peak", "models"):
            limit["window"] = "day"
    if metric == "spend" and draft.sort != "plain":
        limit["window"] = "period"
    elif limit.get("meter") in (None, "input") and "feature" not in limit and random.random() < 0.25:
        limit["filter"] = {"model": random.choice((["x"], ["x", "y"]))}
        limit.setdefault("meter", "input")
    if limit["window"] != "period" and (metric == "usage" or draft.sort == "plain"):
        limit["scope"] = random.choice(
            ("subscription", "subscription", "account", "subject", {"subject": "key-1"})
        )
    limit |= random.choice(({}, {"hard": True}, {"hard": True}, {"hard": True, "action": "suspend"},
                            {"action": "throttle", "throttle": {"rate": "10", "per": "1m"}}))  # fmt: skip
    if random.random() < 0.5:
        limit["thresholds"] = random.choice((["50", "80", "100"], ["50"], ["120"], [{"at": "15"}], ["100", {"every": "25"}],
                                             [{"every": "20"}], ["12.5", {"at": "30"}]))  # fmt: skip
    if limit.get("hard") and limit.get("action") != "suspend" and random.random() < 0.2:
        limit["features"] = [random.choice(("chat", "api"))]
    return limit


def _plainly(limit: Doc) -> Doc:
    """The same of the subscription's period, without what its action has."""
    return {
        name: value
        for name, value in limit.items()
        if name not in ("window", "scope", "hard", "action", "throttle", "features")
    }
