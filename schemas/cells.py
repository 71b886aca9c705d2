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
        return msgspec.msgpack.encode(
            _wide_row(value) if isinstance(value, tuple) else _wide_row((value,))[0]
        )


def decode_value(bucket: Bucket, value: bytes) -> Any:
    """The value of a cell; its bucket's kind says of which type."""
    found = _decoder.decode(value)
    kind = CELLS.get(bucket[0])
    found = _tuples(found)
    return found if kind is None or not isinstance(found, tuple) else kind.restored(found)


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, list) else value


def _wide_row(row: tuple[Any, ...]) -> list[Any]:
    """The row with its large integers as extensions: amounts are large, so most cells come this way."""
    found = []
    for each in row:
        kind = type(each)
        if kind is int:
            if not _MIN <= each < _MAX:
                each = msgspec.msgpack.Ext(BIG, str(each).encode())
        elif kind not in _SIMPLE:
            each = _wide_row(each)
        found.append(each)
    return found


def _ext(code: int, data: memoryview) -> Any:
    assert code == BIG, f"an extension of kind {code} in a cell"
    return int(bytes(data))


_decoder = msgspec.msgpack.Decoder(ext_hook=_ext)
