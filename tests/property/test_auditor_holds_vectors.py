"""The auditor of whole accounts against the worked examples: what it can say of them is what they expect."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.auditor.lifecycle import audit
from tests.auditor.lifecycle.statement import lines
from tests.auditor.lifecycle.words import moment
from tests.golden.scenarios import differences

FOLDER = Path(__file__).parent.parent / "vectors"
VECTORS = [
    each
    for name in ("scenarios", "lifecycle")
    for each in json.loads((FOLDER / f"{name}.json").read_text("utf-8"))
]
SAID = {"account", "subscription", "charge", "kind", "dimensions", "period_start", "period_end", "amount",
        "amount_total", "quantity_total", "currency", "plan", "plan_version"}  # fmt: skip
"""The fields of a charge line that the auditor answers for."""
KINDS = {None, "usage", "minimum", "fee", "close"}
OF_A_TREE = {"life-63"}
"""Accounts with a parent, which this auditor knows nothing of."""


def answerable(expected: dict[str, Any]) -> dict[str, Any] | None:
    """The part of an entry that is about totals; None where nothing of it is."""
    if expected["topic"] != "billing.charges.v1" or not expected["where"].keys() <= SAID:
        return None
    if expected["where"].get("kind") not in KINDS:
        return None
    kept = {name: expected[name] for name in ("topic", "where")}
    sums = {name: value for name, value in expected.get("sum", {}).items() if name == "amount"}
    last = {name: value for name, value in expected.get("last", {}).items() if name in SAID}
    if expected["where"].get("kind") == "fee":
        last = {name: value for name, value in last.items() if name in ("period_start", "period_end")}
    kept |= {"sum": sums} if sums else {}
    kept |= {"last": last} if last else {}
    kept |= {"count": 0} if expected.get("count") == 0 else {}
    return kept if len(kept) > 2 else None


ASKED = [
    (vector, [kept for each in vector["expect"] if (kept := answerable(each))])
    for vector in VECTORS
    if vector["id"] not in OF_A_TREE
]


def test_most_of_them_are_asked() -> None:
    assert len(VECTORS) == 97
    assert sum(len(entries) for _, entries in ASKED) == 112


@pytest.mark.parametrize(("vector", "entries"), ASKED, ids=[vector["id"] for vector, _ in ASKED])
def test_the_auditor_comes_to_what_a_vector_expects(
    vector: dict[str, Any], entries: list[dict[str, Any]]
) -> None:
    answer = audit(vector["catalog"], vector["input"], moment(vector["until"]))
    found = [("billing.charges.v1", line) for line in lines(answer)]
    assert list(differences({"expect": entries}, found)) == []
    rejected = [e for e in vector["expect"] if e["topic"] == "usage.rejected.v1" and not e["where"]]
    assert [len(answer.refused)] * len(rejected) == [each["count"] for each in rejected]
