"""Kinds of columns: how a field of a record is read, and how a list of its values becomes an Arrow column, exactly.

A `Kind` is both halves: the type that msgspec checks while it decodes, and the function that makes the column. Decimals
and times are parsed from their text, never through a float, and what does not fit raises; words that repeat travel as a
dictionary.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

AMOUNT_TYPE = pa.decimal256(76, 36)
QUANTITY_TYPE = pa.decimal128(38, 12)
TIME_TYPE = pa.timestamp("us", "UTC")
Values = Sequence[Any]
Array: TypeAlias = "pa.Array[Any]"


class Kind(NamedTuple):
    """A field's type in the record, and its column from the values of many records."""

    type: Any
    column: Callable[[Values], Array]
    required: bool = True


Kinds = Mapping[str, Kind]
"""A table's columns, in order."""


class Source(msgspec.Struct, frozen=True, gc=False):
    """The log record that a line came from."""

    topic: str
    partition: int
    offset: int


def maybe(kind: Kind) -> Kind:
    """The same, where the record may have `null` or leave the field out."""
    # A `Raw` holds a `null` as it is; a union with it would take nothing else.
    return Kind(kind.type if kind.type is msgspec.Raw else kind.type | None, kind.column, False)


def record_type(name: str, kinds: Kinds) -> type[msgspec.Struct]:
    """The type that decodes a record into these fields; what it has besides is left."""
    fields: list[Any] = [
        (field, kind.type) if kind.required else (field, kind.type, _absent(kind))
        for field, kind in kinds.items()
    ]
    return msgspec.defstruct(name, fields, kw_only=True, gc=False)


def _absent(kind: Kind) -> msgspec.Raw | None:
    return msgspec.Raw(b"null") if kind.type is msgspec.Raw else None


def texts(values: Values) -> Array:
    """Texts."""
    return pa.array(values, pa.string())


def words(values: Values) -> Array:
    """Texts that repeat."""
    return pa.array(values, pa.string()).dictionary_encode()


def amounts(values: Values) -> Array:
    """Amounts from their text."""
    return pc.cast(pa.array(values, pa.string()), AMOUNT_TYPE)


def quantities(values: Values) -> Array:
    """Quantities from their text."""
    return pc.cast(pa.array(values, pa.string()), QUANTITY_TYPE)


def times(values: Values) -> Array:
    """RFC 3339 text in UTC."""
    return pc.cast(pa.array(values, pa.string()), TIME_TYPE)


def micros(values: Values) -> Array:
    """Microseconds since the epoch."""
    return pa.array(values, pa.int64()).cast(TIME_TYPE)


def pairs(values: Iterable[Mapping[str, str]]) -> Array:
    """`{name: text}` of each record."""
    offsets = [0]
    names: list[str] = []
    found: list[str] = []
    for each in values:
        names += each.keys()
        found += each.values()
        offsets.append(len(names))
    parts: list[Any] = [
        pa.array(offsets, pa.int32()),
        pa.array(names, pa.string()),
        pa.array(found, pa.string()),
    ]
    made: Array = pa.MapArray.from_arrays(*parts)
    return made


def _json(values: Values) -> Array:
    found = [None if each is None else bytes(each) for each in values]
    return pa.array([None if each == b"null" else each for each in found], pa.binary()).cast(pa.string())


def _plain(values: Values) -> Array:
    found = [None if each is None else msgspec.json.decode(each) for each in values]
    return pa.array(
        [
            value if value is None or isinstance(value, str) else str(raw, "utf-8")
            for value, raw in zip(found, values, strict=True)
        ],
        pa.string(),
    )


def _sources(values: Sequence[Source]) -> Array:
    parts = [
        words([each.topic for each in values]),
        pa.array([each.partition for each in values], pa.uint32()),
        pa.array([each.offset for each in values], pa.uint64()),
    ]
    return pa.StructArray.from_arrays(parts, names=["topic", "partition", "offset"])


TEXT = Kind(str, texts)
BYTES = Kind(bytes, lambda values: pa.array(values, pa.binary()))
"""Bytes as they are: a ClickHouse `String` holds any."""
WORD = Kind(str, words)
NAME = Kind(str | None, lambda values: words(["" if each is None else each for each in values]))
"""A word that may be null, which is then the empty one."""
AMOUNT = Kind(str, amounts)
QUANTITY = Kind(str, quantities)
TIME = Kind(str, times)
MICROS = Kind(int, micros)
SMALL = Kind(int, lambda values: pa.array(values, pa.uint32()))
WHOLE = Kind(int, lambda values: pa.array(values, pa.uint64()))
SIGN = Kind(int, lambda values: pa.array(values, pa.int8()))
FLAG = Kind(bool, lambda values: pa.array(values, pa.bool_()))
PAIRS = Kind(dict[str, str], pairs)
JSON = Kind(msgspec.Raw, _json)
"""Any JSON value, as the text that it is."""
PLAIN = Kind(msgspec.Raw, _plain)
"""A text as it is, any other JSON value as its JSON text."""
SOURCE = Kind(Source, _sources)
