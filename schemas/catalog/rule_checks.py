"""Rules against the rest of the catalog: what they name is there, and what they count can be counted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from schemas.catalog.checks import Items, known_dimension
from schemas.catalog.problems import Finding, Loc
from schemas.catalog.rules import Condition


def check_rules(items: Items) -> Iterator[Finding]:
    """Problems of the rules."""
    for index, rule in items.valid["rules"]:
        yield from _check_node(items, rule.when, ("rules", index, "when"))


def _check_node(items: Items, node: Any, loc: Loc) -> Iterator[Finding]:
    if not isinstance(node, Condition):
        ((name, nodes),) = ((f.alias or n, getattr(node, n)) for n, f in type(node).model_fields.items())
        for index, each in enumerate(nodes):
            yield from _check_node(items, each, (*loc, name, index))
        return
    for name, section in (("meter", "meters"), ("feature", "features"), ("plan", "plans")):
        key = getattr(node, name)
        if key is not None:
            yield from items.missing(section, key, (*loc, name))
    yield from _check_counted(items, node, loc)


def _check_counted(items: Items, node: Condition, loc: Loc) -> Iterator[Finding]:
    meter = items.meters.get(node.meter or "")
    if meter is not None:
        for name in node.filter:
            yield from known_dimension(meter.key, meter.dimension_names(), name, (*loc, "filter", name))
        added = meter.aggregation in ("sum", "count") and meter.bucket is None
        if not added and node.charge is None and node.fact in ("usage", "growth"):
            found = meter.aggregation if meter.bucket is None else f"{meter.aggregation} by bucket"
            yield Finding((*loc, "meter"), f"is a meter of {found}, whose hours do not add up",
                          "name a meter of sum or count, or look at spend")  # fmt: skip
    feature = items.features.get(node.feature or "")
    if feature is not None and feature.kind != "metered":
        yield Finding((*loc, "feature"), f"is a {feature.kind} feature, so nothing of it is used",
                      "name a metered one")  # fmt: skip
