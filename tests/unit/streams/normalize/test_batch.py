"""A batch of raw records becomes packs and rejections; one bad event never costs its neighbours."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rating.directory import Directory, account_key, catalog_key, subject_key
from rating.placement import partition_of
from rating.records import Pack
from rating.times import HOUR
from schemas.canonical import digest, uid
from schemas.rejected import RawRecord
from streams.normalize.batch import Meterings, Normalized, Rules, normalize
from tests.unit.schemas.records import NOW, structured, with_data

PARTITIONS = 8
DOC = {"meters": [
    {"key": "tokens", "event_type": "llm", "aggregation": "sum", "value": "$.tokens", "group_by": {"model": "$.model"}},
    {"key": "calls", "event_type": "llm", "aggregation": "count"},
]}  # fmt: skip
TOPIC = "usage.events.v1"


def rules(**changed: Any) -> Rules:
    found = {"partitions": PARTITIONS, "accept_future": HOUR, "event_bytes_max": 10_000, "pack_events_max": 100,
             "pack_bytes_max": 100_000, "tenants": {TOPIC: None}, **changed}  # fmt: skip
    return Rules(**found)


def directory(doc: dict[str, Any] | None = DOC, rows: dict[str, Any] | None = None) -> Directory:
    found = Directory()
    if doc is not None:
        found.put(catalog_key("acme"), {"revision": 7, "time": 0, "commands": [], "doc": doc})
    for key, row in (rows or {}).items():
        found.put(key, row)
    return found


def held(account: str, since: int = 0, removed: int | None = None, previous: Any = ()) -> dict[str, Any]:
    return {"account": account, "since": since, "removed": removed, "previous": list(previous)}


def of(*records: RawRecord, known: Directory | None = None, **changed: Any) -> Normalized:
    return normalize(records, known or directory(), Meterings(), rules(**changed))


def events(found: Normalized) -> list[tuple[int, str, str]]:
    """Partition, account and id of every event that was packed, in order."""
    return [(partition, pack.accounts[account], name)
            for partition, pack in found.packs for account, name in zip(pack.account, pack.id, strict=True)]  # fmt: skip


def codes(found: Normalized) -> list[tuple[int, str]]:
    return [(each.record.offset, each.code) for each in found.rejected]


BAD = {
    "malformed": [with_data('{"v": NaN}'), with_data(b'{"v": "\xff"}'), with_data('{"v": ' + "[" * 1_000 + "]" * 1_000 + "}"),
                  RawRecord(TOPIC, 0, 0, NOW, None, None), RawRecord(TOPIC, 0, 0, NOW, None, b'{"specversion":')],
    "missing_attribute": [structured(id=...), structured(data=...), structured(data={"model": "large"}), structured(data={"tokens": 1})],
    "bad_value": [
        structured(time="yesterday"), structured(tenant="a b"), structured(data={"model": "large", "tokens": "many"}),
        with_data('{"model": "m", "tokens": 1e400}'), with_data('{"model": "m", "tokens": ' + "9" * 40 + "}"),
        with_data('{"model": "m", "tokens": 1e99999999999999999999}'), structured(data={"model": [], "tokens": 1}),
        structured(time="9999-12-31T23:59:59-05:00"), structured(data={"model": "large", "tokens": True}),
    ],
    "too_new": [structured(time="2026-11-22T11:00:00.000001Z"), structured(time="9999-12-31T23:59:59Z")],
    "too_large": [structured(data={"model": "m", "tokens": 1, "x": "x" * 10_000}), RawRecord(TOPIC, 0, 0, NOW, None, b"x" * 10_001)],
    "unknown_schema": [RawRecord(TOPIC, 0, 0, NOW, None, b"\x00\x00\x00\x00\x01", [("content-type", b"application/cloudevents+avro")])],
}  # fmt: skip
CASES = [(code, record) for code, records in BAD.items() for record in records]


@pytest.mark.parametrize(
    ("code", "record"), CASES, ids=[f"{code}-{number}" for number, (code, _) in enumerate(CASES)]
)
def test_one_bad_event_never_costs_its_neighbours(code: str, record: RawRecord) -> None:
    record = record._replace(offset=1)
    found = of(structured(offset=0, id="before"), record, structured(offset=2, id="after"))
    assert codes(found) == [(1, code)]
    assert [name for _, _, name in events(found)] == ["before", "after"]
    assert found.rejected[0].record is record
    assert (found.rejected[0].stage, bool(found.rejected[0].detail)) == ("normalize", True)


def test_a_whole_batch_of_bad_events_is_no_pack() -> None:
    found = of(*(record._replace(offset=number) for number, (_, record) in enumerate(CASES)))
    assert found.packs == []
    assert codes(found) == list(enumerate(code for code, _ in CASES))


def test_a_pack_says_what_each_event_said() -> None:
    first = structured(offset=4, subscription="sub-1")
    second = structured(
        offset=9, id="e2", source="other", time=..., data={"model": "small", "tokens": 0.5}
    )._replace(partition=3)
    ((partition, pack),) = of(first, second).packs
    assert partition == partition_of("acme", "cust-1", PARTITIONS)
    assert (pack.tenant, pack.revision, pack.accounts, pack.subjects) == ("acme", 7, ["cust-1"], ["cust-1"])
    assert (pack.sources, pack.source, pack.types, pack.type) == (
        ["gateway", "other"],
        [0, 1],
        ["llm"],
        [0, 0],
    )
    assert ([pack.origins[at] for at in pack.origin], pack.offset) == ([(TOPIC, 0), (TOPIC, 3)], [4, 9])
    assert (pack.time, pack.received, pack.defaulted) == ([NOW + 123_000, NOW], [NOW, NOW], [1])
    assert pack.subscription == {0: "sub-1"}
    assert pack.uid == uid("gateway", "e1") + uid("other", "e2")
    assert pack.digest[:16] == digest("llm", "cust-1", {"model": "large", "tokens": 374})
    assert [json.loads(data) for data in pack.data] == [
        {"model": "large", "tokens": 374},
        {"model": "small", "tokens": 0.5},
    ]
    readings = {
        column.meter: (column.event, column.value, [column.dims[at] for at in column.dim])
        for column in pack.readings
    }
    assert readings == {
        "tokens": ([0, 1], [374, "0.5"], [("large",), ("small",)]),
        "calls": ([0, 1], [1, 1], [(), ()]),
    }


def test_without_a_catalog_an_event_is_packed_unread_under_revision_0() -> None:
    ((_, pack),) = of(structured(data={"tokens": "many"}), known=directory(None)).packs
    assert (pack.revision, pack.readings, pack.id) == (0, [], ["e1"])


def test_an_event_that_no_meter_reads_is_accepted() -> None:
    ((_, pack),) = of(structured(type="other", data={})).packs
    assert (pack.readings, pack.id) == ([], ["e1"])


def test_a_new_revision_measures_and_stamps_what_comes_after_it() -> None:
    meterings, known = Meterings(), directory()
    normalize([structured()], known, meterings, rules())
    known.put(
        catalog_key("acme"), {"revision": 8, "time": 0, "commands": [], "doc": {"meters": [DOC["meters"][1]]}}
    )
    ((_, pack),) = normalize([structured()], known, meterings, rules()).packs
    assert (pack.revision, [column.meter for column in pack.readings]) == (8, ["calls"])


def test_tenants_are_kept_apart() -> None:
    found = of(
        structured(id="a"),
        structured(id="b", tenant="other"),
        structured(id="c"),
        structured(id="d", tenant=...),
    )
    assert {(pack.tenant, pack.revision, tuple(pack.id)) for _, pack in found.packs} == {
        ("acme", 7, ("a", "c")), ("other", 0, ("b",)), ("default", 0, ("d",)),
    }  # fmt: skip


def test_a_topic_that_is_bound_to_a_tenant_takes_no_other_one() -> None:
    found = of(
        structured(offset=0),
        structured(offset=1, tenant="other"),
        structured(offset=2, tenant=...),
        tenants={TOPIC: "acme"},
    )
    assert codes(found) == [(1, "wrong_tenant"), (2, "wrong_tenant")]
    assert len(events(found)) == 1


@pytest.mark.parametrize("time", ["2026-11-22T11:00:00Z", "1990-01-01T00:00:00Z", "0001-01-01T00:00:00Z"])
def test_a_time_up_to_accept_future_and_any_older_one_is_left_to_rating(time: str) -> None:
    assert codes(of(structured(time=time))) == []


SUBJECTS = {
    subject_key("acme", "user-1"): held("cust-1"),
    subject_key("acme", "moved"): held(
        "new", since=NOW, previous=[{"account": "old", "since": 0, "removed": NOW}]
    ),
    subject_key("acme", "gone"): held("cust-9", removed=NOW),
    account_key("acme", "cust-1"): {"root": "org"},
}


@pytest.mark.parametrize(
    ("changed", "account"),
    [
        ({"subject": "user-1"}, "cust-1"), ({"subject": "nobody"}, "nobody"), ({"subject": "user-1", "account": "cust-2"}, "cust-2"),
        ({"subject": "moved", "time": "2026-11-22T10:00:00Z"}, "new"), ({"subject": "moved", "time": "2026-11-22T09:59:59Z"}, "old"),
        ({"subject": "gone", "time": "2026-11-22T09:59:59Z"}, "cust-9"), ({"subject": "gone", "time": ...}, "gone"),
        ({"subject": "user-1", "tenant": "other"}, "user-1"),
    ],
)  # fmt: skip
def test_a_subject_is_resolved_as_of_the_events_time(changed: dict[str, Any], account: str) -> None:
    found = of(structured(None, 0, **changed), known=directory(rows=SUBJECTS))
    assert [name for _, name, _ in events(found)] == [account]


def test_a_tree_of_accounts_lies_in_one_partition_its_roots() -> None:
    found = of(
        structured(subject="user-1"), structured(id="e2", subject="org"), known=directory(rows=SUBJECTS)
    )
    assert {partition for partition, _, _ in events(found)} == {partition_of("acme", "org", PARTITIONS)}


def test_an_unknown_subject_is_rejected_where_the_settings_say_so() -> None:
    records = [structured(None, number, subject=name, **more) for number, (name, more) in enumerate([
        ("nobody", {}), ("user-1", {}), ("cust-1", {}), ("nobody", {"account": "cust-2"})])]  # fmt: skip
    found = of(*records, known=directory(rows=SUBJECTS), reject_unknown=True)
    assert codes(found) == [(0, "unknown_subject")]
    assert codes(of(*records, known=directory(rows=SUBJECTS))) == []


def test_packs_are_split_by_events() -> None:
    found = of(*(structured(id=f"e{number}", offset=number) for number in range(25)), pack_events_max=10)
    assert [len(pack.id) for _, pack in found.packs] == [10, 10, 5]
    assert [name for _, _, name in events(found)] == [f"e{number}" for number in range(25)]


def test_packs_are_split_by_bytes_and_one_event_always_fits() -> None:
    data = {"model": "m", "tokens": 1, "x": "x" * 900}
    found = of(*(structured(id=f"e{number}", data=data) for number in range(9)), pack_bytes_max=3_500)
    assert [len(pack.id) for _, pack in found.packs] == [3, 3, 3]
    alone = of(structured(data=data), structured(id="e2", data=data), pack_bytes_max=10)
    assert [len(pack.id) for _, pack in alone.packs] == [1, 1]


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), max_size=40), st.integers(1, 7))
def test_every_event_goes_one_way_and_a_partitions_order_is_that_of_the_records(
    given: list[tuple[int, bool]], most: int
) -> None:
    records = [
        structured(None, offset, id=f"e{offset}", subject=f"cust-{account}", time=... if sound else "never")
        for offset, (account, sound) in enumerate(given)
    ]
    found = of(*records, pack_events_max=most)
    packed: dict[int, list[int]] = {}
    for partition, pack in found.packs:
        assert isinstance(pack, Pack)
        assert 0 < len(pack.id) <= most
        packed.setdefault(partition, []).extend(pack.offset)
    assert all(offsets == sorted(offsets) for offsets in packed.values())
    rejected = [each.record.offset for each in found.rejected]
    assert rejected == sorted(rejected)
    assert sorted([*rejected, *(offset for offsets in packed.values() for offset in offsets)]) == list(
        range(len(given))
    )
