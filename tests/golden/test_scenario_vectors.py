"""The worked examples of whole accounts hold, each of them."""

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


def test_there_are_all_of_them() -> None:
    assert len(VECTORS) == len({vector["id"] for vector in VECTORS}) == 97


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["id"])
def test_a_scenario_holds(vector: dict[str, Any]) -> None:
    assert list(scenarios.differences(vector, scenarios.run(vector))) == []
