"""A record's value for people: what JSON says, what Avro says by its schema, or the text that it is."""

from __future__ import annotations

from typing import Any

import msgspec

from schemas import avro
from schemas.registry import Away, Schemas, UnknownSchema


class NoValue(Exception):
    """Avro that cannot be read; the text says why and what to do."""


def value_of(message: Any, schemas: Schemas | None) -> Any:
    """The value of a record as a consumer hands it over. Raises `NoValue`."""
    raw: bytes = message.value() or b"null"
    headers = {name: value or b"" for name, value in message.headers() or ()}
    if raw[:1] == bytes([avro.PREFIX]) or avro.HEADER in headers:
        return _avro(raw, headers, schemas)
    try:
        return msgspec.json.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return text_of(message)


def text_of(message: Any) -> str:
    """The value's bytes as text."""
    return str((message.value() or b"").decode("utf-8", "replace"))


def _avro(raw: bytes, headers: dict[str, bytes], schemas: Schemas | None) -> Any:
    if schemas is None:
        raise NoValue(
            "is Avro: set AZOTTE_SCHEMA_REGISTRY_URL or AZOTTE_SCHEMA_FOLDER to where its schema is"
        )
    try:
        return avro.decode(raw, headers, schemas)
    except (avro.Unreadable, UnknownSchema, Away) as error:
        raise NoValue(f"is Avro that cannot be read: {error}") from None
