"""Section 9: the tables' names, their columns and the columns' types, as the migrations make them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sinks.clickhouse import tables
from sinks.clickhouse.columns import Kinds
from tests.contract.test_records import CHARGE, LEDGER, REJECTED

SQL = "\n".join(
    path.read_text("utf-8") for path in sorted(Path(tables.__file__).parent.glob("migrations/*.sql"))
)
PLACE = {"_topic", "_partition", "_offset"}
COLUMNS: dict[str, set[str]] = {
    "usage_events": {"tenant", "account", "subject", "source", "id", "type", "time", "data", "meter", "value", "dimensions", "sign"},
    "charges": set(CHARGE),
    "ledger": set(LEDGER),
    "thresholds": {"id", "tenant", "account", "subscription", "limit", "metric", "threshold", "state", "value", "amount",
                   "period_start", "period_end", "hard", "action", "scope", "window_start", "window_end", "top_up", "time"},
    "signals": {"id", "tenant", "account", "rule", "kind", "state", "facts", "time"},
    "rejected": {*REJECTED, "key", "value", "time"},
    "entitlements": {"tenant", "account", "feature", "kind", "access", "value", "included", "used", "balance", "overage",
                     "resets_at", "reason", "plan", "version", "unit", "throttle", "limits", "subject", "time"},
}  # fmt: skip
AMOUNTS = {("charges", name) for name in ("amount", "amount_total", "credits_applied", "amount_due")} | {
    ("ledger", "amount"), ("ledger", "balance"), ("thresholds", "value"), ("thresholds", "amount"), ("entitlements", "balance"),
}  # fmt: skip
QUANTITIES = {("charges", "quantity"), ("charges", "quantity_total"), ("usage_events", "value"), ("entitlements", "included"),
              ("entitlements", "used")}  # fmt: skip


def stored(view: str) -> dict[str, str]:
    """Columns and types of the table that a public view reads."""
    found = re.search(rf"CREATE OR REPLACE VIEW {view} AS\nSELECT \*[^\n]* FROM (\w+) FINAL", SQL)
    assert found, f"no view {view} that reads FINAL"
    made = re.search(rf"CREATE TABLE IF NOT EXISTS {found[1]} \((.*?)\n\)", SQL, re.DOTALL)
    assert made, found[1]
    return dict(re.findall(r"^ {4}(\w+) (.+?),?$", made[1], re.MULTILINE))


@pytest.mark.parametrize("view", COLUMNS)
def test_a_table_has_the_contracts_columns_and_where_a_row_came_from(view: str) -> None:
    assert COLUMNS[view] | PLACE <= set(stored(view))


def test_amounts_quantities_and_times_are_exact() -> None:
    for view in COLUMNS:
        for name, kind in stored(view).items():
            inner = re.sub(r"^(?:Nullable|LowCardinality)\((.*)\)$", r"\1", kind)
            assert (inner == "Decimal(76, 36)") == ((view, name) in AMOUNTS or name == "top_up"), (view, name)
            assert (inner == "Decimal(38, 12)") == ((view, name) in QUANTITIES), (view, name)
            if name == "time" or name.endswith(("_start", "_end", "_at")):
                assert inner == "DateTime64(6, 'UTC')", (view, name)
            assert "Float" not in kind


@pytest.mark.parametrize(
    ("view", "kinds"),
    [
        ("charges", tables.CHARGES), ("ledger", tables.LEDGER), ("thresholds", tables.THRESHOLDS),
        ("signals", tables.SIGNALS), ("rejected", tables.REJECTED),
        ("entitlements", {**tables.ENTITLEMENTS, **tables.ENTITLEMENT_KEY}),
    ],
)  # fmt: skip
def test_what_is_inserted_is_what_the_table_has(view: str, kinds: Kinds) -> None:
    assert set(kinds) | PLACE == set(stored(view))
