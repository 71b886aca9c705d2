"""The worked examples of whole accounts: those that rest on what is built hold; the rest are named, and each must fail."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.golden import scenarios

FOLDER = Path(__file__).parent.parent / "vectors"
VECTORS = [
    each
    for name in ("scenarios", "lifecycle")
    for each in json.loads((FOLDER / f"{name}.json").read_text("utf-8"))
]
LATER = frozenset(["life-69b", "life-69c"])
"""What rests on work that is still to come. The list only shrinks: one of these that holds must be taken off it."""


def test_there_are_all_of_them() -> None:
    assert len(VECTORS) == len({vector["id"] for vector in VECTORS}) == 97
    assert {vector["id"] for vector in VECTORS} > LATER


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["id"])
def test_a_scenario_holds(vector: dict[str, Any]) -> None:
    found = list(scenarios.differences(vector, scenarios.run(vector)))
    if vector["id"] in LATER:
        assert found, "this one holds now: take it off the list"
    else:
        assert found == []
