"""Usage events as CloudEvents 1.0 over Kafka: structured or binary mode, JSON or Avro.

    decode(RawRecord) -> Event | Problem

One bad record is one `Problem`; nothing here raises for what a producer sends.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from rating.errors import TimeError
from rating.times import parse_time
from schemas import avro
from schemas.canonical import decode_data, encode_data
from schemas.registry import Schemas, UnknownSchema
from schemas.rejected import RawRecord

ATTRIBUTE_MAX = 512
"""Characters of `id`, `source` and `type`: they are kept with every event."""
NAME_MAX = 128
FIRST, LAST = parse_time("0001-01-01T00:00:00Z"), parse_time("9999-12-31T23:59:59Z")
"""With an offset a time may lie outside the calendar's years: then nothing could write it in UTC."""
STRUCTURED_AVRO = ("application/cloudevents+avro", "application/avro")
_REQUIRED = ("specversion", "id", "source", "type", "subject")


class Event(NamedTuple):
    """A sound event. `time` in microseconds, `None` where the producer gave none; `data` with exact numbers."""

    id: str
    source: str
    type: str
    subject: str
    tenant: str
    account: str | None
    subscription: str | None
    time: int | None
    data: dict[str, Any]
    raw: bytes
    backfill: str | None = None


class Problem(NamedTuple):
    """Why a record is no event: a code of the contract and a sentence."""

    code: str
    detail: str


class _Envelope(msgspec.Struct):
    id: str = ""
    source: str = ""
    type: str = ""
    specversion: str = ""
    subject: str = ""
    tenant: str = "default"
    account: str | None = None
    subscription: str | None = None
    backfill: str | None = None
    time: str | None = None
    data: msgspec.Raw = msgspec.Raw()


_envelope = msgspec.json.Decoder(_Envelope)
_BROKEN = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


def decode(record: RawRecord, schemas: Schemas | None = None) -> Event | Problem:
    """The event of a record. Raises `registry.Away`, which says nothing about the record."""
    value = record.value
    if not record.headers:
        return _structured(value)
    headers = {name.lower(): content or b"" for name, content in record.headers}
    kind = headers.get("content-type", b"").decode("utf-8", "replace").split(";")[0].strip().lower()
    if kind in STRUCTURED_AVRO and "ce_id" not in headers:
        return _structured_avro(record, headers, schemas)
    if "ce_specversion" in headers or "ce_id" in headers or "ce_type" in headers:
        return _binary(record, headers, kind, schemas)
    return _structured(value)


def _structured(value: bytes | None) -> Event | Problem:
    if value is None:
        return Problem("malformed", "the record has no value: a usage event is a JSON object")
    try:
        envelope = _envelope.decode(value)
    except _BROKEN as error:
        return _why(value, error)
    raw = bytes(envelope.data)
    if not raw:
        return Problem("missing_attribute", "data is missing: it is the JSON object that meters read")
    try:
        data = decode_data(raw)
    except _BROKEN as error:
        return _bad_data(error)
    return _checked(envelope, data, raw)


def _checked(envelope: _Envelope, data: dict[str, Any], raw: bytes) -> Event | Problem:
    found = envelope
    if not (found.id and found.source and found.type and found.subject and found.specversion == "1.0"):
        return _missing(found)
    if len(found.id) > ATTRIBUTE_MAX or len(found.source) > ATTRIBUTE_MAX or len(found.type) > ATTRIBUTE_MAX:
        return Problem("bad_value", f"id, source and type have at most {ATTRIBUTE_MAX} characters")
    # In one look for names that were seen before, which nearly all were.
    if not _names.issuperset(
        (found.subject, found.tenant, found.account, found.subscription, found.backfill)
    ):
        problem = _bad_name(found)
        if problem is not None:
            return problem
    try:
        time = None if found.time is None else parse_time(found.time)
    except TimeError as error:
        return Problem("bad_value", f"time: {error}")
    if time is not None and not FIRST <= time <= LAST:
        return Problem("bad_value", "time: in UTC it is not in the years 1 to 9999")
    return _new(
        Event,
        (found.id, found.source, found.type, found.subject, found.tenant, found.account, found.subscription, time, data,
         raw, found.backfill),
    )  # fmt: skip


_new = tuple.__new__
_names: set[str | None] = {None}
_NAMES_MAX = 1_000_000


