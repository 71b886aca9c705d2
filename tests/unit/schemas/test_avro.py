"""Avro events in both Confluent framings say the same as JSON ones; bytes that are none are rejected one by one."""

from __future__ import annotations

import io
import struct
import uuid
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import fastavro
import pytest

from schemas import avro
from schemas.canonical import digest
from schemas.events import Event, Problem, decode
from schemas.registry import Memory
from schemas.rejected import Headers
from tests.unit.schemas.records import NOW, event, headers, raw, structured

GUID = uuid.UUID("4f4f4f4f-0000-4000-8000-000000000001")
DATA = {"type": "record", "name": "llm", "fields": [{"name": "model", "type": "string"}, {"name": "tokens", "type": "long"}]}  # fmt: skip
CLOUDEVENT = {
    "type": "record", "name": "CloudEvent", "fields": [
        {"name": "attribute", "type": {"type": "map", "values": ["null", "boolean", "int", "string", "bytes"]}},
        {"name": "data", "type": ["null", DATA, "string"]},
    ],
}  # fmt: skip
FLAT = {
    "type": "record", "name": "Flat", "fields": [
        *({"name": name, "type": "string"} for name in ("specversion", "id", "source", "type", "tenant", "subject")),
        {"name": "time", "type": {"type": "long", "logicalType": "timestamp-micros"}},
        {"name": "account", "type": ["null", "string"]},
        {"name": "data", "type": {**DATA, "name": "flat_llm"}},
    ],
}  # fmt: skip
ATTRIBUTES = {
    "specversion": "1.0",
    "id": "e1",
    "source": "gateway",
    "type": "llm",
    "tenant": "acme",
    "subject": "cust-1",
}
VALUE = {"model": "large", "tokens": 374}
STRUCTURED: Headers = [("content-type", b"application/cloudevents+avro; charset=binary")]


@pytest.fixture
def schemas() -> Memory:
    memory = Memory(uuid.uuid4().hex)
    memory.add("1", DATA)
    memory.add(str(GUID), DATA)
    memory.add("2", CLOUDEVENT)
    memory.add("3", FLAT)
    return memory


def body(schema: Any, value: Any) -> bytes:
    stream = io.BytesIO()
    fastavro.schemaless_writer(stream, fastavro.parse_schema(schema), value)
    return stream.getvalue()


def prefixed(number: int, content: bytes) -> bytes:
    return struct.pack(">bI", 0, number) + content


def test_binary_mode_in_every_framing_is_the_event_that_json_says(schemas: Memory) -> None:
    plain = event(structured())
    content = body(DATA, VALUE)
    in_header: Headers = [
        *headers(content_type="application/avro"),
        ("__value_schema_id", b"\x01" + GUID.bytes),
    ]
    id_in_header: Headers = [*headers(content_type=...), ("__VALUE_SCHEMA_ID", prefixed(1, b""))]
    for record in (
        raw(prefixed(1, content), headers(content_type="application/avro")),
        raw(prefixed(1, content), headers(content_type="application/vnd.apache.avro")),
        raw(prefixed(1, content), headers(content_type=...)),
        raw(content, in_header),
        raw(content, id_in_header),
    ):
        found = decode(record, schemas)
        assert isinstance(found, Event), found
        assert found._replace(raw=b"") == plain._replace(raw=b"")
        assert digest(found.type, found.subject, found.data) == digest(plain.type, plain.subject, plain.data)
        assert found.raw == b'{"model":"large","tokens":374}'


def test_structured_mode_with_an_attribute_map_and_with_plain_fields(schemas: Memory) -> None:
    mapped = prefixed(
        2, body(CLOUDEVENT, {"attribute": {**ATTRIBUTES, "partner": None, "retry": 3}, "data": VALUE})
    )
    at = datetime.fromtimestamp(NOW / 1e6, UTC)
    flat = prefixed(3, body(FLAT, {**ATTRIBUTES, "time": at, "account": None, "data": VALUE}))
    plain = event(structured(time=...))
    for value, time in ((mapped, None), (flat, NOW)):
        found = decode(raw(value, STRUCTURED), schemas)
        assert isinstance(found, Event), found
        assert found._replace(raw=b"") == plain._replace(raw=b"", time=time)


