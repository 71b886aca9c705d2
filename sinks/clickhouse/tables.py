"""What each table's rows have: the fields of its topic's records, in order, and where they came from.

A field that the record must have and has not makes the record unreadable; what a record has and no column is left. A new
column is a line here and a migration.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import pyarrow as pa

from sinks.clickhouse.columns import (
    AMOUNT,
    BYTES,
    FLAG,
    JSON,
    MICROS,
    NAME,
    PAIRS,
    PLAIN,
    QUANTITY,
    SIGN,
    SMALL,
    SOURCE,
    TEXT,
    TIME,
    WHOLE,
    WORD,
    Kinds,
    maybe,
)  # fmt: skip


class Taken(NamedTuple):
    """A record as the sink reads it. `topic` is its base name, `timestamp` in microseconds."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]] = ()


class Insert(NamedTuple):
    """Rows for one table."""

    table: str
    rows: pa.Table


PLACE: Kinds = {"_topic": WORD, "_partition": SMALL, "_offset": WHOLE}
CHARGES: Kinds = {
    "id": TEXT, "tenant": WORD, "account": TEXT, "subscription": TEXT, "plan": WORD, "plan_version": SMALL,
    "charge": WORD, "kind": WORD, "meter": maybe(WORD), "dimensions": PAIRS, "period_start": TIME, "period_end": TIME,
    "window_start": TIME, "window_end": TIME, "revision": WHOLE, "quantity": QUANTITY, "quantity_total": QUANTITY,
    "amount": AMOUNT, "amount_total": AMOUNT, "currency": WORD, "credits_applied": AMOUNT, "amount_due": AMOUNT,
    "details": JSON, "rounded": maybe(JSON), "storefront": maybe(WORD), "region": maybe(WORD), "channel": maybe(WORD),
    "sub_account": maybe(TEXT), "pricing_unit": maybe(JSON), "catalog_revision": WHOLE, "late": FLAG,
    "source": SOURCE, "time": TIME,
}  # fmt: skip
LEDGER: Kinds = {
    "id": TEXT, "tenant": WORD, "account": TEXT, "grant": TEXT, "entry": WORD, "amount": AMOUNT, "unit": WORD,
    "balance": AMOUNT, "charge": maybe(TEXT), "time": TIME,
}  # fmt: skip
THRESHOLDS: Kinds = {
    "id": TEXT, "tenant": WORD, "account": NAME, "subscription": maybe(TEXT), "limit": WORD, "metric": WORD,
    "threshold": PLAIN, "state": WORD, "value": AMOUNT, "amount": AMOUNT, "period_start": maybe(TIME),
    "period_end": maybe(TIME), "hard": FLAG, "action": WORD, "scope": maybe(PLAIN), "window_start": maybe(TIME),
    "window_end": maybe(TIME), "top_up": maybe(AMOUNT), "time": TIME,
}  # fmt: skip
SIGNALS: Kinds = {
    "id": TEXT, "tenant": WORD, "account": TEXT, "rule": NAME, "kind": WORD, "state": WORD, "facts": JSON,
    "data": maybe(JSON), "time": TIME,
}  # fmt: skip
ENTITLEMENTS: Kinds = {
    "kind": WORD, "access": FLAG, "value": maybe(PLAIN), "included": maybe(QUANTITY), "used": maybe(QUANTITY),
    "balance": maybe(AMOUNT), "overage": maybe(PLAIN), "resets_at": maybe(TIME), "reason": WORD, "plan": maybe(WORD),
    "version": maybe(WHOLE), "unit": maybe(WORD), "throttle": maybe(JSON), "limits": maybe(JSON), "time": TIME,
}  # fmt: skip
ENTITLEMENT_KEY: Kinds = {
    "tenant": WORD,
    "account": TEXT,
    "feature": WORD,
    "subject": TEXT,
    "_deleted": SMALL,
}
REJECTED: Kinds = {
    "error": WORD, "error_detail": TEXT, "stage": WORD, "origin_topic": WORD, "origin_partition": SMALL,
    "origin_offset": WHOLE, "key": maybe(BYTES), "value": maybe(BYTES), "time": MICROS, **PLACE,
}  # fmt: skip
CORRECTED: Kinds = {
    "tenant": WORD, "account": TEXT, "subject": TEXT, "source": WORD, "id": TEXT, "type": WORD, "time": TIME,
    "data": TEXT, "meter": WORD, "value": QUANTITY, "value_text": TEXT, "dimensions": PAIRS, "sign": SIGN,
    "_index": SMALL, **PLACE,
}  # fmt: skip
UNCOUNTED: Kinds = {"_partition": SMALL, "_offset": WHOLE, "_index": SMALL}
ERRORS: Kinds = {"error": TEXT, "key": maybe(BYTES), "value": maybe(BYTES), "time": MICROS, **PLACE}


def table_of(kinds: Kinds, rows: Sequence[Sequence[object]]) -> pa.Table:
    """Rows, each in the order of the kinds, as a table."""
    return table_of_columns(kinds, list(zip(*rows, strict=True)) if rows else [()] * len(kinds))


def table_of_columns(kinds: Kinds, columns: Sequence[Sequence[object]]) -> pa.Table:
    """Columns, in the order of the kinds, as a table. Raises `ValueError`, which names the column."""
    made = {}
    for (name, kind), values in zip(kinds.items(), columns, strict=True):
        try:
            made[name] = kind.column(values)
        except (pa.ArrowException, OverflowError, ValueError, TypeError) as error:
            raise ValueError(f"{name}: {error}") from None
    return pa.table(made)


def value_of(record: Taken) -> bytes:
    """A record's value; raises `ValueError` for a tombstone."""
    if record.value is None:
        raise ValueError("the record has no value")
    return record.value
