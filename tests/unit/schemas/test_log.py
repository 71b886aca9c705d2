"""Every record of the log comes back from its bytes as it was; one that a newer program wrote is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
import pytest

from rating.records import (
    CatalogRevision,
    Command,
    LogSettings,
    Pack,
    Position,
    ReadingColumn,
    Record,
    Release,
    TenantUsage,
    Tick,
    WasEvent,
)  # fmt: skip
from schemas.log import VERSION, UnknownRecord, decode_record, encode_record

WAS = WasEvent("gateway", "e1", "llm", "cust-1", 1_000, b'{"v": 0.1}', b"u" * 16, b"d" * 16, "sub-1")
PACK = Pack(
    tenant="acme", revision=3, accounts=["a", "b"], subjects=["a", "user-1"], sources=["gateway"], types=["llm", "ping"],
    origins=[("usage.events.v1", 0), ("usage.events.v1", 7)], account=[0, 1, 0], subject=[0, 1, 0], source=[0, 0, 0],
    type=[0, 0, 1], origin=[0, 1, 0], offset=[5, 2**40, 6], id=["e1", "ü", "e3"], time=[1, 2**50, -5], received=[1, 2, 3],
    uid=b"\x00" * 48, digest=b"\xff" * 48, data=[b'{"v":1}', b"{}", b"\xc3\xbc"],
    readings=[
        ReadingColumn("tokens", [0, 1], [2**63 - 1, "123456789012345678.123456789012"], [0, 1], [("large", "eu"), ("", "us")]),
        ReadingColumn("users", [2], ["18446744073709551616"], [0], [()]),
    ],
    defaulted=[2], subscription={1: "sub-1"},
)  # fmt: skip
COMMAND = Command(
    "acme", "cust-1", "c1", "cancel", 5, 6, {"subscription": "sub-1", "at": "now"}, Position("c", 0, 9)
)
RECORDS: dict[str, Record] = {
    "a pack": PACK,
    "an empty pack": Pack("t", 0, [], [], [], [], [], [], [], [], [], [], [], [], [], [], b"", b"", [], [], []),
    "a pack with groups": replace(PACK, groups={0: {"team": "search"}}),
    "a command": COMMAND,
    "a correction": replace(COMMAND, type="amend_usage", was=WAS, now=replace(WAS, time=None, subscription=None)),
    "a correction with groups": replace(COMMAND, type="retract_usage", was=replace(WAS, groups={"team": "search"})),
    "a command with deep fields": replace(COMMAND, fields={"overrides": {"charges": [{"key": "x", "on": True, "n": None, "i": 5}]}}),
    "a catalog": CatalogRevision("acme", 3, 7, {"meters": [{"key": "m", "unit": "ü"}], "plans": []}),
    "a tick": Tick(1_795_341_600_000_000),
    "settings": LogSettings(35 * 86_400_000_000, 3_600_000_000, 8),
    "a tenant's usage": TenantUsage("acme", 3, "", 1207, 0, [["USD", "tokens", ["eu", None], 5, "", "", str(10**40)]]),
    "what a timer brought": TenantUsage("acme", 3, "cust-1", 2, 1, [["", "tokens", [], 5, "gateway e1", "0.5", "-1"]]),
    "a release": Release("acme", "user-1", "cust-1"),
    "a release with an end": Release("acme", "user-1", "cust-1", 99),
}  # fmt: skip


@pytest.mark.parametrize("name", RECORDS)
def test_a_record_comes_back_as_it_was(name: str) -> None:
    found = decode_record(encode_record(RECORDS[name]))
    assert found == RECORDS[name]
    assert encode_record(found) == encode_record(RECORDS[name])


def test_every_kind_of_record_is_tried() -> None:
    assert {type(record) for record in RECORDS.values()} == set(Record.__args__)


def test_integers_over_64_bits_travel_as_text_in_columns() -> None:
    value = str(2**64)
    column = ReadingColumn("m", [0], [value], [0], [()])
    found = decode_record(encode_record(replace(PACK, readings=[column])))
    assert isinstance(found, Pack)
    assert found.readings[0].value == [value]


def plain(record: Record) -> list[Any]:
    found: list[Any] = msgspec.msgpack.decode(encode_record(record))
    return found


@pytest.mark.parametrize("change", [{0: "z"}, {1: VERSION + 1}, {0: 5}, {0: None}])
def test_a_record_of_another_kind_or_version_is_refused(change: dict[int, Any]) -> None:
    fields = plain(Tick(5))
    for at, value in change.items():
        fields[at] = value
    with pytest.raises(UnknownRecord, match="newer"):
        decode_record(msgspec.msgpack.encode(fields))


def test_the_version_stands_before_the_fields() -> None:
    assert all(plain(record)[1] == VERSION for record in RECORDS.values())
    assert [plain(record)[0] for record in RECORDS.values()] == list("pppccccgtsuurr")


def test_a_pack_of_before_groups_is_read_as_one_without() -> None:
    assert decode_record(msgspec.msgpack.encode(plain(PACK)[:-1])) == PACK
