"""Cells on the changelog: keys and values as msgpack. Tuples are arrays; an integer over 64 bits is an extension."""

from __future__ import annotations

from typing import Any

import msgspec

from rating.cells import Bucket
from rating.state import CELLS

BIG = 1
_MAX, _MIN = 1 << 64, -(1 << 63)
_SIMPLE = frozenset({bool, str, bytes, type(None)})


def encode_key(bucket: Bucket, member: str) -> bytes:
    """The changelog's key of a cell."""
    return msgspec.msgpack.encode((*bucket, member))


def decode_key(key: bytes) -> tuple[Bucket, str]:
    """The cell of a changelog key."""
    *bucket, member = msgspec.msgpack.decode(key)
    return tuple(bucket), member


def encode_value(value: Any) -> bytes:
    """A cell's value as bytes."""
    try:
        return msgspec.msgpack.encode(value)
    except OverflowError:
        return msgspec.msgpack.encode(_wide(value))


def decode_value(bucket: Bucket, value: bytes) -> Any:
    """The value of a cell; its bucket's kind says of which type."""
    found = _decoder.decode(value)
    kind = CELLS.get(bucket[0])
    found = _tuples(found)
    return found if kind is None or not isinstance(found, tuple) else kind.restored(found)


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, list) else value


def _wide(value: Any) -> Any:
    """The value with its large integers as extensions. Amounts are large, so most cells come this way."""
    if isinstance(value, tuple):
        return [
            each if type(each) in _SIMPLE or (type(each) is int and _MIN <= each < _MAX) else _wide(each)
            for each in value
        ]
    if type(value) is int and not _MIN <= value < _MAX:
        return msgspec.msgpack.Ext(BIG, str(value).encode())
    return value


def _ext(code: int, data: memoryview) -> Any:
    assert code == BIG, f"an extension of kind {code} in a cell"
    return int(bytes(data))


_decoder = msgspec.msgpack.Decoder(ext_hook=_ext)