def _bad_name(found: _Envelope) -> Problem | None:
    if len(_names) > _NAMES_MAX:
        _names.intersection_update({None})
    for name in ("subject", "account", "tenant", "subscription", "backfill"):
        value = getattr(found, name)
        if value is not None and not _is_name(value):
            return Problem(
                "bad_value",
                f"{name} is {value[:60]!r}: 1 to {NAME_MAX} printable ASCII characters without space and /",
            )
        _names.add(value)
    return None


def _is_name(value: str) -> bool:
    return (
        0 < len(value) <= NAME_MAX
        and value.isascii()
        and value.isprintable()
        and not ({" ", "/"} & set(value))
    )


def _missing(found: _Envelope) -> Problem:
    for name in _REQUIRED:
        if not getattr(found, name):
            return Problem("missing_attribute", f"{name} is missing or empty: every usage event has one")
    return Problem("bad_value", f"specversion is {found.specversion[:20]!r}: only 1.0 is known")


def _why(value: bytes, error: Exception) -> Problem:
    """A closer look at what could not be read, on the way that only bad events take."""
    try:
        found = msgspec.json.decode(value)
    except _BROKEN:
        return Problem("malformed", f"the value is not a JSON object: {_words(error)}")
    if not isinstance(found, dict):
        return Problem("malformed", "the value is JSON, but not an object")
    for name in (*_REQUIRED, "tenant", "account", "subscription", "backfill", "time"):
        if name in found and not isinstance(found[name], str):
            code = "missing_attribute" if found[name] is None else "bad_value"
            return Problem(code, f"{name} is {str(found[name])[:40]}: it must be text")
    return Problem("malformed", f"the value cannot be read: {_words(error)}")


def _bad_data(error: Exception) -> Problem:
    if isinstance(error, msgspec.ValidationError):
        return Problem(
            "bad_value", f"data is not a JSON object with numbers that can be read: {_words(error)}"
        )
    return Problem("malformed", f"data cannot be read: {_words(error)}")


def _words(error: Exception) -> str:
    return "it is nested too deep" if isinstance(error, RecursionError) else str(error)[:200]


def _binary(
    record: RawRecord, headers: dict[str, bytes], kind: str, schemas: Schemas | None
) -> Event | Problem:
    attributes: dict[str, str] = {}
    for name, content in headers.items():
        if name.startswith("ce_"):
            try:
                attributes[name[3:]] = content.decode()
            except UnicodeDecodeError:
                return Problem("malformed", f"header {name} is not UTF-8 text")
    envelope = _enveloped(attributes)
    if avro.is_avro(kind, headers, record.value):
        read = _avro(record, headers, schemas)
        return read if isinstance(read, Problem) else _checked(envelope, read, encode_data(read))
    if not record.value:
        return Problem("missing_attribute", "the record has no value: it is the data of the event")
    try:
        data = decode_data(record.value)
    except _BROKEN as error:
        return _bad_data(error)
    return _checked(envelope, data, record.value)


def _structured_avro(
    record: RawRecord, headers: dict[str, bytes], schemas: Schemas | None
) -> Event | Problem:
    found = _avro(record, headers, schemas)
    if isinstance(found, Problem):
        return found
    data, named_apart = found.get("data"), found.get("attribute")
    if data is None:
        return Problem("missing_attribute", "data is missing: it is the record that meters read")
    if not isinstance(data, dict):
        return Problem("bad_value", "data is not a record")
    attributes = {
        **(named_apart if isinstance(named_apart, dict) else {}),
        **{name: each for name, each in found.items() if name not in ("data", "attribute")},
    }
    named = {name: str(each) for name, each in attributes.items() if each is not None}
    return _checked(_enveloped(named), data, encode_data(data))


def _enveloped(attributes: Mapping[str, str]) -> _Envelope:
    envelope = _Envelope()
    for name, value in attributes.items():
        if name in _Envelope.__struct_fields__ and name != "data":
            setattr(envelope, name, value)
    return envelope


def _avro(record: RawRecord, headers: dict[str, bytes], schemas: Schemas | None) -> dict[str, Any] | Problem:
    if schemas is None:
        return Problem(
            "unknown_schema", "no schema registry and no folder of schemas is set: see schema_registry_url"
        )
    try:
        found = avro.decode(record.value, headers, schemas)
    except UnknownSchema as error:
        return Problem("unknown_schema", str(error))
    except avro.Unreadable as error:
        return Problem("malformed", str(error))
    return found if isinstance(found, dict) else Problem("bad_value", "the Avro value is not a record")
