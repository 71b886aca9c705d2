"""Usage: packs of the log to rows, a row an event and meter, and what was not counted or corrected.

Events become columns once, over all packs of a batch; a row is then a pick of its event, so that its cost is a few
additions of integers however small the packs are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import msgspec
import pyarrow as pa

from rating.errors import NumberError
from rating.numbers import quantity, quantity_text
from rating.records import Pack, ReadingColumn
from schemas.log import decode_record
from sinks.clickhouse import columns as to
from sinks.clickhouse import tables
from sinks.clickhouse.tables import Insert, Taken, table_of, value_of

NO_METER = ""


class Meter(NamedTuple):
    """What a row must know of a meter; a meter never changes once it is published."""

    dimensions: tuple[str, ...]
    unique: bool


Meters = Callable[[str, str], Meter]
"""The meter of a tenant by its key."""


def usage(records: Iterable[Taken], meters: Meters) -> list[Insert]:
    """Rows of the packs among records of the log."""
    columns = _Columns()
    for record in records:
        pack = decode_record(value_of(record))
        if isinstance(pack, Pack):
            columns.add(record, pack, meters)
    return [Insert("usage_rows", columns.table())]


class _Columns:
    """The columns of a batch as they grow: by record, by event, by row."""

    def __init__(self) -> None:
        self.records: list[tuple[str, str, int, int]] = []
        self.record: list[int] = []
        self.index: list[int] = []
        self.accounts: list[str] = []
        self.subjects: list[str] = []
        self.sources: list[str] = []
        self.types: list[str] = []
        self.ids: list[str] = []
        self.times: list[int] = []
        self.data: list[bytes] = []
        self.event: list[int] = []
        self.meters: list[str] = []
        self.values: list[int | str] = []
        self.texts: list[str] = []
        self.dim: list[int] = []
        self.dims: list[dict[str, str]] = [{}]

    def add(self, record: Taken, pack: Pack, meters: Meters) -> None:
        """The events of a pack and their rows."""
        first, count = len(self.ids), len(pack.id)
        self.record += [len(self.records)] * count
        self.records.append((pack.tenant, record.topic, record.partition, record.offset))
        self.index += range(count)
        self.accounts += [pack.accounts[each] for each in pack.account]
        self.subjects += [pack.subjects[each] for each in pack.subject]
        self.sources += [pack.sources[each] for each in pack.source]
        self.types += [pack.types[each] for each in pack.type]
        self.ids += pack.id
        self.times += pack.time
        self.data += pack.data
        metered = bytearray(count)
        for column in pack.readings:
            for event in column.event:
                metered[event] = 1
            self._reading(first, column, meters(pack.tenant, column.meter))
        rest = [first + event for event in range(count) if not metered[event]]
        self._rows(rest, NO_METER, [0] * len(rest), [""] * len(rest), [0] * len(rest))

    def _reading(self, first: int, column: ReadingColumn, meter: Meter) -> None:
        dims = len(self.dims)
        self.dims += [dict(zip(meter.dimensions, values, strict=True)) for values in column.dims]
        values, texts = column.value, [""] * len(column.value)
        if meter.unique:
            texts = [str(value) for value in values]
            values = [number_of(text) for text in texts]
        self._rows(
            [first + each for each in column.event],
            column.meter,
            values,
            texts,
            [dims + each for each in column.dim],
        )

    def _rows(
        self, events: list[int], meter: str, values: Sequence[int | str], texts: list[str], dims: list[int]
    ) -> None:
        self.event += events
        self.meters += [meter] * len(events)
        self.values += values
        self.texts += texts
        self.dim += dims

    def table(self) -> pa.Table:
        """All rows."""
        event = pa.array(self.event, pa.int64())
        record = pa.array(self.record, pa.int64()).take(event)
        tenants, topics, partitions, offsets = (
            zip(*self.records, strict=True) if self.records else ((), (), (), ())
        )
        return pa.table(
            {
                "tenant": to.words(tenants).take(record),
                "account": to.words(self.accounts).take(event),
                "subject": to.words(self.subjects).take(event),
                "source": to.words(self.sources).take(event),
                "id": pa.array(self.ids, pa.string()).take(event),
                "type": to.words(self.types).take(event),
                "time": to.micros(self.times).take(event),
                "data": pa.array(self.data, pa.binary()).take(event),
                "meter": to.words(self.meters),
                "value": _numbers(self.values),
                "value_text": pa.array(self.texts, pa.string()),
                "dimensions": to.pairs(self.dims).take(pa.array(self.dim, pa.int64())),
                "sign": pa.array([1] * len(self.event), pa.int8()),
                "_topic": to.words(topics).take(record),
                "_partition": pa.array(partitions, pa.uint32()).take(record),
                "_offset": pa.array(offsets, pa.uint64()).take(record),
                "_index": pa.array(self.index, pa.uint32()).take(event),
            }
        )


def _numbers(values: Sequence[int | str]) -> to.Array:
    try:
        return pa.array(values, pa.int64()).cast(to.QUANTITY_TYPE)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
        return to.quantities([str(value) for value in values])


def number_of(text: str) -> str:
    """What a distinct value counts as in `value`: itself where it is a number, else 0."""
    try:
        return quantity_text(quantity(text))
    except NumberError:
        return "0"


class _Corrected(msgspec.Struct, gc=False):
    """A row that a correction adds."""

    tenant: str
    account: str
    subject: str
    source: str
    id: str
    type: str
    time: str
    data: str
    meter: str
    value: str
    dimensions: dict[str, str]
    sign: int


class _Uncounted(msgspec.Struct, gc=False):
    """A record of `rating.uncounted.v1`."""

    partition: int
    offset: int
    uncounted: list[int]
    rows: list[_Corrected]


_decoder = msgspec.json.Decoder(_Uncounted)


def uncounted(records: Iterable[Taken], meters: Meters) -> list[Insert]:
    """Which rows of packs do not count, and the rows that corrections add."""
    gone: list[tuple[int, int, int]] = []
    added: list[tuple[object, ...]] = []
    for record in records:
        found = _decoder.decode(value_of(record))
        gone += [(found.partition, found.offset, index) for index in found.uncounted]
        for index, row in enumerate(found.rows):
            unique = row.meter != NO_METER and meters(row.tenant, row.meter).unique
            value, text = (number_of(row.value), row.value) if unique else (row.value, "")
            added.append(
                (
                    row.tenant, row.account, row.subject, row.source, row.id, row.type, row.time, row.data, row.meter,
                    value, text, row.dimensions, row.sign, index, record.topic, record.partition, record.offset,
                )
            )  # fmt: skip
    return [
        Insert("uncounted_rows", table_of(tables.UNCOUNTED, gone)),
        Insert("usage_rows", table_of(tables.CORRECTED, added)),
    ]
