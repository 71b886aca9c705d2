"""Avro values in Confluent framing: the schema's id as a prefix of the value, or its GUID in a header.

Prefix: a zero byte and the id in 4 bytes, big endian. Header `__value_schema_id`: a one byte and the GUID in 16 bytes
(or the prefix form there); the value is then the Avro bytes alone. Where schemas come from is `schemas.registry`'s.
"""

from __future__ import annotations

import base64
import io
import struct
import uuid
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import fastavro

from schemas.canonical import number
from schemas.registry import Schemas

HEADER = "__value_schema_id"
PREFIX, GUID = 0, 1
DEPTH_MAX = 64


class Unreadable(Exception):
    """The bytes are not what their schema says."""


def is_avro(kind: str, headers: Mapping[str, bytes], value: bytes | None) -> bool:
    """Whether a binary-mode value is Avro: by its content type, or by the framing where it has none."""
    if kind in ("application/avro", "avro/binary", "application/vnd.apache.avro"):
        return True
    return not kind and (HEADER in headers or (value or b"\x01")[:1] == b"\x00")


def decode(value: bytes | None, headers: Mapping[str, bytes], schemas: Schemas) -> Any:
    """The value, numbers exact. Raises `Unreadable`, and as `Schemas.get`."""
    name, body = _framed(value or b"", headers.get(HEADER))
    schema = schemas.get(name)
    stream = io.BytesIO(body)
    try:
        found = fastavro.schemaless_reader(stream, schema, None)
    except Exception as error:  # noqa: BLE001 - fastavro raises whatever it stumbles over
        raise Unreadable(f"the value is not Avro of schema {name}: {type(error).__name__}") from None
    if stream.read(1):
        raise Unreadable(f"the value goes on after its Avro of schema {name}")
    return _exact(found, 0)


def encode(value: Any, number: int, schema: Any) -> bytes:
    """The value with the prefix that names its schema; `schema` is parsed."""
    stream = io.BytesIO()
    stream.write(struct.pack(">BI", PREFIX, number))
    fastavro.schemaless_writer(stream, schema, value)
    return stream.getvalue()


def _framed(value: bytes, header: bytes | None) -> tuple[str, bytes]:
    framing, body = (value[:5], value[5:]) if header is None else (header, value)
    if len(framing) == 5 and framing[0] == PREFIX:
        return str(struct.unpack(">I", framing[1:])[0]), body
    if header is not None and len(framing) == 17 and framing[0] == GUID:
        return str(uuid.UUID(bytes=framing[1:])), body
    raise Unreadable("the value has no Confluent framing: a zero byte and the schema's id come first")


def _exact(value: Any, depth: int) -> Any:
    if depth > DEPTH_MAX:
        raise Unreadable("the value is nested too deep")
    if isinstance(value, dict):
        return {str(name): _exact(each, depth + 1) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_exact(each, depth + 1) for each in value]
    if isinstance(value, float):
        if repr(value) in ("nan", "inf", "-inf"):
            raise Unreadable("the value holds a number that is not finite")
        return number(repr(value))
    if isinstance(value, Decimal):
        return number(str(value))
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, datetime | date):
        return value.isoformat().replace("+00:00", "Z")
    return str(value) if isinstance(value, uuid.UUID) else value
