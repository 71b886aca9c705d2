"""Limits of a whole tenant, over all plans: one content a key, and filters that charge lines can answer."""

from __future__ import annotations

from collections.abc import Iterator

from schemas.catalog.canonical import canonical
from schemas.catalog.checks import Items
from schemas.catalog.limits import Limit
from schemas.catalog.plans import Charge, Plan
from schemas.catalog.problems import Finding, Loc


def check_tenant_limits(items: Items) -> Iterator[Finding]:
    """Problems of limits of scope `tenant`. Versions of one plan may say other things: the newest in effect holds."""
    first: dict[str, tuple[Plan, object]] = {}
    for index, plan in items.valid["plans"]:
        for at, limit in enumerate(plan.limits):
            if limit.scope == "tenant":
                loc: Loc = ("plans", index, "limits", at)
                content = {"currency": plan.currency, **canonical(limit)}
                other, held = first.setdefault(limit.key, (plan, content))
                if other.key != plan.key and held != content:
                    yield Finding((*loc, "key"), f"is another limit of the tenant in plan {other.key}",
                                  "give it a key of its own, or the same content")  # fmt: skip
                if limit.metric == "spend":
                    yield from _unanswered(items, limit, loc)


def _unanswered(items: Items, limit: Limit, loc: Loc) -> Iterator[Finding]:
    """Names of a spend limit's filter that the lines of some charge do not tell."""
    feature = items.features.get(limit.feature or "")
    meter = limit.meter if feature is None else feature.meter
    for name in limit.filter:
        for _, plan in items.valid["plans"]:
            found = next((each for each in plan.charges if _leaves(items, each, meter, name)), None)
            if found is not None:
                yield Finding((*loc, "filter", name), f"is no dimension of the charge {found.key} of plan {plan.key}, so "
                              "its lines do not tell it", "add it to the charge's dimensions, or remove it here")  # fmt: skip
                break


def _leaves(items: Items, charge: Charge, only: str | None, name: str) -> bool:
    """Whether the charge counts, and sums over a dimension of its meter."""
    meter = items.meters.get(charge.meter)
    if meter is None or only not in (None, charge.meter) or name not in meter.dimension_names():
        return False
    dimensions = charge.dimensions or (charge.price.dimensions if charge.price.model == "matrix" else [])
    return name not in dimensions
