"""Charge lines in Avro have the fields and texts of those in JSON."""

from __future__ import annotations

import json
import uuid
from typing import Any

import msgspec
import pytest

from schemas import avro
from schemas.charges import SCHEMA, as_json, encoder
from schemas.registry import Memory, UnknownSchema

LINE: dict[str, Any] = {
    "id": "chg_1", "tenant": "acme", "account": "cust-42", "subscription": "sub-1", "plan": "pro", "plan_version": 1,
    "charge": "input", "kind": "usage", "meter": "input-tokens", "dimensions": {"model": "large"},
    "period_start": "2026-01-01T00:00:00.000000Z", "period_end": "2026-02-01T00:00:00.000000Z",
    "window_start": "2026-01-01T00:00:00.000000Z", "window_end": "2026-01-01T01:00:00.000000Z", "revision": 3,
    "quantity": "374", "quantity_total": "1000374", "amount": "0.000748", "amount_total": "0.000748", "currency": "USD",
    "credits_applied": "0", "amount_due": "0.000748",
    "details": [{"tier": 2, "quantity": "374", "unit_amount": "0.000002", "amount": "0.000748", "unpriced": True, "cell": None}],
    "rounded": None, "storefront": None, "region": "eu", "channel": None, "sub_account": None, "pricing_unit": None,
    "catalog_revision": 7, "late": False, "source": {"topic": "rating.log.v1", "partition": 3, "offset": 1207},
    "time": "2026-01-01T00:00:01.000000Z",
}  # fmt: skip


def memory() -> Memory:
    return Memory(uuid.uuid4().hex)


@pytest.mark.parametrize(
    "changed",
    [
        {}, {"meter": None, "details": [], "dimensions": {}, "kind": "fee"}, {"revision": 2**40, "amount": "-" + "9" * 40},
        {"rounded": {"amount": "1.00", "credits_applied": "0", "amount_due": "1.00", "remainder": "0.004"}, "kind": "close"},
        {"pricing_unit": {"unit": "ai-credit", "amount": "200", "applied": "100"}},
    ],
)  # fmt: skip
def test_a_line_comes_back_as_it_was(changed: dict[str, Any]) -> None:
    schemas = memory()
    line = {**LINE, **changed}
    assert json.loads(as_json(encoder("billing.charges.v1", schemas)(line), schemas)) == line


def test_a_detail_that_is_no_scalar_is_kept_as_its_json_text() -> None:
    schemas = memory()
    line = {**LINE, "details": [{"when": {"model": ["a", "b"]}}]}
    (found,) = json.loads(as_json(encoder("c", schemas)(line), schemas))["details"]
    assert found == {"when": '{"model":["a","b"]}'}


def test_the_value_names_its_schema_and_all_writers_name_the_same() -> None:
    schemas = memory()
    one, other = encoder("c", schemas)(LINE), encoder("c", schemas)(LINE)
    assert one == other
    assert one[:1] == b"\x00"
    assert schemas.get(str(int.from_bytes(one[1:5], "big")))["name"] == "azotte.billing.v1.charge_line"
    assert {field["name"] for field in SCHEMA["fields"]} == set(LINE)


def test_json_stays_json_and_what_is_neither_is_told() -> None:
    value = msgspec.json.encode(LINE)
    assert as_json(value, memory()) == value
    with pytest.raises(UnknownSchema):
        as_json(b"\x00\x00\x00\x00\x01x", memory())
    with pytest.raises(avro.Unreadable):
        as_json(b"\x00x", memory())
