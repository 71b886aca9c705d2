"""Records of each topic to rows of its table: which field goes into which column.

A topic's rows come as an Arrow table whose last columns say where each came from.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
import pyarrow as pa

from rating.errors import NumberError
from rating.numbers import quantity, quantity_text
from rating.records import Pack
from schemas import topics
from schemas.log import decode_record
from sinks.clickhouse import columns as to
from sinks.clickhouse.columns import Columns


class Taken(NamedTuple):
    """A record as the sink reads it; `timestamp` in microseconds."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]]


class Insert(NamedTuple):
    """Rows for one table."""

    table: str
    rows: pa.Table


CHARGES: Columns = {
    "id": to.text, "tenant": to.text, "account": to.text, "subscription": to.text, "plan": to.text,
    "plan_version": to.small, "charge": to.text, "kind": to.text, "meter": to.text, "dimensions": to.mapping,
    "period_start": to.time, "period_end": to.time, "window_start": to.time, "window_end": to.time,
    "revision": to.whole, "quantity": to.quantity, "quantity_total": to.quantity, "amount": to.amount,
    "amount_total": to.amount, "currency": to.text, "credits_applied": to.amount, "amount_due": to.amount,
    "details": to.document, "rounded": to.document, "storefront": to.text, "region": to.text, "channel": to.text,
    "sub_account": to.text, "pricing_unit": to.document, "catalog_revision": to.whole, "late": to.flag,
    "source": to.document, "time": to.time,
}  # fmt: skip
LEDGER: Columns = {
    "id": to.text, "tenant": to.text, "account": to.text, "grant": to.text, "entry": to.text, "amount": to.amount,
    "unit": to.text, "balance": to.amount, "charge": to.text, "time": to.time,
}  # fmt: skip
THRESHOLDS: Columns = {
    "id": to.text, "tenant": to.text, "account": to.text, "subscription": to.text, "limit": to.text,
    "metric": to.text, "threshold": to.plain, "state": to.text, "value": to.amount, "amount": to.amount,
    "period_start": to.time, "period_end": to.time, "hard": to.flag, "action": to.text, "scope": to.plain,
    "window_start": to.time, "window_end": to.time, "top_up": to.amount, "time": to.time,
}  # fmt: skip
SIGNALS: Columns = {
    "id": to.text, "tenant": to.text, "account": to.text, "rule": to.text, "kind": to.text, "state": to.text,
    "facts": to.document, "data": to.document, "time": to.time,
}  # fmt: skip
ENTITLEMENTS: Columns = {
    "tenant": to.text, "account": to.text, "feature": to.text, "subject": to.text, "kind": to.text,
    "access": to.flag, "value": to.document, "included": to.quantity, "used": to.quantity, "balance": to.amount,
    "overage": to.plain, "resets_at": to.time, "reason": to.text, "plan": to.text, "version": to.whole,
    "unit": to.text, "throttle": to.document, "limits": to.document, "time": to.time, "_deleted": to.whole,
}  # fmt: skip
REJECTED: Columns = {
    "error": to.text, "error_detail": to.text, "stage": to.text, "origin_topic": to.text,
    "origin_partition": to.small, "origin_offset": to.whole, "key": to.text, "value": to.text, "time": to.micros,
}  # fmt: skip
USAGE: Columns = {
    "tenant": to.text, "account": to.text, "subject": to.text, "source": to.text, "id": to.text, "type": to.text,
    "time": to.micros, "data": to.text, "meter": to.text, "value": to.quantity, "value_text": to.text,
    "dimensions": to.mapping, "sign": to.signed, "_topic": to.text, "_partition": to.small, "_offset": to.whole,
    "_index": to.small,
}  # fmt: skip
CORRECTED: Columns = {**USAGE, "time": to.time}
UNCOUNTED: Columns = {"_partition": to.small, "_offset": to.whole, "_index": to.small}
_PLACE: Columns = {"_topic": to.text, "_partition": to.small, "_offset": to.whole}
Row = Mapping[str, Any]


def inserts(records: Iterable[Taken], dimensions: Callable[[str, int, str], Sequence[str]]) -> list[Insert]:
    """Rows of a batch, by table. `dimensions` names a meter's dimensions: (tenant, catalog revision, meter)."""
    by_topic: dict[str, list[Taken]] = {}
    for record in records:
        by_topic.setdefault(record.topic, []).append(record)
    found: list[Insert] = []
    for topic, mine in by_topic.items():
        if topic == topics.LOG.name:
            found += _usage(mine, dimensions)
        elif topic == topics.UNCOUNTED.name:
            found += _uncounted(mine)
        elif topic == topics.REJECTED.name:
            found.append(
                _insert("rejected_rows", {**REJECTED, **_PLACE}, [_rejected(record) for record in mine])
            )
        elif topic == topics.ENTITLEMENTS.name:
            found.append(
                _insert(
                    "entitlements_rows", {**ENTITLEMENTS, **_PLACE}, [_entitlement(record) for record in mine]
                )
            )
        else:
            table, known = _PLAIN[topic]
            rows = [{**msgspec.json.decode(record.value or b"{}"), **_place(record)} for record in mine]
            found.append(_insert(table, {**known, **_PLACE}, rows))
    return [each for each in found if each.rows.num_rows]


