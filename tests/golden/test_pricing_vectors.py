"""The price vectors of other billing systems: every one holds, exactly."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from rating.quote import quote
from schemas.catalog.quoted import checked_charge

VECTORS = json.loads((Path(__file__).parent.parent / "vectors" / "pricing.json").read_text("utf-8"))


def priced(charge: dict[str, Any], usage: dict[str, Any]) -> Decimal:
    checked = checked_charge(charge)
    assert isinstance(checked, dict), checked
    found = quote(checked, usage)
    assert sum((Decimal(line["amount"]) for line in found["lines"]), Decimal(0)) == Decimal(found["total"])
    assert quote(charge, usage) == found
    return Decimal(found["total"])


def test_there_are_all_of_them() -> None:
    assert len(VECTORS) == 133


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["id"])
def test_a_vector_holds(vector: dict[str, Any]) -> None:
    charge = vector["charge"]
    if "usage" in vector:
        assert priced(charge, vector["usage"]) == Decimal(vector["expect"]["total"])
        return
    reached = before = Decimal(0)
    for step, expected in zip(vector["steps"], vector["expect"]["amounts"], strict=True):
        reached += Decimal(step)
        after = priced(charge, {"quantity": str(reached)})
        assert after - before == Decimal(expected)
        before = after
