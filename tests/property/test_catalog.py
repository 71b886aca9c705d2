"""However a catalog is written, its canonical form keeps every number and reads as itself; garbage never raises."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from rating.catalog import compile_catalog, publish
from schemas.catalog import load_catalog
from tests.unit.schemas.catalog.broken import GOOD


def decimals(digits: int, most: int = 10**9) -> st.SearchStrategy[str]:
    scaled = st.integers(1, most * 10**digits)
    return scaled.map(lambda value: format(Decimal(value).scaleb(-digits), "f"))


KEYS = st.from_regex(r"[a-z][a-z0-9_-]{0,10}", fullmatch=True)
BOUNDS = st.lists(st.integers(1, 10**12), min_size=0, max_size=5, unique=True).map(sorted)


@st.composite
def prices(draw: st.DrawFn) -> dict[str, Any]:
    kind = draw(st.sampled_from(["per_unit", "flat", "graduated", "volume", "package"]))
    if kind == "per_unit":
        return {"model": kind, "unit_amount": draw(decimals(15))}
    if kind == "flat":
        return {"model": kind, "amount": draw(decimals(12))}
    if kind == "package":
        return {"model": kind, "package_size": draw(decimals(3)), "package_amount": draw(decimals(12))}
    tiers = [{"up_to": bound, "unit_amount": draw(decimals(15))} for bound in [*draw(BOUNDS), None]]
    return {"model": kind, "tiers": tiers}


@st.composite
def catalogs(draw: st.DrawFn) -> dict[str, Any]:
    meters = draw(st.lists(KEYS, min_size=1, max_size=3, unique=True))
    charges = [
        {
            "key": f"c{index}",
            "meter": draw(st.sampled_from(meters)),
            "price": draw(prices()),
            "included": draw(decimals(12)),
        }
        for index in range(draw(st.integers(0, 4)))
    ]
    plan = {"key": draw(KEYS), "version": draw(st.integers(1, 9)), "effective_from": "2026-01-01T00:00:00Z", "currency": "USD",
            "period": "month", "charges": charges, "fees": [{"key": "f", "amount": draw(decimals(12))}]}  # fmt: skip
    return {
        "meters": [
            {"key": key, "event_type": "e", "aggregation": "sum", "value": "$.v", "window": "1h"}
            for key in meters
        ],
        "plans": [plan],
    }


def numbers(value: Any) -> list[Decimal]:
    if isinstance(value, dict):
        return [found for each in value.values() for found in numbers(each)]
    if isinstance(value, list):
        return [found for each in value for found in numbers(each)]
    try:
        return [Decimal(value)] if isinstance(value, int | str) and not isinstance(value, bool) else []
    except ArithmeticError:
        return []


@settings(max_examples=150, deadline=None, derandomize=True)
@given(catalogs())
def test_the_canonical_form_keeps_every_number_and_reads_as_itself(catalog: dict[str, Any]) -> None:
    loaded = load_catalog(json.dumps(catalog), "c.json")
    assert loaded.doc is not None, [str(problem) for problem in loaded.problems]
    assert load_catalog(json.dumps(loaded.doc), "c.json").doc == loaded.doc
    assert load_catalog(yaml.safe_dump(loaded.doc), "c.yaml").doc == loaded.doc
    assert sorted(numbers(loaded.doc)) == sorted(numbers(catalog))
    assert publish(loaded.doc, loaded.doc) == loaded.doc
    compiled = compile_catalog(loaded.doc, 1)
    assert all(charge.rule is not None for plan in compiled.plans.values() for charge in plan.charges)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(
    st.integers(0, len(GOOD) - 1),
    st.integers(0, 30),
    st.text("{}[]:,-&*!|>'\"%@`#?\t\n 09azAZ.~", max_size=6),
)
def test_whatever_is_cut_from_and_put_into_a_catalog_never_raises(at: int, cut: int, put: str) -> None:
    loaded = load_catalog(GOOD[:at] + put + GOOD[at + cut :], "c.yaml")
    assert loaded.ok == (not loaded.problems)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.binary(max_size=200))
def test_bytes_never_raise(raw: bytes) -> None:
    loaded = load_catalog(raw, "c.yaml")
    assert loaded.ok == (not loaded.problems)
