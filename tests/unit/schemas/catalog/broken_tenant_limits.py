"""Catalogs whose limits of the whole tenant cannot be: same table as its neighbours."""

from __future__ import annotations

from tests.unit.schemas.catalog.broken import GOOD, Broken

_BURST_TO_OVERRIDE = GOOD[
    GOOD.index("      - {key: burst") : GOOD.index("        charges: [{key: input, price: {model: per_unit")
]

BROKEN = (
    Broken(
        "window: {length: 5h}",
        "scope: tenant",
        'c.yaml:65: plans[0].limits[1].scope: "tenant" has no one period; add window: month or another one',
    ),
    Broken(
        "window: {length: 5h}",
        "window: day, scope: tenant, action: block",
        'c.yaml:65: plans[0].limits[1].action: "block" can only notify with scope: tenant; use action: notify',
    ),
    Broken(
        "window: {length: 5h}",
        "window: day, scope: tenant, hard: true",
        'c.yaml:65: plans[0].limits[1].hard: "true" does not go with scope: tenant, which only notifies; remove hard',
    ),
    Broken(
        "metric: usage, meter: requests, amount: 40, window: {length: 5h}",
        "metric: balance, unit: USD, amount: 40, scope: tenant",
        'c.yaml:65: plans[0].limits[1].scope: "tenant" has no balance of its own; use scope: account',
    ),
    Broken(
        "metric: usage, meter: requests, amount: 40, window: {length: 5h}",
        "metric: spend, amount: 40, window: day, scope: tenant, filter: {region: [eu]}",
        "c.yaml:65: plans[0].limits[1].filter.region: is no dimension of the charge input of plan pro, so its lines do not tell it; add it to the charge's dimensions, or remove it here",
    ),
    Broken(
        "    period: month\nstorefronts:",
        "    period: month\n    limits: [{key: burst, metric: usage, meter: requests, amount: 41, window: day, scope: tenant}]\n"
        "  - key: other\n    version: 1\n    effective_from: 2026-01-01T00:00:00Z\n    currency: USD\n    period: month\n"
        "    limits: [{key: burst, metric: usage, meter: requests, amount: 40, window: day, scope: tenant}]\nstorefronts:",
        'c.yaml:82: plans[2].limits[0].key: "burst" is another limit of the tenant in plan free; give it a key of its own, or the same content',
    ),
    Broken(
        _BURST_TO_OVERRIDE,
        _BURST_TO_OVERRIDE.replace("window: {length: 5h}", "window: day, scope: tenant")
        + "        limits: [{key: burst, amount: 41}]\n",
        'c.yaml:70: plans[0].overrides[0].limits[0].key: "burst" is of the whole tenant, so no override changes it; change it in the plan, or give this one another key or scope',
    ),
)
