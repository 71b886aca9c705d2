"""What a subscription buys: the versions of a plan as they were published, and what overrides make of one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tests.auditor.lifecycle.words import Doc, moment

BY_KEY = {"fees": "key", "charges": "key", "grants": "key", "entitlements": "feature", "limits": "key"}
SELECTORS = ("storefront", "region", "channel", "currency")


@dataclass
class Catalog:
    """Every plan version and meter ever published; `since` is when, by the log's clock."""

    plans: dict[tuple[str, int], Doc] = field(default_factory=dict)
    since: dict[tuple[str, int], int] = field(default_factory=dict)
    meters: dict[str, Doc] = field(default_factory=dict)

    def publish(self, doc: Doc, at: int) -> None:
        """Add what a catalog has; what is published stays."""
        for meter in doc.get("meters", ()):
            self.meters.setdefault(meter["key"], meter)
        for plan in doc.get("plans", ()):
            name = (plan["key"], plan.get("version", 1))
            if self.plans.setdefault(name, plan) is plan:
                self.since[name] = at

    def newest(self, plan: str, at: int) -> int | None:
        """The newest version with `effective_from` at or before a moment."""
        found = [
            version
            for (key, version), doc in self.plans.items()
            if key == plan and moment(doc["effective_from"]) <= at
        ]
        return max(found, default=None)

    def newer(self, plan: str, version: int) -> list[tuple[int, Doc]]:
        """The versions after one, oldest first."""
        return sorted((v, doc) for (key, v), doc in self.plans.items() if key == plan and v > version)


def effective(plan: Doc, selectors: Doc, own: Doc) -> Doc:
    """A plan with its best override, and the subscription's own over that."""
    best: Doc = {}
    named = 0
    for override in plan.get("overrides", ()):
        when = override["when"]
        held = {"currency": plan["currency"], **{k: v for k, v in selectors.items() if v is not None}}
        if all(held.get(name) == value for name, value in when.items()) and len(when) >= named:
            best, named = override, len(when)
    return _merged(_merged(plan, best), own)


def _merged(plan: Doc, over: Doc) -> Doc:
    result = dict(plan)
    for name, value in over.items():
        if name in BY_KEY:
            result[name] = _merged_items(result.get(name, []), value, BY_KEY[name])
        elif name == "conversion_rates":
            result[name] = {**result.get(name, {}), **value}
        elif name not in ("when", "overrides"):
            result[name] = value
    return result


def _merged_items(items: list[Doc], over: list[Doc], key: str) -> list[Doc]:
    changed = {each[key]: each for each in over}
    result: list[Any] = [{**item, **changed.pop(item[key], {})} for item in items]
    result += [each for each in over if each[key] in changed]
    return [{name: value for name, value in item.items() if value is not None} for item in result]
