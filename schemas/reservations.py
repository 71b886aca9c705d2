"""Reservations as records of `billing.reservations.v1`: JSON with a version, keyed `tenant/account/id`."""

from __future__ import annotations

import msgspec

from rating.records import Position
from rating.reservations import BoundKey, Hold, HoldKey

VERSION = 1


class UnknownReservation(Exception):
    """A record of a version that this program does not know: a newer one wrote it."""


class _Record(msgspec.Struct, omit_defaults=True):
    v: int
    root: str
    feature: str
    granted: str
    available: str | None
    claims: list[tuple[str, str, str, str]]
    """Account, kind and name of a bound, and what is held of it, as text: an amount has more digits than a number."""
    expires: int
    request: str
    state: str
    subject: str | None = None
    event: str = ""
    origin: tuple[str, int, int] | None = None
    ended: int | None = None


def encode_key(key: HoldKey) -> bytes:
    """The key of a reservation's record."""
    return f"{key.tenant}/{key.account}/{key.id}".encode()


def encode_hold(hold: Hold, origin: Position | None) -> bytes:
    """A reservation, with where its event stands, which may be known of late."""
    claims = [
        (bound.account, bound.kind, bound.name, str(claim)) for bound, claim in sorted(hold.claims.items())
    ]
    return msgspec.json.encode(
        _Record(
            VERSION, hold.root, hold.feature, hold.granted, hold.available, claims, hold.expires, hold.request,
            hold.state, hold.subject, hold.event, None if origin is None else (origin.topic, origin.partition, origin.offset), hold.ended,
        )
    )  # fmt: skip


def decode_hold(key: bytes, value: bytes) -> Hold:
    """The reservation of a record. Raises `UnknownReservation`."""
    tenant, account, name = key.decode().split("/")
    try:
        found = _decoder.decode(value)
    except msgspec.MsgspecError as error:
        raise UnknownReservation(f"reservation {key.decode()} cannot be read: {error}") from None
    if found.v != VERSION:
        raise UnknownReservation(
            f"reservation {key.decode()} has version {found.v}: run the program that wrote it, or a newer one"
        )
    return Hold(
        HoldKey(tenant, account, name), found.root, found.feature, found.granted, found.available,
        {BoundKey(tenant, owner, kind, bound): int(claim) for owner, kind, bound, claim in found.claims},
        found.expires, found.request, found.subject, found.state, found.event,
        None if found.origin is None else Position(*found.origin), found.ended,
    )  # fmt: skip


_decoder = msgspec.json.Decoder(_Record)
