"""Small builders of records as producers write them."""

from __future__ import annotations

import json
from typing import Any

from rating.times import parse_time
from schemas.events import Event, Problem, decode
from schemas.rejected import Headers, RawRecord

NOW = parse_time("2026-11-22T10:00:00Z")
SOUND = {
    "specversion": "1.0", "id": "e1", "source": "gateway", "type": "llm", "tenant": "acme", "subject": "cust-1",
    "time": "2026-11-22T10:00:00.123Z", "data": {"model": "large", "tokens": 374},
}  # fmt: skip
BINARY = {f"ce_{name}": value for name, value in SOUND.items() if isinstance(value, str)}


def raw(value: bytes | None, headers: Headers | None = None, offset: int = 0) -> RawRecord:
    """A record of the raw topic."""
    return RawRecord("usage.events.v1", 0, offset, NOW, b"key", value, headers)


def structured(headers: Headers | None = None, offset: int = 0, **changed: Any) -> RawRecord:
    """A structured JSON event, a member taken out where it is `...`."""
    members = {name: value for name, value in {**SOUND, **changed}.items() if value is not ...}
    return raw(json.dumps(members).encode(), headers, offset)


def with_data(text: str | bytes) -> RawRecord:
    """A structured event whose data is this text, sound JSON or not."""
    body = text.encode() if isinstance(text, str) else text
    head = json.dumps({name: value for name, value in SOUND.items() if name != "data"}).encode()
    return raw(head[:-1] + b', "data": ' + body + b"}")


def headers(**values: Any) -> Headers:
    """Headers of binary mode; `content_type` is `content-type`, and `...` takes one out."""
    found = {**BINARY, "content_type": "application/json", **values}
    return [(name.replace("content_type", "content-type"), value if isinstance(value, bytes) else str(value).encode())
            for name, value in found.items() if value is not ...]  # fmt: skip


def event(record: RawRecord) -> Event:
    """The event of a sound record."""
    found = decode(record)
    assert isinstance(found, Event), found
    return found


def problem(record: RawRecord) -> Problem:
    """Why a record is no event; a sentence that fits in a header."""
    found = decode(record)
    assert isinstance(found, Problem), found
    assert found.detail
    assert "\n" not in found.detail
    assert len(found.detail) < 400
    return found
