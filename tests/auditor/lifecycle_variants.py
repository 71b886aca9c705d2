"""Histories of which the catalog is drawn on: what `lifecycle_catalogs` does not draw, without drawing all histories anew.

Levels by the period, averages over buckets, conversions that multiply and round down, commitments to a quantity, and a
maximum beside a minimum or a commitment.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from random import Random

from tests.auditor.lifecycle_cases import History
from tests.auditor.lifecycle_catalogs import Doc

UNPROMISED = ("matrix", "dynamic", "scheduled")
"""Models in which a quantity has no one price, so that none can be committed to."""


def varied(case: History) -> History:
    """The history with a catalog that is varied by its seed."""
    random, catalog = Random(case.seed), deepcopy(case.catalog)
    for meter in catalog["meters"]:
        if meter["aggregation"] == "time_weighted_sum" and random.random() < 0.7:
            meter["per"] = "period"
        if "bucket" in meter and random.random() < 0.5:
            meter["rollup"] = "avg"
    for plan in catalog["plans"]:
        for charge in plan.get("charges", ()):
            _vary(random, charge)
    return replace(case, catalog=catalog)


def _vary(random: Random, charge: Doc) -> None:
    if "convert" in charge and random.random() < 0.5:
        charge["convert"]["multiply"] = random.choice(("3", "0.333333"))
        charge["convert"]["round"] = random.choice((charge["convert"]["round"], "down"))
    commitment = charge.get("commitment", {})
    plain = charge["price"]["model"] not in UNPROMISED
    if commitment and plain and not commitment["true_up"] and random.random() < 0.5:
        commitment["quantity"] = commitment.pop("amount")
    if "minimum" in charge and random.random() < 0.5:
        charge["maximum"] = "200"
    elif commitment and random.random() < 0.5:
        charge["maximum"] = "60"
