"""Webhooks as they go out: which records become one, of which type, with which id and body.

    {"type": "threshold.breached", "timestamp": "…", "data": {the record, as it stands on its topic}}

A webhook's id follows from the record, so it is the same at every try and after every restart; the body is made once and
sent as it was signed. See the contract, "Webhooks".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from schemas import topics

GRANTED, DENIED = "entitlement.granted", "entitlement.denied"
BY_TOPIC: Mapping[topics.Topic, tuple[str, ...]] = {
    topics.THRESHOLDS: ("threshold.breached", "threshold.recovered"),
    topics.ENTITLEMENTS: (GRANTED, DENIED),
    topics.LEDGER: ("grant.expired",),
    topics.SIGNALS: ("signal.on", "signal.off"),
    topics.CHARGES: ("period.closed",),
}
"""The types, each with the topic whose records become it."""
TYPES = tuple(name for names in BY_TOPIC.values() for name in names)
HEADER = re.compile(r"[!-~]{1,1000}")
"""What an id may be, since it stands in a header."""

# Topic, the field that decides and its values; a record with another value becomes no webhook.
_RULES: Mapping[str, tuple[str, Mapping[str, str]]] = {
    topics.THRESHOLDS.name: ("state", {"breached": "threshold.breached", "recovered": "threshold.recovered"}),
    topics.SIGNALS.name: ("state", {"on": "signal.on", "off": "signal.off"}),
    topics.LEDGER.name: ("entry", {"expire": "grant.expired"}),
    topics.CHARGES.name: ("kind", {"close": "period.closed"}),
}
_HINTS = {topics.LEDGER.name: b"expire", topics.CHARGES.name: b"close"}


class Webhook(NamedTuple):
    """One notification. `key` is `tenant/account`, `tenant/` of the whole tenant: webhooks of one key are sent in their order."""

    id: str
    type: str
    tenant: str
    key: str
    body: bytes


class NotARecord(ValueError):
    """A value that is no record of its topic: somebody else's."""


class Record(msgspec.Struct, frozen=True, gc=False):
    """What is read of any record; the rest goes into the body as it is."""

    tenant: str
    account: str | None
    time: str
    id: str = ""
    state: str = ""
    entry: str = ""
    kind: str = ""
    access: bool | None = None
    plan: str | None = ""


_decoder = msgspec.json.Decoder(Record)


def read(value: bytes) -> Record:
    """What decides of a record. Raises `NotARecord`."""
    try:
        return _decoder.decode(value)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise NotARecord(str(error)) from None


def may_be(topic: str, value: bytes) -> bool:
    """Whether the record can become a webhook at all: cheap, since few charge lines do, in JSON or in Avro."""
    hint = _HINTS.get(topic)
    return hint is None or hint in value


def webhook_of(topic: str, value: bytes) -> Webhook | None:
    """The webhook of a record, but of entitlements: they depend on what was before. Raises `NotARecord`."""
    record = read(value)
    field, types = _RULES[topic]
    kind = types.get(getattr(record, field))
    return None if kind is None else made(kind, record.id, record, value)


def made(kind: str, name: str, record: Record, value: bytes) -> Webhook:
    """A webhook around a record's bytes. Raises `NotARecord` where its id is none."""
    if HEADER.fullmatch(name) is None:
        raise NotARecord(f"id {name[:60]!r} is not printable ASCII")
    head = msgspec.json.encode({"type": kind, "timestamp": record.time})
    body = head[:-1] + b',"data":' + value + b"}"
    return Webhook(name, kind, record.tenant, f"{record.tenant}/{record.account or ''}", body)