_PLAIN: dict[str, tuple[str, Columns]] = {
    topics.CHARGES.name: ("charges_rows", CHARGES),
    topics.LEDGER.name: ("ledger_rows", LEDGER),
    topics.THRESHOLDS.name: ("thresholds_rows", THRESHOLDS),
    topics.SIGNALS.name: ("signals_rows", SIGNALS),
}


def _place(record: Taken) -> Row:
    return {"_topic": record.topic, "_partition": record.partition, "_offset": record.offset}


def _insert(table: str, known: Columns, rows: Sequence[Row]) -> Insert:
    arrays = {name: column([row.get(name) for row in rows]) for name, column in known.items()}
    return Insert(table, pa.table(arrays))


def _rejected(record: Taken) -> Row:
    headers = {name: (value or b"").decode("utf-8", "replace") for name, value in record.headers}
    return {
        "error": headers.get("error", ""), "error_detail": headers.get("error_detail", ""),
        "stage": headers.get("stage", ""), "origin_topic": headers.get("origin_topic", ""),
        "origin_partition": int(headers.get("origin_partition", 0)), "origin_offset": int(headers.get("origin_offset", 0)),
        "key": _readable(record.key), "value": _readable(record.value), "time": record.timestamp, **_place(record),
    }  # fmt: skip


def _readable(value: bytes | None) -> str | None:
    return None if value is None else value.decode("utf-8", "backslashreplace")


def _entitlement(record: Taken) -> Row:
    parts = (record.key or b"").decode().split("/")
    named = {
        "tenant": parts[0],
        "account": parts[1],
        "feature": parts[2],
        "subject": parts[3] if len(parts) > 3 else "",
    }
    value = {} if record.value is None else msgspec.json.decode(record.value)
    return {**value, **named, "_deleted": int(record.value is None), **_place(record)}


def _usage(records: Iterable[Taken], dimensions: Callable[[str, int, str], Sequence[str]]) -> list[Insert]:
    rows: list[Row] = []
    for record in records:
        pack = decode_record(record.value or b"")
        if isinstance(pack, Pack):
            rows += _pack(pack, record, dimensions)
    return [_insert("usage_rows", USAGE, rows)]


def _pack(pack: Pack, record: Taken, dimensions: Callable[[str, int, str], Sequence[str]]) -> Iterable[Row]:
    shared = [
        {
            "tenant": pack.tenant, "account": pack.accounts[pack.account[index]],
            "subject": pack.subjects[pack.subject[index]], "source": pack.sources[pack.source[index]],
            "id": pack.id[index], "type": pack.types[pack.type[index]], "time": pack.time[index],
            "data": pack.data[index].decode("utf-8", "replace"), "sign": 1, "_index": index, **_place(record),
        }
        for index in range(len(pack.id))
    ]  # fmt: skip
    metered: set[int] = set()
    for column in pack.readings:
        names = dimensions(pack.tenant, pack.revision, column.meter)
        for event, value, dim in zip(column.event, column.value, column.dim, strict=True):
            metered.add(event)
            dims = dict(zip(names, column.dims[dim], strict=True))
            yield {**shared[event], "meter": column.meter, "dimensions": dims, **_value(value)}
    for index, row in enumerate(shared):
        if index not in metered:
            yield {**row, "meter": "", "dimensions": {}, "value": "0"}


def _value(value: int | str) -> Row:
    """A number as it is; what `unique` counts may be any text, which has value 0."""
    if isinstance(value, int):
        return {"value": str(value)}
    try:
        return {"value": quantity_text(quantity(value)), "value_text": value}
    except NumberError:
        return {"value": "0", "value_text": value}


def _uncounted(records: Iterable[Taken]) -> list[Insert]:
    gone: list[Row] = []
    corrected: list[Row] = []
    for record in records:
        value = msgspec.json.decode(record.value or b"{}")
        gone += [
            {"_partition": value["partition"], "_offset": value["offset"], "_index": index}
            for index in value["uncounted"]
        ]
        for index, row in enumerate(value["rows"]):
            number = _value(
                row["value"] if not str(row["value"]).lstrip("-").isdigit() else int(row["value"])
            )
            corrected.append({**row, **number, "_index": index, **_place(record)})
    return [_insert("uncounted_rows", UNCOUNTED, gone), _insert("usage_rows", CORRECTED, corrected)]
