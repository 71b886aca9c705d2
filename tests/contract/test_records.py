"""Sections 5 and 6: the fields of a charge line, a ledger entry and a rejected record; decimals and times as text."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from decimal import Decimal
from typing import Any

import pytest

from schemas.charges import SCHEMA
from tests.contract import world

DECIMAL = re.compile(r"(?!-0$)-?(0|[1-9][0-9]*)(\.[0-9]*[1-9])?", re.ASCII)
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", re.ASCII)
text, decimal, time, whole, flag = "text", "decimal", "time", "whole", "flag"
CHARGE = {
    "id": text, "tenant": text, "account": text, "subscription": text, "plan": text, "plan_version": whole, "charge": text,
    "kind": text, "meter": text, "dimensions": dict, "period_start": time, "period_end": time, "window_start": time,
    "window_end": time, "revision": whole, "quantity": decimal, "quantity_total": decimal, "amount": decimal,
    "amount_total": decimal, "currency": text, "credits_applied": decimal, "amount_due": decimal, "details": list,
    "rounded": dict, "storefront": text, "region": text, "channel": text, "sub_account": text, "pricing_unit": dict,
    "catalog_revision": whole, "late": flag, "source": dict, "time": time,
}  # fmt: skip
MAY_BE_NULL = {"meter", "rounded", "storefront", "region", "channel", "sub_account", "pricing_unit"}
LEDGER = {
    "id": text, "tenant": text, "account": text, "grant": text, "entry": text, "amount": decimal, "unit": text,
    "balance": decimal, "charge": text, "time": time,
}  # fmt: skip
REJECTED = ("error", "error_detail", "stage", "origin_topic", "origin_partition", "origin_offset")
CHARGES = world.of("billing.charges.v1")


def is_a(kind: Any, value: Any) -> bool:
    if kind is decimal or kind is time:
        return isinstance(value, str) and (DECIMAL if kind is decimal else TIME).fullmatch(value) is not None
    known: type = {text: str, whole: int, flag: bool}[kind] if isinstance(kind, str) else kind
    return isinstance(value, known) and (kind is flag or not isinstance(value, bool))


@pytest.mark.parametrize("line", [record.value for record in CHARGES], ids=lambda line: line["id"])
def test_a_charge_line_has_the_contracts_fields_in_their_order(line: dict[str, Any]) -> None:
    assert list(line) == list(CHARGE)
    wrong = {name: line[name] for name, kind in CHARGE.items()
             if not (is_a(kind, line[name]) or (line[name] is None and name in MAY_BE_NULL))}  # fmt: skip
    assert not wrong
    assert re.fullmatch(r"chg_[0-9a-f]+", line["id"])
    assert line["source"]["topic"] == "rating.log.v1"
    assert set(line["source"]) == {"topic", "partition", "offset"}
    assert all(is_a(whole, line["source"][name]) for name in ("partition", "offset"))
    for detail in line["details"]:
        assert {"tier", "quantity", "unit_amount", "amount"} <= set(detail)
        assert all(is_a(decimal, detail[name]) for name in ("quantity", "amount"))


def test_the_kinds_of_lines_and_that_only_a_close_is_rounded() -> None:
    kinds = {record.value["kind"] for record in CHARGES}
    assert kinds == {"usage", "correction", "fee", "minimum", "close"}
    for record in CHARGES:
        assert (record.value["rounded"] is not None) == (record.value["kind"] == "close")
        if record.value["kind"] == "close":
            assert set(record.value["rounded"]) == {"amount", "credits_applied", "amount_due", "remainder"}
            assert all(is_a(str, value) for value in record.value["rounded"].values())
            assert (record.value["amount"], record.value["dimensions"]) == ("0", {})


def test_a_late_line_says_so() -> None:
    assert {record.value["kind"] for record in CHARGES if record.value["late"]} >= {"usage"}


def test_details_sum_to_the_amount_and_what_is_due_is_what_credits_left() -> None:
    for record in CHARGES:
        line = record.value
        if line["details"]:
            assert sum(Decimal(each["amount"]) for each in line["details"]) == Decimal(line["amount"])
        assert Decimal(line["amount_due"]) == Decimal(line["amount"]) - Decimal(line["credits_applied"])


def test_revisions_of_a_group_have_no_gap_and_its_totals_run_with_its_lines() -> None:
    groups: dict[tuple[str, ...], list[dict[str, Any]]] = defaultdict(list)
    for record in CHARGES:
        line = record.value
        groups[
            line["subscription"], line["charge"], json.dumps(line["dimensions"]), line["period_start"]
        ].append(line)
    for lines in groups.values():
        assert [line["revision"] for line in lines] == list(range(1, len(lines) + 1))
        added = [line for line in lines if line["kind"] != "close"]
        totals = [line["amount_total"] for line in added]
        assert totals == [
            _plain(sum((Decimal(each["amount"]) for each in added[: at + 1]), Decimal(0)))
            for at in range(len(added))
        ]
    assert len({record.value["id"] for record in CHARGES}) == len(CHARGES)


def _plain(value: Decimal) -> str:
    return f"{value.normalize():f}" if value else "0"


@pytest.mark.parametrize("record", world.of("billing.ledger.v1"), ids=lambda record: record.value["id"])
def test_a_ledger_entry_has_the_contracts_fields(record: world.Record) -> None:
    entry = record.value
    assert list(entry) == list(LEDGER)
    assert not {
        name: entry[name] for name, kind in LEDGER.items() if name != "charge" and not is_a(kind, entry[name])
    }
    assert entry["entry"] in ("grant", "burn", "expire", "void", "refund", "rollover")
    known = {line.value["id"] for line in CHARGES}
    assert entry["charge"] in known if entry["entry"] in ("burn", "refund") else entry["charge"] is None


def test_a_grants_amounts_sum_to_its_balance() -> None:
    total = Decimal(0)
    for record in world.of("billing.ledger.v1"):
        total += Decimal(record.value["amount"])
        assert Decimal(record.value["balance"]) == total


@pytest.mark.parametrize("record", world.of("usage.rejected.v1"), ids=lambda record: record.headers["error"])
def test_a_rejected_record_says_why_and_where_it_came_from(record: world.Record) -> None:
    assert list(record.headers) == list(REJECTED)
    assert record.headers["origin_topic"] in ("usage.events.v1", "billing.commands.v1")
    assert record.headers["origin_partition"].isdigit()
    assert record.headers["origin_offset"].isdigit()
    assert record.headers["error_detail"]


def test_rejected_codes_and_stages() -> None:
    found = [(record.headers["error"], record.headers["stage"]) for record in world.of("usage.rejected.v1")]
    assert found == [
        ("id_conflict", "rate"), ("missing_attribute", "normalize"), ("bad_value", "normalize"), ("malformed", "normalize"),
        ("bad_command", "rate"),
    ]  # fmt: skip


def test_what_normalize_rejects_is_unchanged_and_what_rate_rejects_is_normalized() -> None:
    found = {record.headers["error"]: record.value for record in world.of("usage.rejected.v1")}
    assert found["malformed"] == "{no JSON"
    assert found["bad_value"] == world.event(4, "2026-01-06T00:00:00Z", tokens="many")
    conflict = {**world.event(2, "2026-01-05T11:00:00Z", tokens=5, model="small"), "account": "cust-1"}
    assert found["id_conflict"] == {**conflict, "time": "2026-01-05T11:00:00.000000Z"}


def test_lines_in_avro_have_the_same_fields_in_the_same_order() -> None:
    assert [field["name"] for field in SCHEMA["fields"]] == list(CHARGE)
    nullable = {field["name"] for field in SCHEMA["fields"] if isinstance(field["type"], list)}
    assert nullable == MAY_BE_NULL
