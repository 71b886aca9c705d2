"""The contract's vectors: every catalog is sound, compiles, and every command is read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from rating.catalog import compile_catalog, effective_plan
from rating.metering import Metering
from schemas.catalog import load_catalog
from schemas.commands import ParsedCommand, check_command

VECTORS = Path(__file__).parent.parent / "vectors"
SCENARIOS = [
    vector
    for name in ("scenarios", "lifecycle")
    for vector in json.loads((VECTORS / f"{name}.json").read_text("utf-8"))
]
PRICES = json.loads((VECTORS / "pricing.json").read_text("utf-8"))
SELECTORS = {"storefront": None, "region": None, "channel": None, "currency": None}


def test_there_are_vectors() -> None:
    assert (len(SCENARIOS), len(PRICES)) == (97, 133)


@pytest.mark.parametrize("vector", SCENARIOS, ids=lambda vector: vector["id"])
def test_a_scenarios_catalog_and_commands_are_sound(vector: dict[str, Any]) -> None:
    loaded = load_catalog(json.dumps(vector["catalog"]), "catalog.json")
    assert loaded.doc is not None, [str(problem) for problem in loaded.problems]
    catalog = compile_catalog(loaded.doc, 1)
    Metering(catalog)
    for plan in catalog.plans.values():
        for charge in effective_plan(plan.doc, SELECTORS).charges:
            assert charge.rule is not None
    for line in vector["input"]:
        if "command" in line:
            found = check_command(line["command"])
            assert isinstance(found, ParsedCommand), found


@pytest.mark.parametrize("vector", PRICES, ids=lambda vector: vector["id"])
def test_a_priced_charge_is_sound_in_a_catalog(vector: dict[str, Any]) -> None:
    charge = vector["charge"]
    dimensions = charge["price"].get("dimensions", [])
    meter = {"key": "m", "event_type": "e", "aggregation": "sum", "value": "$.v",
             "group_by": {name: f"$.{name}" for name in dimensions}}  # fmt: skip
    plan = {"key": "p", "version": 1, "effective_from": "2020-01-01T00:00:00Z", "currency": "USD", "period": "month",
            "charges": [{"key": "c", "meter": "m", **charge}]}  # fmt: skip
    loaded = load_catalog(json.dumps({"meters": [meter], "plans": [plan]}), "catalog.json")
    assert loaded.ok, [str(problem) for problem in loaded.problems]
