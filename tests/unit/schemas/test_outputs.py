"""Values of the billing topics: JSON whose texts stand as they are."""

from __future__ import annotations

import json
from decimal import Decimal

from schemas.outputs import encode_value


def test_a_value_keeps_its_texts_and_the_order_of_its_fields() -> None:
    value = {"id": "chg_1", "amount": "0.000000000000000000000000000000000001", "dimensions": {"model": "ü"}, "late": False,
             "rounded": None, "revision": 3}  # fmt: skip
    found = encode_value(value)
    assert found is not None
    assert json.loads(found) == value
    assert list(json.loads(found)) == list(value)
    assert "ü".encode() in found


def test_a_number_of_an_event_keeps_its_digits() -> None:
    assert encode_value({"v": Decimal("0.30000000000000000000000000001"), "w": 10**40}) == (
        b'{"v":0.30000000000000000000000000001,"w":1' + b"0" * 40 + b"}"
    )


def test_nothing_is_a_tombstone() -> None:
    assert encode_value(None) is None
