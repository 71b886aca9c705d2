"""A canonical document becomes policies with exact integers."""

from __future__ import annotations

from typing import Any

import pytest

from rating.catalog import EMPTY, Catalog, compile_catalog, read_revision, revision_value
from rating.errors import Refused
from rating.times import DAY, HOUR, parse_time
from schemas.catalog import load_catalog
from tests.unit.schemas.catalog.broken import GOOD


def catalog() -> Catalog:
    loaded = load_catalog(GOOD)
    assert loaded.doc is not None
    return compile_catalog(loaded.doc, 7)


def test_meters_and_their_sources() -> None:
    meters = catalog().meters
    assert meters["input-tokens"].dimensions == ("model", "region")
    assert meters["input-tokens"].sources[0].filter == (("$.region", ("eu", "us")),)
    gpu, cpu = meters["compute-seconds"].sources
    assert gpu.multiply == 10**9
    assert cpu.units == ("$.unit", (("min", 60 * 10**12), ("s", 10**12)))
    assert meters["requests"].window == "1h"
    by_type = catalog().sources_by_type
    assert {kind: [source.meter.key for source in found] for kind, found in by_type.items()} == {
        "llm.completion": ["input-tokens", "requests"],
        "gpu.job": ["compute-seconds"],
        "cpu.job": ["compute-seconds"],
    }


def test_a_plan_with_its_defaults() -> None:
    pro = catalog().plans["pro", 1]
    assert (pro.grace, pro.period, pro.existing, pro.currency) == (2 * HOUR, "month", "keep", "USD")
    assert catalog().plans["free", 1].grace == HOUR
    (fee,) = pro.fees
    assert (fee.amount, fee.timing, fee.every, fee.quantity, fee.prorate) == (
        31 * 10**12,
        "advance",
        "period",
        10**12,
        True,
    )
    assert [(charge.key, charge.model, charge.dimensions, charge.unit) for charge in pro.charges] == [
        ("input", "graduated", ("model",), None),
        ("pooled", "matrix", ("model",), "ai-credit"),
        ("seconds", "package", (), None),
    ]
    assert pro.conversion_rates == {"ai-credit": 10_000}
    assert pro.trial is not None
    assert pro.trial.duration == 14 * DAY
    (grant,) = pro.grants
    assert (grant.amount, grant.expires_periods, grant.expires_duration, grant.priority) == (
        10**15,
        2,
        None,
        10,
    )
    assert grant.rollover is not None
    assert grant.rollover.max == 250 * 10**12


def test_every_charge_has_a_rule() -> None:
    for plan in catalog().plans.values():
        for charge in plan.charges:
            assert charge.rule is charge.rule


def test_a_fee_costs_quantity_times_amount_exactly() -> None:
    (fee,) = catalog().plans["pro", 1].fees
    assert fee.cost() == 31 * 10**12
    assert fee.cost(3 * 10**12) == 93 * 10**12
    with pytest.raises(Refused, match="more than 12 fractional digits"):
        fee._replace(amount=1).cost(10**11)


def test_the_newest_version_in_effect_is_chosen() -> None:
    text = GOOD.replace("  - key: free\n    version: 1\n    effective_from: 2026-01-01", "  - key: free\n    version: 2\n"
                        "    effective_from: 2026-03-01T00:00:00Z\n    currency: USD\n    period: month\n  - key: free\n"
                        "    version: 1\n    effective_from: 2026-01-01")  # fmt: skip
    loaded = load_catalog(text)
    assert loaded.doc is not None, loaded.problems
    found = compile_catalog(loaded.doc, 1)

    def version(time: str, wanted: int | None = None) -> int | None:
        plan = found.choose("free", parse_time(time), wanted)
        return None if plan is None else plan.version

    assert version("2025-12-31T23:59:59Z") is None
    assert version("2026-01-01T00:00:00Z") == 1
    assert version("2026-03-01T00:00:00Z") == 2
    assert version("2026-03-01T00:00:00Z", 1) == 1
    assert version("2026-03-01T00:00:00Z", 3) is None


def test_before_any_catalog_there_is_nothing() -> None:
    assert EMPTY.revision == 0
    assert EMPTY.choose("pro", 0) is None


def test_the_published_value_reads_back() -> None:
    doc: dict[str, Any] = {"meters": [], "plans": []}
    assert read_revision(revision_value("acme", 7, "2026-01-01T00:00:00.000000Z", "c1", doc)) == (
        7,
        "c1",
        doc,
    )
