"""Records of every topic to rows of the tables; a record that cannot be read becomes a row of `sink_errors`.

These topics are ours alone, so an unreadable record is somebody else's, or a fault: it is kept with its bytes and the
reason, and its neighbours go on. A record of a newer version is no such thing: it stops the sink (`UnknownRecord`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter
from typing import Any

import msgspec
import pyarrow as pa

from schemas import topics
from sinks.clickhouse import tables
from sinks.clickhouse.columns import Kinds, record_type
from sinks.clickhouse.tables import Insert, Taken, table_of, table_of_columns, value_of
from sinks.clickhouse.usage import Meters, uncounted, usage

_UNREADABLE = (
    ValueError,
    TypeError,
    LookupError,
    OverflowError,
    RecursionError,
    msgspec.MsgspecError,
    pa.ArrowException,
)
REASON_MAX = 500
CHUNK = 1_000
Build = Callable[[Sequence[Taken]], list[Insert]]


def inserts(records: Iterable[Taken], meters: Meters) -> list[Insert]:
    """The rows of a batch, by table. Raises `schemas.log.UnknownRecord`."""
    by_topic: dict[str, list[Taken]] = {}
    for record in records:
        by_topic.setdefault(record.topic, []).append(record)
    found: list[Insert] = []
    bad: list[tuple[Taken, str]] = []
    for topic, mine in by_topic.items():
        found += _readable(_builds(topic, meters), mine, bad)
    if bad:
        found.append(
            Insert("errors_rows", table_of(tables.ERRORS, [_error(record, why) for record, why in bad]))
        )
    return [each for each in found if each.rows.num_rows]


def _builds(topic: str, meters: Meters) -> Build:
    if topic == topics.LOG.name:
        return lambda records: usage(records, meters)
    if topic == topics.UNCOUNTED.name:
        return lambda records: uncounted(records, meters)
    return _BUILDS[topic]


def _readable(build: Build, records: Sequence[Taken], bad: list[tuple[Taken, str]]) -> list[Insert]:
    """The rows of those that can be read; the others go to `bad`."""
    try:
        return build(records)
    except _UNREADABLE:
        found = list(_unreadable(build, records))
        bad += found
        places = {_place(record) for record, _ in found}
        return build([record for record in records if _place(record) not in places])


def _unreadable(build: Build, records: Sequence[Taken]) -> Iterable[tuple[Taken, str]]:
    """The records that cannot be read, each with the reason; found by halving, since they are few."""
    try:
        build(records)
    except _UNREADABLE as error:
        if len(records) == 1:
            yield records[0], f"{type(error).__name__}: {error}"[:REASON_MAX]
            return
        half = len(records) // 2
        yield from _unreadable(build, records[:half])
        yield from _unreadable(build, records[half:])


def _error(record: Taken, why: str) -> tuple[Any, ...]:
    return (why, record.key, record.value, record.timestamp, *_place(record))


def _place(record: Taken) -> tuple[str, int, int]:
    return record.topic, record.partition, record.offset


def _plain(table: str, kinds: Kinds) -> Build:
    """Records whose fields are the columns."""
    decode = msgspec.json.Decoder(record_type(table, kinds)).decode
    fields = [attrgetter(name) for name in kinds]
    placed = {**kinds, **tables.PLACE}

    def build(records: Sequence[Taken]) -> list[Insert]:
        columns: list[list[Any]] = [[] for _ in fields]
        # A thousand at a time: the objects are picked apart while the processor still has them at hand.
        for first in range(0, len(records), CHUNK):
            chunk = [decode(value_of(record)) for record in records[first : first + CHUNK]]
            for column, field in zip(columns, fields, strict=True):
                column.extend(map(field, chunk))
        places: Iterable[tuple[Any, ...]] = zip(*map(_place, records), strict=True) if records else [()] * 3
        return [Insert(table, table_of_columns(placed, [*columns, *places]))]

    return build


_REJECTED_HEADERS = ("error", "error_detail", "stage", "origin_topic")


def _rejected(records: Sequence[Taken]) -> list[Insert]:
    rows = []
    for record in records:
        headers = dict(record.headers)
        words = [str(headers[name] or b"", "utf-8", "replace") for name in _REJECTED_HEADERS]
        origin = (int(headers["origin_partition"] or 0), int(headers["origin_offset"] or 0))
        rows.append((*words, *origin, record.key, record.value, record.timestamp, *_place(record)))
    return [Insert("rejected_rows", table_of(tables.REJECTED, rows))]


_ENTITLEMENT = record_type("entitlement", tables.ENTITLEMENTS)
_entitlement_decoder = msgspec.json.Decoder(_ENTITLEMENT)
_GONE = (None,) * len(tables.ENTITLEMENTS)


def _entitlements(records: Sequence[Taken]) -> list[Insert]:
    """The newest state of each key; a tombstone ends it."""
    rows = []
    for record in records:
        tenant, account, feature, *subject = str(record.key or b"", "utf-8").split("/")
        value = (
            _GONE
            if record.value is None
            else msgspec.structs.astuple(_entitlement_decoder.decode(record.value))
        )
        key = (tenant, account, feature, subject[0] if subject else "", int(record.value is None))
        rows.append((*value, *key, *_place(record)))
    kinds = {**tables.ENTITLEMENTS, **tables.ENTITLEMENT_KEY, **tables.PLACE}
    return [Insert("entitlements_rows", table_of(kinds, rows))]


_BUILDS: dict[str, Build] = {
    topics.CHARGES.name: _plain("charges_rows", tables.CHARGES),
    topics.LEDGER.name: _plain("ledger_rows", tables.LEDGER),
    topics.THRESHOLDS.name: _plain("thresholds_rows", tables.THRESHOLDS),
    topics.SIGNALS.name: _plain("signals_rows", tables.SIGNALS),
    topics.REJECTED.name: _rejected,
    topics.ENTITLEMENTS.name: _entitlements,
}
