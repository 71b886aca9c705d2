"""One meaning has one canonical form, and that form reads as itself."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
import yaml

from schemas.catalog import canonical, check_catalog, load_catalog, same_content
from tests.unit.schemas.catalog.broken import GOOD


def doc_of(text: str) -> Mapping[str, Any]:
    loaded = load_catalog(text, "c.yaml")
    assert loaded.doc is not None, [str(problem) for problem in loaded.problems]
    return loaded.doc


def test_the_canonical_form_of_the_canonical_form_is_itself() -> None:
    doc = doc_of(GOOD)
    assert doc_of(json.dumps(doc)) == doc
    assert doc_of(yaml.safe_dump(doc)) == doc
    assert check_catalog(doc).doc == doc


def test_numbers_times_and_allowed_values_are_written_one_way() -> None:
    doc = doc_of(GOOD)
    plan = doc["plans"][0]
    assert plan["effective_from"] == "2026-01-01T00:00:00.000000Z"
    assert plan["fees"] == [{"key": "base", "amount": "31"}]
    assert plan["charges"][0]["price"]["tiers"] == [
        {"up_to": "1000000"},
        {"up_to": None, "unit_amount": "0.000002"},
    ]
    assert plan["charges"][1]["price"]["cells"] == [
        {"when": {"model": ["huge", "large"]}, "unit_amount": "0.01"}
    ]
    assert doc["meters"][0]["filter"] == {"region": ["eu", "us"]}
    assert "window" not in doc["meters"][0]
    assert doc["rules"][0]["data"] == {"offer": "team-20", "percent": 20}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("amount: 31.00", 'amount: "31"'),
        ("amount: 31.00", "amount: 3.1e1"),
        ("amount: 31.00, timing: advance", "amount: 31, prorate: true, every: period, quantity: 1.0"),
        ("    window: 1h\n", ""),
        ("[eu, us]", "[us, eu, us]"),
        ("2026-01-01T00:00:00Z\n    currency: USD\n    period: month\n    grace", "2026-01-01T01:00:00+01:00\n"
         "    currency: USD\n    period: month\n    grace"),
        ("grace: 2h", "period: month\n    grace: 2h"),
    ],
)  # fmt: skip
def test_other_words_for_the_same_are_the_same_content(old: str, new: str) -> None:
    text = GOOD.replace("period: month\n    grace", "grace") if new.startswith("period") else GOOD
    assert old in text
    assert same_content(doc_of(text.replace(old, new, 1)), doc_of(GOOD))


def test_other_content_is_not_the_same() -> None:
    assert not same_content(doc_of(GOOD.replace("amount: 31.00", "amount: 31.01")), doc_of(GOOD))


def test_an_override_keeps_exactly_what_it_names() -> None:
    text = GOOD.replace(
        "charges: [{key: input, price: {model: per_unit, unit_amount: 0.0000015}}]",
        "charges: [{key: seconds, minimum: null, prorate: true}]",
    )
    override = doc_of(text)["plans"][0]["overrides"][0]
    assert override == {
        "charges": [{"key": "seconds", "prorate": True, "minimum": None}],
        "when": {"storefront": "partner-x"},
    }


def test_a_checked_model_gives_its_canonical_form() -> None:
    loaded = load_catalog(GOOD)
    assert loaded.document is not None
    assert canonical(loaded.document) == loaded.doc
