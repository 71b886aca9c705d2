"""A record of the commands' topic becomes what is written for it, or a rejection that keeps its bytes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from rating.directory import Directory, account_key
from rating.placement import partition_of
from rating.records import CatalogRevision, Command, Position, Release
from rating.times import HOUR, parse_time
from schemas.canonical import digest, uid
from schemas.rejected import RawRecord, Rejected
from streams.control.batch import take

NOW = parse_time("2026-03-01T00:00:00Z")
EVENT = {
    "id": "e1",
    "source": "gw",
    "type": "llm",
    "subject": "user-1",
    "time": "2026-02-01T00:00:00Z",
    "data": {"v": 0.10},
}
CATALOG = {"meters": [{"key": "m", "event_type": "e", "aggregation": "count"}]}


def record(value: bytes | None, headers: Any = None) -> RawRecord:
    return RawRecord("billing.commands.v1", 0, 12, NOW, b"acme/cust-1", value, headers)


def command(kind: str, **fields: Any) -> RawRecord:
    envelope = {"id": "c1", "tenant": "acme", "account": "cust-1", "time": "2026-03-01T00:00:00Z"}
    members = {**envelope, "type": kind, **fields}
    return record(json.dumps({name: value for name, value in members.items() if value is not ...}).encode())


def taken(given: RawRecord, directory: Directory | None = None) -> Any:
    return take(given, directory or Directory(), 8, HOUR)


def rejected(given: RawRecord, directory: Directory | None = None) -> Rejected:
    found = taken(given, directory)
    assert isinstance(found, Rejected), found
    assert (found.code, found.stage, found.record) == ("bad_command", "control", given)
    return found


def test_a_command_stands_on_the_log_with_its_receipt_and_where_it_came_from() -> None:
    found = taken(command("cancel", subscription="sub-1", at="now"))
    ((partition, written),) = found.log
    assert partition == partition_of("acme", "cust-1", 8)
    assert isinstance(written, Command)
    assert (written.time, written.received) == (NOW, NOW)
    assert written.origin == Position("billing.commands.v1", 0, 12)
    assert written.fields == {"subscription": "sub-1", "at": "now"}
    assert found.directory == [(account_key("acme", "cust-1"), {"root": "cust-1"})]


def test_a_subject_that_is_registered_is_released_where_its_usage_waits() -> None:
    found = taken(command("register_subject", subject="user-1"))
    assert [type(each) for _, each in found.log] == [Command, Release]
    assert found.log[1] == (partition_of("acme", "user-1", 8), Release("acme", "user-1", "cust-1"))


def test_a_catalog_goes_to_every_partition_and_onto_its_own_topic() -> None:
    found = taken(command("apply_catalog", account=..., catalog=CATALOG))
    ((partition, revision),) = found.log
    assert partition is None
    assert isinstance(revision, CatalogRevision)
    assert (revision.revision, revision.doc["meters"][0]["key"]) == (1, "m")
    assert [key for key, _ in found.catalog] == ["acme/1"]


@pytest.mark.parametrize(
    ("was", "text"), [(EVENT, b'{"v":0.1}'), ({**EVENT, "specversion": "1.0", "data": {}}, b"{}")]
)
def test_the_event_of_a_correction_is_read_as_normalize_reads_events(
    was: dict[str, Any], text: bytes
) -> None:
    ((_, written),) = taken(command("retract_usage", source="gw", event_id="e1", was=was)).log
    assert isinstance(written, Command)
    event = written.was
    assert event is not None
    assert (event.source, event.id, event.subject, event.data) == ("gw", "e1", "user-1", text)
    assert event.uid == uid("gw", "e1")
    assert event.time == parse_time("2026-02-01T00:00:00Z")
    assert written.now is None


def test_a_number_of_a_correction_keeps_its_value_in_whatever_form() -> None:
    digests = set()
    for literal in (b"0.10", b"0.1", b"1e-1"):
        given = command("retract_usage", source="gw", event_id="e1", was=EVENT)
        ((_, written),) = taken(given._replace(value=(given.value or b"").replace(b"0.1", literal))).log
        assert isinstance(written, Command)
        assert written.was is not None
        digests.add(written.was.digest)
    assert len(digests) == 1
    assert digests == {digest("llm", "user-1", {"v": _tenth()})}


def _tenth() -> Any:
    from decimal import Decimal

    return Decimal("0.1")


BAD: dict[str, tuple[RawRecord, str]] = {
    "a tombstone": (record(None), "empty"),
    "no JSON": (record(b"{"), "not JSON"),
    "no object": (record(b"[]"), "not a JSON object"),
    "broken UTF-8": (record(b'{"id": "\xff"}'), "UTF-8"),
    "an unknown type": (command("subscrib"), "subscribe"),
    "a time too far ahead": (command("unpark", time="2026-03-01T01:00:00.000001Z"), "accept_future"),
    "a time past the calendar": (command("unpark", time="9999-12-31T23:59:59-05:00"), "time"),
    "a was without data": (command("retract_usage", source="gw", event_id="e1", was={**EVENT, "data": None}), "was"),
    "a was with a bad subject": (command("retract_usage", source="gw", event_id="e1", was={**EVENT, "subject": "a b"}), "subject"),
    "a was with a time past the calendar": (
        command("retract_usage", source="gw", event_id="e1", was={**EVENT, "time": "9999-12-31T23:59:59-05:00"}), "time"),
    "a subject of nobody": (command("remove_subject", subject="user-1"), "not registered"),
    "a huge exponent": (record(b'{"id": 1e99999999999999999999}'), "exponent"),
    "a deep was": (record(b'{"was": ' + b"[" * 900 + b"]" * 900 + b"}"), "too deep"),
    "half a surrogate": (record(b'{"id": "\\ud800"}'), "surrogate"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_command_is_rejected_with_its_bytes(name: str) -> None:
    given, told = BAD[name]
    assert told in rejected(given).detail


def test_a_refused_command_leaves_the_directory_as_it_was() -> None:
    directory = Directory()
    rejected(command("remove_subject", subject="user-1"), directory)
    assert not directory.has_account("acme", "cust-1")


def test_headers_and_key_of_a_rejected_command_stay() -> None:
    found = rejected(record(b"{", [("trace", b"1")]))
    assert found.headers()[0] == ("trace", b"1")
    assert found.record.key == b"acme/cust-1"
