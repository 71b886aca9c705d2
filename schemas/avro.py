"""Avro values in Confluent framing: the schema's id as a prefix of the value, or its GUID in a header.

Prefix: a zero byte and the id in 4 bytes, big endian. Header `__value_schema_id`: a one byte and the GUID in 16 bytes
(or the prefix form there); the value is then the Avro bytes alone. Schemas come from a registry, from `mock://NAME`
(a registry in memory), or from a folder: `<id>.avsc` or `<guid>.avsc`.
"""

from __future__ import annotations

import base64
import io
import json
import struct
import urllib.error
import urllib.request
import uuid
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Protocol

import fastavro

from schemas.canonical import number

HEADER = "__value_schema_id"
PREFIX, GUID = 0, 1
REGISTRY_S = 5.0
DEPTH_MAX = 64


class UnknownSchema(Exception):
    """No schema under the id that the value names."""


class Unreadable(Exception):
    """The bytes are not what their schema says."""


class Schemas(Protocol):
    """Where schemas come from, by id (a number) or GUID (text with dashes)."""

    def get(self, name: str) -> Any:
        """The parsed schema. Raises `UnknownSchema`."""


class Folder:
    """Schemas as files `<id>.avsc`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._parsed: dict[str, Any] = {}

    def get(self, name: str) -> Any:
        if name not in self._parsed:
            path = self._folder / f"{name}.avsc"
            try:
                self._parsed[name] = fastavro.parse_schema(json.loads(path.read_text()))
            except OSError:
                raise UnknownSchema(
                    f"schema {name} is not in {self._folder.name}: put {name}.avsc there"
                ) from None
        return self._parsed[name]


class Memory:
    """`mock://NAME`: schemas that this process was given, one registry a name."""

    _registries: dict[str, dict[str, Any]] = {}

    def __init__(self, name: str) -> None:
        self._mine = self._registries.setdefault(name, {})

    def add(self, name: str, schema: Mapping[str, Any]) -> None:
        self._mine[name] = fastavro.parse_schema(dict(schema))

    def get(self, name: str) -> Any:
        if name not in self._mine:
            raise UnknownSchema(f"schema {name} is not in the registry in memory")
        return self._mine[name]


class Registry:
    """A Confluent schema registry over HTTP; what it answered once is kept, since a schema never changes."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")
        self._parsed: dict[str, Any] = {}

    def get(self, name: str) -> Any:
        if name not in self._parsed:
            kind = "guids" if "-" in name else "ids"
            try:
                with urllib.request.urlopen(
                    f"{self._url}/schemas/{kind}/{name}", timeout=REGISTRY_S
                ) as answer:
                    found = json.loads(answer.read())
            except urllib.error.HTTPError as error:
                error.close()
                if error.code == 404:
                    raise UnknownSchema(f"the schema registry has no schema {name}") from None
                raise
            self._parsed[name] = fastavro.parse_schema(json.loads(found["schema"]))
        return self._parsed[name]


def schemas_from(url: str | None, folder: Path | None) -> Schemas | None:
    """The source of schemas that the settings name, if any."""
    if folder is not None:
        return Folder(folder)
    if url is None:
        return None
    return Memory(url.removeprefix("mock://")) if url.startswith("mock://") else Registry(url)


def is_avro(kind: str, headers: Mapping[str, bytes], value: bytes | None) -> bool:
    """Whether a binary-mode value is Avro: by its content type, or by the framing where it has none."""
    if kind in ("application/avro", "avro/binary", "application/vnd.apache.avro"):
        return True
    return not kind and (HEADER in headers or (value or b"\x01")[:1] == b"\x00")


def decode(value: bytes | None, headers: Mapping[str, bytes], schemas: Schemas) -> Any:
    """The value, numbers exact. Raises `UnknownSchema` or `Unreadable`."""
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
