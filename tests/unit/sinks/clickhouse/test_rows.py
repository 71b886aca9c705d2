"""Records become rows with every field, exactly; one that cannot be read costs only itself."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from schemas import topics
from schemas.log import UnknownRecord
from sinks.clickhouse import tables
from sinks.clickhouse.rows import inserts
from sinks.clickhouse.tables import Taken
from tests import sink_records as some


def rows(*records: Taken) -> dict[str, list[dict[str, Any]]]:
    """The rows of a batch, by table."""
    return {each.table: each.rows.to_pylist() for each in inserts(records, some.meter)}


def test_a_charge_line_has_every_field_exactly() -> None:
    amount = "-123456789012345678901234567890123456.123456789012345678901234567890123456"
    line = some.charge(1, amount=amount, quantity="-0.000000000001", rounded={"amount": "1.00"}, late=True)
    (row,) = rows(some.taken(topics.CHARGES, 41, line, 3))["charges_rows"]
    assert set(row) == set(line) | {"_topic", "_partition", "_offset"}
    assert row["amount"] == Decimal(amount)
    assert row["quantity"] == Decimal("-0.000000000001")
    assert row["time"] == datetime(2026, 11, 22, 10, 0, 0, 123456, UTC)
    assert dict(row["dimensions"]) == {"model": "large"}
    assert json.loads(row["details"]) == line["details"]
    assert json.loads(row["rounded"]) == {"amount": "1.00"}
    assert row["pricing_unit"] is None
    assert row["source"] == line["source"]
    assert row["late"] is True
    assert (row["_topic"], row["_partition"], row["_offset"]) == ("billing.charges.v1", 3, 41)


def test_what_a_newer_record_has_besides_is_left() -> None:
    (row,) = rows(some.taken(topics.LEDGER, 0, some.ledger_entry(1, mood="good")))["ledger_rows"]
    assert "mood" not in row
    assert row["amount"] == Decimal("-0.000748")


def test_a_threshold_may_be_absolute_and_a_signal_has_its_facts() -> None:
    crossed = some.threshold(1, threshold={"at": "100"}, top_up="1000", scope={"subject": "u-1"})
    found = rows(some.taken(topics.THRESHOLDS, 0, crossed), some.taken(topics.SIGNALS, 0, some.signal(1)))
    (row,) = found["thresholds_rows"]
    assert (row["threshold"], row["top_up"], row["scope"]) == (
        '{"at": "100"}',
        Decimal(1000),
        '{"subject": "u-1"}',
    )
    assert some.threshold(1)["threshold"] == "80"
    assert json.loads(found["signals_rows"][0]["facts"]) == {"spend": "400.25"}


def test_a_threshold_of_the_whole_tenant_has_the_empty_account() -> None:
    told = some.threshold(1, account=None, subscription=None, scope="tenant")
    (row,) = rows(some.taken(topics.THRESHOLDS, 0, told))["thresholds_rows"]
    assert (row["account"], row["subscription"], row["scope"]) == ("", None, "tenant")


def test_a_signal_of_no_rule_has_the_empty_one_and_data_is_text() -> None:
    told = some.signal(1, rule=None, data={"offer": "team-20"})
    (row,) = rows(some.taken(topics.SIGNALS, 0, told))["signals_rows"]
    assert (row["rule"], json.loads(row["data"])) == ("", {"offer": "team-20"})


def test_a_rejected_record_keeps_its_bytes_and_reason() -> None:
    (row,) = rows(some.taken(topics.REJECTED, 5, b"\xff{broken", key=None))["rejected_rows"]
    assert row["value"] == b"\xff{broken"
    assert row["key"] is None
    assert (row["error"], row["stage"], row["origin_topic"]) == ("malformed", "normalize", "usage.events.v1")
    assert (row["origin_partition"], row["origin_offset"]) == (2, 77)


def test_of_two_reasons_the_last_one_holds() -> None:
    """A redriven event that is rejected again carries the headers of its first rejection too."""
    first = some.taken(topics.REJECTED, 5, b"{}")
    again = first._replace(headers=[*first.headers, *((name, b"7") for name, _ in first.headers)])
    (row,) = rows(again)["rejected_rows"]
    assert (row["error"], row["origin_offset"]) == ("7", 7)


def test_an_entitlement_of_a_subject_has_its_pace_and_the_limits_that_bear_on_it() -> None:
    limits = [{"limit": "burst", "value": "5", "amount": "5", "resets_at": some.TIME}]
    throttle = {"rate": "10", "per": "1m"}
    state = some.entitlement(
        unit="credits", throttle=throttle, limits=limits, subject="u-1", reason="throttled"
    )
    (row,) = rows(some.taken(topics.ENTITLEMENTS, 0, state, key=b"acme/cust-1/chat/u-1"))["entitlements_rows"]
    assert (row["feature"], row["subject"], row["unit"], row["reason"]) == (
        "chat",
        "u-1",
        "credits",
        "throttled",
    )
    assert (json.loads(row["throttle"]), json.loads(row["limits"])) == (throttle, limits)


def test_an_entitlement_ends_with_a_tombstone() -> None:
    key = b"acme/cust-1/chat"
    state, end = rows(
        some.taken(topics.ENTITLEMENTS, 0, some.entitlement(), key=key),
        some.taken(topics.ENTITLEMENTS, 1, None, key=key),
    )["entitlements_rows"]
    assert (state["feature"], state["access"], state["balance"]) == ("chat", True, Decimal(999626))
    assert (state["_deleted"], end["_deleted"], end["feature"], end["access"]) == (0, 1, "chat", None)


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (b"{", "truncated"),
        (b"\xff", "invalid"),
        (None, "no value"),
        (json.dumps(some.charge(1) | {"amount": 1.5}).encode(), "Expected `str`, got `float`"),
        (json.dumps(some.charge(1) | {"amount": "NaN"}).encode(), "amount: The string 'NaN'"),
        (json.dumps(some.charge(1) | {"quantity": "1" * 30}).encode(), "quantity: "),
        (json.dumps(some.charge(1) | {"time": "yesterday"}).encode(), "yesterday"),
        (json.dumps(some.charge(1) | {"revision": -1}).encode(), "revision: "),
        (json.dumps(some.charge(1) | {"tenant": None}).encode(), "tenant"),
        (json.dumps({name: value for name, value in some.charge(1).items() if name != "currency"}).encode(), "currency"),
    ],
)  # fmt: skip
def test_an_unreadable_record_is_kept_and_its_neighbours_go_on(value: bytes | None, why: str) -> None:
    good = [some.taken(topics.CHARGES, number, some.charge(number)) for number in range(8)]
    found = rows(*good[:5], some.taken(topics.CHARGES, 99, value), *good[5:])
    assert [row["_offset"] for row in found["charges_rows"]] == list(range(8))
    (error,) = found["errors_rows"]
    assert (error["_topic"], error["_offset"], error["value"]) == ("billing.charges.v1", 99, value)
    assert why in error["error"]


def test_a_record_of_a_newer_version_stops_the_sink() -> None:
    with pytest.raises(UnknownRecord, match="newer"):
        rows(some.taken(topics.LOG, 0, b"\x92\xa1p\x63"))


def test_every_topic_that_the_sink_reads_has_rows() -> None:
    found = rows(
        some.taken(topics.CHARGES, 0, some.charge(1)),
        some.taken(topics.LEDGER, 0, some.ledger_entry(1)),
        some.taken(topics.THRESHOLDS, 0, some.threshold(1)),
        some.taken(topics.SIGNALS, 0, some.signal(1)),
        some.taken(topics.ENTITLEMENTS, 0, some.entitlement(), key=b"acme/cust-1/chat"),
        some.taken(topics.REJECTED, 0, b"x"),
        some.taken(topics.LOG, 0, some.pack(["a"])),
        some.taken(topics.UNCOUNTED, 0, some.uncounted(0, 0, [0], [some.correction("a", -1)])),
    )
    assert set(found) == {
        "charges_rows", "ledger_rows", "thresholds_rows", "signals_rows", "entitlements_rows", "rejected_rows",
        "usage_rows", "uncounted_rows",
    }  # fmt: skip
    assert len(found["usage_rows"]) == 1, "a batch may have two inserts for a table"


def test_the_columns_of_corrections_are_those_of_usage() -> None:
    (made,) = inserts([some.taken(topics.LOG, 0, some.pack(["a"]))], some.meter)
    assert set(made.rows.column_names) == set(tables.CORRECTED)
