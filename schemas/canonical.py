"""The content of an event in one form, whatever its encoding: members sorted, numbers by value. And its hashes."""

from __future__ import annotations

from decimal import Decimal
from hashlib import blake2b
from typing import Any

import msgspec

from rating.ids import event_uid as uid

WHOLE_EXPONENT_MAX = 40
"""A literal like 1e40 is written out as an integer; beyond, it is kept as it is, since no meter takes it."""
_encoder = msgspec.json.Encoder(order="sorted", decimal_format="number")


def number(literal: str) -> int | Decimal:
    """The number of a JSON literal with a point or an exponent: one form for each value, never a float."""
    sign, digits, exponent = Decimal(literal).as_tuple()
    assert isinstance(exponent, int), "a JSON literal is finite"
    kept = "".join(map(str, digits)).rstrip("0")
    if not kept:
        return 0
    exponent += len(digits) - len(kept)
    if 0 <= exponent <= WHOLE_EXPONENT_MAX:
        whole: int = int(kept) * 10**exponent
        return -whole if sign else whole
    return Decimal((sign, tuple(map(int, kept)), exponent))


def digest(kind: str, subject: str, data: Any) -> bytes:
    """16 bytes that stand for what an event says, but for its time: type, subject and data as `number` read them."""
    return blake2b(_encoder.encode((kind, subject, data)), digest_size=16).digest()


_data = msgspec.json.Decoder(dict[str, Any], float_hook=number)


def decode_data(raw: bytes | msgspec.Raw) -> dict[str, Any]:
    """An event's `data`, numbers exact. Raises `msgspec.MsgspecError`, `UnicodeDecodeError`, `RecursionError`."""
    return _data.decode(raw)


def encode_data(data: Any) -> bytes:
    """`data` as JSON text."""
    return _encoder.encode(data)


__all__ = ["decode_data", "digest", "encode_data", "number", "uid"]
