"""Records of `rating.log.v1` as bytes: msgpack, columns as arrays, big integers as text. `k` is the kind, `v` the version."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from rating.records import (
    CatalogRevision,
    Command,
    LogSettings,
    Pack,
    Position,
    ReadingColumn,
    Record,
    Release,
    TenantUsage,
    Tick,
    WasEvent,
)  # fmt: skip

VERSION = 1


class UnknownRecord(Exception):
    """A record of a kind or version that this program does not know: a newer one wrote it."""


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder()
_PACK = tuple(Pack.__dataclass_fields__)
_WAS = tuple(WasEvent.__dataclass_fields__)


def encode_record(record: Record) -> bytes:
    """One record as bytes."""
    return _encoder.encode(_plain(record))


def decode_record(value: bytes) -> Record:
    """The record of bytes. Raises `UnknownRecord`."""
    kind, version, *fields = _decoder.decode(value)
    if version != VERSION or kind not in _READ:
        raise UnknownRecord(
            f"a record of kind {kind!r} and version {version}: run the program that wrote it, or a newer one"
        )
    return _READ[kind](fields)


def _plain(record: Record) -> list[Any]:
    if isinstance(record, Pack):
        return ["p", VERSION, *(getattr(record, name) for name in _PACK)]
    if isinstance(record, Command):
        return ["c", VERSION, record.tenant, record.account, record.id, record.type, record.time, record.received,
                _text(record.fields), list(record.origin), _was(record.was), _was(record.now), record.revision]  # fmt: skip
    if isinstance(record, CatalogRevision):
        return ["g", VERSION, record.tenant, record.revision, record.time, _text(record.doc)]
    if isinstance(record, Tick):
        return ["t", VERSION, record.clock]
    if isinstance(record, LogSettings):
        return ["s", VERSION, record.accept_past, record.accept_future, record.partitions]
    if isinstance(record, TenantUsage):
        return [
            "u",
            VERSION,
            record.tenant,
            record.partition,
            record.account,
            record.number,
            record.part,
            record.figures,
        ]
    return ["r", VERSION, record.tenant, record.name, record.account, record.until]


def _was(event: WasEvent | None) -> list[Any] | None:
    return None if event is None else [getattr(event, name) for name in _WAS]


def _text(value: Any) -> bytes:
    return msgspec.json.encode(value)


def _json(value: bytes) -> Any:
    return msgspec.json.decode(value)


def _read_pack(fields: list[Any]) -> Pack:
    # A pack of before has fewer columns.
    found = dict(zip(_PACK, fields, strict=False))
    found["origins"] = [tuple(origin) for origin in found["origins"]]
    found["readings"] = [
        ReadingColumn(meter, event, value, dim, [tuple(each) for each in dims])
        for meter, event, value, dim, dims in found["readings"]
    ]
    return Pack(**found)


def _read_command(fields: list[Any]) -> Command:
    tenant, account, name, kind, time, received, text, origin, was, now, revision = fields
    return Command(
        tenant=tenant,
        account=account,
        id=name,
        type=kind,
        time=time,
        received=received,
        fields=_json(text),
        origin=Position(*origin),
        was=None if was is None else WasEvent(*was),
        now=None if now is None else WasEvent(*now),
        revision=revision,
    )


def _read_catalog(fields: list[Any]) -> CatalogRevision:
    tenant, revision, time, doc = fields
    return CatalogRevision(tenant, revision, time, _json(doc))


_READ: dict[str, Callable[[list[Any]], Record]] = {
    "p": _read_pack,
    "c": _read_command,
    "g": _read_catalog,
    "t": lambda fields: Tick(*fields),
    "s": lambda fields: LogSettings(*fields),
    "r": lambda fields: Release(*fields),
    "u": lambda fields: TenantUsage(*fields),
}
__all__ = ["UnknownRecord", "decode_record", "encode_record"]