BROKEN: dict[str, tuple[str, bytes | None, Headers]] = {
    "an unknown id": ("unknown_schema", prefixed(9, body(DATA, VALUE)), headers(content_type="application/avro")),
    "an unknown GUID": ("unknown_schema", body(DATA, VALUE), [*headers(), ("content-type", b"avro/binary"),
     ("__value_schema_id", b"\x01" + bytes(16))]),
    "no framing": ("malformed", b"\x05", headers(content_type="application/avro")),
    "no value": ("malformed", None, headers(content_type="application/avro")),
    "a framing of another kind": ("malformed", b"\x02\x00\x00\x00\x01ab", headers(content_type="application/avro")),
    "a header that is cut": ("malformed", body(DATA, VALUE), [*headers(content_type="application/avro"),
     ("__value_schema_id", b"\x01abc")]),
    "a value that is cut": ("malformed", prefixed(1, body(DATA, VALUE)[:-1]), headers(content_type="application/avro")),
    "a value that goes on": ("malformed", prefixed(1, body(DATA, VALUE) + b"\x00"), headers(content_type="application/avro")),
    "other bytes": ("malformed", prefixed(1, b"\xff" * 40), headers(content_type="application/avro")),
    "structured without data": ("missing_attribute", prefixed(2, body(CLOUDEVENT, {"attribute": ATTRIBUTES, "data": None})), STRUCTURED),
    "structured with data that is text": ("bad_value", prefixed(2, body(CLOUDEVENT, {"attribute": ATTRIBUTES, "data": "x"})), STRUCTURED),
    "structured without attributes": ("missing_attribute", prefixed(2, body(CLOUDEVENT, {"attribute": {}, "data": VALUE})), STRUCTURED),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_no_avro_event_has_a_code(name: str, schemas: Memory) -> None:
    code, value, given = BROKEN[name]
    found = decode(raw(value, given), schemas)
    assert isinstance(found, Problem), found
    assert found.code == code
    assert found.detail


def test_a_schema_of_another_shape_is_no_event_either(schemas: Memory) -> None:
    schemas.add(
        "7",
        {
            "type": "record",
            "name": "odd",
            "fields": [{"name": "attribute", "type": "string"}, {"name": "data", "type": DATA}],
        },
    )
    found = decode(
        raw(prefixed(7, body(schemas.get("7"), {"attribute": "x", "data": VALUE})), STRUCTURED), schemas
    )
    assert found == Problem("missing_attribute", "specversion is missing or empty: every usage event has one")
    schemas.add("8", {"type": "string"})
    found = decode(raw(prefixed(8, body("string", "x")), headers(content_type="application/avro")), schemas)
    assert found == Problem("bad_value", "the Avro value is not a record")


KINDS = [
    ("double", 0.1, Decimal("0.1")), ("double", 3.0, 3), ("double", -0.0, 0), ("float", 0.5, Decimal("0.5")),
    ({"type": "bytes", "logicalType": "decimal", "precision": 30, "scale": 9}, Decimal("0.000000246"), Decimal("2.46E-7")),
    ({"type": "bytes", "logicalType": "decimal", "precision": 30, "scale": 2}, Decimal("5.00"), 5),
    ("bytes", b"\x00\xff", "AP8="), ({"type": "string", "logicalType": "uuid"}, GUID, str(GUID)),
    ({"type": "int", "logicalType": "date"}, date(2026, 1, 2), "2026-01-02"), ("boolean", True, True),
    ({"type": "long", "logicalType": "timestamp-millis"}, datetime(2026, 1, 2, tzinfo=UTC), "2026-01-02T00:00:00Z"),
    ({"type": "map", "values": "double"}, {"x": 1.5}, {"x": Decimal("1.5")}), ("long", 2**63 - 1, 2**63 - 1),
    ({"type": "array", "items": ["null", "int"]}, [None, 1], [None, 1]),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "value", "read"), KINDS)
def test_values_are_exact_and_plain(kind: Any, value: Any, read: Any, schemas: Memory) -> None:
    schema = {"type": "record", "name": "r", "fields": [{"name": "v", "type": kind}]}
    schemas.add("5", schema)
    found = avro.decode(prefixed(5, body(schema, {"v": value})), {}, schemas)["v"]
    assert (found, type(found)) == (read, type(read))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_a_number_that_is_not_finite_is_malformed(value: float, schemas: Memory) -> None:
    schemas.add("5", {"type": "record", "name": "r", "fields": [{"name": "v", "type": "double"}]})
    with pytest.raises(avro.Unreadable, match="not finite"):
        avro.decode(prefixed(5, struct.pack("<d", value)), {}, schemas)


def test_a_schema_as_deep_as_it_may_be(schemas: Memory) -> None:
    for levels, sound in ((avro.DEPTH_MAX - 1, True), (avro.DEPTH_MAX, False)):
        kind: Any = "long"
        for _ in range(levels):
            kind = {"type": "array", "items": kind}
        schemas.add("6", {"type": "record", "name": "deep", "fields": [{"name": "v", "type": kind}]})
        content = prefixed(6, b"\x02" * (levels + 1) + b"\x00" * levels)
        if sound:
            assert isinstance(avro.decode(content, {}, schemas), dict)
        else:
            with pytest.raises(avro.Unreadable, match="too deep"):
                avro.decode(content, {}, schemas)


def test_what_is_written_is_read(schemas: Memory) -> None:
    content = avro.encode(VALUE, 1, schemas.get("1"))
    assert content == prefixed(1, body(DATA, VALUE))
    assert avro.decode(content, {}, schemas) == VALUE
