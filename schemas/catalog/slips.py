"""What is sound in a plan, and yet often not what was meant: `validate` warns of it."""

from __future__ import annotations

from collections.abc import Iterator

from schemas.catalog.limits import Recurring
from schemas.catalog.plans import Plan
from schemas.catalog.problems import Finding

_TIERED = ("graduated", "volume", "stairstep", "package", "graduated_percentage")


def likely_slips(plan: Plan) -> Iterator[Finding]:
    """Warnings, at paths within the plan."""
    for index, charge in enumerate(plan.charges):
        price, loc = charge.price, ("charges", index)
        if price.model == "matrix" and price.default is None:
            yield Finding(
                (*loc, "price", "default"),
                "is missing: a group that no cell holds is rated at 0 and marked",
                "add a default",
            )
        grouped = charge.dimensions or (price.dimensions if price.model == "matrix" else [])
        if grouped and charge.included != "0":
            yield Finding(
                (*loc, "included"),
                f"is given to each group of {', '.join(grouped)} by itself",
                "leave dimensions out if all share it",
            )
        by_quantity = price.model in _TIERED and getattr(price, "scope", "period") == "period"
        if charge.dimensions and by_quantity:
            yield Finding(
                (*loc, "price"),
                f"counts for each group of {', '.join(charge.dimensions)} by itself",
                "leave dimensions out if all share the tiers or packages",
            )
    for index, limit in enumerate(plan.limits):
        for place, threshold in enumerate(limit.thresholds):
            if limit.metric == "balance" and isinstance(threshold, Recurring):
                yield Finding(
                    ("limits", index, "thresholds", place),
                    "tells nothing: a balance is crossed downwards, and what recurs lies above amount",
                    "name each balance to be told with {at: …}",
                )
