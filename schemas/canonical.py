"""The content of an event in one form, whatever its encoding: members sorted, numbers by value. And its hashes."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from hashlib import blake2b
from typing import Any

import msgspec

from rating.ids import event_uid as uid

DEPTH_MAX = 100
"""Arrays and objects within each other: every reader of an event must manage as many."""
WHOLE_EXPONENT_MAX = 40
"""A literal like 1e40 is written out as an integer; beyond, it is kept as it is, since no meter takes it."""
_encoder = msgspec.json.Encoder(order="sorted", decimal_format="number")


def number(literal: str) -> int | Decimal:
    """The number of a JSON literal with a point or an exponent: one form for each value, never a float.

    Raises `ValueError` for an exponent beyond what a `Decimal` holds, about 10^18.
    """
    try:
        sign, digits, exponent = Decimal(literal).as_tuple()
    except InvalidOperation:
        raise ValueError("a number has an exponent of more than 18 digits") from None
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
    found = _data.decode(raw)
    check_depth(found, bytes(raw))
    return found


def check_depth(value: Any, raw: bytes) -> None:
    """Raise `RecursionError` where the value is nested more than `DEPTH_MAX` deep; `raw` is its text."""
    if len(raw) > 2 * DEPTH_MAX and raw.count(b"[") + raw.count(b"{") > DEPTH_MAX:
        _walk(value, DEPTH_MAX)


def _walk(value: Any, left: int) -> None:
    if not isinstance(value, dict | list):
        return
    if not left:
        raise RecursionError("nested too deep")
    for each in value.values() if isinstance(value, dict) else value:
        _walk(each, left - 1)


def encode_data(data: Any) -> bytes:
    """`data` as JSON text."""
    return _encoder.encode(data)


__all__ = ["check_depth", "decode_data", "digest", "encode_data", "number", "uid"]
