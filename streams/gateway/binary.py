"""CloudEvents in the binary mode of the HTTP protocol binding: attributes in `ce-` headers, the body is the data.

What comes so goes to the topic as the structured event that it stands for. Source: CloudEvents HTTP protocol binding 1.0.2, §3.1.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import unquote_to_bytes

import msgspec

from schemas.gateway import BROKEN, Unreadable

PREFIX = "ce-"
STRUCTURED = "application/cloudevents"
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_data = msgspec.json.Decoder(msgspec.Raw)


def is_binary(headers: Mapping[str, str]) -> bool:
    """Whether a request has its event's attributes in headers: `ce-` ones, and a body that does not say it is an event."""
    if headers.get("Content-Type", "").strip().lower().startswith(STRUCTURED):
        return False
    return any(name.lower().startswith(PREFIX) for name in headers)


def structured(headers: Mapping[str, str], body: bytes) -> bytes:
    """The same event in structured mode, as JSON. An empty body is no data. Raises `Unreadable`.

    `headers` may have a name twice, as aiohttp gives them.
    """
    event: dict[str, str | msgspec.Raw] = {}
    for header, value in headers.items():
        name = header.lower().removeprefix(PREFIX)
        if name == header.lower():
            continue
        if name in event:
            raise Unreadable(f"the header {PREFIX}{name} is there twice: send it once")
        if name == "data":
            raise Unreadable(f"the header {PREFIX}data is none of CloudEvents: the data is the body")
        event[name] = _decoded(name, value)
    if "Content-Type" in headers:
        event["datacontenttype"] = headers["Content-Type"]
    if body.strip():
        try:
            event["data"] = _data.decode(body)
        except BROKEN as error:
            raise Unreadable(
                f"the body, which is the event's data, is not JSON: {str(error)[:200]}"
            ) from None
    return msgspec.json.encode(event)


def _decoded(name: str, value: str) -> str:
    """A header's value as the attribute that it stands for: quotes off, then percent-decoded once, as UTF-8."""
    quoted = _QUOTED.fullmatch(value)
    text = value if quoted is None else re.sub(r"\\(.)", r"\1", quoted[1])
    try:
        return unquote_to_bytes(text).decode()
    except UnicodeError:
        words = f"the header {PREFIX}{name}, {value[:60]!r}, is not UTF-8 in percent encoding: encode it so"
        raise Unreadable(words) from None
