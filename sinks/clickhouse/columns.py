"""Values of records to Arrow columns, exactly: decimals and times from their text, never through a float."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

AMOUNT = pa.decimal256(76, 36)
QUANTITY = pa.decimal128(38, 12)
TIME = pa.timestamp("us", "UTC")
Values = Sequence[Any]
Array = Any
"""`pyarrow.Array` of whatever type."""
Column = Callable[[Values], Array]


def text(values: Values) -> Array:
    return pa.array(values, pa.string())


def amount(values: Values) -> Array:
    return pc.cast(pa.array(values, pa.string()), AMOUNT)


def quantity(values: Values) -> Array:
    return pc.cast(pa.array(values, pa.string()), QUANTITY)


def time(values: Values) -> Array:
    """RFC 3339 text in UTC, as every record of ours has it."""
    return pc.cast(pa.array(values, pa.string()), TIME)


def micros(values: Values) -> Array:
    return pa.array(values, pa.int64()).cast(TIME)


def whole(values: Values) -> Array:
    return pa.array(values, pa.uint64())


def small(values: Values) -> Array:
    return pa.array(values, pa.uint32())


def signed(values: Values) -> Array:
    return pa.array(values, pa.int8())


def flag(values: Values) -> Array:
    return pa.array(values, pa.bool_())


def mapping(values: Values) -> Array:
    return pa.array([list(each.items()) for each in values], pa.map_(pa.string(), pa.string()))


def document(values: Values) -> Array:
    """Any JSON value as its text; null stays null."""
    return pa.array(
        [None if each is None else msgspec.json.encode(each).decode() for each in values], pa.string()
    )


def plain(values: Values) -> Array:
    """Text as it is, any other JSON value as its text."""
    return pa.array(
        [each if each is None or isinstance(each, str) else json.dumps(each) for each in values], pa.string()
    )


Columns = Mapping[str, Column]
