"""Records of every topic that the sink reads, as rating and normalize write them; each takes what a test is about."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from rating.records import Pack, ReadingColumn
from schemas import topics
from schemas.log import encode_record
from sinks.clickhouse.tables import Taken
from sinks.clickhouse.usage import Meter

TIME = "2026-11-22T10:00:00.123456Z"
MICROS = 1_795_341_600_123_456
METERS = {
    "tokens": Meter(("model", "region"), False),
    "requests": Meter((), False),
    "users": Meter(("model",), True),
}


def meter(tenant: str, key: str) -> Meter:
    """What the sink knows of a meter."""
    return METERS[key]


def charge(number: int, **fields: Any) -> dict[str, Any]:
    """A charge line, as in the contract."""
    line = {
        "id": f"chg_{number:032x}",
        "tenant": "acme",
        "account": f"cust-{number % 7}",
        "subscription": "main",
        "plan": "pro",
        "plan_version": 1,
        "charge": "input",
        "kind": "usage",
        "meter": "tokens",
        "dimensions": {"model": "large"},
        "period_start": "2026-11-01T00:00:00Z",
        "period_end": "2026-12-01T00:00:00Z",
        "window_start": "2026-11-22T10:00:00Z",
        "window_end": "2026-11-22T11:00:00Z",
        "revision": number + 1,
        "quantity": "374",
        "quantity_total": "1000374",
        "amount": "0.000748",
        "amount_total": "0.000748",
        "currency": "USD",
        "credits_applied": "0",
        "amount_due": "0.000748",
        "details": [{"tier": 2, "quantity": "374", "unit_amount": "0.000002", "amount": "0.000748"}],
        "rounded": None,
        "storefront": None,
        "region": "eu",
        "channel": None,
        "sub_account": None,
        "pricing_unit": None,
        "catalog_revision": 7,
        "late": False,
        "source": {"topic": "rating.log.v1", "partition": 3, "offset": 1207},
        "time": TIME,
    }
    return line | fields


def ledger_entry(number: int, **fields: Any) -> dict[str, Any]:
    """An entry of the ledger."""
    entry = {
        "id": f"led_{number:032x}", "tenant": "acme", "account": "cust-1", "grant": "welcome", "entry": "burn",
        "amount": "-0.000748", "unit": "USD", "balance": "9.999252", "charge": f"chg_{number:032x}", "time": TIME,
    }  # fmt: skip
    return entry | fields


def threshold(number: int, **fields: Any) -> dict[str, Any]:
    """A threshold that was crossed."""
    crossed = {
        "id": f"thr_{number:032x}", "tenant": "acme", "account": "cust-1", "subscription": "main",
        "limit": "spend-cap", "metric": "spend", "threshold": "80", "state": "breached", "value": "401.5",
        "amount": "500", "period_start": "2026-11-01T00:00:00Z", "period_end": "2026-12-01T00:00:00Z", "hard": True,
        "action": "suspend", "time": TIME,
    }  # fmt: skip
    return crossed | fields


def signal(number: int, **fields: Any) -> dict[str, Any]:
    """A decision."""
    decided = {
        "id": f"sig_{number:032x}", "tenant": "acme", "account": "cust-1", "rule": "grow", "kind": "upgrade",
        "state": "on", "facts": {"spend": "400.25"}, "time": TIME,
    }  # fmt: skip
    return decided | fields


def entitlement(feature: str = "chat", **fields: Any) -> dict[str, Any]:
    """The state of one feature."""
    state = {
        "tenant": "acme", "account": "cust-1", "feature": feature, "kind": "metered", "access": True, "value": None,
        "included": "1000000", "used": "374", "balance": "999626", "overage": "0",
        "resets_at": "2026-12-01T00:00:00Z", "reason": "ok", "plan": "pro", "version": 1, "time": TIME,
    }  # fmt: skip
    return state | fields


def pack(ids: Sequence[str], readings: Sequence[ReadingColumn] = (), tenant: str = "acme") -> Pack:
    """Events of two accounts, by turns, a microsecond apart; their data names them."""
    count = len(ids)
    return Pack(
        tenant=tenant,
        revision=1,
        accounts=["cust-0", "cust-1"],
        subjects=["key-0", "key-1"],
        sources=["gateway"],
        types=["llm.completion"],
        origins=[("usage.events.v1", 0)],
        account=[each % 2 for each in range(count)],
        subject=[each % 2 for each in range(count)],
        source=[0] * count,
        type=[0] * count,
        origin=[0] * count,
        offset=list(range(count)),
        id=list(ids),
        time=[MICROS + each for each in range(count)],
        received=[MICROS] * count,
        uid=bytes(16 * count),
        digest=bytes(16 * count),
        data=[json.dumps({"of": each}).encode() for each in ids],
        readings=list(readings),
    )


def correction(event: str, sign: int, value: str = "374", meter: str = "tokens") -> dict[str, Any]:
    """A row that a correction adds."""
    return {
        "account": "cust-0", "tenant": "acme", "source": "gateway", "id": event, "type": "llm.completion",
        "subject": "key-0", "time": TIME, "data": "{}", "meter": meter, "value": value,
        "dimensions": {"model": "large", "region": "eu"}, "sign": sign,
    }  # fmt: skip


def uncounted(
    partition: int, offset: int, indexes: Sequence[int], rows: Sequence[dict[str, Any]] = ()
) -> dict[str, Any]:
    """A record of what did not count."""
    return {"partition": partition, "offset": offset, "uncounted": list(indexes), "rows": list(rows)}


REJECTED_HEADERS: list[tuple[str, str | bytes | None]] = [
    ("content-type", b"application/json"),
    ("error", b"malformed"),
    ("error_detail", b"the value is not JSON"),
    ("stage", b"normalize"),
    ("origin_topic", b"usage.events.v1"),
    ("origin_partition", b"2"),
    ("origin_offset", b"77"),
]


def taken(
    topic: topics.Topic, offset: int, value: Any, partition: int = 0, key: bytes | None = b"acme/cust-1"
) -> Taken:
    """A record as the sink reads it; a value that is no bytes is written as its topic has it."""
    if isinstance(value, Pack):
        value = encode_record(value)
    elif value is not None and not isinstance(value, bytes):
        value = json.dumps(value).encode()
    headers = REJECTED_HEADERS if topic is topics.REJECTED else []
    return Taken(topic.name, partition, offset, MICROS, key, value, headers)  # type: ignore[arg-type]
