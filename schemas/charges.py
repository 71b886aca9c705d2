"""Charge lines as Avro, for a deployment whose `charges_format` says so: the JSON record's fields and texts, one schema.

The value begins with the schema's id, as a Confluent registry has it. JSON begins with `{`, so a reader can tell them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from importlib.resources import files
from typing import Any

import fastavro
import msgspec

from schemas import avro
from schemas.registry import Schemas

SCHEMA: Mapping[str, Any] = json.loads(files("schemas").joinpath("charge_line.avsc").read_text("utf-8"))
Encode = Callable[[Mapping[str, Any]], bytes]


def encoder(topic: str, schemas: Schemas) -> Encode:
    """What writes lines for a topic; its schema is registered for it. Raises `registry.Away`."""
    number = schemas.register(f"{topic}-value", SCHEMA)
    parsed = fastavro.parse_schema(dict(SCHEMA))

    def encode(line: Mapping[str, Any]) -> bytes:
        details = [{name: _flat(value) for name, value in part.items()} for part in line["details"]]
        return avro.encode({**line, "details": details}, number, parsed)

    return encode


def as_json(value: bytes, schemas: Schemas) -> bytes:
    """A line as JSON, whichever it is. Raises `avro.Unreadable`, and as `Schemas.get`."""
    if value[:1] != bytes([avro.PREFIX]):
        return value
    return msgspec.json.encode(avro.decode(value, {}, schemas))


def _flat(value: Any) -> Any:
    known = value is None or isinstance(value, bool | int | str)
    return value if known else msgspec.json.encode(value).decode()
